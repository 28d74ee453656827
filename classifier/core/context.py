"""Context features: the input rows of the context pass, built from a line and the lines around it.

One row of integers (sixteenths) per line, for the network in `model.py`. `CONTEXT_COLUMNS` names every column; training and
runtime build the rows with the same code.

The context is bounded in three ways. *History*: counts and distances since the start of the page (`history.py`). *Neighbours*:
up to five non-blank lines on each side. *Windows*: means over up to 20 non-blank lines behind and 10 ahead. The look-ahead never
exceeds `AHEAD` raw lines, so a line can be decided once that many more have been read.

There is no Viterbi decoding over the labels: it gained .01 on an early model and nothing on this one.
"""

from __future__ import annotations

import re
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Float32s, Floats, Hashes, Int16s, Ints
from classifier.core.constraints import ANY_LABEL
from classifier.core.features import CEILING, COLUMN, FLAGS, STEP, LineFeatures
from classifier.core.history import EVIDENCE_CEILING, HISTORY_COLUMNS, RUNNING_CEILINGS
from classifier.core.kernel import compiled
from classifier.labels import EVIDENCE

__all__ = [
    "AHEAD", "BEHIND", "CEILINGS", "CONTEXT_COLUMNS", "NO_LINES", "OWN_COLUMNS", "SHARE", "LineBuffer", "Windows", "any_label",
    "context_rows", "joined_columns", "visible_counts",
]  # fmt: skip

AHEAD = 20  # raw lines, blank lines included: with a blank line after every line, still 10 non-blank lines
BEHIND = 20  # non-blank lines
NEIGHBOUR_OFFSETS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
NEIGHBOUR_COLUMNS = (
    "size", "long", "ends_sentence", "ends_quote", "ends_ellipsis", "prose", "linked", "images", "heading", "bullet", "date",
    "name_like", "doubled", "empty", "digits", "starts_lower",
)  # fmt: skip
EVIDENCE_OFFSETS = (-3, -2, -1, 1, 2, 3)


class Windows:
    """Means over windows of lines before and after a line.

    Args:
        sizes: numbers of lines, negative ones before the line; ascending, some of each sign.
    """

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes
        self._back, self._forward = np.array([[-size] for size in sizes if size < 0]), np.array([[size] for size in sizes if size > 0])
        self._reciprocal = (1 / np.maximum(np.arange(max(map(abs, sizes)) + 1), 1)).astype(np.float32)

    def around(self, low: int, high: int, count: int) -> tuple[int, int]:
        """Return the bounds of the lines that the windows of lines `low` to `high` reach, of `count` lines."""
        return max(0, low - self._back.max()), min(count, high + self._forward.max())

    def means(self, values: Float32s, low: int, behind: Ints, ahead: Ints, out: Float32s) -> None:
        """Write the means of integers `values` (columns, m) for the lines from `low` on, rounded down, to `out` (columns, windows, n).

        `behind` and `ahead` (n,) are the numbers of lines that each line may use. Prefix sums must stay below 2^24 to be exact.
        """
        sums = np.zeros((len(values), values.shape[1] + 1), np.float32)
        values.cumsum(axis=1, out=sums[:, 1:])
        line = np.arange(low, low + len(behind))
        size, back = np.empty(out.shape[1:], np.intp), len(self._back)
        before, after = np.minimum(behind, self._back, out=size[:back]), np.minimum(ahead, self._forward, out=size[back:])
        until = sums[:, None, low : low + len(line)]  # without the line itself
        through = sums[:, None, low + 1 : low + 1 + len(line)]  # with it
        np.subtract(until, sums.take(line - before, axis=1), out=out[:, :back])
        np.subtract(sums.take(line + 1 + after, axis=1), through, out=out[:, back:])
        out += 0.5  # the sums are integers: (sum + 0.5) / size is never near an integer, so rounding cannot change its floor
        out *= self._reciprocal.take(size)
        np.floor(out, out=out)


WINDOWS = Windows(-20, -10, -4, 4, 10)
WINDOW_COLUMNS = ("size", "short", "prose", "linked", "ends_sentence", "bullet")

# A context row is filled part by part, each part from one kind of array. The order is the model's.
_PARTS = (
    (*COLUMN, *EVIDENCE, *HISTORY_COLUMNS),
    tuple(f"{name} at {d:+d}" for name in (*NEIGHBOUR_COLUMNS, "blank lines before") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in ("same text", "same opening", "there") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in EVIDENCE for d in EVIDENCE_OFFSETS),
    tuple(f"{name} over {w:+d}" for name in (*WINDOW_COLUMNS, "repeated", *EVIDENCE) for w in WINDOWS.sizes),
)
CONTEXT_COLUMNS = tuple(chain.from_iterable(_PARTS))
OWN_COLUMNS = _PARTS[0]  # of the line itself
_PART_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
# Evidence (6 + log2 p) back to 4 p, in sixteenths: scaled by 4 so that small probabilities still move a window's mean.
SHARE = np.rint(4 * STEP * np.exp2(np.arange(EVIDENCE_CEILING + 1) / STEP - 6)).astype(np.float32)


def _ceilings() -> Floats:
    """Return the maximum of each column of CONTEXT_COLUMNS."""
    line = {name: STEP if name in FLAGS else CEILING for name in COLUMN}
    own = line | RUNNING_CEILINGS | dict.fromkeys(EVIDENCE, EVIDENCE_CEILING)
    means = line | dict.fromkeys(EVIDENCE, int(SHARE.max())) | {"repeated": STEP}
    neighbour = own | dict.fromkeys(("same text", "same opening", "there"), STEP)
    ceilings = own | {f"{name} at": value for name, value in neighbour.items()} | {f"{name} over": value for name, value in means.items()}
    return np.array([ceilings[re.sub(r" [+-]\d+$", "", name)] for name in CONTEXT_COLUMNS], np.float64)


CEILINGS = _ceilings()


class LineBuffer(NamedTuple):
    """Buffered non-blank lines of one or several pages, with their features before context is applied."""

    page: Ints  # (n,) page number, ascending
    position: Ints  # (n,) raw line index within the page
    hashes: Hashes  # (2, n) of the whole line, of its opening words
    own: Float32s  # (columns, n) of LINE_COLUMNS, EVIDENCE and HISTORY_COLUMNS, in that order
    marks: Ints  # (n,) the labels that each line may have, see `constraints.py`

    def slice(self, low: int, high: int) -> LineBuffer:
        """Return lines `low` to `high` of the buffer."""
        page, position, hashes, own, marks = self
        return LineBuffer(page[low:high], position[low:high], hashes[:, low:high], own[:, low:high], marks[low:high])

    def tail(self, start: int) -> LineBuffer:
        """Return the buffer from line `start` on."""
        return self.slice(start, len(self.page))

    def extended(
        self, line_features: LineFeatures, evidence: Int16s, columns: Int16s, page: Ints, position: Ints, marks: Ints | None = None
    ) -> LineBuffer:
        """Return the buffer followed by further lines: features, evidence, history columns and marks; by default any label is allowed."""
        marks = any_label(len(page)) if marks is None else marks
        pairs = zip((self.page, self.position, self.hashes, self.marks), (page, position, line_features.hashes, marks))
        pages, positions, hashes, all_marks = (np.concatenate(pair, axis=-1) for pair in pairs)
        own = joined_columns(self.own, line_features.columns, evidence, columns)
        return LineBuffer(pages, positions, hashes, own, all_marks)

    def evidence(self) -> Float32s:
        """Return the first-pass evidence (len(EVIDENCE), n) of the lines."""
        return self.own[_EVIDENCE]


@compiled
def joined_columns(before: Float32s, *parts: Int16s) -> Float32s:
    """Return columns (columns, k) followed by those of further lines, which come in parts that lie below each other, each (part, n)."""
    return np.concatenate((before, np.concatenate(parts, dtype=np.float32)), axis=1)


def any_label(count: int) -> Ints:
    """Return the marks of lines that may have any label (count,)."""
    return np.full(count, ANY_LABEL)


_NO_NUMBERS = np.zeros(0, np.int64)
NO_LINES = LineBuffer(_NO_NUMBERS, _NO_NUMBERS, np.zeros((2, 0), np.uint64), np.zeros((len(OWN_COLUMNS), 0), np.float32), _NO_NUMBERS)


@compiled
def context_rows(buffer: LineBuffer, low: int, high: int) -> Float32s:
    """Return the context rows of lines `low` to `high`: sixteenths, (len(CONTEXT_COLUMNS), high - low).

    The buffer must extend BEHIND non-blank lines back and AHEAD raw lines forward, or to the page's ends. Pass at most a
    few thousand lines at a time: the prefix sums must stay below 2^24 to be exact in float32.
    """
    behind, ahead = visible_counts(buffer.page, buffer.position, low, high, AHEAD)
    present = _PRESENT.take(np.minimum(behind, NEAR) * (NEAR + 1) + np.minimum(ahead, NEAR), axis=1)  # (offsets, count)
    neighbours = np.arange(low, high) + _OFFSETS[:, None]  # indices outside the buffer are clipped, then zeroed by `present`
    rows = np.empty((len(CONTEXT_COLUMNS), high - low), np.float32)
    own, near, same, evidence, means = (rows[start:end] for start, end in pairwise(_PART_ENDS))

    own[:] = buffer.own[:, low:high]
    near = near.reshape(-1, *neighbours.shape)
    buffer.own.take(_NEIGHBOUR_ROWS, axis=0).take(neighbours, axis=1, mode="clip", out=near)
    near *= present
    evidence = evidence.reshape(-1, len(_EVIDENCE_AT), high - low)
    buffer.own[_EVIDENCE].take(neighbours[_EVIDENCE_AT], axis=1, mode="clip", out=evidence)
    evidence *= present[_EVIDENCE_AT]
    same = same.reshape(-1, *neighbours.shape)
    equal = buffer.hashes.take(neighbours, axis=1, mode="clip") == buffer.hashes[:, None, low:high]
    np.multiply(equal, present, out=same[:2])
    same[2] = present
    same *= STEP
    first, last = WINDOWS.around(low, high, len(buffer.page))
    averaged = buffer.own[_AVERAGED, first:last]
    averaged[-len(EVIDENCE) :] = SHARE.take(averaged[-len(EVIDENCE) :].astype(np.intp), mode="clip")
    WINDOWS.means(averaged, low - first, behind, ahead, means.reshape(-1, len(WINDOWS.sizes), high - low))
    return rows


def visible_counts(page: Ints, position: Ints, low: int, high: int, reach: int) -> tuple[Ints, Ints]:
    """Return how many buffered lines each line may use (high - low,): of its page before it, and after it within `reach` raw lines."""
    key = (page - page[0]) * (1 << 40) + position  # ascending; no page has 2^40 lines
    line, line_key = np.arange(low, high), key[low:high]
    page_key = line_key - position[low:high]  # the key of the page's first raw line
    until = key.searchsorted(np.minimum(line_key + reach, page_key + ((1 << 40) - 1)), side="right")
    return line - key.searchsorted(page_key), until - line - 1


NEAR = max(NEIGHBOUR_OFFSETS)
# Which of NEIGHBOUR_OFFSETS exist, by the number of visible lines behind and ahead (each capped at NEAR): (offsets, (NEAR + 1)^2).
_PRESENT = np.array(
    [[-behind <= d <= ahead for behind in range(NEAR + 1) for ahead in range(NEAR + 1)] for d in NEIGHBOUR_OFFSETS], np.float32
)
_OFFSETS = np.array(NEIGHBOUR_OFFSETS)
_EVIDENCE_AT = np.array([NEIGHBOUR_OFFSETS.index(offset) for offset in EVIDENCE_OFFSETS])
_EVIDENCE = slice(len(COLUMN), len(COLUMN) + len(EVIDENCE))
_HISTORY_AT = len(COLUMN) + len(EVIDENCE)
_NEIGHBOUR_ROWS = np.array([*(COLUMN[name] for name in NEIGHBOUR_COLUMNS), _HISTORY_AT + HISTORY_COLUMNS.index("blank lines before")])
_AVERAGED = np.array(
    [
        *(COLUMN[name] for name in WINDOW_COLUMNS),
        _HISTORY_AT + HISTORY_COLUMNS.index("repeats an earlier line"),
        *range(len(COLUMN), _HISTORY_AT),
    ]
)
