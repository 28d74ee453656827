"""A batch of pages, cleaned together: what `jobs` needs to know of each, in a form that other processes can send back.

What it leaves out: where pages come from and where they go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, repeat
from typing import NamedTuple

import numpy as np

from classifier.cleaner import Cleaner
from classifier.formats.base import Options, Record
from classifier.jobs.spans import Attributes, attributes_of, line_starts
from classifier.jobs.stats import Stats
from classifier.labels import Label
from classifier.results import Labels
from classifier.sites.rule import site_name

__all__ = ["Batch", "CleanPage", "CleanedBatch", "at_site", "batches_of", "clean_batch", "label_batch", "label_by_site", "sites_of"]

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


class CleanedBatch(NamedTuple):
    """The cleaned pages of a batch and their statistics."""

    pages: list[CleanPage]
    stats: Stats
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


def sites_of(batch: Sequence[Record], options: Options) -> tuple[str, ...]:
    """Return the site of each record, nothing where records name none."""
    return () if options.site_field is None else tuple(record.site for record in batch)


def clean_batch(cleaner: Cleaner, batch: Batch) -> CleanedBatch:
    """Clean the pages of a batch."""
    labels = label_by_site(cleaner, batch.texts, batch.sites)
    stats, shares = Stats.of_pages(labels)
    spans = map(_kept_spans, labels.pages()) if batch.spans else repeat(None)
    pages = [CleanPage(*page) for page in zip(labels.texts(), shares, spans)]
    return CleanedBatch(pages, stats, labels.dropped() if batch.dropped else [])


def _kept_spans(page: Labels) -> Attributes:
    """Return the spans of a page's kept lines in its clean text."""
    rows = np.flatnonzero(page.kept)
    lines = [page.lines[row] for row in rows.tolist()]
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    return attributes_of(starts, lines, page.codes[rows].tolist(), page.probabilities[rows].tolist())


def label_batch(cleaner: Cleaner, texts: Sequence[str], sites: Sequence[str] = ()) -> list[Attributes]:
    """Return the attributes of each page; `sites` holds the site of each, or nothing."""
    pages = label_by_site(cleaner, texts, sites).pages()
    return [
        attributes_of(line_starts(text, page.lines), page.lines, page.codes.tolist(), page.probabilities.tolist())
        for text, page in zip(texts, pages)
    ]


def at_site(cleaner: Cleaner, site: str) -> Cleaner:
    """Return the cleaner for a page of a site; without one, the cleaner itself."""
    return cleaner.at(site) if site else cleaner


def label_by_site(cleaner: Cleaner, pages: Sequence[str], sites: Sequence[str] = ()) -> Labels:
    """Label pages as `Cleaner.label_pages` does, each as a page of its site (empty for none; no sites at all: none for any).

    >>> import classifier
    >>> label_by_site(classifier.load(), ["Trang chủ", "Đọc nhiều"], ["bao-bai-song.vn", ""]).lines
    ['Trang chủ', 'Đọc nhiều']
    """
    rules, memory = cleaner.rules, cleaner.memory
    if (rules is None and memory is None) or not any(sites):
        return cleaner.label_pages(pages)
    groups: dict[str | None, list[int]] = {}
    for number, site in enumerate(sites):
        name = site_name(site) if rules is None or memory is not None else rules.known(site)
        if memory is not None and name == (cleaner.site or ""):
            site = ""  # no group of its own: the memory has to see its pages in order with those that name no site
        groups.setdefault(name if site else None, []).append(number)
    if len(groups) == 1:
        return _group_cleaner(cleaner, next(iter(groups))).label_pages(pages)
    parts = [_group_cleaner(cleaner, site).label_pages([pages[number] for number in numbers]) for site, numbers in groups.items()]
    return _in_order(parts, [number for numbers in groups.values() for number in numbers])


def _group_cleaner(cleaner: Cleaner, site: str | None) -> Cleaner:
    return cleaner if site is None else cleaner.at(site)


def _in_order(parts: Sequence[Labels], numbers: Sequence[int]) -> Labels:
    """Return labels of pages, numbered as they stand in the parts, in the order of their numbers."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    starts = sizes.cumsum() - sizes
    order = np.argsort(numbers)
    offsets = np.concatenate(([0], sizes[order].cumsum()))
    rows = np.concatenate([np.arange(start, start + size) for start, size in zip(starts[order].tolist(), sizes[order].tolist())])
    columns = [np.concatenate(arrays)[rows] for arrays in zip(*(part[:5] for part in parts))]
    lines = [line for part in parts for line in part.lines]
    return Labels._make([*columns, offsets, [lines[row] for row in rows.tolist()]])
