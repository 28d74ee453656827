"""A batch of pages, cleaned together: what `jobs` needs to know of each, in a form that other processes can send back.

What it leaves out: where pages come from and where they go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from classifier.annotate import Attributes, attributes_of
from classifier.by_site import label_by_site
from classifier.cleaner import Cleaner, Labels
from classifier.formats import Record
from classifier.labels import LABELS, Label
from classifier.tally import Tally

__all__ = ["Batch", "CleanPage", "Done", "batches_of", "clean_batch"]

# Records are cleaned together, for speed, until there are this many of them or of their characters, to bound memory and delay.
BATCH_RECORDS, BATCH_CHARS = 64, 1 << 20


class Batch(NamedTuple):
    """Pages to clean, and what to find out besides."""

    texts: list[str]
    dropped: bool = False
    spans: bool = False
    sites: tuple[str, ...] = ()  # of each page, if pages have sites of their own


class CleanPage(NamedTuple):
    """A page's clean text, the share of its characters that it lost, and the spans of the lines it kept, if they are asked for."""

    text: str
    share_dropped: float
    attributes: Attributes | None = None


class Done(NamedTuple):
    """What became of a batch."""

    pages: list[CleanPage]
    tally: Tally
    dropped: list[tuple[Label, str]]  # the lines removed, if they are asked for


def batches_of(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Group records into batches."""
    batch: list[Record] = []
    chars = 0
    for record in records:
        batch.append(record)
        chars += len(record.text)
        if len(batch) == BATCH_RECORDS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def clean_batch(cleaner: Cleaner, batch: Batch) -> Done:
    """Clean the pages of a batch."""
    labels = label_by_site(cleaner, batch.texts, batch.sites)
    tally, shares = Tally.of_pages(labels)
    bounds = pairwise(labels.offsets.tolist())
    pages = [_clean_page(labels, start, stop, share, batch.spans) for (start, stop), share in zip(bounds, shares)]
    return Done(pages, tally, _dropped(labels) if batch.dropped else [])


def _clean_page(labels: Labels, start: int, stop: int, share: float, spans: bool) -> CleanPage:
    rows = np.flatnonzero(labels.kept[start:stop]) + start
    lines = [labels.lines[row] for row in rows.tolist()]
    text = "\n".join(lines)
    if not spans:
        return CleanPage(text, share)
    codes, probabilities = labels.codes[rows].tolist(), labels.probabilities[rows].tolist()
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    return CleanPage(text, share, attributes_of(starts, lines, codes, probabilities))


def _dropped(labels: Labels) -> list[tuple[Label, str]]:
    rows = np.flatnonzero((labels.codes >= 0) & ~labels.kept).tolist()
    return [(LABELS[labels.codes[i]], labels.lines[i]) for i in rows]
