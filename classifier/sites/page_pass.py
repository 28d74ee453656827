"""Passes over the pages of a site: hold the lines of each page until it ends, then judge them by a site memory, or collect what one learns.

The implementations of `pipeline.PageMemory`. What a memory learns of a page are the labels without the memory, so pages that end
together can be learned one after the other and judged together, each by what the memory held before it.
"""

from __future__ import annotations

import numpy as np

from classifier.core.arrays import Floats, Hashes, Ints, flatnonzero
from classifier.labels import LABELS
from classifier.sites.evidence import PageLines, page_starts, remembered_sets, revised
from classifier.sites.memory import LearnedPages, SiteMemory

__all__ = ["MOST_LINES", "PageLearner", "PagePass"]

MOST_LINES = 1 << 16  # of a page that are held until it ends: caps an endless page at 8 MB


class _HeldPages:
    """Holds the lines of pages until these end, and then hands them to `_settle`; base of the two implementations of `PageMemory`.

    Pages that end together are handed over together, since the overhead of array calls would otherwise dominate. Of a page longer than
    MOST_LINES, the rest passes as it is.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Hashes, Ints, Floats]] = []  # of held lines: page numbers, hashes, sizes, log probabilities
        self._count = 0  # held lines
        self._passing = -1  # the page that was longer than MOST_LINES, whose further lines are not held

    def add(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> None:
        """Take the next non-blank lines; see `pipeline.PageMemory`."""
        self._parts.append((page, hashes, sizes.astype(np.int64), found))
        self._count += len(page)

    def settled(self, page: int) -> Floats:
        """Return the log probabilities of all lines that are settled; see `pipeline.PageMemory`."""
        waiting = self._count <= MOST_LINES and self._passing != page
        if not self._count or (waiting and self._parts[0][0][0] == page):
            return np.zeros((len(LABELS), 0))
        numbers, hashes, sizes, found = (np.concatenate(column, axis=-1) for column in zip(*self._parts))
        stop = int(numbers.searchsorted(page))
        if len(numbers) - stop > MOST_LINES or self._passing == page:
            stop = len(numbers)
        self._parts, self._count = [], len(numbers) - stop
        if self._count:
            self._parts.append((numbers[stop:], hashes[stop:], sizes[stop:], found[:, stop:]))
        return self._settled_lines(numbers[:stop], hashes[:stop], sizes[:stop], found[:, :stop])

    def _settled_lines(self, numbers: Ints, hashes: Hashes, sizes: Ints, found: Floats) -> Floats:
        """Return the log probabilities (len(LABELS), n) of lines that are settled, of pages with these numbers (n,)."""
        within = numbers != self._passing
        if len(numbers) > MOST_LINES:
            within &= np.arange(len(numbers)) - numbers.searchsorted(numbers) < MOST_LINES
            self._passing = int(numbers[-1])
        rows = flatnonzero(within)
        if len(rows) == len(numbers):
            return self._settle(PageLines(hashes, found.argmax(axis=0), sizes), page_starts(numbers), found)
        found = found.copy()
        if len(rows):
            of_rows = found.take(rows, axis=1)
            lines = PageLines(hashes[rows], of_rows.argmax(axis=0), sizes[rows])
            found[:, rows] = self._settle(lines, page_starts(numbers[rows]), of_rows)
        return found

    def _settle(self, lines: PageLines, starts: Ints, found: Floats) -> Floats:
        """Return the log probabilities `found` (len(LABELS), n) of the lines of whole pages, settled; pages begin at `starts`."""
        raise NotImplementedError


class PagePass(_HeldPages):
    """One pass over the pages of a site: revises the log probabilities of their lines by a memory, which may learn each page as it ends."""

    def __init__(self, memory: SiteMemory, site: str | None, learn: bool = True) -> None:
        """Start before the first page of a site."""
        super().__init__()
        self._memory, self._site, self._learn = memory, site, learn

    def _settle(self, lines: PageLines, starts: Ints, found: Floats) -> Floats:
        sets = np.concatenate([self._learned(page) for page in lines.by_page(starts)]) if self._learn else self._sets(lines)
        return revised(lines, starts, found, sets, self._memory.pages, self._memory.curve)

    def _learned(self, page: PageLines) -> Hashes:
        """Return the sets of a page's lines (n,), and then learn the page."""
        sets = self._sets(page)
        self._memory.add(LearnedPages(self._site, *remembered_sets(page), 1))
        return sets

    def _sets(self, lines: PageLines) -> Hashes:
        rows = flatnonzero(lines.remembered)
        sets = np.zeros(len(lines.hashes), np.uint64)
        sets[rows] = self._memory.sets(lines.hashes[rows], self._site)
        return sets


class PageLearner(_HeldPages):
    """One pass over the pages of a site that only collects what a memory is to learn."""

    def __init__(self, site: str | None) -> None:
        """Start before the first page of a site."""
        super().__init__()
        self._site = site
        self._learned = [(np.zeros(0, np.uint64), np.zeros(0, np.uint64))]

    @property
    def learned(self) -> LearnedPages:
        """What the pages that have ended add to a memory."""
        hashes, sets = (np.concatenate(column) for column in zip(*self._learned))
        return LearnedPages(self._site, hashes, sets, len(self._learned) - 1)

    def _settle(self, lines: PageLines, starts: Ints, found: Floats) -> Floats:
        self._learned += map(remembered_sets, lines.by_page(starts))
        return found
