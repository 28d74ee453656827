"""Line splitting, blank lines and page separators: the only definition of a line and of a page.

Only LF, CR and CRLF end a line; U+2028, U+0085, VT and FF are text. CR CR LF, which text gets when its CRLF are converted to CRLF
once more, is one line end, not a blank line. Pages within a stream are separated by form feeds, by a
line of the user's choice, or by blank lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from classifier.visible import INVISIBLE, TABLED, WHITE_SPACE, is_invisible, without_html

__all__ = ["FORM_FEED", "LINE_END", "AtBlankLines", "LineSplitter", "between_pages", "is_blank", "split_lines", "split_pages", "trimmed"]

LINE_END = re.compile(r"\r\r\n|\r\n|\r|\n")
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
        self._held = ""  # one or two CR at the end, since the next chunk may start with their LF

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
        if self._held or rest:
            lines += [rest, *[""] * (len(self._held) - 1)]
        self._parts, self._held = [], ""
        return lines

    def _cut(self, text: str) -> list[str]:
        if not text:
            return []
        text = self._held + text
        self._held = "\r" * (text.endswith("\r") + text.endswith("\r\r"))
        text = text.removesuffix(self._held)
        if "\r" in text:
            text = LINE_END.sub("\n", text) if "\r\r\n" in text else text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        self._parts.append(first)
        if not others:
            return []
        lines = ["".join(self._parts), *others[:-1]]
        self._parts = [others[-1]]
        return lines


def split_lines(text: str) -> list[str]:
    """Return the lines of a whole text, without line ends; a final line end does not start another line.

    >>> split_lines("một\\r\\n\\nhai\\n")
    ['một', '', 'hai']
    """
    if "\r" in text:
        splitter = LineSplitter()
        return splitter.feed(text) + splitter.flush()
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


FORM_FEED = "\f"


def between_pages(separator: str) -> str:
    """Return the text written between two pages."""
    return separator if separator == FORM_FEED else separator + "\n"


def split_pages(lines: list[str], separator: str) -> list[list[str]]:
    """Cut a block of lines at page separators.

    >>> split_pages(["một", "hai\\fba"], FORM_FEED)
    [['một', 'hai'], ['ba']]
    """
    pages: list[list[str]] = [[]]
    for line in lines:
        if separator == FORM_FEED and FORM_FEED in line:
            before, *others = line.split(FORM_FEED)
            if before:
                pages[-1].append(before)
            pages += [[other] if other else [] for other in others]
        elif line == separator:
            pages.append([])
        else:
            pages[-1].append(line)
    return pages


class AtBlankLines:
    """Incremental page splitter: a run of at least `blank_lines` blank lines ends a page.

    >>> AtBlankLines(2).cut(["", "một", "", "hai", "", "", "", "ba", "", ""])
    [['', 'một', '', 'hai', '', '', ''], ['ba', '', '']]
    """

    def __init__(self, blank_lines: int) -> None:
        """Start before the first line."""
        self._minimum = blank_lines
        self._run, self._started = 0, False  # blank lines since the last non-blank line; whether there was one

    def cut(self, lines: Iterable[str]) -> list[list[str]]:
        """Return the pages of a block of lines; the first continues the page left open by the previous block."""
        pages: list[list[str]] = [[]]
        for line in lines:
            if is_blank(line):
                self._run += 1
            else:
                if self._started and self._run >= self._minimum:
                    pages.append([])
                self._run, self._started = 0, True
            pages[-1].append(line)
        return pages
