"""What surrounds a line: the context pass, which revises the first guess.

Input is what `features.py` and the first pass say of each line; output one row of integers per line (sixteenths), for the
network in `model.py`. `CONTEXT_COLUMNS` names them all; training and runtime read the same rows.

Three kinds of context, each bounded. *Running*: counts and distances carried along the page (a few integers, not the page).
*Neighbours*: up to five non-blank lines on each side. *Windows*: means over up to twenty lines behind and ten ahead. Nothing
further than `AHEAD` raw lines ahead is looked at, so a line can be decided after that many further lines.

What this leaves out: a Viterbi pass over the labels. It gained .01 on an early model and nothing on this one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Float32s, Floats, Hashes, Int16s, Ints, steps
from classifier.features import CEILING, COLUMN, FLAGS, STEP, Described
from classifier.labels import LABELS

__all__ = [
    "AHEAD",
    "BEHIND",
    "CEILINGS",
    "CONTEXT_COLUMNS",
    "EVIDENCE",
    "HEADINGS",
    "ROW_ORDER",
    "Carry",
    "Stretch",
    "context_rows",
    "running",
    "scaled_evidence",
    "stretch_of",
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

# A context row is filled part by part, each part from one kind of array. `CONTEXT_COLUMNS` is the order in the model file;
# `ROW_ORDER` says where the columns of a row stand in it.
_PARTS = (
    (*COLUMN, *EVIDENCE, *RUNNING),
    tuple(f"{name} at {d:+d}" for name in (*NEIGHBOUR_COLUMNS, "blank lines before") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in ("same text", "same opening", "there") for d in NEIGHBOUR_OFFSETS),
    tuple(f"{name} at {d:+d}" for name in EVIDENCE for d in EVIDENCE_OFFSETS),
    tuple(f"{name} over {w:+d}" for name in (*WINDOW_COLUMNS, "repeated", *EVIDENCE) for w in WINDOWS),
)
_PLACE = {name: place for place, name in enumerate(CONTEXT_COLUMNS)}
ROW_ORDER = np.array([_PLACE[name] for part in _PARTS for name in part])
_PART_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()


def _ceilings() -> Floats:
    """Return the largest value each of CONTEXT_COLUMNS can have."""
    flags = ("under ", "repeats ", "opens ")
    line = {name: STEP if name in FLAGS else CEILING for name in COLUMN}
    running = {name: STEP if name.startswith(flags) else 3 * STEP if name == "blank lines before" else CEILING for name in RUNNING}
    evidence = dict.fromkeys(EVIDENCE, _LOG_STEPS)
    own = line | running | evidence | {"same text": STEP, "same opening": STEP, "there": STEP}
    means = line | dict.fromkeys(EVIDENCE, 4 * STEP) | {"repeated": STEP}
    ceilings = {f"{name} at": value for name, value in own.items()} | {f"{name} over": value for name, value in means.items()} | own
    return np.array([ceilings[re.sub(r" [+-]\d+$", "", name)] for name in CONTEXT_COLUMNS], np.float64)


CEILINGS = _ceilings()

_LOG = np.minimum(np.rint(8 * np.log2(1 + np.arange(1 << 13))), CEILING).astype(np.int16)
NO_EVENT = _LOG[-1].item() / STEP  # what "lines since" says where there was none, in units


class Stretch(NamedTuple):
    """Lines of one or several pages, each with what is known of it before its surroundings are looked at."""

    page: Ints  # (n,) which page, ascending
    position: Ints  # (n,) raw line index within the page
    hashes: Hashes  # (2, n) of the line, of its opening
    own: Float32s  # (OWN, n) line columns, evidence, running columns

    def tail(self, start: int) -> Stretch:
        """Return the stretch from line `start` on."""
        return Stretch(*(part[..., start:] for part in self))

    def joined(self, other: Stretch) -> Stretch:
        """Return this stretch followed by another."""
        return Stretch(*(np.concatenate(pair, axis=-1) for pair in zip(self, other)))

    def evidence(self, low: int, high: int) -> Float32s:
        """Return the first pass's evidence (len(EVIDENCE), high - low) of lines `low` to `high`."""
        return self.own[_EVIDENCE, low:high]


class Carry(NamedTuple):
    """What a page hands to its next block of lines: all that is remembered of the lines before."""

    totals: Ints  # (len(COUNTED),)
    since: Ints  # (len(EVENTS),)
    prose_at_heading: int
    recent: Hashes  # (2, up to MEMORY) hashes of lines and of their openings

    @classmethod
    def fresh(cls) -> Carry:
        """Return what a page starts with."""
        return cls(np.zeros(len(COUNTED), np.int64), np.full(len(EVENTS), FAR), 0, np.zeros((2, 0), np.uint64))


def scaled_evidence(log_probabilities: Floats) -> Int16s:
    """Return the first pass's natural-log probabilities (any shape) as evidence: 6 + log2 p in sixteenths, at least 0."""
    return np.maximum(np.rint(log_probabilities * (STEP / np.log(2))) + _LOG_STEPS, 0).astype(np.int16)


def running(described: Described, evidence: Int16s, blanks: Ints, starts: Bools, carry: Carry) -> tuple[Int16s, Carry]:
    """Return the running columns of a block of lines (len(RUNNING), n), and what to carry to the next block.

    `evidence` is (len(EVIDENCE), n); `starts` marks the first line of each page; lines before the first mark continue the page
    that `carry` tells of.
    """
    index = np.arange(len(blanks))
    first = np.maximum.accumulate(np.where(starts, index, 0))
    opened = int(starts.argmax()) if starts.any() else len(starts)  # lines that carry on the page before
    events = _events(described, evidence)
    counted = _counted(described, events)
    totals = counted.cumsum(axis=1)
    totals -= (totals - counted)[:, first]
    totals[:, :opened] += carry.totals[:, None]

    latest = np.maximum.accumulate(np.where(events, index, -1), axis=1)
    since = np.where(latest >= first, index - latest, FAR)
    if opened:
        carried = np.minimum(carry.since[:, None] + 1 + index[:opened], FAR)
        since[:, :opened] = np.minimum(since[:, :opened], carried)
    last_heading = latest[_ANY_HEADING]
    at_heading = np.where(last_heading >= first, totals[1, last_heading], np.where(index < opened, carry.prose_at_heading, 0))
    distance, recent = _repetitions(described.hashes, starts, carry.recent)
    table = np.empty((len(RUNNING), len(blanks)), np.int16)
    _fill(table, totals, since, at_heading, distance)
    table[-2] = (distance[0] <= MEMORY) * described.columns[COLUMN["size"]]
    table[-1] = np.minimum(blanks, 3) * STEP
    return table, Carry(totals[:, -1], since[:, -1], int(at_heading[-1]), recent)


def _events(described: Described, evidence: Int16s) -> Bools:
    """Return which of EVENTS each line is (len(EVENTS), n)."""
    sure = evidence >= _LOG_STEPS - STEP  # p of at least a half
    events = np.empty((len(EVENTS), sure.shape[1]), np.bool_)
    events[0] = described.columns[COLUMN["prose"]]
    headings = np.logical_and(sure[_HEADING_AT:], described.size <= 60, out=events[1:_ANY_HEADING])
    events[_ANY_HEADING] = headings.any(axis=0)
    events[_ANY_HEADING + 1] = described.columns[COLUMN["date"]]
    events[_ANY_HEADING + 2 :] = sure[_SURE]
    return events


def _counted(described: Described, events: Bools) -> Ints:
    """Return what each line adds to COUNTED (len(COUNTED), n)."""
    counted = np.ones((len(COUNTED), events.shape[1]), np.int64)
    counted[1] = events[0]
    counted[2] = events[0] * described.size
    counted[3] = described.columns[COLUMN["linked"]] >= STEP
    counted[4:] = events[_ANY_HEADING : _ANY_HEADING + 2]
    return counted


def _fill(table: Int16s, totals: Ints, since: Ints, at_heading: Ints, distance: Ints) -> None:
    """Write what counts, distances and repetitions say to the running columns."""
    amounts = np.concatenate((totals, since, totals[1:2] - at_heading))
    amounts[2] //= 32  # prose characters
    table[_AMOUNTS] = _LOG.take(amounts, mode="clip")
    under = since[1 : 1 + len(HEADINGS)]
    nearest = under.min(axis=0)
    at = len(COUNTED) + len(EVENTS)
    np.multiply((under == nearest) & (nearest < FAR), STEP, out=table[at : at + len(HEADINGS)], dtype=np.int16)
    back = distance[:, None]
    near = (back == _EXACTLY) | (back <= _AT_MOST)  # (2, 4, n)
    np.multiply(near.reshape(-1, near.shape[-1]), STEP, out=table[at + len(HEADINGS) + 1 : -2], dtype=np.int16)


_ANY_HEADING = EVENTS.index("any heading")
_SURE = np.array([EVIDENCE.index(name) for name in EVENTS[_ANY_HEADING + 2 :]])
_AMOUNTS = np.array([*range(len(COUNTED) + len(EVENTS)), RUNNING.index("prose since heading")])
# The repetition columns: one line back, two lines back, within five, within MEMORY.
_EXACTLY, _AT_MOST = np.array([[1], [2], [-1], [-1]]), np.array([[-1], [-1], [5], [MEMORY]])


def _repetitions(hashes: Hashes, starts: Bools, recent: Hashes) -> tuple[Ints, Hashes]:
    """Return how many lines back the same text and the same opening last stood on the page, and the new memory.

    `hashes` is (2, n), distances too, FAR where not within MEMORY; `recent` is (2, up to MEMORY).
    """
    known = recent.shape[1]
    every = np.concatenate((recent, hashes), axis=1)
    count = every.shape[1]
    page = np.zeros(2 * count, np.int64)
    starts.cumsum(out=page[known:count])
    first = max(count - MEMORY, int(page[:count].searchsorted(page[count - 1])))
    page[count:] = page[:count] + (1 << 40)  # openings stand apart, as if on other pages
    order = np.lexsort((page, every.ravel()))
    sorted_hashes, sorted_pages = every.take(order), page.take(order)
    back = steps(order)
    same = (sorted_hashes[1:] == sorted_hashes[:-1]) & (sorted_pages[1:] == sorted_pages[:-1]) & (back <= MEMORY)
    distance = np.full(2 * count, FAR)
    distance[order[1:]] = np.where(same, back, FAR)
    return distance.reshape(2, count)[:, known:], every[:, first:]


def stretch_of(described: Described, evidence: Int16s, columns: Int16s, page: Ints, position: Ints) -> Stretch:
    """Return described lines as a stretch; `columns` are their running columns."""
    own = np.concatenate((described.columns, evidence, columns), dtype=np.float32)
    return Stretch(page, position, described.hashes, own)


def context_rows(stretch: Stretch, low: int, high: int) -> Float32s:
    """Return what surrounds lines `low` to `high` of a stretch, as (len(ROW_ORDER), high - low) sixteenths in that order.

    The stretch must reach BEHIND lines back and AHEAD raw lines on, as far as the page does. At most some thousand lines at
    once: sums over a stretch have to be whole numbers of float32.
    """
    behind, ahead = _in_sight(stretch, low, high)
    there = _THERE.take(np.minimum(behind, NEAR) * (NEAR + 1) + np.minimum(ahead, NEAR), axis=1)  # (offsets, count)
    beside = np.arange(low, high) + _OFFSETS[:, None]  # clipped where it leaves the stretch, and multiplied by 0 as not there
    rows = np.empty((len(ROW_ORDER), high - low), np.float32)
    own, near, same, evidence, means = (rows[start:end] for start, end in pairwise(_PART_ENDS))

    own[:] = stretch.own[:, low:high]
    near = near.reshape(-1, *beside.shape)
    stretch.own.take(_NEAR, axis=0).take(beside, axis=1, mode="clip", out=near)
    near *= there
    evidence = evidence.reshape(-1, len(_EVIDENCE_AT), high - low)
    stretch.own[_EVIDENCE].take(beside[_EVIDENCE_AT], axis=1, mode="clip", out=evidence)
    evidence *= there[_EVIDENCE_AT]
    same = same.reshape(-1, *beside.shape)
    equal = stretch.hashes.take(beside, axis=1, mode="clip") == stretch.hashes[:, None, low:high]
    np.multiply(equal, there, out=same[:2])
    same[2] = there
    same *= STEP
    _means(stretch, low, behind, ahead, means.reshape(-1, len(WINDOWS), high - low))
    return rows


def _in_sight(stretch: Stretch, low: int, high: int) -> tuple[Ints, Ints]:
    """Return how many lines of its page before it and after it each line may look at (high - low,)."""
    key = (stretch.page - stretch.page[0]) * (1 << 40) + stretch.position  # ascending; no page has 2^40 lines
    line, own = np.arange(low, high), key[low:high]
    page = own - stretch.position[low:high]  # the key of the page's first raw line
    reach = key.searchsorted(np.minimum(own + AHEAD, page + ((1 << 40) - 1)), side="right")
    return line - key.searchsorted(page), reach - line - 1


def _means(stretch: Stretch, low: int, behind: Ints, ahead: Ints, out: Float32s) -> None:
    """Write means over WINDOWS of lines from `low` on, rounded down to whole sixteenths, to `out` (columns, windows, count)."""
    count = len(behind)
    first, last = max(0, low - max(_BEHIND)[0]), min(len(stretch.page), low + count + max(_AHEAD)[0])
    averaged = stretch.own[_AVERAGED, first:last]
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


# Evidence (6 + log2 p) back to p, in sixteenths of 4 units so that small shares still count in a window's mean.
_SHARE = np.rint(4 * STEP * np.exp2(np.arange(_LOG_STEPS + 1) / STEP - 6)).astype(np.float32)

NEAR = max(NEIGHBOUR_OFFSETS)
# Which of NEIGHBOUR_OFFSETS are there, by how many lines are in sight behind (0 to NEAR) and ahead.
_THERE = np.array(
    [[-behind <= d <= ahead for behind in range(NEAR + 1) for ahead in range(NEAR + 1)] for d in NEIGHBOUR_OFFSETS], np.float32
)
_OFFSETS = np.array(NEIGHBOUR_OFFSETS)
_EVIDENCE_AT = np.array([NEIGHBOUR_OFFSETS.index(offset) for offset in EVIDENCE_OFFSETS])
_EVIDENCE = slice(len(COLUMN), len(COLUMN) + len(EVIDENCE))
_RUNNING_AT = len(COLUMN) + len(EVIDENCE)
_NEAR = np.array([*(COLUMN[name] for name in NEIGHBOUR_COLUMNS), _RUNNING_AT + RUNNING.index("blank lines before")])
_AVERAGED = np.array(
    [
        *(COLUMN[name] for name in WINDOW_COLUMNS),
        _RUNNING_AT + RUNNING.index("repeats an earlier line"),
        *range(len(COLUMN), _RUNNING_AT),
    ]
)
_BEHIND, _AHEAD = np.array([[-w] for w in WINDOWS if w < 0]), np.array([[w] for w in WINDOWS if w > 0])  # in this order in WINDOWS
_RECIPROCAL = (1 / np.maximum(np.arange(max(map(abs, WINDOWS)) + 1), 1)).astype(np.float32)
