"""Line splitting, blank lines and page separators: the only definition of a line and of a page.

Only LF, CR and CRLF end a line; U+2028, U+0085, VT and FF are text. A text file holds pages separated by form feeds, by a line of
the user's choice, or by blank lines; `split_pages` cuts a text at form feeds in the same way. Everywhere else the caller says what
a page is, by the call or by the record, and a form feed inside a page is white space of its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, count
from operator import add
from typing import Any, NamedTuple

from classifier.errors import InputError
from classifier.visible import INVISIBLE, TABLED, WHITE_SPACE, is_invisible, without_html

__all__ = [
    "FORM_FEED",
    "AtBlankLines",
    "LineBlock",
    "LineSplitter",
    "between_pages",
    "cut_pages",
    "is_blank",
    "line_starts",
    "not_text",
    "page_batches",
    "page_texts",
    "split_lines",
    "split_pages",
    "text_iterable",
    "trimmed",
]

_EDGES = WHITE_SPACE + INVISIBLE
# What a line may end with, white space removed, that is blank: invisible characters, HTML, and what is at or beyond BEYOND.
MAY_END_BLANK = frozenset(INVISIBLE + ";>")
BEYOND = chr(TABLED)


def trimmed(line: str) -> str:
    """Return a line without white space and invisible characters at its ends."""
    return line.strip(_EDGES)


def is_blank(line: str) -> bool:
    """Return whether a line shows nothing: white space, invisible characters, entities of such, and tags.

    >>> is_blank("\\u00a0\\ufeff"), is_blank("<p>&nbsp;</p>"), is_blank("<p>.</p>")
    (True, True, False)
    """
    text = line.strip(_EDGES)
    if not text or (text[-1] not in MAY_END_BLANK and text[-1] < BEYOND):
        return not text
    return all(char.isspace() or is_invisible(char) for char in without_html(text))


class LineSplitter:
    """Incremental line splitter for text or UTF-8 bytes; chunk boundaries do not affect the result.

    >>> splitter = LineSplitter()
    >>> splitter.feed("một\\r"), splitter.feed(b"\\nhai\\nb"), splitter.flush()
    ([], ['một', 'hai'], ['b'])
    """

    def __init__(self, errors: str = "replace") -> None:
        """Set the error policy for invalid UTF-8 (`errors` as in `bytes.decode`)."""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors)
        self._parts: list[str] = []  # of the unfinished line; a list, so that long lines take linear time
        self._carriage_return = False
        self._start = self._end = 0  # of the unfinished line, without a carriage return that is held back
        self.starts: list[int] = []
        """Offsets of the lines that the last call returned, in characters of all text so far."""

    @property
    def pending(self) -> int:
        """Number of characters of the unfinished line."""
        return self._end - self._start

    def feed(self, chunk: str | bytes) -> list[str]:
        """Return the lines that `chunk` completes."""
        if isinstance(chunk, str):
            text = self._decoder.decode(b"", final=True) + chunk  # ends a truncated character
            self._decoder.reset()
        else:
            text = self._decoder.decode(chunk)
        return self._cut(text)

    def flush(self) -> list[str]:
        """Return the unfinished last line, if any, and reset."""
        lines = self._cut(self._decoder.decode(b"", final=True))
        self._decoder.reset()
        rest = "".join(self._parts)
        if self._carriage_return or rest:
            lines.append(rest)
            self.starts.append(self._start)
        self._start = self._end = self._end + (self._carriage_return or bool(rest))  # as if the line had an end
        self._parts, self._carriage_return = [], False
        return lines

    def insert(self, lines: Sequence[str]) -> list[int]:
        """Count whole lines, each with one line end, in front of the unfinished line; return their offsets."""
        *starts, start = _spaced_starts(lines, self._start)
        self._start, self._end = start, self._end + start - self._start
        return starts

    def _cut(self, text: str) -> list[str]:
        self.starts = []
        if not text:
            return []
        if self._carriage_return:  # held back, since the next chunk may start with its LF
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        if self._carriage_return:
            text = text[:-1]
        before, self._end = self._end, self._end + len(text)
        pieces = _pieces(text)
        self._parts.append(pieces[0])
        if len(pieces) == 1:
            return []
        lines = ["".join(self._parts), *pieces[1:-1]]
        self._parts = [pieces[-1]]
        self.starts = [self._start, *(before + start for start in line_starts(text, pieces)[1:])]
        self._start = self.starts.pop()
        return lines


def _pieces(text: str) -> list[str]:
    """Return a text cut at its line ends; the last piece has none."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def split_lines(text: str) -> list[str]:
    """Return the lines of a whole text, without line ends; a final line end does not start another line.

    >>> split_lines("một\\r\\n\\nhai\\n")
    ['một', '', 'hai']
    """
    lines = _pieces(text)
    return lines if lines[-1] else lines[:-1]


_LINE_END = re.compile("\r\n|\r|\n")


def line_starts(text: str, lines: Sequence[str]) -> list[int]:
    """Return the start offset of each line of a text; `lines` is the result of `split_lines`.

    >>> line_starts("một\\r\\nhai\\nba", ["một", "hai", "ba"])
    [0, 5, 9]
    """
    if "\r" not in text:
        return list(_spaced_starts(lines[:-1])) if lines else []
    return [0, *(end.end() for end in _LINE_END.finditer(text))][: len(lines)]


def _spaced_starts(lines: Sequence[str], start: int = 0) -> Iterator[int]:
    """Return the start offset of each line, and of what follows, if the first is at `start` and each ends with one character."""
    return map(add, accumulate(map(len, lines), initial=start), count())


class LineBlock(NamedTuple):
    """Some lines of a text, and the offset at which each starts."""

    lines: list[str]
    starts: list[int]


FORM_FEED = "\f"


def split_pages(text: str) -> list[str]:
    """Return the pages of a text as `tinsach clean` reads a file: form feeds separate them, and one at the end starts no other page.

    A line end right after a form feed belongs to it, so that a form feed on a line of its own leaves no blank line.

    >>> split_pages("một\\n\\fhai\\n\\f")
    ['một\\n', 'hai\\n']

    Raises:
        InputError: `text` is not a string.
    """
    if not isinstance(text, str):
        raise not_text(text, "the argument of split_pages")
    first, *others = text.split(FORM_FEED)
    pages = [first, *(page[end.end() :] if (end := _LINE_END.match(page)) else page for page in others)]
    return pages if pages[-1] else pages[:-1]


def between_pages(separator: str) -> str:
    """Return the text written between two pages."""
    return separator if separator == FORM_FEED else separator + "\n"


def cut_pages(block: LineBlock, separator: str) -> list[LineBlock]:
    """Cut a block of lines at page separators.

    >>> cut_pages(LineBlock(["một", "hai\\fba"], [0, 4]), FORM_FEED)
    [LineBlock(lines=['một', 'hai'], starts=[0, 4]), LineBlock(lines=['ba'], starts=[8])]
    """
    pages = [LineBlock([], [])]
    for line, start in zip(*block):
        if separator == FORM_FEED and FORM_FEED in line:
            before, *others = line.split(FORM_FEED)
            if before:
                _append(pages[-1], before, start)
            start += len(before)
            for other in others:
                pages.append(LineBlock([other], [start + 1]) if other else LineBlock([], []))
                start += 1 + len(other)
        elif line == separator:
            pages.append(LineBlock([], []))
        else:
            _append(pages[-1], line, start)
    return pages


def _append(page: LineBlock, line: str, start: int) -> None:
    page.lines.append(line)
    page.starts.append(start)


class AtBlankLines:
    """Incremental page splitter: a run of at least `blank_lines` blank lines ends a page.

    >>> [page.lines for page in AtBlankLines(2).cut(LineBlock(["", "một", "", "hai", "", "", "", "ba", ""], list(range(9))))]
    [['', 'một', '', 'hai', '', '', ''], ['ba', '']]
    """

    def __init__(self, blank_lines: int) -> None:
        """Start before the first line."""
        self._minimum = blank_lines
        self._run, self._started = 0, False  # blank lines since the last non-blank line; whether there was one

    def cut(self, block: LineBlock) -> list[LineBlock]:
        """Return the pages of a block of lines; the first continues the page left open by the previous block."""
        pages = [LineBlock([], [])]
        for line, start in zip(*block):
            if is_blank(line):
                self._run += 1
            else:
                if self._started and self._run >= self._minimum:
                    pages.append(LineBlock([], []))
                self._run, self._started = 0, True
            _append(pages[-1], line, start)
        return pages


# -- what callers pass as lines and pages --------------------------------------------------------------------------------------


def text_iterable(values: Any, call: str) -> Iterable[str]:
    """Return the texts of an iterable, of a column, or of a frame with one column (pandas, polars, Arrow, datasets).

    Iterating a frame or a mapping yields the names of columns, or keys, which are never what the caller means.

    Raises:
        InputError: `values` is no iterable, a mapping, a lazy or distributed frame, or has several columns.
    """
    if not isinstance(values, Iterable) and not hasattr(values, "__getitem__"):
        raise InputError(f"{call} takes an iterable of texts, not {type(values).__name__}")
    if isinstance(values, Mapping):
        raise InputError(f"{call} takes an iterable of texts, and a {type(values).__name__} yields its keys; pass its values()")
    kind = type(values)  # not the object: a pandas Series has its labels as attributes
    if hasattr(kind, "column_names") or hasattr(kind, "columns"):
        if not hasattr(kind, "__len__"):
            raise InputError(f"{call} takes an iterable of texts, and a {kind.__name__} has no rows here; collect one column first")
        values = _only_column(values, list(values.column_names if hasattr(kind, "column_names") else values.columns), call)
    elif getattr(values, "ndim", 1) == 2:
        if values.shape[1] != 1:
            raise InputError(f"{call} takes one text for each row, not {values.shape[1]} columns; pass one of them: array[:, 0]")
        values = values[:, 0]
    return values.to_pylist() if hasattr(values, "to_pylist") else values  # Arrow yields scalars instead of strings


def page_texts(pages: Iterable[str], call: str) -> Iterator[str]:
    """Return an iterator over pages that raises an error, with the row, at the first that is not a string.

    Raises:
        InputError: `pages` is one string or a file, or see `text_iterable`; at once, not at the first page.
    """
    if isinstance(pages, (str, bytes)):
        raise InputError(f"{call} takes an iterable of pages, not one string; pass [page], or call clean_text(page)")
    if hasattr(pages, "readline"):
        raise InputError(f"{call} takes an iterable of pages, and a file yields its lines; pass [file.read()], or split_pages(file.read())")
    return _checked(text_iterable(pages, call))


def _checked(pages: Iterable[str]) -> Iterator[str]:
    for row, page in enumerate(pages):
        if not isinstance(page, str):
            raise not_text(page, f"row {row} of the pages (counted from 0)")
        yield page


def page_batches(pages: Iterable[str], most_lines: int, most_pages: int) -> Iterator[list[str]]:
    """Group pages into batches of about `most_lines` lines (newlines counted) and at most `most_pages` pages."""
    batch: list[str] = []
    lines = 0
    for page in pages:
        batch.append(page)
        lines += page.count("\n") + 1
        if lines >= most_lines or len(batch) >= most_pages:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


def _only_column(frame: Any, names: list[Any], call: str) -> Any:
    if len(names) == 1:
        return frame[names[0]]
    what = f"a {type(frame).__name__} of {len(names)} columns ({', '.join(map(str, names))})"
    advice = f"; name the column that holds them: frame[{'text' if 'text' in names else names[0]!r}]" if names else ""
    raise InputError(f"{call} takes an iterable of texts, not {what}{advice}")


def not_text(value: object, what: str) -> InputError:
    """Return the error for a value that is not a string; `what` says which value it is.

    >>> str(not_text(float("nan"), "row 3 (counted from 0)"))
    "row 3 (counted from 0) is NaN, not text (str); leave missing texts out, or put '' in their place"
    """
    kind = type(value).__name__
    shown = "None" if value is None else "NaN" if isinstance(value, float) and value != value else kind
    advice = "convert it to text first"
    if shown in ("None", "NaN") or kind in ("NAType", "NaTType"):  # the latter two are pandas' missing values
        advice = "leave missing texts out, or put '' in their place"
    elif isinstance(value, (bytes, bytearray)):
        advice = "decode bytes first, or feed them to stream()"
    return InputError(f"{what} is {shown}, not text (str); {advice}")
