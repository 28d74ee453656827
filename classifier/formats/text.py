"""Text: pages of lines, one after the other, separated by form feeds or by a line of the user's choice.

Streams within a page too: lines are labelled as they come, whatever the length of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from classifier.stream import LabelledLine, Stream

__all__ = ["FORM_FEED", "between_pages", "label_blocks", "split_pages"]

FORM_FEED = "\f"


def between_pages(separator: str) -> str:
    """Return what is printed between two pages."""
    return separator if separator == FORM_FEED else separator + "\n"


def label_blocks(stream: Stream, blocks: Iterable[list[str]], separator: str) -> Iterator[list[list[LabelledLine] | str]]:
    """Yield, for each block of lines, the lines decided, and what separates pages as a string between them."""
    for lines in blocks:
        *closed, still_open = split_pages(lines, separator)
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
