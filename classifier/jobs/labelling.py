"""Labelling whole inputs: line by line, as spans beside records, or page by page in batches.

Bad records are handled by the job's error policy, as in cleaning. Memory is bounded by one batch of pages and the page being read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from classifier.errors import InputError
from classifier.formats.base import Options, Record
from classifier.formats.names import OUTPUTS
from classifier.formats.registry import open_reader
from classifier.formats.sources import Source
from classifier.io.encoding import TextDecoder, read_lines
from classifier.io.inspection import inspect
from classifier.jobs.batches import at_site, batches_of, label_by_site, sites_of, spans_of
from classifier.jobs.job import Job
from classifier.lines import AtBlankLines, between_pages, split_lines, split_pages
from classifier.results import LabelledLine, Labels
from classifier.stream import label_blocks

__all__ = ["NamedPages", "label_inputs", "label_named_pages", "label_one", "label_records"]


def label_inputs(job: Job, sources: Sequence[Source]) -> Iterator[list[LabelledLine] | str]:
    """Yield the labelled lines of all inputs as they are decided; between two pages, yield the separator as a string."""
    for number, source in enumerate(sources):
        if number:
            yield between_pages(job.options.separator)
        yield from label_one(job, source)


def label_one(job: Job, source: Source) -> Iterator[list[LabelledLine] | str]:
    """Yield the labelled lines of one input; see `label_inputs`."""
    with source.open() as file:
        if source.format == "text":
            blocks = read_lines(file, TextDecoder(source.name, job.options.decoding))
            yield from _label_text(job, blocks, source.name)
            return
        reader = open_reader(source.format, file, source.name, job.options)
        for number, record in enumerate(job.good_records(reader, source.name)):
            if number:
                yield between_pages(job.options.separator)
            lines = split_lines(record.text)
            job.count_notices(inspect("\n".join(lines)), source.name if source.format == "html" else f"{source.name}, record {number + 1}")
            yield list(at_site(job.cleaner, record.site).label_lines(lines))


def _label_text(job: Job, blocks: Iterator[list[str]], name: str) -> Iterator[list[LabelledLine] | str]:
    stream = job.cleaner.stream()
    numbers = count(1)
    for found in label_blocks(stream, blocks, job.options.separator, job.options.blank_lines):
        closed = list(stream.notices)
        for part in found:
            if isinstance(part, str):
                job.count_notices(closed.pop(0), f"{name}, page {next(numbers)}")
            yield part
    number = next(numbers)
    job.count_notices(stream.notices[0], name if number == 1 else f"{name}, page {number}")


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
    return (line for source in sources for line in _records_of(job, source))


def _records_of(job: Job, source: Source) -> Iterator[str]:
    with source.open() as file:
        reader, numbers = open_reader(source.format, file, source.name, job.options), count(1)
        for batch in batches_of(job.good_records(reader, source.name)):
            texts = [record.text for record in batch]
            labels = label_by_site(job.cleaner, texts, sites_of(batch, job.options))
            for record, attributes, notices in zip(batch, spans_of(labels, texts), labels.notices):
                job.count_notices(notices, source.name if source.format == "html" else f"{source.name}, record {next(numbers)}")
                yield f'{{"id": {record.id}, "attributes": {json.dumps(attributes)}}}\n'


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
            job.count_notices(notices, name)
        yield NamedPages(names, labels)


def _named(job: Job, source: Source) -> Iterator[Record]:
    """Yield the pages of an input as records whose `place` is the page's name."""
    with source.open() as file:
        if source.format == "text":
            decoder = TextDecoder(source.name, job.options.decoding)
            yield from _text_pages(read_lines(file, decoder), source.name, job.options)
            job.counts["undecodable"] += decoder.dropped
            return
        records = job.good_records(open_reader(source.format, file, source.name, job.options), source.name)
        for record in records:
            number = f", record {job.counts['records']}" if source.format != "html" else ""
            identity = f" (id {record.id})" if record.id != "null" else ""
            yield record._replace(place=f"{source.name}{number}{identity}")


def _text_pages(blocks: Iterator[list[str]], name: str, options: Options) -> Iterator[Record]:
    """Yield the pages of a text file; a separator at its end opens no further page."""
    at_blanks = AtBlankLines(options.blank_lines)
    numbers = count(1)
    page: list[str] = []
    for lines in blocks:
        first, *others = at_blanks.cut(lines) if options.blank_lines else split_pages(lines, options.separator)
        page += first
        for other in others:
            yield Record(_joined(page), f"{name}, page {next(numbers)}")
            page = other
    number = next(numbers)
    if page or number == 1:
        yield Record(_joined(page), name if number == 1 else f"{name}, page {number}")


def _joined(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)
