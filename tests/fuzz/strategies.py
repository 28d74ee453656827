"""Generators of hostile lines, pages, bytes and chunkings, driven by a `random.Random`.

Hypothesis drives them with its own source, so that it can shrink what it finds; `run.py` drives them with a plain seeded one,
which is twenty times faster. NASTY lists the characters that they draw.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from hypothesis import strategies as st

__all__ = ["bytes_of", "cut", "line", "page", "pages", "randoms"]

randoms = st.randoms(use_true_random=False)

NASTY = [
    *"\0\x01\x07\x08\t\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x7f\x85\xa0\xad",  # controls, VT, FF, separators, NEL, no-break space, soft hyphen
    *"\u2028\u2029\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202e\u2066\u2069\u061c",  # line separators, zero-width, bidi
    *"\ud800\udbff\udc00\udfff",  # lone surrogates
    *"\u0300\u0301\u0303\u0309\u0323\u0302\u031b\u20dd\u3099\u0338\u034f",  # combining marks, in and out of canonical order
    *"\u1100\u1161\u11a8\u11c2\uac00\ud7a3",  # Hangul, conjoining and precomposed
    *"\u0958\u2126\u212b\ufb2c\ufb01\u01c4\u0130\u0131\u1e9e\ufdfa",  # characters that NFC or lower-casing replaces or multiplies
    *"\U0001f600\U0001f468\U0001d400\U0002f800\U000e0001\U0010ffff\uffff\ufffe\ufffd",  # astral, tags, noncharacters
    *"[]()!|*_#`\\~<>&%@-+.,;:?…/'\"“”‘’«»©®°›•·→–—",
    *"aAđĐơƯ0٣৪Ⅷ½ 　",
]
UNITS = [
    "[", "]", "(", ")", "](", "![", "![](", "[a](b)", "![a](b)", "[a](b \"c\")", "[[", "]]", "[](", ")(", "|", "||", "| a ", "**", "# ",
    "> ", "- ", "* ", "`", "a", "a ", "A ", "đ", "0", "0/0/0000 ", ".", "…", "!", "?", ":", "\0", "\t", " ", "\u00a0", "\u200b", "\u0301",
    "a\u0301", "\u0323\u0301", "\u1112\u1161\u11ab", "\U0001f600", "\ud800", "\udc00\ud800", "\u202e", "\u2028", "\x85", "\x0b", "\x0c",
    "Đọc nhiều ", "http://a.vn/", "&amp;", "<b>", "</p>",
    "<br />", "<a href=\"", "<!--", "&nbsp;", "&#10;", "&amp;#769;", "&#x110000;",
    "&", ";",     "<", "<https://a.vn>", "\\", "\\]", "\\(",
    "][", "]: http://a.vn", "\n> ", "hoà ", "Ð", "\ufe0f", "❤️", "\uf105", "．", "（", "]（", "。", "...",
]  # fmt: skip
LENGTHS = (1, 2, 3, 7, 40, 200, 1500)


@cache
def ordinary() -> list[list[str]]:
    """Return the lines of composed pages."""
    from training.learning.dataset import make_pages

    return [[line.text for line in page.lines] for page in make_pages(200, 11, folds=(0,))[0]]


def _ordinary(random: Random) -> str:
    return random.choice(random.choice(ordinary()))


def _mutated(random: Random) -> str:
    """Return an ordinary line with one random change."""
    text = _ordinary(random)
    at = random.randrange(len(text) + 1)
    changes: list[Callable[[], str]] = [
        lambda: text[:at] + random.choice(NASTY) + text[at:],
        lambda: text[:at] + random.choice(UNITS) * random.choice(LENGTHS[:5]) + text[at:],
        lambda: unicodedata.normalize(random.choice(("NFD", "NFKD", "NFKC")), text),
        lambda: random.choice((text.upper(), text.lower(), text.title(), text[::-1], text + text, text[:at], text[at:])),
        lambda: " " * random.choice(LENGTHS[:5]) + text + random.choice(NASTY),
        lambda: "".join(char + random.choice(("", "\u200b", "\u0301")) for char in text),
        lambda: f"[{text}]({text})",
    ]
    return random.choice(changes)()


def _soup(random: Random) -> str:
    return "".join(random.choice(NASTY) for _ in range(random.choice(LENGTHS[:5])))


def _any_characters(random: Random) -> str:
    top = random.choice((0x80, 0x300, 0x3000, 0x10000, 0x110000))
    return "".join(chr(random.randrange(top)) for _ in range(random.choice(LENGTHS[:5])))


def _flood(random: Random) -> str:
    return "".join(random.choice(UNITS) * random.choice(LENGTHS) for _ in range(random.choice((1, 1, 2, 3))))


def _nested(random: Random) -> str:
    depth = random.choice(LENGTHS)
    opens, closes = random.choice((("[", "]"), ("(", ")"), ("[", "](b)"), ("![", "](b)"), ("](", ")"), ("[(", ")]"), ("**", "_")))
    return opens * depth + random.choice(("", "a", _ordinary(random))) + closes * max(0, depth + random.choice((-1, 0, 0, 1)))


def _blank(random: Random) -> str:
    return random.choice(("", "", "", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u3000\u2028", " \x0b\x0c "))


MAKERS = [_ordinary, _ordinary, _mutated, _mutated, _soup, _any_characters, _flood, _nested, _blank]


def line(random: Random) -> str:
    """Return one line of any characters but LF and CR."""
    return random.choice(MAKERS)(random).replace("\n", "").replace("\r", "")


def _run_of_lines(random: Random) -> list[str]:
    """Return a run of related lines: blank, repeated, ordinary or arbitrary ones."""
    kind = random.randrange(7)
    if kind == 0:
        return [_blank(random) for _ in range(random.choice((1, 2, 14, 15, 16, 17, 18, 40, 60)))]
    if kind == 1:
        return [line(random)] * random.choice((2, 3, 10, 33, 50))
    if kind == 2:
        lines = random.choice(ordinary())
        start = random.randrange(len(lines))
        return lines[start : start + random.choice((5, 20, 60))]
    return [line(random) for _ in range(random.choice((0, 1, 1, 2, 5)))]


def page(random: Random) -> list[str]:
    """Return the lines of a hostile page; most pages are short, since a few lines suffice for most bugs."""
    return [text for _ in range(random.choice((0, 1, 1, 2, 2, 3, 5))) for text in _run_of_lines(random)]


def pages(random: Random, count: int) -> list[str]:
    """Return `count` pages as text, each with one kind of line end or a mixture."""
    found = []
    for _ in range(count):
        end = random.choice(("\n", "\n", "\r\n", "\r", ""))
        text = "".join(text + (end or random.choice(("\n", "\r\n", "\r"))) for text in page(random))
        found.append(text if random.random() < 0.5 else text.rstrip("\r\n"))
    return found


def bytes_of(random: Random, text: str) -> bytes:
    """Return a text as possibly invalid UTF-8: lone surrogates are encoded, some bytes replaced, deleted or inserted."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(random.choice((0, 0, 1, 3))):
        at = random.randrange(len(data) + 1)
        data[at : at + random.choice((0, 1))] = random.choice(
            (b"", b"\xff", b"\xc3", b"\xe1\xba", b"\xf0\x9f", b"\xed\xa0\x80", b"\r", b"\n")
        )
    return bytes(data)


def cut(random: Random, whole: Sequence) -> list:
    """Split a sequence at random into chunks, some of them empty."""
    most = random.choice((0, 1, 3, 10, 40))
    cuts = sorted(random.randrange(len(whole) + 1) for _ in range(most))
    return [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)])]
