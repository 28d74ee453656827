"""Stacked features: the input rows of the second context pass, from what the first one made of a line and of the lines around it.

The first context pass sees the words' evidence; the second sees its label probabilities: those of the neighbouring lines, means
over windows, and the page so far, that is when each label was last found and how often. They tell where on the page a line is:
before the article, inside it, in a gap between its parts, or behind it, however long ago it began. The line's own columns come
along (Wolpert, Stacked Generalization, 1992). The pass is trained on the output of networks that knew no layout of the page's
publisher.

One row of integers (sixteenths) per line; `STACKED_COLUMNS` names the columns.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Float32s, Int16s, Ints
from classifier.core.context import CEILINGS, CONTEXT_COLUMNS, OWN_COLUMNS, SHARE, LineBuffer, Windows, joined_columns, visible_counts
from classifier.core.features import CEILING, COLUMN, LOG_SCALE, STEP
from classifier.core.history import EVIDENCE_CEILING, FAR, accumulate
from classifier.core.kernel import compiled
from classifier.labels import LABELS, Label

__all__ = [
    "NOTHING_FOUND", "PAGE_COLUMNS", "STACKED_AHEAD", "STACKED_BEHIND", "STACKED_CEILINGS", "STACKED_COLUMNS", "StackedBuffer",
    "StackedState", "extract_stacked", "stacked_rows",
]  # fmt: skip

STACKED_AHEAD = 12  # raw lines
STACKED_BEHIND = 40  # non-blank lines
OFFSETS = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
WINDOWS = Windows(-40, -16, -8, 8)
_NAMES = tuple(label.value for label in LABELS)
PAGE_COLUMNS = (
    *(f"found {name} so far" for name in _NAMES),
    "found prose body so far",
    *(f"lines since found {name}" for name in _NAMES),
    "found footer since body",
)
_PARTS = (
    (*OWN_COLUMNS, *PAGE_COLUMNS),
    tuple(f"found {name} at {d:+d}" for d in OFFSETS for name in _NAMES),
    tuple(f"found {name} over {w:+d}" for name in _NAMES for w in WINDOWS.sizes),
)
STACKED_COLUMNS = tuple(chain.from_iterable(_PARTS))
_PART_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
# The maximum of each column.
STACKED_CEILINGS = np.concatenate(
    (
        CEILINGS[[CONTEXT_COLUMNS.index(name) for name in OWN_COLUMNS]],
        [CEILING] * (len(PAGE_COLUMNS) - 1),
        [STEP],
        [EVIDENCE_CEILING] * len(_PARTS[1]),
        [SHARE.max()] * len(_PARTS[2]),
    )
)
_BODY, _FOOTER = LABELS.index(Label.BODY), LABELS.index(Label.FOOTER)
_LOG = LOG_SCALE[: 1 << 13]


class StackedState(NamedTuple):
    """The state carried from one block of a page's lines to the next."""

    totals: Ints  # (labels + 1,) lines found so far, and prose lines found to be body
    since: Ints  # (labels,) lines since each label was found; FAR if never

    @classmethod
    def fresh(cls) -> StackedState:
        """Return the state at the start of a page."""
        return cls(np.zeros(len(LABELS) + 1, np.int64), np.full(len(LABELS), FAR))


class StackedBuffer(NamedTuple):
    """Buffered non-blank lines of one or several pages after the first context pass."""

    lines: LineBuffer
    columns: Float32s  # (columns, n) of PAGE_COLUMNS, and the evidence of each label

    @classmethod
    def of(cls, lines: LineBuffer, columns: Int16s, found: Int16s) -> StackedBuffer:
        """Return a buffer of lines from their page columns (len(PAGE_COLUMNS), n) and the evidence of each label (labels, n)."""
        return cls(lines, joined_columns(NOTHING_FOUND, columns, found))


NOTHING_FOUND = np.zeros((len(PAGE_COLUMNS) + len(LABELS), 0), np.float32)


@compiled
def extract_stacked(own: Float32s, found: Int16s, starts: Bools, state: StackedState) -> tuple[Int16s, StackedState]:
    """Return the page columns of a block of lines (len(PAGE_COLUMNS), n), and the state for the next block.

    `own` (len(OWN_COLUMNS), n) are the lines' own columns, `found` (labels, n) the evidence that the first context pass gives
    each label (`scaled_evidence`), and `starts` (n,) marks the first line of each page.
    """
    is_found = found >= EVIDENCE_CEILING - STEP  # p of at least one half
    counted = np.concatenate((is_found, is_found[_BODY : _BODY + 1] & (own[COLUMN["prose"]] > 0)), dtype=np.int64)
    totals, since, _ = accumulate(counted, is_found, starts, state.totals, state.since)
    columns = np.empty((len(PAGE_COLUMNS), len(starts)), np.int16)
    columns[: len(totals)] = _LOG.take(totals, mode="clip")
    columns[len(totals) : -1] = _LOG.take(since, mode="clip")
    columns[-1] = (since[_FOOTER] < since[_BODY]) * STEP
    return columns, StackedState(totals[:, -1], since[:, -1])


@compiled
def stacked_rows(buffer: StackedBuffer, low: int, high: int) -> Float32s:
    """Return the stacked rows of lines `low` to `high`: sixteenths, (len(STACKED_COLUMNS), high - low).

    The buffer must extend STACKED_BEHIND non-blank lines back and STACKED_AHEAD raw lines forward, or to the page's ends. Pass at
    most a few thousand lines at a time, as to `context_rows`.
    """
    lines = buffer.lines
    behind, ahead = visible_counts(lines.page, lines.position, low, high, STACKED_AHEAD)
    line = np.arange(low, high)
    rows = np.empty((len(STACKED_COLUMNS), high - low), np.float32)
    own, near, means = (rows[start:end] for start, end in pairwise(_PART_ENDS))
    own[: len(OWN_COLUMNS)] = lines.own[:, low:high]
    own[len(OWN_COLUMNS) :] = buffer.columns[: len(PAGE_COLUMNS), low:high]
    evidence = buffer.columns[len(PAGE_COLUMNS) :]
    near = near.reshape(len(OFFSETS), len(LABELS), -1)
    for offset, out in zip(OFFSETS, near):
        evidence.take(line + offset, axis=1, mode="clip", out=out)
        if offset:
            out *= behind >= -offset if offset < 0 else ahead >= offset
    first, last = WINDOWS.around(low, high, len(lines.page))
    shares = SHARE.take(evidence[:, first:last].astype(np.intp), mode="clip")
    WINDOWS.means(shares, low - first, behind, ahead, means.reshape(-1, len(WINDOWS.sizes), high - low))
    return rows
