"""Page-history features: counts, distances and repetitions so far, updated block by block in constant memory.

`extract_history` returns one column of integers (sixteenths) per line; `HISTORY_COLUMNS` names the rows. The state between
blocks is a few integers and the hashes of the last MEMORY lines. Features of neighbouring lines and of the lines ahead are in
`context.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Int16s, Ints, diff
from classifier.core.features import CEILING, COLUMN, LOG_SCALE, STEP, LineFeatures
from classifier.core.kernel import compiled
from classifier.labels import EVIDENCE, HEADINGS, LABELS

__all__ = [
    "COUNTED",
    "EVENTS",
    "EVIDENCE_CEILING",
    "FAR",
    "HISTORY_COLUMNS",
    "MEMORY",
    "NO_EVENT",
    "RUNNING_CEILINGS",
    "PageState",
    "accumulate",
    "extract_history",
    "scaled_evidence",
]

MEMORY = 512  # non-blank lines within which a repetition is detected
FAR = 1 << 20  # the distance where there was no event, or no repetition within MEMORY
EVIDENCE_CEILING = 6 * STEP  # evidence is 6 + log2 p in sixteenths, clipped at 0
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
# The maximum of each column.
RUNNING_CEILINGS = {
    name: STEP if name.startswith(("under ", "repeats ", "opens ")) else MOST_BLANKS * STEP if name == "blank lines before" else CEILING
    for name in HISTORY_COLUMNS
}
_LOG = LOG_SCALE[: 1 << 13]  # larger distances and counts are clipped to the last entry
NO_EVENT = _LOG[-1].item() / STEP  # value of a "lines since" column before the first event, in units


class PageState(NamedTuple):
    """The state carried from one block of a page's lines to the next."""

    totals: Ints  # (len(COUNTED),) counts so far
    since: Ints  # (len(EVENTS),) lines since each event; FAR if none
    prose_at_heading: int  # prose lines up to the last heading
    recent: Hashes  # (2, up to MEMORY) of the latest lines, oldest first: whole line, opening words

    @classmethod
    def fresh(cls) -> PageState:
        """Return the state at the start of a page."""
        return cls(np.zeros(len(COUNTED), np.int64), np.full(len(EVENTS), FAR), 0, np.zeros((2, 0), np.uint64))


@compiled
def scaled_evidence(log_probabilities: Floats) -> Int16s:
    """Return natural-log probabilities of the first pass (any shape) as evidence: 6 + log2 p in sixteenths, at least 0."""
    return np.maximum(np.rint(log_probabilities * (STEP / np.log(2))) + EVIDENCE_CEILING, 0).astype(np.int16)


@compiled
def extract_history(
    line_features: LineFeatures, evidence: Int16s, blanks: Ints, starts: Bools, carry: PageState
) -> tuple[Int16s, PageState]:
    """Return the history columns of a block of lines (len(HISTORY_COLUMNS), n), and the state for the next block.

    `evidence` is (len(EVIDENCE), n), `blanks` (n,) counts the blank lines before each line, and `starts` (n,) marks the first
    line of each page. Lines before the first such mark continue the page whose state is `carry`.
    """
    events = _events(line_features, evidence)
    totals, since, first = accumulate(_counted(line_features, events), events, starts, carry.totals, carry.since)
    index = np.arange(len(blanks))
    last_heading = index - since[_ANY_HEADING]
    earlier = np.where(starts.cumsum() > 0, 0, carry.prose_at_heading)
    at_heading = np.where(last_heading >= first, totals[1].take(last_heading, mode="clip"), earlier)
    distance, recent = _repetitions(line_features.hashes, starts, carry.recent)
    table = np.empty((len(HISTORY_COLUMNS), len(blanks)), np.int16)
    _fill_columns(table, totals, since, at_heading, distance)
    table[-2] = (distance[0] <= MEMORY) * line_features.columns[COLUMN["size"]]
    table[-1] = np.minimum(blanks, MOST_BLANKS) * STEP
    return table, PageState(totals[:, -1], since[:, -1], int(at_heading[-1]), recent)


def accumulate(counted: Ints, events: Bools, starts: Bools, totals: Ints, since: Ints) -> tuple[Ints, Ints, Ints]:
    """Return, per line, what its page has counted so far (k, n), the lines since each event (m, n), and its page's first line (n,).

    `counted` (k, n) is each line's contribution, `events` (m, n) says which events it is; the line itself is included. `starts` (n,)
    marks the first line of each page; lines before the first such mark continue a page that had counted `totals` (k,) and whose
    events were `since` (m,) lines ago. A distance is FAR where there was no event; lines of a continued page have first line 0.
    """
    index = np.arange(len(starts))
    first = np.maximum.accumulate(np.where(starts, index, 0))
    continued = int(starts.argmax()) if starts.any() else len(starts)
    sums = counted.cumsum(axis=1)
    sums -= (sums - counted)[:, first]
    sums[:, :continued] += totals[:, None]
    latest = np.maximum.accumulate(np.where(events, index, -1), axis=1)
    distances = np.where(latest >= first, index - latest, FAR)
    if continued:
        carried = np.minimum(since[:, None] + 1 + index[:continued], FAR)
        distances[:, :continued] = np.minimum(distances[:, :continued], carried)
    return sums, distances, first


def _events(line_features: LineFeatures, evidence: Int16s) -> Bools:
    """Return which of EVENTS each line is an instance of (len(EVENTS), n)."""
    confident = evidence >= EVIDENCE_CEILING - STEP  # p of at least one half
    events = np.empty((len(EVENTS), confident.shape[1]), np.bool_)
    events[0] = line_features.columns[COLUMN["prose"]]
    headings = np.logical_and(confident[len(LABELS) :], line_features.size <= 60, out=events[1:_ANY_HEADING])
    events[_ANY_HEADING] = headings.any(axis=0)
    events[_ANY_HEADING + 1] = line_features.columns[COLUMN["date"]]
    events[_ANY_HEADING + 2 :] = confident[_LABEL_EVENTS]
    return events


def _counted(line_features: LineFeatures, events: Bools) -> Ints:
    """Return each line's contribution to the totals of COUNTED (len(COUNTED), n)."""
    counted = np.ones((len(COUNTED), events.shape[1]), np.int64)
    counted[1] = events[0]
    counted[2] = events[0] * line_features.size
    counted[3] = line_features.columns[COLUMN["linked"]] >= STEP
    counted[4:] = events[_ANY_HEADING : _ANY_HEADING + 2]
    return counted


def _fill_columns(table: Int16s, totals: Ints, since: Ints, at_heading: Ints, distance: Ints) -> None:
    """Write the columns of counts, distances and repetitions to `table` (len(HISTORY_COLUMNS), n)."""
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
_LABEL_EVENTS = np.array([EVIDENCE.index(name) for name in EVENTS[_ANY_HEADING + 2 :]])
_AMOUNTS = np.array([*range(len(COUNTED) + len(EVENTS)), HISTORY_COLUMNS.index("prose since heading")])
# The repetition columns: one line back, two lines back, within five, within MEMORY.
_EXACTLY, _AT_MOST = np.array([[1], [2], [-1], [-1]]), np.array([[-1], [-1], [5], [MEMORY]])


def _repetitions(hashes: Hashes, starts: Bools, recent: Hashes) -> tuple[Ints, Hashes]:
    """Return the distances (2, n), in lines, to the last occurrence on the page of the same text and of the same opening words.

    A distance is FAR if there is none within MEMORY lines. Also returns the hashes to carry, of the open page's latest lines.
    `hashes` is (2, n), `recent` (2, up to MEMORY).
    """
    remembered = recent.shape[1]
    combined = np.concatenate((recent, hashes), axis=1)
    count = combined.shape[1]
    page = np.zeros(2 * count, np.int64)
    starts.cumsum(out=page[remembered:count])
    first = max(count - MEMORY, int(page[:count].searchsorted(page[count - 1])))
    page[count:] = page[:count] + (1 << 40)  # a separate key range, so that an opening never matches a whole line
    order = np.lexsort((page, combined.ravel()))
    sorted_hashes, sorted_pages = combined.take(order), page.take(order)
    back = diff(order)
    same = (sorted_hashes[1:] == sorted_hashes[:-1]) & (sorted_pages[1:] == sorted_pages[:-1]) & (back <= MEMORY)
    distance = np.full(2 * count, FAR)
    distance[order[1:]] = np.where(same, back, FAR)
    return distance.reshape(2, count)[:, remembered:], combined[:, first:]
