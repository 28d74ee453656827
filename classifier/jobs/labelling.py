"""Labelling whole inputs: line by line, as spans beside records, or page by page in batches.

Bad records and files are handled by the job's error policy, as in cleaning. Memory is bounded by one batch of pages and the page
being read; lines are labelled as they arrive, unless several processes share the work.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import BinaryIO, NamedTuple

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats.base import Options, Record
from classifier.formats.names import OUTPUTS
from classifier.formats.registry import open_reader
from classifier.formats.sources import Source
from classifier.formats.text import page_text, text_lines, text_pages
from classifier.io.encoding import TextDecoder
from classifier.io.notices import Notice
from classifier.jobs.batches import Batch, Notices, at_site, batches_of, label_by_site, lines_of, sites_of, span_batch
from classifier.jobs.inputs import at_site_of, page_name
from classifier.jobs.job import Job
from classifier.jobs.stats import Stats
from classifier.lines import LineBlock, between_pages
from classifier.results import LabelledLine, Labels
from classifier.stream import label_blocks

__all__ = [
    "NamedPages", "Row", "label_by_page", "label_inputs", "label_named_pages", "label_one", "label_pages_at_once", "label_records",
    "pages_of",
]  # fmt: skip

Row = Callable[[LabelledLine, int], str]  # the text for a line of the page with this number; picklable


def label_inputs(job: Job, sources: Sequence[Source]) -> Iterator[list[LabelledLine] | str]:
    """Yield the labelled lines of all inputs as they are decided; between two pages, yield the separator as a string."""
    started = False
    for source in sources:
        with job.attempt(source):
            job.require_usable(source, whole=True)
            if started:
                yield between_pages(job.options.separator)
            started = True
            yield from label_one(job, source)


def label_one(job: Job, source: Source) -> Iterator[list[LabelledLine] | str]:
    """Yield the labelled lines of one input; see `label_inputs`."""
    for found in _lines_of(job, source):
        if not isinstance(found, str):
            job.stats.add_lines(found)
        yield found


def _lines_of(job: Job, source: Source) -> Iterator[list[LabelledLine] | str]:
    with source.open() as file:
        if source.format == "text":
            decoder = TextDecoder(source.name, job.options.decoding)
            blocks = text_lines(file, decoder, source.name, job.options)
            yield from _lines_of_text(job, blocks, source.name)
            job.counts["undecodable"] += decoder.undecodable
            return
        for number, record in enumerate(_records_of(job, source, file)):
            if number:
                yield between_pages(job.options.separator)
            stream = at_site(job.cleaner, record.site).stream()
            yield stream.feed(record.text) + stream.end_page()
            _count_page(job, stream.notices[0], record.place)


def _lines_of_text(job: Job, blocks: Iterator[LineBlock], name: str) -> Iterator[list[LabelledLine] | str]:
    stream, number = job.cleaner.stream(), 1
    for found in label_blocks(stream, blocks, job.options.separator, job.options.blank_lines):
        closed = iter(stream.notices)
        for part in found:
            if isinstance(part, str):
                _count_page(job, next(closed), f"{name}, page {number}")
                number += 1
            yield part
    _count_page(job, stream.notices[0], name if number == 1 else f"{name}, page {number}")


def _count_page(job: Job, notices: Sequence[Notice], name: str) -> None:
    job.stats.pages += 1
    job.stats.add_notices(notices, name)


def _records_of(job: Job, source: Source, file: BinaryIO) -> Iterator[Record]:
    """Yield the good records of an input, with the name of the page as `place`."""
    before = job.counts["records"]
    for record in job.good_records(open_reader(source.format, file, source.name, job.options), source.name):
        yield at_site_of(source, record)._replace(place=page_name(source, job.counts["records"] - before))  # bad records count too


def label_by_page(job: Job, sources: Sequence[Source]) -> Iterator[tuple[str, list[LabelledLine]]]:
    """Yield the name of a page and some of its labelled lines, as they are decided; none if the page has none.

    The name is that of the input, with the number of the record, or of the page if it is not the first of a text.
    """
    for source in sources:
        before, page = job.counts["records"], 1
        is_page = source.format in ("text", "html")
        if is_page:
            yield source.name, []
        for found in label_one(job, source):
            if isinstance(found, str):
                page += 1
            elif found or not is_page:
                number = (f", page {page}" if page > 1 else "") if is_page else f", record {job.counts['records'] - before}"
                yield source.name + number, found


# -- in several processes --------------------------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """Pages to label in a worker process."""

    batch: Batch
    first: int  # number of the first page
    row: Row


Names = deque[list[str]]  # of the pages of each batch that has not been labelled


def label_pages_at_once(job: Job, sources: Sequence[Source], row: Row) -> Iterator[str]:
    """Yield the rows of each page of all inputs, in order, labelled in several processes; a page is read whole."""
    names: Names = deque()
    pieces = _pieces(job, sources, row, names)
    for rows, stats, notices in map_pages(job.cleaner, _rows_of, pieces, job.processes):
        _add_batch(job, stats, notices, names.popleft())
        yield from rows


def _add_batch(job: Job, stats: Stats, notices: Notices, names: list[str]) -> None:
    job.stats.add(stats)
    for found, name in zip(notices, names):
        job.stats.add_notices(found, name)


def _pieces(job: Job, sources: Sequence[Source], row: Row, names: Names) -> Iterator[_Piece]:
    first = 1
    for batch in batches_of(page for source in sources for page in pages_of(job, source)):
        names.append([page.place for page in batch])
        yield _Piece(Batch([page.text for page in batch], sites=sites_of(batch)), first, row)
        first += len(batch)


def _rows_of(cleaner: Cleaner, piece: _Piece) -> tuple[list[str], Stats, Notices]:
    labels = label_by_site(cleaner, piece.batch.texts, piece.batch.sites)
    pages = enumerate(map(lines_of, labels.pages()), piece.first)
    rows = ["".join([piece.row(line, number) for line in lines]) for number, lines in pages]
    return rows, Stats.of_pages(labels)[0], labels.notices


def pages_of(job: Job, source: Source, last: bool = True) -> Iterator[Record]:
    """Yield the pages of an input as records whose `place` is the page's name.

    A separator at the end of a text opens a further page, as in `label_inputs`, if the `last` page is wanted even if empty.
    """
    with job.attempt(source):
        job.require_usable(source, whole=True)
        with source.open() as file:
            if source.format == "text":
                decoder = TextDecoder(source.name, job.options.decoding)
                pages = _text_pages(text_lines(file, decoder, source.name, job.options), source.name, job.options, last)
                yield from (at_site_of(source, page) for page in pages)
                job.counts["undecodable"] += decoder.undecodable
            else:
                yield from _records_of(job, source, file)


# -- spans beside records --------------------------------------------------------------------------------------------------


def label_records(job: Job, sources: Sequence[Source]) -> Iterator[str] | None:
    """Return JSON lines, one per record, with the record's id and its spans by label; None if all inputs are text.

    Raises:
        InputError: some inputs are text and others are records.
    """
    is_text = [OUTPUTS.get(source.format, source.format) == "text" for source in sources]
    if all(is_text):
        return None
    if any(is_text):
        raise InputError("text gets one object per line, records get one per record; label text and records in separate runs")
    return (line for source in sources for line in _spans_of(job, source))


def _spans_of(job: Job, source: Source) -> Iterator[str]:
    waiting: deque[list[Record]] = deque()

    def batches() -> Iterator[Batch]:
        for batch in batches_of(pages_of(job, source)):
            waiting.append(batch)
            yield Batch([record.text for record in batch], sites=sites_of(batch))

    for found, stats, notices in map_pages(job.cleaner, span_batch, batches(), job.processes):
        batch = waiting.popleft()
        _add_batch(job, stats, notices, [record.place for record in batch])
        for record, attributes in zip(batch, found):
            yield f'{{"id": {record.id}, "attributes": {json.dumps(attributes)}}}\n'


# -- pages and their names -------------------------------------------------------------------------------------------------


class NamedPages(NamedTuple):
    """A batch of labelled pages and their names."""

    names: list[str]
    labels: Labels


def label_named_pages(job: Job, sources: Sequence[Source]) -> Iterator[NamedPages]:
    """Label the pages of all inputs in batches, in order; a page's name is its file and, if the file holds several, its number."""
    for batch in batches_of(page for source in sources for page in _named(job, source)):
        names = [page.place for page in batch]
        labels = label_by_site(job.cleaner, [page.text for page in batch])
        for notices, name in zip(labels.notices, names):
            _count_page(job, notices, name)
        yield NamedPages(names, labels)


def _named(job: Job, source: Source) -> Iterator[Record]:
    """Yield the pages of an input as records whose `place` is the page's name, with its id."""
    for page in pages_of(job, source, last=False):
        yield page if page.id == "null" else page._replace(place=f"{page.place} (id {page.id})")


def _text_pages(blocks: Iterator[LineBlock], name: str, options: Options, last: bool = False) -> Iterator[Record]:
    """Yield the pages of a text file; a separator at its end opens no further page, unless the `last` is wanted even if empty."""
    pages = text_pages(blocks, options, last)
    page, after = next(pages, LineBlock([], [])), next(pages, None)
    for number in count(1):
        yield Record(page_text(page), name if number == 1 and after is None else f"{name}, page {number}")
        if after is None:
            return
        page, after = after, next(pages, None)
