"""A batch of pages, cleaned together: what `jobs` needs to know of each, in a form that other processes can send back.

What it leaves out: where pages come from and where they go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

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


class CleanPage(NamedTuple):
    """A page's clean text, and the share of its characters that it lost."""

    text: str
    share_dropped: float


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
    labels = cleaner.label_pages(batch.texts)
    tally, shares = Tally.of_pages(labels)
    texts = [_clean_text(labels, start, stop) for start, stop in pairwise(labels.offsets.tolist())]
    return Done(list(map(CleanPage, texts, shares)), tally, _dropped(labels) if batch.dropped else [])


def _clean_text(labels: Labels, start: int, stop: int) -> str:
    return "\n".join([labels.lines[start + i] for i in np.flatnonzero(labels.kept[start:stop]).tolist()])


def _dropped(labels: Labels) -> list[tuple[Label, str]]:
    rows = np.flatnonzero((labels.codes >= 0) & ~labels.kept).tolist()
    return [(LABELS[labels.codes[i]], labels.lines[i]) for i in rows]
