"""Streaming pipeline: raw lines in, labelled lines out, block by block; every call of the public API runs through it.

`Pipeline.advance` takes the next raw lines of one or several pages and returns the lines that are now decided. Its state is
a few lines of context for each context pass, the undecided lines, and what the page has shown so far (`PageState`,
`StackedState`), never the whole page. Results do not depend on where blocks are cut, because the carried state is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Int16s, Ints, diff, flatnonzero
from classifier.core.constraints import mask_labels
from classifier.core.context import AHEAD, NO_LINES, LineBuffer, joined_columns
from classifier.core.decisions import BLANK_CODE, BLANK_REACH, Decided, OutputBuffer, choose, first_guesses
from classifier.core.distinct import distinct_lines
from classifier.core.features import COLUMN, LineFeatures, extract_features
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.model import Model
from classifier.core.positions import blanks_before, line_numbers, page_starts, ready_lines
from classifier.core.scan import MAX_CHARS
from classifier.core.stacked import (
    NOTHING_FOUND,
    STACKED_AHEAD,
    STACKED_BEHIND,
    StackedBuffer,
    StackedState,
    extract_stacked,
)
from classifier.labels import LABELS

__all__ = ["BLANK_CODE", "BLANK_REACH", "BLOCK_CHARS", "BLOCK_LINES", "LOOKAHEAD", "Decided", "LineConstraints", "PageMemory", "Pipeline"]

LOOKAHEAD = AHEAD + STACKED_AHEAD + BLANK_REACH
# Block size: large enough to amortise numpy's overhead per call, small enough that a block's arrays (about 4 KB per line and 60
# bytes per character) stay in the tens of megabytes and mostly in the cache.
BLOCK_LINES, BLOCK_CHARS = 4096, 1 << 17


class LineConstraints(Protocol):
    """Restricts the labels of lines by their text; implemented by `sites.rule.LineRules`."""

    def marks(self, texts: Sequence[str]) -> Ints:
        """Return the allowed labels of each text as a mark (n,), see `constraints.py`; the texts are distinct and not blank."""


class PageMemory(Protocol):
    """Revises probabilities by what other pages showed, once a page has ended; implemented in `sites.page_pass`."""

    def add(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> None:
        """Take the next non-blank lines: page numbers (n,), ascending, hashes (n,), sizes (n,), log probabilities (len(LABELS), n)."""

    def settled(self, page: int) -> Floats:
        """Return the log probabilities of the next lines, in order, that are settled: all but those of `page`, which is still open."""


class Pipeline:
    """Labels lines as soon as their look-ahead has been read; keeps state between calls of `advance`."""

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
        self._state = PageState.fresh()
        self._buffer = NO_LINES  # the undecided lines, and those before them that the context passes look back on
        self._stacked_state = StackedState.fresh()
        self._found = NOTHING_FOUND  # columns of the first of them, those with a first context pass; see `StackedBuffer`
        self._undecided = 0  # index of the first line without a second one
        self._page, self._position, self._gap, self._page_empty = 0, 0, 0, True
        self._held_guesses = np.zeros(0, np.int64)  # of the lines that wait in the memory for the end of their page
        self._output = OutputBuffer()

    def advance(self, lines: Sequence[str], ends: Sequence[int] | Ints = ()) -> Decided:
        """Consume further lines and return the lines that are now decided.

        `ends` lists, in ascending order, the indices of the lines before which a page ends. `len(lines)` ends the last page;
        a repeated index is an empty page.
        """
        ends = np.asarray(ends, np.int64)
        bounds = _block_bounds(lines)
        if len(bounds) == 2:
            return self._advance(lines, ends)
        parts = []
        for start, stop in pairwise(bounds):
            first = ends.searchsorted(start, side="right") if start else 0
            parts.append(self._advance(lines[start:stop], ends[first : ends.searchsorted(stop, side="right")] - start))
        return Decided.joined(parts)

    def _advance(self, lines: Sequence[str], ends: Ints) -> Decided:
        """Consume one block of lines; see `advance`."""
        page, position = line_numbers(len(lines), ends, self._page, self._position)
        blank, markup = np.zeros((2, 0), np.bool_)
        if len(lines):
            blank, markup, line_features, evidence, marks = self._first_pass(lines)
            if line_features is not None:
                solid = flatnonzero(~blank)
                self._extend_buffer(line_features, evidence, page[solid], position[solid], marks)
        self._output.add_lines(page, blank, markup)
        next_page = self._page + len(ends)
        self._move_to_end(blank, page, next_page)
        self._read_context(next_page)
        self._decide(next_page)
        self._settle(next_page)
        return self._output.release(next_page)

    def _first_pass(self, lines: Sequence[str]) -> tuple[Bools, Bools, LineFeatures | None, Int16s, Ints | None]:
        """Return which lines are blank, which of them hold markup, and the features, evidence and marks of the others.

        Marks are None without constraints.
        """
        texts, copies, blank, markup = distinct_lines(lines)
        if not texts:
            return blank, markup, None, np.zeros((0, 0), np.int16), None
        line_features = extract_features(texts)
        first, marks = self._model.first_pass(line_features), None
        if self._constraints is not None:
            marks = self._constraints.marks(texts)
            first = mask_labels(first, marks)
        evidence = scaled_evidence(first)
        if len(texts) < len(copies):
            line_features, evidence = line_features.repeated(copies), evidence.take(copies, axis=1)
            marks = None if marks is None else marks.take(copies)
        return blank, markup, line_features, evidence, marks

    def _extend_buffer(self, line_features: LineFeatures, evidence: Int16s, page: Ints, position: Ints, marks: Ints | None) -> None:
        """Append non-blank lines to the buffer, with their features, evidence and history columns."""
        starts = page_starts(page, page[0] != self._page or self._page_empty)
        blanks = blanks_before(position, starts, self._position - self._gap)
        rows, self._state = extract_history(line_features, evidence, blanks, starts, self._state)
        self._buffer = self._buffer.extended(line_features, evidence, rows, page, position, marks)

    def _move_to_end(self, blank: Bools, page: Ints, next_page: int) -> None:
        """Advance page number, position and count of trailing blank lines to the end of the block."""
        open_lines = blank[page.searchsorted(next_page) :]  # blankness of the block's lines on the page that stays open
        if next_page != self._page:
            self._position, self._gap, self._page_empty = 0, 0, True
        self._position += len(open_lines)
        trailing = len(open_lines) if open_lines.all() else int(open_lines[::-1].argmin())
        self._gap = trailing if trailing < len(open_lines) else self._gap + trailing
        self._page_empty &= trailing == len(open_lines)
        if self._page_empty:
            self._state = PageState.fresh()
        self._page = next_page

    def _read_context(self, open_page: int) -> None:
        """Run the first context pass over the lines whose look-ahead for it is complete."""
        buffer = self._buffer
        low, high = self._found.shape[1], ready_lines(buffer.page, buffer.position, open_page, self._position - AHEAD)
        if low < high:
            starts = page_starts(buffer.page[low:high], low == 0 or buffer.page[low] != buffer.page[low - 1])
            found = self._allowed(self._model.context_pass(buffer, low, high), buffer.marks[low:high])
            evidence = scaled_evidence(found)
            columns, self._stacked_state = extract_stacked(buffer.own[:, low:high], evidence, starts, self._stacked_state)
            self._found = joined_columns(self._found, columns, evidence)

    def _decide(self, open_page: int) -> None:
        """Run the second context pass, which decides, over the lines whose whole look-ahead is complete."""
        lines = self._buffer.slice(0, self._found.shape[1])
        stacked = StackedBuffer(lines, self._found)
        low, high = self._undecided, ready_lines(lines.page, lines.position, open_page, self._position - AHEAD - STACKED_AHEAD)
        if low < high:
            found = self._allowed(self._model.stacked_pass(stacked, low, high), lines.marks[low:high])
            self._hold_or_decide(lines.slice(low, high), found)
        drop = max(0, high - STACKED_BEHIND)
        self._buffer, self._found = self._buffer.tail(drop), self._found[:, drop:]
        self._undecided = high - drop

    def _hold_or_decide(self, lines: LineBuffer, found: Floats) -> None:
        """Decide the next lines by their log probabilities (labels, n), or hand them to the memory until their page ends."""
        guesses = first_guesses(lines.evidence())
        if self._memory is None:
            self._add_decisions(found, guesses)
            return
        self._memory.add(lines.page, lines.hashes[0], lines.own[COLUMN["size"]], found)
        self._held_guesses = np.concatenate((self._held_guesses, guesses))

    def _settle(self, open_page: int) -> None:
        """With a memory, decide the lines of pages that have ended."""
        if self._memory is None:
            return
        found = self._memory.settled(open_page)
        settled = found.shape[1]
        self._add_decisions(found, self._held_guesses[:settled])
        self._held_guesses = self._held_guesses[settled:]

    def _add_decisions(self, found: Floats, guesses: Ints) -> None:
        """Decide the next lines by their log probabilities (labels, n); `guesses` (n,) are the first pass's labels."""
        self._output.add_decisions(choose(np.exp(found), guesses, self._keep, self._threshold))

    def _allowed(self, log_probabilities: Floats, marks: Ints) -> Floats:
        """Return log probabilities (labels, n) without the labels that the constraints do not allow, if there are any."""
        return log_probabilities if self._constraints is None else mask_labels(log_probabilities, marks)


def _block_bounds(lines: Sequence[str]) -> list[int]:
    """Return the boundaries, 0 to len(lines), of blocks of at most BLOCK_LINES lines and about BLOCK_CHARS characters."""
    count = len(lines)
    if count <= BLOCK_LINES and sum(map(len, lines)) <= BLOCK_CHARS:
        return [0, count]
    chars = np.minimum(np.fromiter(map(len, lines), np.int64, count), MAX_CHARS).cumsum()
    block = chars // BLOCK_CHARS + np.arange(count) // BLOCK_LINES
    return [0, *(flatnonzero(diff(block)) + 1).tolist(), count]
