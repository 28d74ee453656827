"""Batches of pages, cleaned or labelled together, with picklable inputs and results for worker processes.

Pages of several sites may share a batch: each is labelled with the rules and the memory of its own site, and the order stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, count, repeat
from typing import Any, NamedTuple, TypeVar

import numpy as np

from classifier.cleaner import Cleaner
from classifier.formats.base import BadRecord, Record
from classifier.io.inspection import inspect_page
from classifier.io.notices import REFUSABLE, Notice, without_warnings
from classifier.jobs.spans import Attributes, attributes_of
from classifier.jobs.stats import Stats
from classifier.labels import Label
from classifier.record.article import with_header
from classifier.record.finishing import NORMALIZE, Finished, finished
from classifier.results import LabelledLine, Labels, labelled_lines
from classifier.sites.memory import LearnedPages
from classifier.sites.rule import site_name

__all__ = [
    "Batch",
    "CleanPage",
    "CleanedBatch",
    "Notices",
    "at_site",
    "batches_of",
    "clean_batch",
    "grouped",
    "judged",
    "label_by_site",
    "learned_by_site",
    "lines_of",
    "sites_of",
    "span_batch",
]

# A batch ends at this many records or characters: large enough for speed, small enough to bound memory and latency.
BATCH_RECORDS, BATCH_CHARS = 64, 1 << 20


Notices = tuple[tuple[Notice, ...], ...]  # of each page
Item = TypeVar("Item")


class Batch(NamedTuple):
    """Pages to clean, and which optional results to return."""

    texts: list[str]
    dropped: bool = False  # the dropped lines
    spans: bool = False  # the spans of kept lines in the clean text
    sites: tuple[str, ...] = ()  # of each page; empty if pages have no sites of their own
    finish: tuple[str, ...] = ()  # steps that finish the clean texts; see `record.finishing`
    record: bool = False  # the record of each page, with its text as the clean text
    header: bool = False  # a header in front of that text


class CleanPage(NamedTuple):
    """A page's clean text, the share of its characters that was dropped, its notices; its kept lines' spans and its record on request."""

    text: str
    share_dropped: float
    notices: tuple[Notice, ...] = ()
    attributes: Attributes | None = None
    article: dict[str, Any] | None = None


class CleanedBatch(NamedTuple):
    """The cleaned pages of a batch and their statistics."""

    pages: list[CleanPage]
    stats: Stats
    dropped: list[tuple[Label, str]]  # the dropped lines, if requested


def batches_of(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Group records into batches of at most BATCH_RECORDS, ended early at BATCH_CHARS."""
    return grouped(records, lambda record: len(record.text))


def grouped(items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Group items as `batches_of` does, by the size of each."""
    batch: list[Item] = []
    total = 0
    for item in items:
        batch.append(item)
        total += size(item)
        if len(batch) == BATCH_RECORDS or total >= BATCH_CHARS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def judged(record: Record) -> Record | BadRecord:
    """Return a record, or a bad one in its place if its text is HTML or garbled, which cleaning cannot mend.

    Pages of text and HTML are no records: they are cleaned, and what is noticed about them is reported.
    """
    if not record.line:
        return record
    refused = [found for found in inspect_page(record.text) if found.kind in REFUSABLE]
    return BadRecord(record.line, record.raw(), f"the text {refused[0].message}") if refused else record


def sites_of(batch: Sequence[Record]) -> tuple[str, ...]:
    """Return the site of each record; empty if none has one."""
    sites = tuple(record.site for record in batch)
    return sites if any(sites) else ()


def _without_copies(labels: Labels, done: Sequence[Finished]) -> Labels:
    """Return the labels of pages with the lines that were left out as copies among those not kept."""
    kept = labels.kept.copy()
    for start, page in zip(labels.offsets.tolist(), done):
        kept[[start + row for row in page.copies]] = False
    return labels._replace(kept=kept)


def clean_batch(cleaner: Cleaner, batch: Batch) -> CleanedBatch:
    """Clean the pages of a batch."""
    labels = label_by_site(cleaner, batch.texts, batch.sites)
    done = [finished(page, batch.finish) for page in labels.pages()] if batch.finish and not batch.record else []
    if done:
        labels = _without_copies(labels, done)
    stats, shares = Stats.of_pages(labels)
    if batch.record:
        return CleanedBatch(_recorded(cleaner, batch, labels, shares), stats, labels.dropped() if batch.dropped else [])
    if done:
        pages = [CleanPage(page.text, share, notices) for page, share, notices in zip(done, shares, labels.notices)]
        return CleanedBatch(pages, stats, labels.dropped() if batch.dropped else [])
    spans = map(_kept_spans, labels.pages()) if batch.spans else repeat(None)
    pages = [CleanPage(*page) for page in zip(labels.texts(), shares, labels.notices, spans)]
    return CleanedBatch(pages, stats, labels.dropped() if batch.dropped else [])


def _recorded(cleaner: Cleaner, batch: Batch, labels: Labels, shares: Sequence[float]) -> list[CleanPage]:
    """Return the records of pages."""
    found = []
    for record, notices, share in zip(*cleaner.records_of(labels, NORMALIZE in batch.finish), shares):
        text = with_header(record) if batch.header else record.text
        found.append(CleanPage(text, share, notices, None, record.to_dict()))
    return found


def _kept_spans(page: Labels) -> Attributes:
    """Return the spans of a page's kept lines in its clean text."""
    rows = np.flatnonzero(page.kept)
    lines = [page.lines[row] for row in rows.tolist()]
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    return attributes_of(starts, lines, page.codes[rows].tolist(), page.probabilities[rows].tolist())


def span_batch(cleaner: Cleaner, batch: Batch) -> tuple[list[Attributes], Stats, Notices]:
    """Return the attributes of each page of a batch, the statistics of all, and the notices about each."""
    labels = label_by_site(cleaner, batch.texts, batch.sites)
    attributes = [
        attributes_of(page.starts.tolist(), page.lines, page.codes.tolist(), page.probabilities.tolist()) for page in labels.pages()
    ]
    return attributes, Stats.of_pages(labels)[0], labels.notices


def lines_of(page: Labels) -> list[LabelledLine]:
    """Return the lines of a page as `Cleaner.label_lines` does."""
    return labelled_lines(count(1), page.lines, page.starts.tolist(), page.codes, page.probabilities, page.kept, page.first_guesses)


def at_site(cleaner: Cleaner, site: str) -> Cleaner:
    """Return the cleaner bound to a site; the cleaner itself if the site is empty."""
    return cleaner.at(site) if site else cleaner


def label_by_site(cleaner: Cleaner, pages: Sequence[str], sites: Sequence[str] = ()) -> Labels:
    """Label pages as `Cleaner.label_pages` does, each as a page of its own site; an empty site is the cleaner's.

    Pages with the same rules and memory are labelled in one call. `sites` may be empty: no page has a site of its own. Issues no
    warnings: callers report `Labels.notices`.

    >>> import classifier
    >>> label_by_site(classifier.load(), ["Trang chủ", "Đọc nhiều"], ["bao-bai-song.vn", ""]).lines
    ['Trang chủ', 'Đọc nhiều']
    """
    with without_warnings():
        return _label_by_site(cleaner, pages, sites)


def _label_by_site(cleaner: Cleaner, pages: Sequence[str], sites: Sequence[str]) -> Labels:
    rules, memory = cleaner.rules, cleaner.memory
    if (rules is None and memory is None) or not any(sites):
        return cleaner.label_pages(pages)
    groups: dict[str | None, list[int]] = {}
    for number, site in enumerate(sites):
        name = site_name(site) if rules is None or memory is not None else rules.known(site)
        if memory is not None and name == (cleaner.site or ""):
            site = ""  # the cleaner's own site: the memory must see these pages in order with those that name no site
        groups.setdefault(name if site else None, []).append(number)
    if len(groups) == 1:
        return _group_cleaner(cleaner, next(iter(groups))).label_pages(pages)
    parts = [_group_cleaner(cleaner, site).label_pages([pages[number] for number in numbers]) for site, numbers in groups.items()]
    return _in_order(parts, [number for numbers in groups.values() for number in numbers])


def learned_by_site(cleaner: Cleaner, pages: Sequence[str], sites: Sequence[str] = ()) -> list[LearnedPages]:
    """Return what pages add to a memory, for each of their sites; an empty site is the cleaner's, and `sites` may be empty."""
    groups: dict[str | None, list[str]] = {}
    for page, site in zip(pages, sites or repeat("")):
        groups.setdefault(site_name(site) if site else None, []).append(page)
    return [_group_cleaner(cleaner, site).learned_pages(of_site) for site, of_site in groups.items()]


def _group_cleaner(cleaner: Cleaner, site: str | None) -> Cleaner:
    return cleaner if site is None else cleaner.at(site)


def _in_order(parts: Sequence[Labels], numbers: Sequence[int]) -> Labels:
    """Return the labels of all parts in page order; `numbers` holds the page number of each page of the parts."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    starts = sizes.cumsum() - sizes
    order = np.argsort(numbers)
    offsets = np.concatenate(([0], sizes[order].cumsum()))
    rows = np.concatenate([np.arange(start, start + size) for start, size in zip(starts[order].tolist(), sizes[order].tolist())])
    every = ((*part[:5], part.starts, part.ends, *part[-2:]) for part in parts)
    columns = [np.concatenate(arrays)[rows] for arrays in zip(*every)]
    lines = [line for part in parts for line in part.lines]
    notices = [found for part in parts for found in part.notices]
    in_order = [lines[row] for row in rows.tolist()]
    of_pages = tuple(notices[page] for page in order.tolist())
    return Labels._make([*columns[:5], offsets, in_order, *columns[5:7], of_pages, *columns[7:]])
