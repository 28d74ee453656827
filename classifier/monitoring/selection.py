"""Which pages to label first: those where the model expects most errors, each discounted by what the ones before it teach already.

A line's expected error is the probability that its keep or drop is wrong, which the model itself gives; a page's is their sum. Pages
are taken one after the other, the one of the largest score first. The score counts no line that stands among the doubtful ones of
a chosen page as well, and falls with the likeness of the page's layout to the likest chosen one's.
Of each page stays a summary: 100,000 pages take some 150 MB at the peak. What it leaves out: reading pages (`survey.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Float32s, Floats, Hashes, Ints
from classifier.core.ngrams import line_hashes, ngrams
from classifier.core.scan import scan
from classifier.labels import LABELS
from classifier.monitoring.profile import KEEPING
from classifier.results import Labels

__all__ = ["Choice", "Summaries", "choose", "summaries"]

# The most doubtful lines of a page that are compared with other pages': of the real dev pages, 9 in 10 have fewer uncertain ones.
DOUBTFUL = 32
PARTS = 4  # of a page, by lines: where on it a label stands
PLACES = ("in its first quarter", "in its second quarter", "in its third quarter", "in its last quarter")
UNCERTAIN = KEEPING[0], KEEPING[-1]  # keep probabilities between which a line is called so; scores use the probability itself


class Summaries(NamedTuple):
    """What is kept of n pages."""

    names: list[str]
    expected: Floats  # (n,) wrong keep/drop lines that the model expects
    lines: Ints  # (n,) blank ones left out
    hashes: Hashes  # (n, DOUBTFUL) of the letters of the most doubtful lines
    doubts: Float32s  # (n, DOUBTFUL) expected error of each, 0 where there is no line
    layout: Float32s  # (n, labels * PARTS) share of the lines with a label in a part of the page
    uncertain: Ints  # (n, labels * PARTS) uncertain lines

    @classmethod
    def joined(cls, parts: Sequence[Summaries]) -> Summaries:
        """Return the summaries of all pages, in order."""
        names = [name for part in parts for name in part.names]
        return cls(names, *(np.concatenate(columns) for columns in zip(*(part[1:] for part in parts))))


class Choice(NamedTuple):
    """A page to label, and why."""

    page: str
    score: float  # expected errors that no page before it covers
    expected: float  # wrong keep/drop lines
    why: str


def summaries(names: Sequence[str], labels: Labels) -> Summaries:
    """Summarise labelled pages."""
    rows = [_summary(labels, start, stop) for start, stop in pairwise(labels.offsets.tolist())]
    return Summaries(list(names), *(np.array(column) for column in zip(*rows)))


def _summary(labels: Labels, start: int, stop: int) -> tuple[float, int, Hashes, Float32s, Float32s, Ints]:
    solid = np.flatnonzero(labels.codes[start:stop] >= 0) + start
    keep = labels.keep_probabilities[solid]
    doubts = np.where(labels.kept[solid], 1 - keep, keep)
    cells = labels.codes[solid].astype(np.int64) * PARTS + np.arange(len(solid)) * PARTS // max(1, len(solid))
    width = len(LABELS) * PARTS
    layout = np.bincount(cells, minlength=width) / max(1, len(solid))
    unsure = (keep > UNCERTAIN[0]) & (keep < UNCERTAIN[1])
    most = (-doubts).argsort(kind="stable")[:DOUBTFUL]
    hashes, weights = np.zeros(DOUBTFUL, np.uint64), np.zeros(DOUBTFUL, np.float32)
    if len(most):
        lines = scan([labels.lines[i] for i in solid[most].tolist()])
        hashes[: len(most)] = line_hashes(lines, ngrams(lines).tokens)[0][0]
        weights[: len(most)] = doubts[most]
    uncertain = np.bincount(cells[unsure], minlength=width).astype(np.uint32)
    return float(doubts.sum()), len(solid), hashes, weights, layout.astype(np.float32), uncertain


def choose(pages: Summaries, count: int) -> Iterator[Choice]:
    """Yield at most `count` pages in the order in which to label them; of pages that score alike the first comes first."""
    left = pages.expected.copy()
    likeness = np.zeros(len(left))
    open_ = pages.lines > 0
    doubts = pages.doubts.copy()
    for _ in range(min(count, int(open_.sum()))):
        scores = np.where(open_, left * (1 - likeness), -1.0)
        best = int(scores.argmax())
        open_[best] = False
        yield Choice(pages.names[best], max(0.0, float(scores[best])), float(pages.expected[best]), _why(pages, best))
        covered = np.isin(pages.hashes, pages.hashes[best][pages.doubts[best] > 0])
        left -= (doubts * covered).sum(axis=1)
        doubts[covered] = 0
        likeness = np.maximum(likeness, np.minimum(pages.layout, pages.layout[best]).sum(axis=1))


def _why(pages: Summaries, page: int) -> str:
    """Return in words where the page's uncertain lines stand and what they were taken for, if half of them or more agree."""
    cells = pages.uncertain[page].reshape(len(LABELS), PARTS).astype(np.int64)
    total = int(cells.sum())
    if not total:
        return f"none of {pages.lines[page]} lines uncertain"
    by_place, by_label = cells.sum(axis=0), cells.sum(axis=1)
    said = [f"{total} of {pages.lines[page]} lines uncertain"]
    most = "most " if total > 1 else ""
    if 2 * by_place.max() >= total:
        said.append(f"{most}{PLACES[by_place.argmax()]}")
    if 2 * by_label.max() >= total:
        said.append(f"{most}taken for {LABELS[by_label.argmax()]}")
    return ", ".join(said)
