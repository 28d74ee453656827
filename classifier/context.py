"""What surrounds a line: the context pass, which revises the first guess.

Input is what `features.py` and the first pass say of each line; output one row of integers per line (sixteenths), for the
network in `model.py`. `CONTEXT_COLUMNS` names them all; training and runtime read the same rows.

Three kinds of context, each bounded. *Running*: counts and distances carried along the page (a few integers, not the page).
*Neighbours*: up to five non-blank lines on each side. *Windows*: means over up to twenty lines behind and ten ahead. Nothing
further than `AHEAD` raw lines ahead is looked at, so a line can be decided after that many further lines.

What this leaves out: a Viterbi pass over the labels. It gained .01 on an early model and nothing on this one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Floats, Hashes, Int16s, Ints
from classifier.features import CEILING, COLUMN, STEP, Described
from classifier.labels import LABELS

__all__ = [
    "AHEAD",
    "BEHIND",
    "CONTEXT_COLUMNS",
    "EVIDENCE",
    "HEADINGS",
    "Carry",
    "Stretch",
    "context_rows",
    "running",
    "scaled_evidence",
]

AHEAD = 32  # raw lines, blank ones included; pages with a blank line after each line still show 16 lines ahead
BEHIND = 20  # non-blank lines
MEMORY = 512  # non-blank lines within which a repetition counts
FAR = 1 << 20


# The first pass tells block headings apart from the block's items: they steer everything after them.
HEADINGS = ("related", "most_read", "media", "comment", "promo", "weather")
EVIDENCE = (*(label.value for label in LABELS), *(f"{name} heading" for name in HEADINGS))
_HEADING_AT = len(LABELS)
_LOG_STEPS = 6 * STEP  # evidence is 6 + log2 p, cut at 0, in sixteenths

COUNTED = ("lines", "prose lines", "prose characters", "link lines", "headings", "dates")
EVENTS = ("prose", *(f"{name} heading" for name in HEADINGS), "any heading", "date", "title", "footer", "comment", "caption")
RUNNING = (
    *(f"{name} so far" for name in COUNTED),
    *(f"lines since {name}" for name in EVENTS),
    *(f"under {name} heading" for name in HEADINGS),
    "prose since heading",
    "repeats the line before",
    "repeats the line two before",
    "repeats one of the last five lines",
    "repeats an earlier line",
    "opens like the line before",
    "opens like the line two before",
    "opens like one of the last five lines",
    "opens like an earlier line",
    "repeated size",
    "blank lines before",
)
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
    *RUNNING,
    *(
        f"{name} at {d:+d}"
        for d in NEIGHBOUR_OFFSETS
        for name in (*NEIGHBOUR_COLUMNS, "blank lines before", "same text", "same opening", "there")
    ),
    *(f"{name} at {d:+d}" for d in EVIDENCE_OFFSETS for name in EVIDENCE),
    *(f"{name} over {w:+d}" for w in WINDOWS for name in (*WINDOW_COLUMNS, "repeated", *EVIDENCE)),
)

_LOG = np.minimum(np.rint(8 * np.log2(1 + np.arange(1 << 13))), CEILING).astype(np.int16)


def _log(values: Ints) -> Int16s:
    """Return 8 * log2(1 + value), cut at the ceiling."""
    return _LOG[np.minimum(values, len(_LOG) - 1)]


class Stretch(NamedTuple):
    """Lines of one or several pages, each with what is known of it before its surroundings are looked at."""

    page: Ints  # (n,) which page, ascending
    position: Ints  # (n,) raw line index within the page
    hashes: Hashes  # (n,)
    openings: Hashes  # (n,)
    lines: Int16s  # (n, len(COLUMN))
    evidence: Int16s  # (n, len(EVIDENCE)) 6 + log2 p, at least 0
    running: Int16s  # (n, len(RUNNING))

    def tail(self, start: int) -> Stretch:
        """Return the stretch from line `start` on."""
        return Stretch(*(part[start:] for part in self))

    def joined(self, other: Stretch) -> Stretch:
        """Return this stretch followed by another."""
        return Stretch(*(np.concatenate(pair) for pair in zip(self, other)))


class Carry(NamedTuple):
    """What a page hands to its next block of lines: all that is remembered of the lines before."""

    totals: Ints  # (len(COUNTED),)
    since: Ints  # (len(EVENTS),)
    prose_at_heading: int
    recent: Hashes  # (up to MEMORY,) line hashes
    recent_openings: Hashes  # (up to MEMORY,)

    @classmethod
    def fresh(cls) -> Carry:
        """Return what a page starts with."""
        nothing = np.zeros(0, np.uint64)
        return cls(np.zeros(len(COUNTED), np.int64), np.full(len(EVENTS), FAR), 0, nothing, nothing)


def scaled_evidence(log_probabilities: Floats) -> Int16s:
    """Return the first pass's natural-log probabilities (n, classes) as evidence: 6 + log2 p in sixteenths, at least 0."""
    return np.maximum(np.rint(log_probabilities * (STEP / np.log(2))) + _LOG_STEPS, 0).astype(np.int16)


def running(described: Described, evidence: Int16s, blanks: Ints, starts: Bools, carry: Carry) -> tuple[Int16s, Carry]:
    """Return the running columns of a block of lines (n, len(RUNNING)), and what to carry to the next block.

    `starts` marks the first line of each page; lines before the first mark continue the page that `carry` tells of.
    """
    n = len(blanks)
    index = np.arange(n)
    first = np.maximum.accumulate(np.where(starts, index, 0))
    opened = int(starts.argmax()) if starts.any() else n  # lines that carry on the page before
    events = _events(described, evidence)
    totals = _counted(described, events)
    before_page = totals[first]
    totals = totals.cumsum(axis=0)
    totals -= totals[first] - before_page
    totals[:opened] += carry.totals

    latest = np.maximum.accumulate(np.where(events, index[:, None], -1), axis=0)
    since = np.where(latest >= first[:, None], index[:, None] - latest, FAR)
    if opened:
        carried = np.minimum(carry.since + 1 + index[:opened, None], FAR)
        since[:opened] = np.minimum(since[:opened], carried)
    last_heading = latest[:, _ANY_HEADING]
    at_heading = np.where(last_heading >= first, totals[last_heading, 1], np.where(index < opened, carry.prose_at_heading, 0))
    under = since[:, 1 : 1 + len(HEADINGS)]
    nearest = under.min(axis=1, keepdims=True)
    distance, recent = _repetitions(described.hashes, starts, carry.recent)
    opening, recent_openings = _repetitions(described.openings, starts, carry.recent_openings)

    table = np.empty((n, len(RUNNING)), np.int16)
    amounts = np.concatenate((totals, since, totals[:, 1:2] - at_heading[:, None]), axis=1)
    amounts[:, 2] //= 32  # prose characters
    at = len(COUNTED) + len(EVENTS)
    table[:, _AMOUNTS] = _log(amounts)
    table[:, at : at + len(HEADINGS)] = (under == nearest) & (nearest < FAR)
    back = np.stack((distance, opening), axis=1)[:, :, None]
    near = (back == _EXACTLY) | (back <= _AT_MOST)
    table[:, at + len(HEADINGS) + 1 : -2] = near.reshape(n, -1)
    table[:, at : at + len(HEADINGS)] *= STEP
    table[:, at + len(HEADINGS) + 1 : -2] *= STEP
    table[:, -2] = (distance <= MEMORY) * described.columns[:, COLUMN["size"]]
    table[:, -1] = np.minimum(blanks, 3) * STEP
    return table, Carry(totals[-1], since[-1], int(at_heading[-1]), recent, recent_openings)


def _events(described: Described, evidence: Int16s) -> Bools:
    """Return which of EVENTS each line is (n, len(EVENTS))."""
    sure = evidence >= _LOG_STEPS - STEP  # p of at least a half
    events = np.empty((len(evidence), len(EVENTS)), np.bool_)
    heading = sure[:, _HEADING_AT:] & (described.size <= 60)[:, None]
    events[:, 0] = described.columns[:, COLUMN["prose"]] > 0
    events[:, 1:_ANY_HEADING] = heading
    events[:, _ANY_HEADING] = heading.any(axis=1)
    events[:, _ANY_HEADING + 1] = described.columns[:, COLUMN["date"]] > 0
    events[:, _ANY_HEADING + 2 :] = sure[:, _SURE]
    return events


def _counted(described: Described, events: Bools) -> Ints:
    """Return what each line adds to COUNTED (n, len(COUNTED))."""
    counted = np.ones((len(events), len(COUNTED)), np.int64)
    counted[:, 1] = events[:, 0]
    counted[:, 2] = events[:, 0] * described.size
    counted[:, 3] = described.columns[:, COLUMN["linked"]] >= STEP
    counted[:, 4:] = events[:, _ANY_HEADING : _ANY_HEADING + 2]
    return counted


_ANY_HEADING = EVENTS.index("any heading")
_SURE = np.array([EVIDENCE.index(name) for name in EVENTS[_ANY_HEADING + 2 :]])
_AMOUNTS = np.array([*range(len(COUNTED) + len(EVENTS)), RUNNING.index("prose since heading")])
# The repetition columns: one line back, two lines back, within five, within MEMORY.
_EXACTLY, _AT_MOST = np.array([1, 2, -1, -1]), np.array([-1, -1, 5, MEMORY])


def _repetitions(hashes: Hashes, starts: Bools, recent: Hashes) -> tuple[Ints, Hashes]:
    """Return how many lines back the same text last stood on the page (FAR where not within MEMORY), and the new memory."""
    known = len(recent)
    every = np.concatenate((recent, hashes))
    page = np.concatenate((np.zeros(known, np.int64), np.cumsum(starts)))
    order = np.lexsort((page, every))
    same = (every[order][1:] == every[order][:-1]) & (page[order][1:] == page[order][:-1])
    distance = np.full(len(every), FAR)
    distance[order[1:]] = np.where(same, order[1:] - order[:-1], FAR)
    distance[distance > MEMORY] = FAR
    return distance[known:], every[max(len(every) - MEMORY, int(np.searchsorted(page, page[-1]))) :]


def context_rows(stretch: Stretch, low: int, high: int) -> Int16s:
    """Return what surrounds lines `low` to `high` of a stretch, as (high - low, len(CONTEXT_COLUMNS)) sixteenths.

    The stretch must reach BEHIND lines back and AHEAD raw lines on, as far as the page does.
    """
    n, count = len(stretch.page), high - low
    want = np.arange(low, high)[:, None]
    key = (stretch.page - stretch.page[0]) * (1 << 40) + stretch.position  # ascending; no page has 2^40 lines
    start = np.searchsorted(stretch.page, stretch.page[low:high])[:, None]
    end = np.searchsorted(stretch.page, stretch.page[low:high], side="right")
    reach = np.minimum(np.searchsorted(key, key[low:high] + AHEAD, side="right"), end)[:, None]

    other = want + _OFFSETS
    there = (other >= start) & (other < reach)  # (count, offsets)
    other = np.where(there, other, n)  # n: a line of zeros
    neighbours = np.empty((count, len(NEIGHBOUR_OFFSETS), len(_NEAR) + 4), np.int16)
    neighbours[:, :, : len(_NEAR)] = _with_zeros(stretch.lines[:, _NEAR])[other]
    neighbours[:, :, len(_NEAR)] = _with_zeros(stretch.running[:, -1])[other]
    inside = np.minimum(other, n - 1)
    neighbours[:, :, -3] = there & (stretch.hashes[inside] == stretch.hashes[low:high, None])
    neighbours[:, :, -2] = there & (stretch.openings[inside] == stretch.openings[low:high, None])
    neighbours[:, :, -1] = there
    neighbours[:, :, -3:] *= STEP
    evidence = _with_zeros(stretch.evidence)[other[:, _EVIDENCE_AT]]

    summed = np.concatenate(
        (stretch.lines[:, _WINDOW], stretch.running[:, _REPEATED], _SHARE[np.minimum(stretch.evidence, _LOG_STEPS)]), axis=1
    )
    sums = np.zeros((n + 1, summed.shape[1]), np.int32)
    np.cumsum(summed, axis=0, out=sums[1:])
    behind = _WINDOW_SIZES < 0
    first = np.where(behind, np.maximum(want + _WINDOW_SIZES, start), np.minimum(want + 1, reach))
    last = np.where(behind, want, np.minimum(want + 1 + _WINDOW_SIZES, reach))
    windows = (sums[last] - sums[first]) * _RECIPROCAL[last - first][:, :, None] >> 16

    own = (stretch.lines[low:high], stretch.evidence[low:high], stretch.running[low:high])
    around = (neighbours.reshape(count, -1), evidence.reshape(count, -1), windows.reshape(count, -1))
    return np.concatenate((*own, *around), axis=1, dtype=np.int16, casting="unsafe")


def _with_zeros(rows: Int16s) -> Int16s:
    """Return the rows with one of zeros behind them."""
    return np.concatenate((rows, np.zeros_like(rows[:1])))


# Evidence (6 + log2 p) back to p, in sixteenths of 4 units so that small shares still count in a window's mean.
_SHARE = np.rint(4 * STEP * np.exp2(np.arange(_LOG_STEPS + 1) / STEP - 6)).astype(np.int16)


_OFFSETS = np.array(NEIGHBOUR_OFFSETS)
_EVIDENCE_AT = np.array([NEIGHBOUR_OFFSETS.index(offset) for offset in EVIDENCE_OFFSETS])
_NEAR = np.array([COLUMN[name] for name in NEIGHBOUR_COLUMNS])
_WINDOW = np.array([COLUMN[name] for name in WINDOW_COLUMNS])
_WINDOW_SIZES = np.array(WINDOWS)
_REPEATED = np.array([RUNNING.index("repeats an earlier line")])
# x * _RECIPROCAL[n] >> 16 is x // n: exact for sums of up to 20 values below 2^11.
_RECIPROCAL = np.array([0, *(-(-65536 // size) for size in range(1, max(map(abs, WINDOWS)) + 1))], np.int32)
