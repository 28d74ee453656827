"""Cleaning jobs: whole inputs read, cleaned and written, with every record and line counted.

Bad records stop a job, or are skipped or quarantined and counted (`ErrorPolicy`). `clean_into_one` writes many inputs to one
output; for one output per input, see `folder`. Options arrive validated by `cli`.
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats import text
from classifier.formats.base import ATTRIBUTES, NEEDS_REVIEW, NO_SITE, BadRecord, Extras, Options, Reader, Record, Writer
from classifier.formats.registry import open_reader, open_writer
from classifier.formats.sources import Source
from classifier.io.encoding import TextDecoder, read_lines, to_utf8
from classifier.io.files import Sink
from classifier.io.notices import NOTHING_KEPT, Notice
from classifier.jobs.batches import Batch, CleanPage, batches_of, clean_batch, judged, sites_of
from classifier.jobs.stats import Stats
from classifier.labels import Label
from classifier.stream import label_blocks

__all__ = ["ErrorPolicy", "Job", "clean_into_one"]

REVIEW_NAMED = 5  # all pages that need review are counted, but only this many are named


class ErrorPolicy:
    """Policy for bad records: fail, skip them, or write them unchanged to a quarantine file."""

    def __init__(self, skip: bool = False, quarantine: Sink | None = None) -> None:
        """Fail on bad records, unless `skip` is set or there is a quarantine file."""
        self.tolerant, self.quarantine = skip or quarantine is not None, quarantine

    def take(self, bad: BadRecord, name: str) -> None:
        """Quarantine or skip a bad record.

        Raises:
            InputError: the policy is to fail.
        """
        if self.quarantine is not None:
            self.quarantine.write(bad.raw + b"\n")
        elif not self.tolerant:
            raise InputError(f"{name}:{bad.line}: {bad.reason}; repair the record, or choose --on-error skip or quarantine FILE")


class Job:
    """Cleans inputs one after the other, and counts what they held."""

    def __init__(self, cleaner: Cleaner, options: Options, faults: ErrorPolicy, dropped: Sink | None = None, processes: int = 1) -> None:
        """Configure the job; `dropped` receives the lines removed, `processes` is the number of worker processes (1: none)."""
        self.cleaner, self.options, self.faults, self.processes = cleaner, options, faults, processes
        self._dropped = dropped
        self.tell: Callable[[Stats], None] = lambda stats: None  # progress callback
        self.review: list[str] = []  # names of the first pages that lost too much
        # "records" read, of which "bad" (all others were written) and NO_SITE; "undecodable" bytes dropped; NEEDS_REVIEW: pages that
        # lost too much
        self.counts: Counter[str] = Counter()
        self.stats = Stats()
        self._started = time.perf_counter()

    @property
    def _separators(self) -> tuple[str, int]:
        return self.options.separator, self.options.blank_lines

    @property
    def collects(self) -> bool:
        """Whether dropped lines or bad records of all inputs go to one output, so that one process must write them all."""
        return self._dropped is not None or self.faults.quarantine is not None

    def absorb(self, counts: Counter[str], stats: Stats, review: Sequence[str]) -> None:
        """Add the counts of another process."""
        self.counts.update(counts)
        self.stats.add(stats)
        self.review += review[: REVIEW_NAMED - len(self.review)]
        self.tell(self.stats)

    def clean(self, source: Source, out: Sink) -> None:
        """Clean one input into `out`."""
        clean_into_one(self, [source], out)

    def clean_into(self, source: Source, writer: Writer) -> None:
        """Clean one input into a writer that may already hold others."""
        with source.open() as file:
            if isinstance(writer, text.Writer) and source.format == "text":
                writer.follow(None)
                self._clean_text(file, source.name, writer.out)
            else:
                self._clean_records(file, source, writer)

    def _clean_text(self, file: BinaryIO, name: str, out: Sink) -> None:
        decoder = TextDecoder(name, self.options.decoding)
        number, page = 1, Stats()  # of the open page
        stream = self.cleaner.stream()
        for block in label_blocks(stream, read_lines(file, decoder), *self._separators):
            clean: list[str] = []
            closed = iter(stream.notices)
            for part in block:
                if isinstance(part, str):
                    clean.append(part)
                    page.add_notices(next(closed), f"{name}, page {number}")
                    self._end_page(page, name, number)
                    number, page = number + 1, Stats()
                    continue
                clean += [line.text + "\n" for line in part if line.kept]
                page.add_lines(part)
                self._keep_dropped([(line.label, line.text) for line in part if line.label and not line.kept])
            if clean:
                out.write(to_utf8("".join(clean)))
        page.add_notices(stream.notices[0], name if number == 1 else f"{name}, page {number}")
        self._end_page(page, name, number)
        self.counts["undecodable"] += decoder.dropped

    def _end_page(self, page: Stats, name: str, number: int) -> None:
        page.pages = 1
        self.stats.add(page)
        self.tell(self.stats)
        self._lost_too_much(page.share_dropped, f"{name}, page {number}")

    def _lost_too_much(self, share: float, name: str) -> bool:
        """Return whether a page lost more than `max_dropped`; if so, count it and keep its name."""
        if self.options.max_dropped is None or share <= self.options.max_dropped:
            return False
        self.counts[NEEDS_REVIEW] += 1
        if len(self.review) < REVIEW_NAMED:
            self.review.append(name)
        return True

    def count_notices(self, notices: Sequence[Notice], name: str) -> None:
        """Count a page that is labelled, and its notices about the text; where all lines are shown, none has to be kept."""
        self.stats.pages += 1
        self.stats.add_notices([found for found in notices if found.kind != NOTHING_KEPT], name)

    def good_records(self, records: Iterable[Record | BadRecord], name: str) -> Iterator[Record]:
        """Yield the good records; count all records, and apply the error policy to bad ones."""
        for record in records:
            self.counts["records"] += 1
            if self.faults.tolerant and isinstance(record, Record):
                record = judged(record)
            if isinstance(record, BadRecord):
                self.faults.take(record, name)
                self.counts["bad"] += 1
            else:
                self.counts["undecodable"] += record.undecodable
                self.counts[NO_SITE] += self.options.site_field is not None and not record.site
                yield record

    def _clean_records(self, file: BinaryIO, source: Source, writer: Writer) -> None:
        reader = open_reader(source.format, file, source.name, self.options)
        writer.follow(reader)
        waiting: deque[list[Record]] = deque()
        number = 0
        for done in map_pages(self.cleaner, clean_batch, self._batches(reader, source.name, waiting), self.processes):
            self.stats.add(done.stats)
            self.tell(self.stats)
            self._keep_dropped(done.dropped)
            for record, page in zip(waiting.popleft(), done.pages):
                number += 1
                self.stats.add_notices(page.notices, source.name if source.format == "html" else f"{source.name}, record {number}")
                writer.put(record, page.text, self._extras(page, f"{source.name}, record {number}"))

    def _batches(self, reader: Reader, name: str, waiting: deque[list[Record]]) -> Iterator[Batch]:
        """Yield the texts of records in batches, and queue the records themselves in `waiting` until their clean texts return."""
        spans = ATTRIBUTES in self.options.adds
        for batch in batches_of(self.good_records(reader, name)):
            waiting.append(batch)
            yield Batch([record.text for record in batch], self._dropped is not None, spans, sites_of(batch, self.options))

    def _extras(self, page: CleanPage, name: str) -> Extras:
        """Return the fields to add to a page's record."""
        found = {NEEDS_REVIEW: self._lost_too_much(page.share_dropped, name), ATTRIBUTES: page.attributes}
        return {field: found[field] for field in self.options.adds}

    def _keep_dropped(self, lines: Sequence[tuple[Label, str]]) -> None:
        if self._dropped and lines:
            self._dropped.write(to_utf8("".join(f"{label}\t{line}\n" for label, line in lines)))

    def statistics(self, files: int, found: int) -> bytes:
        """Return counts and speed as JSON.

        Outputs that an earlier run finished (`found`) are included in the record counts, but not in pages, lines, bytes and speed.
        """
        seconds = time.perf_counter() - self._started
        speed = {"seconds": round(seconds, 3), "pages_per_second": round(self.stats.pages / seconds, 1)}
        speed["megabytes_per_second"] = round(self.stats.bytes / 1e6 / seconds, 3)
        counts = {name: self.counts[name] for name in ("records", "bad", "undecodable", NEEDS_REVIEW)}
        report = {"files": files, "files_found_finished": found, **counts, **self.stats.as_json(), **speed}
        return (json.dumps(report, indent=2) + "\n").encode()

    def digest(self) -> str:
        """Return a digest of everything besides the input that determines the output."""
        import hashlib  # lazy: see files.sha256_of

        recipe = self.cleaner.recipe
        rules = None if recipe.rules is None else recipe.rules.rules
        parts: list[object] = [recipe.release, recipe.arrays_sha256, recipe.keep, recipe.threshold, self.options, self.faults.tolerant]
        parts += [rules, recipe.site, self.cleaner.memory is not None]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def clean_into_one(job: Job, sources: Sequence[Source], out: Sink) -> None:
    """Clean all inputs, whose formats share an output format, into one output; pages of text are separated."""
    with closing(open_writer(sources[0].format, out, job.options)) as writer:
        for source in sources:
            job.clean_into(source, writer)
