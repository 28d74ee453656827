"""Paragraphs of a page: lines of one label, joined where an extractor broke them, each with its offsets in the page.

A paragraph is a slice of the page's text if one line holds it, else several slices with a space or nothing between them (`Passage`).
Markdown that wraps a whole line (`## `, `**...**`, a link) is no part of its text; markup inside a line is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from classifier.lines import trimmed
from classifier.record.joining import Line, is_list_item, is_table_row, joins_previous, separator
from classifier.results import Labels

__all__ = [
    "CAPTION",
    "LEAD",
    "MOST_OF_SUBHEAD",
    "Paragraph",
    "Passage",
    "Span",
    "ends_as_prose",
    "groups_of",
    "kinds_of",
    "lines_of",
    "passages",
]

LEAD, PARAGRAPH, SUBHEAD, LIST_ITEM, TABLE_ROW, QUOTE = "lead", "paragraph", "subhead", "list_item", "table_row", "quote"
CAPTION = "caption"


class Paragraph(NamedTuple):
    """A paragraph of an article, or a caption."""

    text: str  # its lines joined, without white space at its ends
    kind: str  # lead, paragraph, subhead, list_item, table_row or quote; caption
    start: int  # of its first line, in characters of the page's text
    end: int  # of its last line


class Span(NamedTuple):
    """A stretch of a text and where it stands in the page's text; both are equal, unless the text was normalised."""

    start: int
    end: int
    source_start: int
    source_end: int


class Passage(NamedTuple):
    """A piece of the article before its kind is known."""

    text: str
    spans: tuple[Span, ...]  # one for each line
    row: int  # of its first line in the page
    is_heading: bool  # marked as one by Markdown

    @property
    def start(self) -> int:
        """Offset of the text in the page."""
        return self.spans[0].source_start

    @property
    def end(self) -> int:
        """Offset of the end of the text in the page."""
        return self.spans[-1].source_end


def passages(page: Labels, rows: Sequence[int], clean: Callable[[str], str] = str) -> list[Passage]:
    """Return the paragraphs that some lines of a page form, given by their row numbers in ascending order.

    `clean` is applied to the text of each line; the offsets are those of the unchanged text.
    """
    if not rows:
        return []
    starts, texts = page.starts[rows].tolist(), [page.lines[row] for row in rows]
    found = []
    for first, *others in groups_of(joins_previous(list(lines_of(page, rows)))):
        if others:
            stop = others[-1] + 1
            found.append(_joined(texts[first:stop], starts[first:stop], rows[first], clean))
        else:
            found.append(_whole(texts[first], starts[first], rows[first], clean))
    return [passage for passage in found if passage.text]


def groups_of(joins: Sequence[bool]) -> list[list[int]]:
    """Return the places of the lines of each paragraph.

    >>> groups_of([False, True, False])
    [[0, 1], [2]]
    """
    starts = [place for place, joined in enumerate(joins) if not joined]
    return [[*range(start, stop)] for start, stop in pairwise([*starts, len(joins)])]


def lines_of(page: Labels, rows: Sequence[int]) -> Iterator[Line]:
    """Yield lines of a page that are not blank, with what stands between each and the one before; ahead of the first, others do."""
    if not rows:
        return
    first = rows[0]
    codes = page.codes[first : rows[-1] + 1].tolist()
    yield Line(page.lines[first], others=True)
    for before, row in pairwise(rows):
        between = codes[before - first + 1 : row - first]
        blanks = between.count(-1)
        yield Line(page.lines[row], blanks > 0, blanks < len(between) or codes[before - first] != codes[row - first])


def _whole(line: str, offset: int, row: int, clean: Callable[[str], str]) -> Passage:
    start, end = _inner(line)
    text = clean(line[start:end])
    return Passage(text, (Span(0, len(text), offset + start, offset + end),), row, _is_heading(line))


def _joined(lines: Sequence[str], starts: Sequence[int], row: int, clean: Callable[[str], str]) -> Passage:
    bounds = [_edges(line) for line in lines]
    gaps = ["", *(separator(line, after) for line, after in pairwise(lines))]
    spans, text = [], ""
    for gap, line, offset, (start, end) in zip(gaps, lines, starts, bounds):
        piece = clean(line[start:end])
        text += gap + piece
        spans.append(Span(len(text) - len(piece), len(text), offset + start, offset + end))
    return Passage(text, tuple(spans), row, _is_heading(lines[0]))


def _is_heading(line: str) -> bool:
    return _HEADING.match(line.lstrip()) is not None


_HEADING = re.compile(r"#{1,6}\s|\*\*[^*]+\*\*$|__[^_]+__$")
_WRAPPING = (
    re.compile(r"[-*+]\s+(?P<text>#{1,6}\s.*)$"),  # a heading as an item of a list
    re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*$"),
    re.compile(r"(?P<mark>\*{1,3}|_{1,3}|`)(?P<text>[^*_`]+)(?P=mark)$"),
    re.compile(r"\[(?P<text>[^\[\]]+)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)$"),
    re.compile(r"!\[[^\[\]]*\]\([^()\s]*\)(?P<text>.*\S.*)$"),  # a picture and its caption
    re.compile(r"!\[(?P<text>[^\[\]]+)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)$"),  # a picture with its alternative text
)


_MARKS = tuple("#*_`[!-+")


def _edges(line: str) -> tuple[int, int]:
    """Return the bounds of a line without what `trimmed` removes."""
    text = trimmed(line)
    start = 0 if len(text) == len(line) else line.find(text)
    return start, start + len(text)


def _inner(line: str) -> tuple[int, int]:
    """Return the bounds of a line's text without the Markdown around all of it.

    >>> line = "## **[Làng gốm](/lang-gom.htm)**"
    >>> line[slice(*_inner(line))]
    'Làng gốm'
    """
    start, end = _edges(line)
    while line[start : start + 1] in _MARKS and (match := next(filter(None, (form.match(line[start:end]) for form in _WRAPPING)), None)):
        inner, offset = _edges(match["text"]), start + match.start("text")
        start, end = offset + inner[0], offset + inner[1]
    return start, end


# -- kinds -----------------------------------------------------------------------------------------------------------------------

MOST_OF_SUBHEAD = 120  # characters; no subhead of the pages of `realpages/dev` is longer
LEAST_LEAD = 40  # characters
OPENING = 3  # paragraphs, one of which is the lead
_TERMINAL, _BEHIND_TERMINAL = tuple(".!…:;,"), '"”’»)]'
_QUOTE = re.compile(r"[\"“‘«].*[\"”’»][.,!?…]?$|>\s")


def kinds_of(found: Sequence[Passage], first: int = 0) -> list[str]:
    """Return the kind of each paragraph of an article, of which the largest part begins at row `first`.

    The lead is the first text there that is no list and no table, at most behind two short lines. Markdown writes leads as
    headings, and many leads end without a full stop.
    """
    kinds = [_kind(passage, following) for passage, following in zip(found, [*found[1:], None])]
    opening = [place for place, passage in enumerate(found) if passage.row >= first][:OPENING]
    for place in opening:
        if len(found[place].text) >= LEAST_LEAD:
            kinds[place] = LEAD if kinds[place] in (PARAGRAPH, QUOTE, SUBHEAD) else kinds[place]
            break
    return kinds


def ends_as_prose(text: str) -> bool:
    """Return whether a text ends with a punctuation mark that headings do not end with."""
    return text.rstrip(_BEHIND_TERMINAL).endswith(_TERMINAL)


def _kind(passage: Passage, following: Passage | None) -> str:
    text = passage.text
    if is_table_row(text):
        return TABLE_ROW
    heads_prose = following is not None and len(text) <= MOST_OF_SUBHEAD and not ends_as_prose(text) and _is_prose(following)
    if heads_prose and (passage.is_heading or not is_list_item(text) or text[0].isdigit()):
        return SUBHEAD
    if is_list_item(text):
        return LIST_ITEM
    if passage.is_heading and len(text) <= MOST_OF_SUBHEAD:
        return SUBHEAD
    return QUOTE if _QUOTE.match(text) else PARAGRAPH


def _is_prose(passage: Passage) -> bool:
    """Return whether a paragraph is one or several sentences, or opens a list, so that a subhead may stand above it."""
    return len(passage.text) > MOST_OF_SUBHEAD or ends_as_prose(passage.text)
