"""Text: pages of lines, one after the other, separated by form feeds, by a line of the user's choice, or by blank lines.

Streams within a page too: lines are labelled as they come, whatever the length of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from classifier.files import Sink
from classifier.formats import NO_EXTRAS, Extras, Options, Record
from classifier.lines import is_blank
from classifier.stream import LabelledLine, Stream

__all__ = ["FORM_FEED", "AtBlankLines", "Writer", "between_pages", "encoded", "label_blocks", "split_pages"]

FORM_FEED = "\f"


def encoded(lines: str) -> bytes:
    """Return text as UTF-8; a lone surrogate, from a JSON escape, has none and is escaped again."""
    return lines.encode("utf-8", "backslashreplace")


class Writer:
    """An output of pages; those of each input are separated from the last input's."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self.out, self._separator = out, between_pages(options.separator)
        self._begun = False

    def follow(self, reader: Any) -> None:
        """Separate what comes from what was written."""
        if self._begun:
            self.out.write(encoded(self._separator))
        self._begun = True

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write the clean text of a record that is an input's only page."""
        if text:
            self.out.write(encoded(text + "\n"))

    def close(self) -> None:
        """Do nothing: lines are written as they come."""


def between_pages(separator: str) -> str:
    """Return what is printed between two pages."""
    return separator if separator == FORM_FEED else separator + "\n"


def label_blocks(
    stream: Stream, blocks: Iterable[list[str]], separator: str, blank_lines: int = 0
) -> Iterator[list[list[LabelledLine] | str]]:
    """Yield, for each block of lines, the lines decided, and what separates pages as a string between them.

    So many `blank_lines` in a row separate pages instead of the separator, if they are not 0.
    """
    at_blanks = AtBlankLines(blank_lines)
    for lines in blocks:
        *closed, still_open = at_blanks.cut(lines) if blank_lines else split_pages(lines, separator)
        found: list[list[LabelledLine] | str] = []
        for page in stream.close_pages(closed):
            found += (page, between_pages(separator))
        yield [*found, stream.feed_lines(still_open)]
    yield [stream.end_page()]


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
    """Cuts blocks of lines into pages where so many blank lines stand in a row, or more.

    >>> AtBlankLines(2).cut(["", "một", "", "hai", "", "", "", "ba", "", ""])
    [['', 'một', '', 'hai', '', '', ''], ['ba', '', '']]
    """

    def __init__(self, blank_lines: int) -> None:
        """Start before the first line."""
        self._needed = blank_lines
        self._run, self._begun = 0, False  # blank lines since the last other one, and whether there was one

    def cut(self, lines: Iterable[str]) -> list[list[str]]:
        """Return the pages of a block; the first goes on with the page that is open."""
        pages: list[list[str]] = [[]]
        for line in lines:
            if is_blank(line):
                self._run += 1
            else:
                if self._begun and self._run >= self._needed:
                    pages.append([])
                self._run, self._begun = 0, True
            pages[-1].append(line)
        return pages
