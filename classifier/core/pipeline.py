"""From raw lines to decided lines, a block at a time: the one path behind every call of the public API.

`Pipeline.advance` takes the next raw lines of one or several pages and returns the lines that are now decided. It
remembers BEHIND lines of context, the undecided lines and the page's `PageState`, never the page. Block borders do not show
in the result: everything carried is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, count, pairwise
from typing import NamedTuple, Protocol

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Int8s, Int16s, Ints, diff, flatnonzero, sum_in_order
from classifier.core.constraints import mask_labels
from classifier.core.context import AHEAD, BEHIND, LineBuffer, context_rows, line_buffer
from classifier.core.features import COLUMN, LineFeatures, extract_features
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.model import Model
from classifier.core.scan import MAX_CHARS, blank_flags
from classifier.labels import HEADINGS, LABELS

__all__ = ["BLANK_CODE", "BLANK_REACH", "BLOCK_LINES", "LOOKAHEAD", "Decided", "LineConstraints", "PageMemory", "Pipeline"]

# A blank line waits for the next line's fate at most this many lines; longer blank runs lose their excess.
BLANK_REACH = 16
LOOKAHEAD = AHEAD + BLANK_REACH
BLANK_CODE = -1  # the code of a blank line
# Lines worked on at once: enough that numpy's cost per call vanishes, few enough that a block's arrays (about 4 KB a line, 60 bytes a
# character) stay in the tens of megabytes and mostly in the cache.
BLOCK_LINES, BLOCK_CHARS = 4096, 1 << 18
ROWS_AT_ONCE = 2048  # bounds the memory of the context rows

# The label of each class of the first pass: a block's heading has its block's label.
_LABEL_OF = np.array([*range(len(LABELS)), *([label.value for label in LABELS].index(name) for name in HEADINGS)])


class Decided(NamedTuple):
    """Decided lines, blank ones included, in order."""

    codes: Int8s  # (n,) index into LABELS, BLANK_CODE for blank lines
    guesses: Int8s  # (n,) the first pass's label
    probabilities: Floats  # (n,) of the label; 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) that the line's label is one of those to keep; 0 for blank lines

    @classmethod
    def of(cls, table: Floats) -> Decided:
        """Return the rows of a table (fields, n), each in its own type."""
        codes, guesses, probabilities, kept, keep_probabilities = table
        return cls(codes.astype(np.int8), guesses.astype(np.int8), probabilities, kept > 0, keep_probabilities)

    @classmethod
    def joined(cls, parts: Sequence[Decided]) -> Decided:
        """Return the parts one after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts))) if len(parts) != 1 else parts[0]


class LineConstraints(Protocol):
    """Restricts the labels of lines by their text; `sites.rule.LineRules` does."""

    def marks(self, texts: Sequence[str]) -> Ints:
        """Return the allowed labels of each text as a bit mask (n,), see `constraints`; no text is blank, and each stands alone."""


class PageMemory(Protocol):
    """Revises lines by what earlier pages showed, and learns each page as it ends; `sites.memory.PagePass` does."""

    def revised(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> Floats:
        """Return the log probabilities `found` (len(LABELS), n) of the next non-blank lines, revised; `page` (n,) is ascending."""

    def close(self, page: int) -> None:
        """Learn the open page, if the lines that follow are of another one, `page`."""


class Pipeline:
    """Decides lines as far as the lines read so far allow."""

    def __init__(
        self,
        model: Model,
        kept_codes: Sequence[int],
        threshold: float | None,
        constraints: LineConstraints | None = None,
        memory: PageMemory | None = None,
    ) -> None:
        self._model = model
        self._constraints, self._memory = constraints, memory
        self._keep = np.zeros(len(LABELS), np.bool_)
        self._keep[list(kept_codes)] = True
        self._threshold = threshold
        self._carry = PageState.fresh()
        self._buffer: LineBuffer | None = None
        self._marks: Ints | None = None  # of the stretch's lines, if there is a marker
        self._undecided = 0  # index into the stretch of the first line the context pass has not seen
        self._page, self._position, self._gap, self._page_empty = 0, 0, 0, True
        self._waiting = _Waiting()

    def advance(self, lines: Sequence[str], ends: Sequence[int] | Ints = ()) -> Decided:
        """Read further lines and return those decided.

        `ends` says before which of these lines a page ends (ascending; `len(lines)` ends the last page, and a number
        standing twice closes an empty page).
        """
        ends = np.asarray(ends, np.int64)
        parts = []
        for start, stop in pairwise(_block_bounds(lines)):
            first = ends.searchsorted(start, side="right") if start else 0
            parts.append(self._advance(lines[start:stop], ends[first : ends.searchsorted(stop, side="right")] - start))
        return Decided.joined(parts)

    def _advance(self, lines: Sequence[str], ends: Ints) -> Decided:
        """Read one block of lines; see `advance`."""
        index = np.arange(len(lines))
        page = self._page + ends.searchsorted(index, side="right")
        position = index - page.searchsorted(page) + (page == self._page) * self._position
        blank = np.zeros(0, np.bool_)
        if len(lines):
            blank, line_features, evidence, marks = self._seen_alone(lines)
            if line_features is not None:
                solid = flatnonzero(~blank)
                if marks is not None:
                    self._marks = marks if self._marks is None else np.concatenate((self._marks, marks))
                self._add(line_features, evidence, page[solid], position[solid])
        self._waiting.add(page, blank)
        next_page = self._page + len(ends)
        self._close(blank, page, next_page)
        self._decide(next_page)
        if self._memory is not None:
            self._memory.close(next_page)
        return self._waiting.settle(next_page)

    def _seen_alone(self, lines: Sequence[str]) -> tuple[Bools, LineFeatures | None, Int16s, Ints | None]:
        """Return which lines are blank, and what the others show by themselves with their evidence and, if there is a marker, marks.

        A text that stands many times, as menus do, is looked at once.
        """
        place = dict(zip(dict.fromkeys(lines), count()))
        blank = blank_flags(place)
        texts = list(compress(place, ~blank))
        if not texts:
            return np.ones(len(lines), np.bool_), None, np.zeros((0, 0), np.int16), None
        line_features = extract_features(texts)
        first, marks = self._model.first_pass(line_features), None
        if self._constraints is not None:
            marks = self._constraints.marks(texts)
            first = mask_labels(first, marks)
        evidence = scaled_evidence(first)
        if len(place) == len(lines):
            return blank, line_features, evidence, marks
        copies = np.fromiter(map(place.__getitem__, lines), np.intp, len(lines))
        every = blank.take(copies)
        copies = (np.cumsum(~blank) - 1).take(copies[~every])
        return every, line_features.repeated(copies), evidence.take(copies, axis=1), None if marks is None else marks.take(copies)

    def _add(self, line_features: LineFeatures, evidence: Int16s, page: Ints, position: Ints) -> None:
        """Add non-blank lines to the stretch, with all that can be said of them before what follows is known."""
        starts = np.empty(len(page), np.bool_)
        starts[0] = page[0] != self._page or self._page_empty
        starts[1:] = page[1:] != page[:-1]
        blanks = position.copy()
        blanks[1:] -= np.where(starts[1:], 0, position[:-1] + 1)
        if not starts[0]:
            blanks[0] = self._gap + position[0] - self._position
        rows, self._carry = extract_history(line_features, evidence, blanks, starts, self._carry)
        block = line_buffer(line_features, evidence, rows, page, position)
        self._buffer = block if self._buffer is None else self._buffer.joined(block)

    def _close(self, blank: Bools, page: Ints, next_page: int) -> None:
        """Move page number, position and trailing blank count to the end of what was read."""
        own = blank[page.searchsorted(next_page) :]  # lines of the page that stays open
        if next_page != self._page:
            self._position, self._gap, self._page_empty = 0, 0, True
        self._position += len(own)
        trailing = len(own) if own.all() else int(own[::-1].argmin())
        self._gap = trailing if trailing < len(own) else self._gap + trailing
        self._page_empty &= trailing == len(own)
        if self._page_empty:
            self._carry = PageState.fresh()
        self._page = next_page

    def _decide(self, open_page: int) -> None:
        """Run the context pass over the lines whose look-ahead is complete."""
        buffer = self._buffer
        if buffer is None:
            return
        ripe = (buffer.page < open_page) | (buffer.position + AHEAD < self._position)
        low, high = self._undecided, int(np.count_nonzero(ripe))
        for start in range(low, high, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, high)
            guesses = _LABEL_OF[buffer.evidence(start, stop).argmax(axis=0)]
            found = self._model.context_pass(context_rows(buffer, start, stop))
            if self._marks is not None:
                found = mask_labels(found, self._marks[start:stop])
            if self._memory is not None:
                sizes = buffer.own[COLUMN["size"], start:stop]
                found = self._memory.revised(buffer.page[start:stop], buffer.hashes[0, start:stop], sizes, found)
            self._waiting.fill(self._choose(np.exp(found), guesses))
        drop = max(0, high - BEHIND)
        self._buffer = buffer.tail(drop)
        if self._marks is not None:
            self._marks = self._marks[drop:]
        self._undecided = high - drop

    def _choose(self, p: Floats, guesses: Ints) -> Floats:
        """Return the decisions (fields of Decided, n) that label probabilities (labels, n) lead to."""
        codes = p.argmax(axis=0)
        keep = sum_in_order(p[self._keep])
        kept = self._keep[codes] if self._threshold is None else keep >= self._threshold
        return np.array((codes, guesses, p.max(axis=0), kept, keep))


def _block_bounds(lines: Sequence[str]) -> list[int]:
    """Return where to cut lines into blocks of at most BLOCK_LINES lines and about BLOCK_CHARS characters: 0, ..., len(lines)."""
    count = len(lines)
    if count <= BLOCK_LINES and sum(map(len, lines)) <= BLOCK_CHARS:
        return [0, count]
    chars = np.minimum(np.fromiter(map(len, lines), np.int64, count), MAX_CHARS).cumsum()
    block = chars // BLOCK_CHARS + np.arange(count) // BLOCK_LINES
    return [0, *(flatnonzero(diff(block)) + 1).tolist(), count]


class _Waiting:
    """Lines read and not returned yet, blank ones included; settles what to do with blank lines."""

    def __init__(self) -> None:
        self._raw: Ints = np.zeros((2, 0), np.int64)  # page and blankness of each line
        self._decided: Floats = np.zeros((len(Decided._fields), 0))  # the next non-blank lines, in order
        self._before = (-1, False)  # page and fate of the last non-blank line returned

    def add(self, page: Ints, blank: Bools) -> None:
        self._raw = np.concatenate((self._raw, (page, blank)), axis=1)

    def fill(self, decided: Floats) -> None:
        self._decided = np.concatenate((self._decided, decided), axis=1)

    def settle(self, open_page: int) -> Decided:
        """Return the longest run of lines from the front whose fate is certain."""
        page, blank = self._raw
        solid = flatnonzero(blank == 0)
        count = self._decided.shape[1]
        # Behind the last decided line stand blank ones; those within reach of the next line, read or not, wait for it.
        last = int(solid[count - 1]) if count else -1
        following, its_page = (int(solid[count]), page[solid[count]]) if count < len(solid) else (len(page), open_page)
        stop = min(following, max(last + 1, following - BLANK_REACH, int(page.searchsorted(its_page))))
        out = np.zeros((len(Decided._fields), stop))
        out[:, solid[:count]] = self._decided
        gaps = flatnonzero(blank[:stop])
        if len(gaps):
            out[:2, gaps] = BLANK_CODE
            out[3, gaps] = self._between(gaps, page, solid)
        if count:
            self._before = (int(page[last]), bool(self._decided[3, -1]))
        self._decided = self._decided[:, :0]
        self._raw = self._raw[:, stop:]
        return Decided.of(out)

    def _between(self, gaps: Ints, page: Ints, solid: Ints) -> Bools:
        """Return which blank lines stand between kept lines of their page, the next one within reach."""
        before = gaps - np.arange(len(gaps))  # how many of the lines that are not blank stand before each
        fates = np.concatenate(([self._before[1]], self._decided[3] > 0, [False]))
        pages = np.concatenate(([self._before[0]], page[solid], [-1]))
        places = np.append(solid, len(page))
        near = (places[before] - gaps <= BLANK_REACH) & (pages[before + 1] == page[gaps]) & (pages[before] == page[gaps])
        return near & fates[before] & fates[np.minimum(before + 1, len(fates) - 1)]
