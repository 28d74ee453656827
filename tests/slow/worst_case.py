"""Worst-case timing (`make worst-case`): no input may cost more than 5 times what ordinary pages cost per byte or per line.

Prints a table and exits with 1 if a kind is over the limit. A kind is a function from a size in bytes to pages. Times are CPU
seconds, the best of ROUNDS, since other programs share the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import classifier
from classifier.cleaner import Cleaner
from classifier.core.scan import MAX_CHARS
from classifier.lines import FORM_FEED, LineBlock, LineSplitter, split_lines
from classifier.stream import label_blocks
from training.learning.dataset import make_pages

__all__ = ["KINDS", "main"]

SIZE = 1_000_000  # bytes of UTF-8
LIMIT = 5.0
ROUNDS = 3
CHUNK = 4096
PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên vào chiếc lò bầu."


def encoded(text: str) -> int:
    """Return the size of a text in bytes of UTF-8; a lone surrogate takes three."""
    return len(text.encode("utf-8", "surrogatepass"))


def full(unit: str) -> Callable[[int], list[str]]:
    """Return a kind: `unit` repeated."""
    return lambda size: [unit * (size // encoded(unit))]


def nested(opens: str, closes: str) -> Callable[[int], list[str]]:
    """Return a kind: balanced brackets, nested in one line."""
    return lambda size: [opens * (size // (len(opens) + len(closes))) + closes * (size // (len(opens) + len(closes)))]


def numbered(form: str) -> Callable[[int], list[str]]:
    """Return a kind: `form` with a counter for {}, so that no two lines are equal and no cache helps."""
    return lambda size: ["".join(form.replace("{}", str(number)) for number in range(size // encoded(form.replace("{}", "12345"))))]


def many_pages(page: str) -> Callable[[int], list[str]]:
    """Return a kind: many small pages."""
    return lambda size: [page] * (size // encoded(page))


KINDS: dict[str, Callable[[int], list[str]]] = {
    "letters, one line": full("a"),
    "'a ', one line": full("a "),
    "prose, one line": full(PROSE + " "),
    "digits, one line": full("0123456789"),
    "dots, one line": full("."),
    "NUL, one line": full("\0"),
    "zero-width, one line": full("\u200b"),
    "spaces, one line": full(" "),
    "spaces inside a line": lambda size: ["a" + " " * (size - 2) + "b"],
    "LF": full("\n"),
    "CR": full("\r"),
    "CR LF": full("\r\n"),
    "space LF": full(" \n"),
    "one-letter lines": full("a\n"),
    "lines of a dot": full(".\n"),
    "one letter, many blanks": full("a" + "\n" * 40),
    "blank between letters": full("a\n\n"),
    "the same line": full(PROSE + "\n"),
    "numbered lines": numbered("Dòng {}\n"),
    "headings": full("Đọc nhiều\n"),
    "lines of 20,001": numbered("{}" + "từ " * (MAX_CHARS // 3) + "xa\n"),
    "lines of 20,001 marks": numbered("a{}" + "\u0301" * MAX_CHARS + "\n"),
    "lines of 20,000 brackets": numbered("{}" + "](" * (MAX_CHARS // 2) + "\n"),
    "'[', one line": full("["),
    "'](', one line": full("]("),
    "'![](', one line": full("![]("),
    "'![]()', one line": full("![]()"),
    "100,000 links, one line": full("[a](b)"),
    "links, a line each": numbered("[a](b{})\n"),
    "short lines": numbered("{}\n"),
    "lines of marks": numbered("{}" + "\u0301\u0323" * 9 + "\n"),
    "nests, a line each": numbered("{}" + "[" * 90 + "](b)" * 90 + "\n"),
    "images, a line each": numbered("![a](b{})\n"),
    "bullets with links": full("* [Kinh tế](https://a.vn/kinh-te \"Kinh tế\")\n"),
    "'](' a line each": full("](\n"),
    "open targets, then ')'": lambda size: ["[a](" * (size // 8) + "\n" + ")" * (size // 2)],
    "nested []": nested("[", "]"),
    "nested [](": nested("[", "](b)"),
    "nested ()": nested("](", ")"),
    "'|', one line": full("|"),
    "table rows": numbered("| a | b{} |\n"),
    "marks on one letter": lambda size: ["a" + "\u0301" * (size // 2)],
    "unordered marks": lambda size: ["a" + "\u0323\u0301" * (size // 4)],
    "lines of unordered marks": numbered("a{}" + "\u0301\u0323" * (MAX_CHARS // 2) + "\n"),
    "short unordered marks": numbered("a{}" + "\u0301\u0323" * 500 + "\n"),
    "marks, a line each": full("\u0301\n"),
    "Hangul lines": numbered("\u1112\u1161\u11ab{}" * 40 + "\n"),
    "NFD prose": numbered(unicodedata.normalize("NFD", PROSE) + "{}\n"),
    "Hangul jamo": full("\u1112\u1161\u11ab"),
    "composition exclusions": numbered("\u0958\u2126\u212b{}\n"),
    "ligature that grows": numbered("\ufb2c{}\n"),
    "astral, one line": full("\U0001f600"),
    "astral lines": numbered("\U0001d400{}\n"),
    "lone surrogates": full("\ud800"),
    "bidi marks": full("\u202e\u2066a"),
    "U+2028, U+0085, VT, FF": full("a\u2028b\u0085c\vd\f"),
    "capitals": full("ĐẠI HỘI\n"),
    "times": numbered("07:15 | 04/03/2025 GMT+7 {}\n"),
    "entities, one line": full("&amp;nbsp;"),
    "entities, a line each": numbered("&aacute;{}\n"),
    "tags, one line": full("<b>"),
    "open tags": full("<b "),
    "comments, not closed": full("<!--"),
    "tags, a line each": numbered("<p>{}</p>\n"),
    "escapes, one line": full("\\-"),
    "escapes, a line each": numbered("\\-{}\n"),
    "references": full("[a][b]"),
    "definitions": numbered("[a{}]: https://a.vn/b\n"),
    "targets with parentheses": numbered("[a](b_({}))\n"),
    "open titles": full("](a \""),
    "nests of targets": numbered("](((((({}\n"),
    "quotes, a line each": numbered("> {} " + "từ " * 20 + "\n"),
    "bold lines": numbered("**{} " + "từ " * 20 + "**\n"),
    "stars, one line": full("*"),
    "dots, a line each": numbered("{}....\n"),
    "emoji behind lines": numbered("{} ❤️🔥\n"),
    "emoji lines": full("🔥\n"),
    "full-width lines": numbered("（{}）。\n"),
    "mathematical letters": numbered("𝐓𝐢𝐧{}\n"),
    "tone marks": full("hoà thuý "),
    "zero-width lines": numbered("{}\u200b" * 3 + "\n"),
    "CJK lines": numbered("漢字仮名交じり文{}\n"),
    "pages of a letter": many_pages("a"),
    "empty-looking pages": many_pages("\n"),
    "pages of a line": many_pages(PROSE),
}  # fmt: skip


def by_pages(cleaner: Cleaner, pages: list[str]) -> int:
    """Label pages as columns; return the number of lines."""
    return len(cleaner.label_pages(pages).codes)


def by_stream(cleaner: Cleaner, pages: list[str], size: int = 1 << 16) -> int:
    """Push pages in chunks, as the command line does: pages that end in one chunk are closed together; return the number of lines."""
    blocks = _split("\f\n".join(pages), size)
    return sum(len(part) for block in label_blocks(cleaner.stream(), blocks, FORM_FEED) for part in block if isinstance(part, list))


def _split(text: str, size: int) -> Iterator[LineBlock]:
    splitter = LineSplitter()
    for at in range(0, len(text), size):
        yield LineBlock(splitter.feed(text[at : at + size]), splitter.starts)
    yield LineBlock(splitter.flush(), splitter.starts)


def by_chunks(cleaner: Cleaner, pages: list[str]) -> int:
    """Push pages in small chunks; return the number of lines."""
    return by_stream(cleaner, pages, CHUNK)


CALLS: dict[str, Callable[[Cleaner, list[str]], int]] = {"label_pages": by_pages, "stream": by_stream, "stream by 4 KB": by_chunks}


class Cost(NamedTuple):
    """The cost of a call on some pages."""

    seconds: float
    size: int  # bytes
    lines: int

    def ratio(self, ordinary: Cost) -> float:
        """Return the time relative to ordinary pages of as many bytes or as many lines, whichever take longer."""
        return self.seconds / ordinary.seconds / max(self.size / ordinary.size, self.lines / ordinary.lines)


def cost(call: Callable[[Cleaner, list[str]], int], cleaner: Cleaner, pages: list[str], rounds: int = ROUNDS) -> Cost:
    """Time a call on pages."""
    best = min(_seconds(call, cleaner, pages) for _ in range(rounds))
    return Cost(best, sum(map(encoded, pages)), sum(len(split_lines(page)) for page in pages))


def _seconds(call: Callable[[Cleaner, list[str]], int], cleaner: Cleaner, pages: list[str]) -> float:
    start = time.process_time()
    call(cleaner, pages)
    return time.process_time() - start


def ordinary_pages(size: int) -> list[str]:
    """Return composed pages of about `size` bytes."""
    pages = ["\n".join(line.text for line in page.lines) for page in make_pages(size // 1200, 5, folds=(0,))[0]]
    while sum(map(encoded, pages)) < size:
        pages += pages
    total, enough = 0, []
    for page in pages:
        enough.append(page)
        total += encoded(page)
        if total >= size:
            break
    return enough


def table(names: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Time every kind with every call and print a row for each kind; return the ratios."""
    cleaner, pages = classifier.load(), ordinary_pages(SIZE)
    ordinary = {name: cost(call, cleaner, pages, rounds + 2) for name, call in CALLS.items()}
    print(f"{'':28s}" + "".join(f"{name:>18s}" for name in CALLS) + f"{'lines':>10s}")
    print(
        f"{'ordinary pages':28s}"
        + "".join(f"{base.seconds:16.3f} s" for base in ordinary.values())
        + f"{next(iter(ordinary.values())).lines:10d}"
    )
    found: dict[str, dict[str, float]] = {}
    for kind in names:
        costs = {name: cost(call, cleaner, KINDS[kind](SIZE), rounds) for name, call in CALLS.items()}
        found[kind] = {name: round(measured.ratio(ordinary[name]), 2) for name, measured in costs.items()}
        cells = (f"{measured.seconds:9.3f} s {found[kind][name]:5.2f}x" for name, measured in costs.items())
        worst = max(found[kind].values())
        print(
            f"{kind:28s}" + "".join(f"{cell:>18s}" for cell in cells) + f"{costs['stream'].lines:10d}" + "  OVER" * (worst > LIMIT),
            flush=True,
        )
    return found


def main(argv: list[str] | None = None) -> int:
    """Print the table; return 1 if a kind is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", help="kinds to time, by a part of their name (default: all)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    args = parser.parse_args(argv)
    names = [name for name in KINDS if not args.kinds or any(part in name for part in args.kinds)]
    found = table(names, args.rounds)
    figures = summary(found)
    print(f"worst-case: {figures['kinds']} kinds, the worst {figures['worst']}x ({figures['worst_kind']}), {figures['over']} over {LIMIT}x")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if figures["over"] else 0


def summary(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return the figures to record from a table of ratios."""
    worst, kind, call = max((ratio, kind, call) for kind, ratios in found.items() for call, ratio in ratios.items())
    over = sum(max(ratios.values()) > LIMIT for ratios in found.values())
    return {
        "limit": LIMIT, "kinds": len(found), "calls": len(CALLS), "worst": worst, "worst_kind": f"{kind}, {call}", "over": over,
        "ratios": found,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
