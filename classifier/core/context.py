"""What surrounds a line: the context pass, which revises the first guess.

Input is what `features.py` and the first pass say of each line; output one row of integers per line (sixteenths), for the
network in `model.py`. `CONTEXT_COLUMNS` names them all; training and runtime read the same rows.

Three kinds of context, each bounded. *Running*: counts and distances carried along the page (`running.py`). *Neighbours*: up to
five non-blank lines on each side. *Windows*: means over up to twenty lines behind and ten ahead. Nothing further than `AHEAD` raw
lines ahead is looked at, so a line can be decided after that many further lines.

What this leaves out: a Viterbi pass over the labels. It gained .01 on an early model and nothing on this one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Float32s, Floats, Hashes, Int16s, Ints
from classifier.core.features import CEILING, COLUMN, FLAGS, STEP, LineFeatures
from classifier.core.history import EVIDENCE_CEILING, HISTORY_COLUMNS, RUNNING_CEILINGS
from classifier.labels import EVIDENCE

__all__ = ["AHEAD", "BEHIND", "CEILINGS", "CONTEXT_COLUMNS", "ROW_ORDER", "LineBuffer", "context_rows", "line_buffer"]

AHEAD = 32  # raw lines, blank ones included; pages with a blank line after each line still show 16 lines ahead
BEHIND = 20  # non-blank lines
NEIGHBOUR_OFFSETS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
NEIGHBOUR_COLUMNS = (
    "size", "long", "ends_sentence", "ends_quote", "ends_ellipsis", "prose", "linked", "images", "heading", "bullet", "date",
    "name_like", "doubled", "empty", "digits", "starts_lower",
)  # fmt: skip
EVIDENCE_OFFSETS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (-20, -10, -4, 4, 10)
WINDOW_COLUMNS = ("size", "short", "prose", "linked", "ends_sentence", "bullet")

CONTEXT_COLUMNS = (
    *COLUMN,
    *EVIDENCE,
    *HISTORY_COLUMNS,
    *(
        f"{name} at {d:+d}"
        for d in NEIGHBOUR_OFFSETS
        for name in (*NEIGHBOUR_COLUMNS, "blank lines before", "same text", "same opening", "there")
    ),
    *(f"{name} at {d:+d}" for d in EVIDENCE_OFFSETS for name in EVIDENCE),
    *(f"{name} over {w:+d}" for w in WINDOWS for name in (*WINDOW_COLUMNS, "repeated", *EVIDENCE)),
)

# A context row is filled part by part, each part from one kind of array. `CONTEXT_COLUMNS` is the order in the model file;
# `ROW_ORDER` says where the columns of a row stand in it.
_PARTS = (
    (*COLUMN, *EVIDENCE, *HISTORY_COLUMNS),
    tuple(f"{name} at {d:+d}" for name in (*NEIGHBOUR_COLUMNS, "blank lines before") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in ("same text", "same opening", "there") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in EVIDENCE for d in EVIDENCE_OFFSETS),
    tuple(f"{name} over {w:+d}" for name in (*WINDOW_COLUMNS, "repeated", *EVIDENCE) for w in WINDOWS),
)
_PLACE = {name: place for place, name in enumerate(CONTEXT_COLUMNS)}
ROW_ORDER = np.array([_PLACE[name] for part in _PARTS for name in part])
_PART_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
# Evidence (6 + log2 p) back to p, in sixteenths of 4 units so that small shares still count in a window's mean.
_SHARE = np.rint(4 * STEP * np.exp2(np.arange(EVIDENCE_CEILING + 1) / STEP - 6)).astype(np.float32)


def _ceilings() -> Floats:
    """Return the largest value each of CONTEXT_COLUMNS can have."""
    line = {name: STEP if name in FLAGS else CEILING for name in COLUMN}
    own = line | RUNNING_CEILINGS | dict.fromkeys(EVIDENCE, EVIDENCE_CEILING)
    means = line | dict.fromkeys(EVIDENCE, int(_SHARE.max())) | {"repeated": STEP}
    beside = own | dict.fromkeys(("same text", "same opening", "there"), STEP)
    ceilings = own | {f"{name} at": value for name, value in beside.items()} | {f"{name} over": value for name, value in means.items()}
    return np.array([ceilings[re.sub(r" [+-]\d+$", "", name)] for name in CONTEXT_COLUMNS], np.float64)


CEILINGS = _ceilings()


class LineBuffer(NamedTuple):
    """Lines of one or several pages, each with what is known of it before its surroundings are looked at."""

    page: Ints  # (n,) which page, ascending
    position: Ints  # (n,) raw line index within the page
    hashes: Hashes  # (2, n) of the line, of its opening
    own: Float32s  # (OWN, n) line columns, evidence, running columns

    def tail(self, start: int) -> LineBuffer:
        """Return the stretch from line `start` on."""
        return LineBuffer(*(part[..., start:] for part in self))

    def joined(self, other: LineBuffer) -> LineBuffer:
        """Return this stretch followed by another."""
        return LineBuffer(*(np.concatenate(pair, axis=-1) for pair in zip(self, other)))

    def evidence(self, low: int, high: int) -> Float32s:
        """Return the first pass's evidence (len(EVIDENCE), high - low) of lines `low` to `high`."""
        return self.own[_EVIDENCE, low:high]


def line_buffer(line_features: LineFeatures, evidence: Int16s, columns: Int16s, page: Ints, position: Ints) -> LineBuffer:
    """Return described lines as a stretch; `columns` are their running columns."""
    own = np.concatenate((line_features.columns, evidence, columns), dtype=np.float32)
    return LineBuffer(page, position, line_features.hashes, own)


def context_rows(buffer: LineBuffer, low: int, high: int) -> Float32s:
    """Return what surrounds lines `low` to `high` of a stretch, as (len(ROW_ORDER), high - low) sixteenths in that order.

    The stretch must reach BEHIND lines back and AHEAD raw lines on, as far as the page does. At most some thousand lines at
    once: sums over a stretch have to be whole numbers of float32.
    """
    behind, ahead = _in_sight(buffer, low, high)
    there = _THERE.take(np.minimum(behind, NEAR) * (NEAR + 1) + np.minimum(ahead, NEAR), axis=1)  # (offsets, count)
    beside = np.arange(low, high) + _OFFSETS[:, None]  # clipped where it leaves the stretch, and multiplied by 0 as not there
    rows = np.empty((len(ROW_ORDER), high - low), np.float32)
    own, near, same, evidence, means = (rows[start:end] for start, end in pairwise(_PART_ENDS))

    own[:] = buffer.own[:, low:high]
    near = near.reshape(-1, *beside.shape)
    buffer.own.take(_NEAR, axis=0).take(beside, axis=1, mode="clip", out=near)
    near *= there
    evidence = evidence.reshape(-1, len(_EVIDENCE_AT), high - low)
    buffer.own[_EVIDENCE].take(beside[_EVIDENCE_AT], axis=1, mode="clip", out=evidence)
    evidence *= there[_EVIDENCE_AT]
    same = same.reshape(-1, *beside.shape)
    equal = buffer.hashes.take(beside, axis=1, mode="clip") == buffer.hashes[:, None, low:high]
    np.multiply(equal, there, out=same[:2])
    same[2] = there
    same *= STEP
    _means(buffer, low, behind, ahead, means.reshape(-1, len(WINDOWS), high - low))
    return rows


def _in_sight(buffer: LineBuffer, low: int, high: int) -> tuple[Ints, Ints]:
    """Return how many lines of its page before it and after it each line may look at (high - low,)."""
    key = (buffer.page - buffer.page[0]) * (1 << 40) + buffer.position  # ascending; no page has 2^40 lines
    line, own = np.arange(low, high), key[low:high]
    page = own - buffer.position[low:high]  # the key of the page's first raw line
    reach = key.searchsorted(np.minimum(own + AHEAD, page + ((1 << 40) - 1)), side="right")
    return line - key.searchsorted(page), reach - line - 1


def _means(buffer: LineBuffer, low: int, behind: Ints, ahead: Ints, out: Float32s) -> None:
    """Write means over WINDOWS of lines from `low` on, rounded down to whole sixteenths, to `out` (columns, windows, count)."""
    count = len(behind)
    first, last = max(0, low - max(_BEHIND)[0]), min(len(buffer.page), low + count + max(_AHEAD)[0])
    averaged = buffer.own[_AVERAGED, first:last]
    averaged[-len(EVIDENCE) :] = _SHARE.take(averaged[-len(EVIDENCE) :].astype(np.intp), mode="clip")
    sums = np.zeros((len(averaged), last - first + 1), np.float32)
    averaged.cumsum(axis=1, out=sums[:, 1:])
    line = np.arange(low - first, low - first + count)
    size = np.empty(out.shape[1:], np.intp)
    before, after = np.minimum(behind, _BEHIND, out=size[: len(_BEHIND)]), np.minimum(ahead, _AHEAD, out=size[len(_BEHIND) :])
    here, there = sums[:, None, line[0] : line[-1] + 1], sums[:, None, line[0] + 1 : line[-1] + 2]
    np.subtract(here, sums.take(line - before, axis=1), out=out[:, : len(_BEHIND)])
    np.subtract(sums.take(line + 1 + after, axis=1), there, out=out[:, len(_BEHIND) :])
    out += 0.5  # no quotient comes near a whole number from below
    out *= _RECIPROCAL.take(size)
    np.floor(out, out=out)


NEAR = max(NEIGHBOUR_OFFSETS)
# Which of NEIGHBOUR_OFFSETS are there, by how many lines are in sight behind (0 to NEAR) and ahead.
_THERE = np.array(
    [[-behind <= d <= ahead for behind in range(NEAR + 1) for ahead in range(NEAR + 1)] for d in NEIGHBOUR_OFFSETS], np.float32
)
_OFFSETS = np.array(NEIGHBOUR_OFFSETS)
_EVIDENCE_AT = np.array([NEIGHBOUR_OFFSETS.index(offset) for offset in EVIDENCE_OFFSETS])
_EVIDENCE = slice(len(COLUMN), len(COLUMN) + len(EVIDENCE))
_RUNNING_AT = len(COLUMN) + len(EVIDENCE)
_NEAR = np.array([*(COLUMN[name] for name in NEIGHBOUR_COLUMNS), _RUNNING_AT + HISTORY_COLUMNS.index("blank lines before")])
_AVERAGED = np.array(
    [
        *(COLUMN[name] for name in WINDOW_COLUMNS),
        _RUNNING_AT + HISTORY_COLUMNS.index("repeats an earlier line"),
        *range(len(COLUMN), _RUNNING_AT),
    ]
)
_BEHIND, _AHEAD = np.array([[-w] for w in WINDOWS if w < 0]), np.array([[w] for w in WINDOWS if w > 0])  # in this order in WINDOWS
_RECIPROCAL = (1 / np.maximum(np.arange(max(map(abs, WINDOWS)) + 1), 1)).astype(np.float32)
