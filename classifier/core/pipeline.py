"""Streaming pipeline: raw lines in, labelled lines out, block by block; every call of the public API runs through it.

`Pipeline.advance` takes the next raw lines of one or several pages and returns the lines that are now decided. Its state is
a few lines of context for each context pass, the undecided lines, and what the page has shown so far (`PageState`,
`StackedState`), never the whole page. Results do not depend on where blocks are cut, because the carried state is exact.
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
from classifier.core.kernel import compiled
from classifier.core.model import Model
from classifier.core.scan import MAX_CHARS, blank_flags
from classifier.core.stacked import (
    STACKED_AHEAD,
    STACKED_BEHIND,
    StackedBuffer,
    StackedState,
    extract_stacked,
    stacked_rows,
)
from classifier.labels import HEADINGS, LABELS

__all__ = ["BLANK_CODE", "BLANK_REACH", "BLOCK_LINES", "LOOKAHEAD", "Decided", "LineConstraints", "PageMemory", "Pipeline"]

# Look-ahead of a blank line, in lines: it is kept only if a kept line follows within this distance. In longer runs the excess is dropped.
BLANK_REACH = 16
LOOKAHEAD = AHEAD + STACKED_AHEAD + BLANK_REACH
BLANK_CODE = -1  # the code of a blank line
# Block size: large enough to amortise numpy's overhead per call, small enough that a block's arrays (about 4 KB per line and 60
# bytes per character) stay in the tens of megabytes and mostly in the cache.
BLOCK_LINES, BLOCK_CHARS = 4096, 1 << 18
ROWS_AT_ONCE = 1024  # bounds the memory of the context rows

# The label code of each first-pass class; a heading class has its block's label.
_LABEL_OF = np.array([*range(len(LABELS)), *([label.value for label in LABELS].index(name) for name in HEADINGS)])


class Decided(NamedTuple):
    """Decided lines, blank ones included, in order."""

    codes: Int8s  # (n,) index into LABELS, BLANK_CODE for blank lines
    guesses: Int8s  # (n,) the first pass's label
    probabilities: Floats  # (n,) of the label; 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) total probability of the labels to keep; 0 for blank lines

    @classmethod
    def of(cls, table: Floats) -> Decided:
        """Return the rows of a table (fields, n), each converted to its field's type."""
        codes, guesses, probabilities, kept, keep_probabilities = table
        return cls(codes.astype(np.int8), guesses.astype(np.int8), probabilities, kept > 0, keep_probabilities)

    @classmethod
    def joined(cls, parts: Sequence[Decided]) -> Decided:
        """Return the parts concatenated (at least one)."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts))) if len(parts) != 1 else parts[0]


class LineConstraints(Protocol):
    """Restricts the labels of lines by their text; implemented by `sites.rule.LineRules`."""

    def marks(self, texts: Sequence[str]) -> Ints:
        """Return the allowed labels of each text as a mark (n,), see `constraints.py`; the texts are distinct and not blank."""


class PageMemory(Protocol):
    """Revises probabilities of lines seen on earlier pages, and learns each page as it ends; implemented by `sites.memory.PagePass`."""

    def revised(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> Floats:
        """Return the revised log probabilities of the next non-blank lines.

        Takes their page numbers (n,) in ascending order, hashes (n,), sizes (n,) and log probabilities `found` (len(LABELS), n).
        """

    def close(self, page: int) -> None:
        """Learn the open page unless it is `page`, the page of the lines that follow."""


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
        self._buffer: LineBuffer | None = None
        self._unread = 0  # index into the buffer of the first line without a first context pass
        self._stacked_state = StackedState.fresh()
        self._stacked: StackedBuffer | None = None  # lines with a first context pass
        self._undecided = 0  # index into it of the first line without a second one
        self._page, self._position, self._gap, self._page_empty = 0, 0, 0, True
        self._output = _OutputBuffer()

    def advance(self, lines: Sequence[str], ends: Sequence[int] | Ints = ()) -> Decided:
        """Consume further lines and return the lines that are now decided.

        `ends` lists, in ascending order, the indices of the lines before which a page ends. `len(lines)` ends the last page;
        a repeated index is an empty page.
        """
        ends = np.asarray(ends, np.int64)
        parts = []
        for start, stop in pairwise(_block_bounds(lines)):
            first = ends.searchsorted(start, side="right") if start else 0
            parts.append(self._advance(lines[start:stop], ends[first : ends.searchsorted(stop, side="right")] - start))
        return Decided.joined(parts)

    def _advance(self, lines: Sequence[str], ends: Ints) -> Decided:
        """Consume one block of lines; see `advance`."""
        index = np.arange(len(lines))
        page = self._page + ends.searchsorted(index, side="right")
        position = index - page.searchsorted(page) + (page == self._page) * self._position
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
        if self._memory is not None:
            self._memory.close(next_page)
        return self._output.release(next_page)

    def _first_pass(self, lines: Sequence[str]) -> tuple[Bools, Bools, LineFeatures | None, Int16s, Ints | None]:
        """Return which lines are blank, which of them hold markup, and the features, evidence and marks of the others.

        Marks are None without constraints. Each distinct text is processed once: menus repeat many times in a block.
        """
        index_of = dict(zip(dict.fromkeys(lines), count()))
        blank = blank_flags(index_of)
        texts = list(compress(index_of, ~blank))
        markup = blank.copy()
        markup[blank] = ["<" in text or "&" in text for text in compress(index_of, blank)]
        copies = np.fromiter(map(index_of.__getitem__, lines), np.intp, len(lines)) if len(index_of) < len(lines) else None
        every_blank, every_markup = (blank, markup) if copies is None else (blank.take(copies), markup.take(copies))
        if not texts:
            return every_blank, every_markup, None, np.zeros((0, 0), np.int16), None
        line_features = extract_features(texts)
        first, marks = self._model.first_pass(line_features), None
        if self._constraints is not None:
            marks = self._constraints.marks(texts)
            first = mask_labels(first, marks)
        evidence = scaled_evidence(first)
        if copies is not None:
            copies = (np.cumsum(~blank) - 1).take(copies[~every_blank])
            line_features, evidence = line_features.repeated(copies), evidence.take(copies, axis=1)
            marks = None if marks is None else marks.take(copies)
        return every_blank, every_markup, line_features, evidence, marks

    def _extend_buffer(self, line_features: LineFeatures, evidence: Int16s, page: Ints, position: Ints, marks: Ints | None) -> None:
        """Append non-blank lines to the buffer, with their features, evidence and history columns."""
        starts = _page_starts(page, page[0] != self._page or self._page_empty)
        blanks = position.copy()
        blanks[1:] -= np.where(starts[1:], 0, position[:-1] + 1)
        if not starts[0]:
            blanks[0] = self._gap + position[0] - self._position
        rows, self._state = extract_history(line_features, evidence, blanks, starts, self._state)
        block = line_buffer(line_features, evidence, rows, page, position, marks)
        self._buffer = block if self._buffer is None else self._buffer.joined(block)

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
        if buffer is None:
            return
        ready = (buffer.page < open_page) | (buffer.position + AHEAD < self._position)
        low, high = self._unread, int(np.count_nonzero(ready))
        for start in range(low, high, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, high)
            found = mask_labels(self._model.context_pass(context_rows(buffer, start, stop)), buffer.marks[start:stop])
            self._extend_stacked(buffer.slice(start, stop), scaled_evidence(found))
        drop = max(0, high - BEHIND)
        self._buffer = buffer.tail(drop)
        self._unread = high - drop

    def _extend_stacked(self, lines: LineBuffer, found: Int16s) -> None:
        """Append lines to the stacked buffer, with the evidence that the first context pass found for each label."""
        starts = _page_starts(lines.page, self._stacked is None or lines.page[0] != self._stacked.lines.page[-1])
        columns, self._stacked_state = extract_stacked(lines.own, found, starts, self._stacked_state)
        block = StackedBuffer.of(lines, columns, found)
        self._stacked = block if self._stacked is None else self._stacked.joined(block)

    def _decide(self, open_page: int) -> None:
        """Run the second context pass, which decides, over the lines whose whole look-ahead is complete."""
        buffer = self._stacked
        if buffer is None:
            return
        lines = buffer.lines
        ready = (lines.page < open_page) | (lines.position + (AHEAD + STACKED_AHEAD) < self._position)
        low, high = self._undecided, int(np.count_nonzero(ready))
        for start in range(low, high, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, high)
            guesses = _LABEL_OF[lines.evidence(start, stop).argmax(axis=0)]
            found = mask_labels(self._model.stacked_pass(stacked_rows(buffer, start, stop)), lines.marks[start:stop])
            if self._memory is not None:
                sizes = lines.own[COLUMN["size"], start:stop]
                found = self._memory.revised(lines.page[start:stop], lines.hashes[0, start:stop], sizes, found)
            self._output.add_decisions(choose(np.exp(found), guesses, self._keep, self._threshold))
        drop = max(0, high - STACKED_BEHIND)
        self._stacked = buffer.tail(drop)
        self._undecided = high - drop


@compiled
def choose(p: Floats, guesses: Ints, keep: Bools, threshold: float | None) -> Floats:
    """Return the decisions (fields of Decided, n) from label probabilities (labels, n), first-pass labels (n,), and which labels to keep."""
    codes = p.argmax(axis=0)
    kept_p = sum_in_order(p[keep])
    kept = keep[codes] if threshold is None else kept_p >= threshold
    return np.array((codes, guesses, p.max(axis=0), kept, kept_p))


def _page_starts(page: Ints, first: bool) -> Bools:
    """Return which lines are the first of their page (n,), from their page numbers; `first` says it of the first line."""
    starts = np.empty(len(page), np.bool_)
    starts[0] = first
    starts[1:] = page[1:] != page[:-1]
    return starts


def _block_bounds(lines: Sequence[str]) -> list[int]:
    """Return the boundaries, 0 to len(lines), of blocks of at most BLOCK_LINES lines and about BLOCK_CHARS characters."""
    count = len(lines)
    if count <= BLOCK_LINES and sum(map(len, lines)) <= BLOCK_CHARS:
        return [0, count]
    chars = np.minimum(np.fromiter(map(len, lines), np.int64, count), MAX_CHARS).cumsum()
    block = chars // BLOCK_CHARS + np.arange(count) // BLOCK_LINES
    return [0, *(flatnonzero(diff(block)) + 1).tolist(), count]


class _OutputBuffer:
    """Output buffer: lines read but not yet returned, blank lines included; decides which blank lines to keep."""

    def __init__(self) -> None:
        self._raw: Ints = np.zeros((3, 0), np.int64)  # of each line: page number, blank, blank but for markup
        self._decided: Floats = np.zeros((len(Decided._fields), 0))  # decisions of the next non-blank lines, in order
        self._previous = (-1, False)  # page and kept flag of the last non-blank line returned

    def add_lines(self, page: Ints, blank: Bools, markup: Bools) -> None:
        self._raw = np.concatenate((self._raw, (page, blank, markup)), axis=1)

    def add_decisions(self, decided: Floats) -> None:
        self._decided = np.concatenate((self._decided, decided), axis=1)

    def release(self, open_page: int) -> Decided:
        """Return and remove the longest prefix of decided lines; `open_page` is the page that the next line read belongs to."""
        page, blank, markup = self._raw
        solid = flatnonzero(blank == 0)
        decided = self._decided.shape[1]
        # Blank lines after the last decided line wait for the next non-blank line, read or not, if it may be within BLANK_REACH.
        last = int(solid[decided - 1]) if decided else -1
        following, next_page = (int(solid[decided]), page[solid[decided]]) if decided < len(solid) else (len(page), open_page)
        stop = min(following, max(last + 1, following - BLANK_REACH, int(page.searchsorted(next_page))))
        out = np.zeros((len(Decided._fields), stop))
        out[:, solid[:decided]] = self._decided
        gaps = flatnonzero(blank[:stop])
        if len(gaps):
            out[:2, gaps] = BLANK_CODE
            out[3, gaps] = self._between_kept(gaps, page, solid) & (markup[gaps] == 0)  # left-over tags are not text
        if decided:
            self._previous = (int(page[last]), bool(self._decided[3, -1]))
        self._decided = self._decided[:, :0]
        self._raw = self._raw[:, stop:]
        return Decided.of(out)

    def _between_kept(self, gaps: Ints, page: Ints, solid: Ints) -> Bools:
        """Return which blank lines, at indices `gaps`, lie between kept lines of their page, the next at most BLANK_REACH lines away."""
        before = gaps - np.arange(len(gaps))  # the number of non-blank lines before each
        kept = np.concatenate(([self._previous[1]], self._decided[3] > 0, [False]))
        pages = np.concatenate(([self._previous[0]], page[solid], [-1]))
        positions = np.append(solid, len(page))
        near = (positions[before] - gaps <= BLANK_REACH) & (pages[before + 1] == page[gaps]) & (pages[before] == page[gaps])
        return near & kept[before] & kept[np.minimum(before + 1, len(kept) - 1)]
