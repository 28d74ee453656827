"""Judgement of a page's letters: garbled, without accents, or not Vietnamese; on texts whose samples give reason to doubt.

Evidence of several windows of a page adds up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from classifier.io.garbled import ENOUGH, MARKED_SHARE, MARKED_WORDS, garbled, question_marks
from classifier.io.notices import GARBLED, NO_ACCENTS, NOT_VIETNAMESE

__all__ = ["evidence", "judge"]

MINIMUM_LETTERS = 100  # fewer prove nothing about a language
LONG_LINE, LONG_LINES = 60, 300  # characters; if lines this long sum to this much, they alone are judged: menus may differ
ENOUGH_TEXT = 1 << 12  # characters
VIETNAMESE_SHARE = 0.03  # of letters; Vietnamese has 0.12 or more
UNACCENTED_SHARE = 0.05  # of words; unaccented Vietnamese has 0.1 to 0.25, other languages under 0.01

_ADDRESS = re.compile(r"\]\([^()\s]*\)|(?:https?://|www\.)\S+")
_LETTER = re.compile(r"[^\W\d_]")
_VIETNAMESE = re.compile("[ĂăĐđƠơƯưẠ-ỹ\u0306\u0309\u031b\u0323]")  # composed, or as marks of their own
# Frequent words that have an accent in Vietnamese, and are no words of English.
_UNACCENTED = {
    "khong", "nguoi", "nhung", "duoc", "cua", "mot", "cac", "voi", "nuoc", "viec", "truong", "thuong", "nhieu", "hien", "duong", "phuong",
    "chuyen", "thang", "trinh", "vao", "cung", "nay", "nhu", "quoc", "bien", "gioi", "nghiep", "huyen", "thon", "truoc", "phuc", "tren",
    "biet", "dau", "ngay",
}  # fmt: skip


def evidence(text: str, doubtful: bool, marked: bool) -> Counter[str]:
    """Return counts that `judge` understands; `doubtful`: few Vietnamese letters, `marked`: many question marks."""
    counts = Counter({f"garbled {how}": hits for how, hits in garbled(text).items()})
    if marked:
        counts["marked"], counts["all"] = question_marks(text)
    if doubtful:
        counts["doubtful"] = len(text)
        _count_letters(_prose(text), counts)
    return counts


def _prose(text: str) -> str:
    """Return up to ENOUGH_TEXT of the long lines of a text, or of all lines if few are long; without addresses and entities."""
    lines = text.split("\n")
    prose = [line for line in lines if len(line) >= LONG_LINE]
    lines = prose if sum(map(len, prose)) >= LONG_LINES else lines
    visible = _ADDRESS.sub(" ", "\n".join(lines)[:ENOUGH_TEXT])
    if "&" in visible:
        import html

        visible = html.unescape(html.unescape(visible))
    return visible


def _count_letters(text: str, counts: Counter[str]) -> None:
    words = text.lower().split()
    counts["letters"] = len(_LETTER.findall(text))
    counts["vietnamese"] = len(_VIETNAMESE.findall(text))
    counts["words"] = len(words)
    counts["unaccented"] = sum(word.strip('.,:;"“”()!?') in _UNACCENTED for word in words)


def judge(counts: Counter[str], chars: int, is_html: bool) -> Iterator[tuple[str, str]]:
    """Yield the kind and the detail of each notice about the letters of a page of so many characters."""
    hits = {how: count for how, count in counts.items() if how.startswith("garbled ")}
    best = max(hits, key=lambda how: hits[how], default="")
    if best and hits[best] >= ENOUGH:
        yield GARBLED, best.removeprefix("garbled ")
    elif counts["marked"] >= max(MARKED_WORDS, MARKED_SHARE * counts["all"]):
        yield GARBLED, "question marks in place of letters"
    elif not is_html and _is_foreign(counts, chars):
        yield (NO_ACCENTS if counts["unaccented"] >= UNACCENTED_SHARE * counts["words"] else NOT_VIETNAMESE), ""


def _is_foreign(counts: Counter[str], chars: int) -> bool:
    enough = counts["letters"] >= MINIMUM_LETTERS and 2 * counts["doubtful"] >= chars
    return enough and counts["vietnamese"] < VIETNAMESE_SHARE * counts["letters"]
