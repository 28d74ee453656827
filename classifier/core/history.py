"""What a page has shown so far: counts, distances and repetitions, carried from line to line.

`running` turns a block of lines into one column of integers each (sixteenths; `RUNNING` names them), with a few integers and the
hashes of MEMORY lines carried between blocks, never the page. What lies ahead of a line, and its neighbours, are `context.py`'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Int16s, Ints, diff
from classifier.core.features import CEILING, COLUMN, LOG_SCALE, STEP, LineFeatures
from classifier.labels import EVIDENCE, HEADINGS, LABELS

__all__ = [
    "COUNTED",
    "EVENTS",
    "EVIDENCE_CEILING",
    "HISTORY_COLUMNS",
    "MEMORY",
    "NO_EVENT",
    "RUNNING_CEILINGS",
    "PageState",
    "extract_history",
    "scaled_evidence",
]

MEMORY = 512  # non-blank lines within which a repetition counts
FAR = 1 << 20
EVIDENCE_CEILING = 6 * STEP  # evidence is 6 + log2 p, cut at 0, in sixteenths
MOST_BLANKS = 3

COUNTED = ("lines", "prose lines", "prose characters", "link lines", "headings", "dates")
EVENTS = ("prose", *(f"{name} heading" for name in HEADINGS), "any heading", "date", "title", "footer", "comment", "caption")
HISTORY_COLUMNS = (
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
# The largest value of each.
RUNNING_CEILINGS = {
    name: STEP if name.startswith(("under ", "repeats ", "opens ")) else MOST_BLANKS * STEP if name == "blank lines before" else CEILING
    for name in HISTORY_COLUMNS
}
_LOG = LOG_SCALE[: 1 << 13]  # what is further back, or more, looks the same
NO_EVENT = _LOG[-1].item() / STEP  # what "lines since" says where there was none, in units


class PageState(NamedTuple):
    """What a page hands to its next block of lines: all that is remembered of the lines before."""

    totals: Ints  # (len(COUNTED),)
    since: Ints  # (len(EVENTS),)
    prose_at_heading: int
    recent: Hashes  # (2, up to MEMORY) hashes of lines and of their openings

    @classmethod
    def fresh(cls) -> PageState:
        """Return what a page starts with."""
        return cls(np.zeros(len(COUNTED), np.int64), np.full(len(EVENTS), FAR), 0, np.zeros((2, 0), np.uint64))


def scaled_evidence(log_probabilities: Floats) -> Int16s:
    """Return the first pass's natural-log probabilities (any shape) as evidence: 6 + log2 p in sixteenths, at least 0."""
    return np.maximum(np.rint(log_probabilities * (STEP / np.log(2))) + EVIDENCE_CEILING, 0).astype(np.int16)


def extract_history(
    line_features: LineFeatures, evidence: Int16s, blanks: Ints, starts: Bools, carry: PageState
) -> tuple[Int16s, PageState]:
    """Return the running columns of a block of lines (len(RUNNING), n), and what to carry to the next block.

    `evidence` is (len(EVIDENCE), n); `starts` marks the first line of each page; lines before the first mark continue the page
    that `carry` tells of.
    """
    index = np.arange(len(blanks))
    first = np.maximum.accumulate(np.where(starts, index, 0))
    opened = int(starts.argmax()) if starts.any() else len(starts)  # lines that carry on the page before
    events = _events(line_features, evidence)
    counted = _counted(line_features, events)
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
    distance, recent = _repetitions(line_features.hashes, starts, carry.recent)
    table = np.empty((len(HISTORY_COLUMNS), len(blanks)), np.int16)
    _fill(table, totals, since, at_heading, distance)
    table[-2] = (distance[0] <= MEMORY) * line_features.columns[COLUMN["size"]]
    table[-1] = np.minimum(blanks, MOST_BLANKS) * STEP
    return table, PageState(totals[:, -1], since[:, -1], int(at_heading[-1]), recent)


def _events(line_features: LineFeatures, evidence: Int16s) -> Bools:
    """Return which of EVENTS each line is (len(EVENTS), n)."""
    sure = evidence >= EVIDENCE_CEILING - STEP  # p of at least a half
    events = np.empty((len(EVENTS), sure.shape[1]), np.bool_)
    events[0] = line_features.columns[COLUMN["prose"]]
    headings = np.logical_and(sure[len(LABELS) :], line_features.size <= 60, out=events[1:_ANY_HEADING])
    events[_ANY_HEADING] = headings.any(axis=0)
    events[_ANY_HEADING + 1] = line_features.columns[COLUMN["date"]]
    events[_ANY_HEADING + 2 :] = sure[_SURE]
    return events


def _counted(line_features: LineFeatures, events: Bools) -> Ints:
    """Return what each line adds to COUNTED (len(COUNTED), n)."""
    counted = np.ones((len(COUNTED), events.shape[1]), np.int64)
    counted[1] = events[0]
    counted[2] = events[0] * line_features.size
    counted[3] = line_features.columns[COLUMN["linked"]] >= STEP
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
_AMOUNTS = np.array([*range(len(COUNTED) + len(EVENTS)), HISTORY_COLUMNS.index("prose since heading")])
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
    back = diff(order)
    same = (sorted_hashes[1:] == sorted_hashes[:-1]) & (sorted_pages[1:] == sorted_pages[:-1]) & (back <= MEMORY)
    distance = np.full(2 * count, FAR)
    distance[order[1:]] = np.where(same, back, FAR)
    return distance.reshape(2, count)[:, known:], every[:, first:]
