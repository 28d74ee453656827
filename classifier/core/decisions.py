"""Decisions: from label probabilities to labels, kept lines and kept blank lines, released in the order of reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Float32s, Floats, Int8s, Ints, flatnonzero, sum_in_order
from classifier.core.kernel import compiled
from classifier.labels import HEADINGS, LABELS, Label

__all__ = ["BLANK_CODE", "BLANK_REACH", "Decided", "OutputBuffer", "choose", "first_guesses", "released"]

# Look-ahead of a blank line, in lines: it is kept only if a kept line follows within this distance. In longer runs the excess is dropped.
BLANK_REACH = 16
BLANK_CODE = -1  # the code of a blank line

_CAPTION, _TITLE = LABELS.index(Label.CAPTION), LABELS.index(Label.TITLE)
# The label code of each first-pass class; a heading class has its block's label.
_LABEL_OF = np.array([*range(len(LABELS)), *([label.value for label in LABELS].index(name) for name in HEADINGS)])


class Decided(NamedTuple):
    """Decided lines, blank ones included, in order."""

    codes: Int8s  # (n,) index into LABELS, BLANK_CODE for blank lines
    guesses: Int8s  # (n,) the first pass's label
    probabilities: Floats  # (n,) of the label; 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) total probability of the labels to keep; 0 for blank lines
    caption_probabilities: Floats  # (n,) 0 for blank lines
    title_probabilities: Floats  # (n,) 0 for blank lines

    @classmethod
    def of(cls, table: Floats) -> Decided:
        """Return the rows of a table (fields, n), each converted to its field's type."""
        codes, guesses, probabilities, kept, *sums = table
        return cls(codes.astype(np.int8), guesses.astype(np.int8), probabilities, kept > 0, *sums)

    @classmethod
    def joined(cls, parts: Sequence[Decided]) -> Decided:
        """Return the parts concatenated (at least one)."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts))) if len(parts) != 1 else parts[0]


@compiled
def choose(p: Floats, guesses: Ints, keep: Bools, threshold: float | None) -> Floats:
    """Return the decisions (fields of Decided, n) from label probabilities (labels, n) and first-pass labels (n,).

    `keep` (labels,) says which labels to keep.
    """
    codes = p.argmax(axis=0)
    kept_p = sum_in_order(p[keep])
    kept = keep[codes] if threshold is None else kept_p >= threshold
    return np.array((codes, guesses, p.max(axis=0), kept, kept_p, p[_CAPTION], p[_TITLE]))


@compiled
def first_guesses(evidence: Float32s) -> Ints:
    """Return the first pass's label codes (n,), from its evidence (classes, n)."""
    return _LABEL_OF[evidence.argmax(axis=0)]


class _RawLines(NamedTuple):
    """Lines read, blank ones included."""

    page: Ints  # (n,)
    blank: Bools  # (n,)
    markup: Bools  # (n,) blank but for markup


class OutputBuffer:
    """Output buffer: lines read but not yet returned, blank lines included; decides which blank lines to keep."""

    def __init__(self) -> None:
        self._raw = _RawLines(np.zeros(0, np.int64), *np.zeros((2, 0), np.bool_))
        self._decided: list[Floats] = []  # blocks of decisions of the next non-blank lines, in order
        self._previous = (-1, False)  # page and kept flag of the last non-blank line returned

    def add_lines(self, page: Ints, blank: Bools, markup: Bools) -> None:
        """Append lines read: their page numbers, which are blank, and which of these hold markup (n,)."""
        self._raw = _RawLines(*map(np.concatenate, zip(self._raw, (page, blank, markup))))

    def add_decisions(self, decided: Floats) -> None:
        """Append the decisions (fields of Decided, n) of the next non-blank lines."""
        self._decided.append(decided)

    def release(self, open_page: int) -> Decided:
        """Return and remove the longest prefix of decided lines; `open_page` is the page that the next line read belongs to."""
        decided = self._decided[0] if len(self._decided) == 1 else np.concatenate((_NOTHING_DECIDED, *self._decided), axis=1)
        out, page_before, kept_before = released(self._raw, decided, *self._previous, open_page)
        self._previous, self._decided = (page_before, kept_before), []
        page, blank, markup = self._raw
        stop = len(out.codes)
        self._raw = _RawLines(page[stop:], blank[stop:], markup[stop:])
        return out


_NOTHING_DECIDED = np.zeros((len(Decided._fields), 0))


@compiled
def released(lines: _RawLines, decided: Floats, previous_page: int, previous_kept: bool, open_page: int) -> tuple[Decided, int, bool]:
    """Return the longest prefix of decided lines, and page and kept flag of its last non-blank line, or the previous one's.

    `decided` (fields of Decided, n) are the decisions of the next non-blank lines.
    """
    page, blank, markup = lines
    solid = flatnonzero(~blank)
    count = decided.shape[1]
    # Blank lines after the last decided line wait for the next non-blank line, read or not, if it may be within BLANK_REACH.
    last = int(solid[count - 1]) if count else -1
    following, next_page = (int(solid[count]), page[solid[count]]) if count < len(solid) else (len(page), open_page)
    stop = min(following, max(last + 1, following - BLANK_REACH, int(page.searchsorted(next_page))))
    out = np.zeros((len(Decided._fields), stop))
    out[:, solid[:count]] = decided
    gaps = flatnonzero(blank[:stop])
    if len(gaps):
        out[:2, gaps] = BLANK_CODE
        flags = np.concatenate(([previous_kept], decided[3] > 0, [False]))
        pages = np.concatenate(([previous_page], page[solid], [-1]))
        out[3, gaps] = _between_kept(gaps, page, solid, pages, flags) & ~markup[gaps]  # left-over tags are not text
    if count:
        previous_page, previous_kept = int(page[last]), bool(decided[3, -1])
    return Decided.of(out), previous_page, previous_kept


def _between_kept(gaps: Ints, page: Ints, solid: Ints, pages: Ints, kept: Bools) -> Bools:
    """Return which blank lines, at indices `gaps`, lie between kept lines of their page, the next at most BLANK_REACH lines away.

    `pages` and `kept` are of the last non-blank line returned, of those at `solid`, and of none.
    """
    before = gaps - np.arange(len(gaps))  # the number of non-blank lines before each
    positions = np.append(solid, len(page))
    near = (positions[before] - gaps <= BLANK_REACH) & (pages[before + 1] == page[gaps]) & (pages[before] == page[gaps])
    return near & kept[before] & kept[np.minimum(before + 1, len(kept) - 1)]
