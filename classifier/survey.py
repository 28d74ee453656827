"""Whole pages with their names, labelled in batches: what `drift` and `pick` look at.

Pages come as `jobs` reads them, from text, records and HTML; bad records are seen to by the job. At most a batch of pages is held, and
the page that is being read. What it leaves out: what is measured of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from classifier.batches import batches_of
from classifier.cleaner import Labels
from classifier.encoding import TextDecoder, read_lines
from classifier.formats import Options, Record
from classifier.formats.registry import open_reader
from classifier.formats.text import AtBlankLines, split_pages
from classifier.jobs import Job
from classifier.sources import Source

__all__ = ["Surveyed", "survey"]


class Surveyed(NamedTuple):
    """Some pages."""

    names: list[str]
    labels: Labels


def survey(job: Job, sources: Sequence[Source]) -> Iterator[Surveyed]:
    """Label the pages of all inputs, in order; a page is named by its file and, where that holds several, its number."""
    for batch in batches_of(page for source in sources for page in _named(job, source)):
        yield Surveyed([page.place for page in batch], job.cleaner.label_pages(page.text for page in batch))


def _named(job: Job, source: Source) -> Iterator[Record]:
    """Yield the pages of an input, named at their place."""
    with source.open() as file:
        if source.format == "text":
            decoder = TextDecoder(source.name, job.options.reading)
            yield from _text_pages(read_lines(file, decoder), source.name, job.options)
            job.counts["undecodable"] += decoder.dropped
            return
        records = job.good_records(open_reader(source.format, file, source.name, job.options), source.name)
        for record in records:
            number = f", record {job.counts['records']}" if source.format != "html" else ""
            identity = f" (id {record.id})" if record.id != "null" else ""
            yield record._replace(place=f"{source.name}{number}{identity}")


def _text_pages(blocks: Iterator[list[str]], name: str, options: Options) -> Iterator[Record]:
    """Yield pages of text; the separator behind the last one opens none."""
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
