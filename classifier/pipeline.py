"""From raw lines to decided lines, a block at a time: the one path behind every call of the public API.

`Pipeline.advance` takes the next raw lines of one or several pages and returns the lines that are now decided. It
remembers BEHIND lines of context, the undecided lines and the page's `Carry`, never the page. Block borders do not show
in the result: everything carried is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Floats, Int8s, Ints
from classifier.context import AHEAD, BEHIND, HEADINGS, Carry, Stretch, context_rows, running, scaled_evidence
from classifier.features import describe
from classifier.labels import LABELS
from classifier.lines import blank_flags
from classifier.model import Model

__all__ = ["BLANK", "BLANK_REACH", "LOOKAHEAD", "Decided", "Pipeline"]

# A blank line waits for the next line's fate at most this many lines; longer blank runs lose their excess.
BLANK_REACH = 16
LOOKAHEAD = AHEAD + BLANK_REACH
BLANK = -1  # the code of a blank line
ROWS_AT_ONCE = 2048  # bounds the memory of the context rows

# The label of each class of the first pass: a block's heading has its block's label.
_LABEL_OF = np.array([*range(len(LABELS)), *([label.value for label in LABELS].index(name) for name in HEADINGS)])


class Decided(NamedTuple):
    """Decided lines, blank ones included, in order."""

    codes: Int8s  # (n,) index into LABELS, BLANK for blank lines
    guesses: Int8s  # (n,) the first pass's label
    probabilities: Floats  # (n,) of the label; 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) that the line's label is one of those to keep; 0 for blank lines

    @classmethod
    def joined(cls, parts: Sequence[Decided]) -> Decided:
        """Return the parts one after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts))) if len(parts) != 1 else parts[0]


def _blank_lines(count: int) -> Decided:
    """Return what a blank line that is not kept looks like, `count` times."""
    none = np.full(count, BLANK, np.int8)
    return Decided(none, none.copy(), np.zeros(count), np.zeros(count, np.bool_), np.zeros(count))


NOTHING = _blank_lines(0)


class Pipeline:
    """Decides lines as far as the lines read so far allow."""

    def __init__(self, model: Model, kept_codes: Sequence[int], threshold: float | None) -> None:
        self._model = model
        self._keep = np.zeros(len(LABELS), np.bool_)
        self._keep[list(kept_codes)] = True
        self._threshold = threshold
        self._carry = Carry.fresh()
        self._stretch: Stretch | None = None
        self._undecided = 0  # index into the stretch of the first line the context pass has not seen
        self._page, self._position, self._gap, self._page_empty = 0, 0, 0, True
        self._waiting = _Waiting()

    def advance(self, lines: Sequence[str], ends: Sequence[int] | Ints = ()) -> Decided:
        """Read further lines and return those decided.

        `ends` says before which of these lines a page ends (ascending; `len(lines)` ends the last page, and a number
        standing twice closes an empty page).
        """
        blank = blank_flags(lines)
        page = self._page + np.searchsorted(np.asarray(ends, np.int64), np.arange(len(lines)), side="right")
        page_start = np.searchsorted(page, page)
        position = np.arange(len(lines)) - page_start + np.where(page == self._page, self._position, 0)
        self._waiting.add(page, position, blank)
        solid = np.flatnonzero(~blank)
        if len(solid):
            self._describe([lines[i] for i in solid.tolist()], page[solid], position[solid])
        next_page = self._page + len(ends)
        self._close(lines, blank, page, next_page)
        self._decide(next_page)
        return self._waiting.settle(next_page, self._position)

    def _describe(self, texts: list[str], page: Ints, position: Ints) -> None:
        """Add non-blank lines to the stretch, with all that can be said of them before what follows is known."""
        described = describe(texts)
        evidence = scaled_evidence(self._model.first_pass(described))
        starts = np.concatenate(([page[0] != self._page or self._page_empty], page[1:] != page[:-1]))
        blanks = np.diff(position, prepend=-1) - 1
        first = np.flatnonzero(starts)
        blanks[first] = position[first]
        if not starts[0]:
            blanks[0] = self._gap + position[0] - self._position
        rows, self._carry = running(described, evidence, blanks, starts, self._carry)
        block = Stretch(page, position, described.hashes, described.openings, described.columns, evidence, rows)
        self._stretch = block if self._stretch is None else self._stretch.joined(block)

    def _close(self, lines: Sequence[str], blank: Bools, page: Ints, next_page: int) -> None:
        """Move page number, position and trailing blank count to the end of what was read."""
        own = page == next_page
        count = int(own.sum())
        if next_page != self._page:
            self._position, self._gap, self._page_empty = 0, 0, True
        self._position += count
        solid = np.flatnonzero(~blank & own)
        self._gap = len(lines) - 1 - int(solid[-1]) if len(solid) else self._gap + count
        self._page_empty &= not len(solid)
        if self._page_empty:
            self._carry = Carry.fresh()
        self._page = next_page

    def _decide(self, open_page: int) -> None:
        """Run the context pass over the lines whose look-ahead is complete."""
        stretch = self._stretch
        if stretch is None:
            return
        ripe = (stretch.page < open_page) | (stretch.position + AHEAD < self._position)
        low, high = self._undecided, int(ripe.sum())
        for start in range(low, high, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, high)
            guesses = _LABEL_OF[stretch.evidence[start:stop].argmax(axis=1)]
            self._waiting.fill(self._choose(np.exp(self._model.context_pass(context_rows(stretch, start, stop))), guesses))
        drop = max(0, high - BEHIND)
        self._stretch = stretch.tail(drop)
        self._undecided = high - drop

    def _choose(self, p: Floats, guesses: Ints) -> Decided:
        """Return the decisions that label probabilities (n, labels) lead to."""
        codes = p.argmax(axis=1)
        keep = p[:, self._keep].sum(axis=1)
        kept = self._keep[codes] if self._threshold is None else keep >= self._threshold
        return Decided(codes.astype(np.int8), guesses.astype(np.int8), p[np.arange(len(p)), codes], kept, keep)


class _Waiting:
    """Lines read and not returned yet, blank ones included; settles what to do with blank lines."""

    def __init__(self) -> None:
        self.page: Ints = np.zeros(0, np.int64)
        self.position: Ints = np.zeros(0, np.int64)
        self.blank: Bools = np.zeros(0, np.bool_)
        self._decided: list[Decided] = []  # of the next non-blank lines, in order
        self._count = 0
        self._kept_before = False  # fate of the last non-blank line returned ...
        self._page_before = -1  # ... and its page

    def add(self, page: Ints, position: Ints, blank: Bools) -> None:
        self.page = np.concatenate((self.page, page))
        self.position = np.concatenate((self.position, position))
        self.blank = np.concatenate((self.blank, blank))

    def fill(self, decided: Decided) -> None:
        self._decided.append(decided)
        self._count += len(decided.codes)

    def settle(self, open_page: int, read: int) -> Decided:
        """Return the longest run of lines from the front whose fate is certain; `read` lines of the open page are known."""
        n = len(self.page)
        if not n:
            return NOTHING
        solid = np.flatnonzero(~self.blank)
        rank = np.cumsum(~self.blank) - 1  # of a solid line among the solid; of a blank line: its predecessor's
        following = rank + 1
        next_at = np.append(solid, n)[np.minimum(following, len(solid))]
        inside = next_at < n
        next_at = np.minimum(next_at, n - 1)
        near = inside & (self.page[next_at] == self.page) & (next_at - np.arange(n) <= BLANK_REACH)
        unsure = np.where(
            self.blank,
            np.where(near, following >= self._count, ~inside & (self.page == open_page) & (self.position + BLANK_REACH >= read)),
            rank >= self._count,
        )
        stop = int(np.argmax(unsure)) if unsure.any() else n
        if not stop:
            return NOTHING
        return self._take(stop, solid, rank, near)

    def _take(self, stop: int, solid: Ints, rank: Ints, near: Bools) -> Decided:
        done = Decided.joined(self._decided) if self._decided else NOTHING
        count = int(np.searchsorted(solid, stop))
        blank = self.blank[:stop]
        out = _blank_lines(stop)
        for column, values in zip(out, done):
            column[~blank] = values[:count]
        # A blank line is kept between kept lines of its page.
        fates = np.concatenate(([self._kept_before], done.kept, [False]))
        pages = np.concatenate(([self._page_before], self.page[solid]))
        before = rank[:stop] + 1
        between = fates[before] & (pages[before] == self.page[:stop]) & near[:stop] & fates[np.minimum(before + 1, len(fates) - 1)]
        out.kept[blank] = between[blank]
        if count:
            self._kept_before, self._page_before = bool(done.kept[count - 1]), int(self.page[solid[count - 1]])
        self._decided = [Decided(*(column[count:] for column in done))] if self._decided else []
        self._count -= count
        self.page, self.position, self.blank = self.page[stop:], self.position[stop:], self.blank[stop:]
        return out
