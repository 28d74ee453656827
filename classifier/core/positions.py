"""Positions of lines: page numbers, places on the page, and how many lines are complete, for blocks that may cross pages."""

from __future__ import annotations

import numpy as np

from classifier.core.arrays import Bools, Ints
from classifier.core.kernel import compiled

__all__ = ["blanks_before", "line_numbers", "page_starts", "ready_lines"]


@compiled
def line_numbers(count: int, ends: Ints, page: int, position: int) -> tuple[Ints, Ints]:
    """Return page number and position (count,) of the next lines, of which the first is at `position` of `page`; see `advance`."""
    index = np.arange(count)
    pages = page + ends.searchsorted(index, side="right")
    return pages, index - pages.searchsorted(pages) + (pages == page) * position


@compiled
def ready_lines(page: Ints, position: Ints, open_page: int, read: int) -> int:
    """Return how many lines are on pages before the open one, or before position `read` of it."""
    return int(np.count_nonzero((page < open_page) | (position < read)))


@compiled
def page_starts(page: Ints, first: bool) -> Bools:
    """Return which lines are the first of their page (n,), from their page numbers; `first` says it of the first line."""
    starts = np.empty(len(page), np.bool_)
    starts[0] = first
    starts[1:] = page[1:] != page[:-1]
    return starts


@compiled
def blanks_before(position: Ints, starts: Bools, since: int) -> Ints:
    """Return the number of blank lines before each non-blank line (n,).

    They count from the line before on the page; from position `since` for the first line, unless it starts a page.
    """
    blanks = position.copy()
    blanks[1:] -= np.where(starts[1:], 0, position[:-1] + 1)
    if not starts[0]:
        blanks[0] -= since
    return blanks
