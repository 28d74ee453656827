"""Active-learning selection: the pages to label first, by expected errors that no selected page covers yet.

A line's expected error is the model's own probability that its keep/drop decision is wrong; a page's is the sum over its lines.
Selection is greedy: the page with the highest score comes next. The score ignores lines that are also among the doubtful lines of
a selected page, and is discounted by the layout similarity to the most similar selected page. Only a summary of each page is kept:
100,000 pages take some 150 MB at the peak.
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

# The most doubtful lines of a page, which are compared across pages; 9 in 10 real dev pages have fewer uncertain lines.
DOUBTFUL = 32
PARTS = 4  # of a page, equal in lines: the resolution of label positions
PLACES = ("in its first quarter", "in its second quarter", "in its third quarter", "in its last quarter")
UNCERTAIN = KEEPING[0], KEEPING[-1]  # keep probabilities between which a line is reported as uncertain; scores use the probability itself


class Summaries(NamedTuple):
    """Summaries of n pages, of fixed size per page."""

    names: list[str]
    expected: Floats  # (n,) expected number of wrong keep/drop decisions
    lines: Ints  # (n,) non-blank lines
    hashes: Hashes  # (n, DOUBTFUL) line hashes of the most doubtful lines
    doubts: Float32s  # (n, DOUBTFUL) expected error of each; 0 for padding
    layout: Float32s  # (n, labels * PARTS) share of the page's lines, by label and part of the page
    uncertain: Ints  # (n, labels * PARTS) number of uncertain lines

    @classmethod
    def joined(cls, parts: Sequence[Summaries]) -> Summaries:
        """Return the summaries of all pages, in order."""
        names = [name for part in parts for name in part.names]
        return cls(names, *(np.concatenate(columns) for columns in zip(*(part[1:] for part in parts))))


class Choice(NamedTuple):
    """A page to label, and the reason."""

    page: str
    score: float  # expected errors that no earlier choice covers, discounted by layout similarity
    expected: float  # number of wrong keep/drop decisions
    why: str


def summaries(names: Sequence[str], labels: Labels) -> Summaries:
    """Summarise labelled pages."""
    rows = [_summary(labels, start, stop) for start, stop in pairwise(labels.offsets.tolist())]
    return Summaries(list(names), *(np.array(column) for column in zip(*rows)))


def _summary(labels: Labels, start: int, stop: int) -> tuple[float, int, Hashes, Float32s, Float32s, Ints]:
    nonblank = np.flatnonzero(labels.codes[start:stop] >= 0) + start
    keep = labels.keep_probabilities[nonblank]
    doubts = np.where(labels.kept[nonblank], 1 - keep, keep)
    cells = labels.codes[nonblank].astype(np.int64) * PARTS + np.arange(len(nonblank)) * PARTS // max(1, len(nonblank))
    width = len(LABELS) * PARTS
    layout = np.bincount(cells, minlength=width) / max(1, len(nonblank))
    unsure = (keep > UNCERTAIN[0]) & (keep < UNCERTAIN[1])
    worst = (-doubts).argsort(kind="stable")[:DOUBTFUL]
    hashes, weights = np.zeros(DOUBTFUL, np.uint64), np.zeros(DOUBTFUL, np.float32)
    if len(worst):
        lines = scan([labels.lines[i] for i in nonblank[worst].tolist()])
        hashes[: len(worst)] = line_hashes(lines, ngrams(lines).tokens)[0][0]
        weights[: len(worst)] = doubts[worst]
    uncertain = np.bincount(cells[unsure], minlength=width).astype(np.uint32)
    return float(doubts.sum()), len(nonblank), hashes, weights, layout.astype(np.float32), uncertain


def choose(pages: Summaries, count: int) -> Iterator[Choice]:
    """Yield at most `count` pages in the order in which to label them; ties go to the earlier page."""
    remaining = pages.expected.copy()
    similarity = np.zeros(len(remaining))
    candidates = pages.lines > 0
    doubts = pages.doubts.copy()
    for _ in range(min(count, int(candidates.sum()))):
        scores = np.where(candidates, remaining * (1 - similarity), -1.0)
        best = int(scores.argmax())
        candidates[best] = False
        yield Choice(pages.names[best], max(0.0, float(scores[best])), float(pages.expected[best]), _why(pages, best))
        covered = np.isin(pages.hashes, pages.hashes[best][pages.doubts[best] > 0])
        remaining -= (doubts * covered).sum(axis=1)
        doubts[covered] = 0
        similarity = np.maximum(similarity, np.minimum(pages.layout, pages.layout[best]).sum(axis=1))


def _why(pages: Summaries, page: int) -> str:
    """Describe the page's uncertain lines: how many, and the part of the page and the label that at least half of them share."""
    cells = pages.uncertain[page].reshape(len(LABELS), PARTS).astype(np.int64)
    total = int(cells.sum())
    if not total:
        return f"none of {pages.lines[page]} lines uncertain"
    by_place, by_label = cells.sum(axis=0), cells.sum(axis=1)
    reasons = [f"{total} of {pages.lines[page]} lines uncertain"]
    most = "most " if total > 1 else ""
    if 2 * by_place.max() >= total:
        reasons.append(f"{most}{PLACES[by_place.argmax()]}")
    if 2 * by_label.max() >= total:
        reasons.append(f"{most}taken for {LABELS[by_label.argmax()]}")
    return ", ".join(reasons)
