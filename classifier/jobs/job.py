"""Cleaning jobs: whole inputs read, cleaned and written, with every record and line counted.

Bad records, and inputs that cannot be used as a whole, stop a job, or are skipped or quarantined and counted (`ErrorPolicy`).
`clean_into_one` writes many inputs to one output; for one output per input, see `folder`. Options arrive validated by `cli`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats import base, text
from classifier.formats.base import ARTICLE, ATTRIBUTES, NEEDS_REVIEW, NO_SITE, BadRecord, Extras, Options, Reader, Record, Writer
from classifier.formats.registry import open_reader, open_writer
from classifier.formats.sources import Source
from classifier.io.encoding import TextDecoder, to_utf8
from classifier.io.files import Buffer, Sink
from classifier.io.notices import Notice
from classifier.jobs.batches import Batch, CleanPage, at_site, batches_of, clean_batch, grouped, judged, sites_of
from classifier.jobs.error_policy import ErrorPolicy
from classifier.jobs.inputs import at_site_of, file_fault, is_file, page_name, require_usable
from classifier.jobs.stats import Stats
from classifier.labels import Label
from classifier.parallel import checked_jobs
from classifier.stream import label_blocks

if TYPE_CHECKING:
    from classifier.formats import jsonl

__all__ = ["BAD_FILES", "ErrorPolicy", "Job", "Outcome", "clean_into_one"]

BAD_FILES = "files_left_out"  # a key of `Job.counts`
# Counts in --stats.
REPORTED = (BAD_FILES, "records", "bad", base.MISSING, *base.LEFT_OUT, base.ONLY_IN_SCRIPT, "undecodable", NEEDS_REVIEW)
NAMED = 5  # pages that need review and the like are all counted, but only this many of a kind are named


class Outcome(NamedTuple):
    """What a job counted, and the names of the first pages and files of some kinds."""

    counts: Counter[str]
    stats: Stats
    names: dict[str, list[str]]

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as values that JSON has."""
        return {"counts": self.counts, "stats": self.stats.recorded(), "names": self.names}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Outcome:
        """Return the outcome that `as_json` recorded."""
        return cls(Counter(entry["counts"]), Stats.restored(entry["stats"]), entry["names"])


class CleanBlock(NamedTuple):
    """What a job makes of some JSON lines."""

    clean: bytes
    quarantined: bytes
    dropped: bytes
    outcome: Outcome


class Job:
    """Cleans inputs one after the other, and counts what they held."""

    def __init__(self, cleaner: Cleaner, options: Options, faults: ErrorPolicy, dropped: Sink | None = None, processes: int = 1) -> None:
        """Configure the job; `dropped` receives the lines removed, `processes` is the number of worker processes (1: none)."""
        self.cleaner, self.options, self.faults, self.processes = cleaner, options, faults, checked_jobs(processes)
        self._dropped = dropped
        self.tell: Callable[[Stats], None] = lambda stats: None  # progress callback
        # "records" read, of which "bad", MISSING (no text) and NO_SITE; LEFT_OUT: responses of archives that are no pages; "undecodable"
        # bytes dropped; ONLY_IN_SCRIPT, NEEDS_REVIEW, BAD_FILES: pages with the article in JSON-LD, that lost too much, files left out
        self.counts: Counter[str] = Counter()
        self.names: dict[str, list[str]] = {}  # the first of those that are counted and named, by the key of their count
        self.stats = Stats()
        self.earlier = Stats()  # the part of `stats` that an earlier run counted
        self._started = time.perf_counter()

    @property
    def collects(self) -> bool:
        """Whether dropped lines or bad records of all inputs go to one output, so that one process must write them all."""
        return self._dropped is not None or self.faults.quarantine is not None

    @property
    def outcome(self) -> Outcome:
        """What the job has counted so far; of an input that was left out, only that it was."""
        if self.counts[BAD_FILES]:
            return Outcome(Counter({BAD_FILES: self.counts[BAD_FILES]}), Stats(), {BAD_FILES: self.names[BAD_FILES]})
        return Outcome(self.counts, self.stats, self.names)

    def part(self) -> Job:
        """Return a job for one input, with counts of its own; see `absorb`."""
        part = Job(self.cleaner, self.options, self.faults, self._dropped, self.processes)
        part.tell = lambda stats: self.tell(self.stats.plus(stats))
        return part

    def absorb(self, outcome: Outcome) -> None:
        """Add what a part of the job has counted, perhaps in another process."""
        self.counts.update(outcome.counts)
        self.stats.add(outcome.stats)
        for kind, names in outcome.names.items():
            mine = self.names.setdefault(kind, [])
            mine += names[: NAMED - len(mine)]
        self.tell(self.stats)

    def count_and_name(self, kind: str, name: str) -> None:
        """Count a page or file of a kind, and keep its name if it is among the first."""
        self.counts[kind] += 1
        names = self.names.setdefault(kind, [])
        if len(names) < NAMED:
            names.append(name)

    @contextmanager
    def attempt(self, source: Source) -> Iterator[None]:
        """Apply the error policy to an input that cannot be used as a whole; pipes are always an error.

        Raises:
            InputError, OSError: the policy is to fail, or the error is not about the input.
        """
        try:
            yield
        except (InputError, OSError) as error:
            reason = file_fault(error, source)
            if reason is not None and self.faults.tolerant and is_file(source):
                self.faults.take_file(source, reason)
                self.count_and_name(BAD_FILES, reason)
            elif reason is not None and self.faults.advice and "--on-error" not in reason:
                raise InputError(f"{reason}; {self.faults.advice}") from error
            else:
                raise

    def require_usable(self, source: Source, whole: bool) -> None:
        """Before an input is used, notice that it cannot be, if the job is to go on without it; see `inputs`."""
        if self.faults.tolerant and is_file(source):
            require_usable(source, self.options, whole)

    def clean(self, source: Source, out: Sink) -> None:
        """Clean one input into `out`; an input that cannot be used is an error, whatever the policy."""
        with closing(open_writer(source.format, out, self.options)) as writer:
            self.clean_into(source, writer)

    def clean_into(self, source: Source, writer: Writer) -> None:
        """Clean one input into a writer that may already hold others."""
        with source.open() as file:
            if isinstance(writer, text.Writer) and source.format == "text":
                writer.follow(None)
                self._clean_text(file, source, writer.out)
                return
            reader = open_reader(source.format, file, source.name, self.options)
            writer.follow(reader)
            if source.format == "jsonl":
                from classifier.formats import jsonl  # only the formats in use are imported

                if isinstance(reader, jsonl.Reader) and isinstance(writer, jsonl.Writer):
                    self._clean_lines(reader, source, writer.out)
                    return
            self._clean_records(reader, source, writer)

    def _clean_text(self, file: BinaryIO, source: Source, out: Sink) -> None:
        name = source.name
        decoder = TextDecoder(name, self.options.decoding)
        number, page = 1, Stats()  # of the open page
        stream = at_site(self.cleaner, source.site).stream()
        for block in label_blocks(
            stream, text.text_lines(file, decoder, name, self.options), self.options.separator, self.options.blank_lines
        ):
            clean: list[str] = []
            closed = iter(stream.notices)
            for part in block:
                if isinstance(part, str):
                    clean.append(part)
                    self._end_page(page, next(closed), f"{name}, page {number}")
                    number, page = number + 1, Stats()
                    continue
                clean += [line.text + "\n" for line in part if line.kept]
                page.add_lines(part)
                self._keep_dropped([(line.label, line.text) for line in part if line.label and not line.kept])
            if clean:
                out.write(to_utf8("".join(clean)))
        self._end_page(page, stream.notices[0], name if number == 1 else f"{name}, page {number}")
        self.counts["undecodable"] += decoder.undecodable

    def _end_page(self, page: Stats, notices: Sequence[Notice], name: str) -> None:
        page.pages = 1
        page.add_notices(notices, name)
        self.stats.add(page)
        self.tell(self.stats)
        self._lost_too_much(page.share_dropped, name)

    def _lost_too_much(self, share: float, name: str) -> bool:
        """Return whether a page lost more than `max_dropped`; if so, count it and keep its name."""
        if self.options.max_dropped is None or share <= self.options.max_dropped:
            return False
        self.count_and_name(NEEDS_REVIEW, name)
        return True

    def good_records(self, records: Iterable[Record | BadRecord], name: str) -> Iterator[Record]:
        """Yield the good records; count all records, and apply the error policy to bad ones."""
        for record in records:
            self.counts["records"] += 1
            if self.faults.tolerant and isinstance(record, Record):
                record = judged(record)
            if isinstance(record, BadRecord):
                self.faults.take(record, name)
                self.count_and_name("bad", f"{name}:{record.line}: {record.reason}")
            elif record.missing and self.options.on_null == "skip":
                self.counts[base.MISSING] += 1
            else:
                self.counts[base.MISSING] += record.missing
                self.counts[base.ONLY_IN_SCRIPT] += record.only_in_script
                self.counts["undecodable"] += record.undecodable
                self.counts[NO_SITE] += self.options.site_field is not None and not record.site
                yield record
        self.counts.update(getattr(records, "left_out", {}))  # responses of an archive that are no pages

    def _clean_lines(self, reader: jsonl.Reader, source: Source, out: Sink) -> None:
        """Clean JSON lines in blocks, each by a job of its own: only cutting and writing is left for the process that has the files."""
        work = partial(
            _clean_block, options=self.options, faults=self.faults.into(Buffer()), keeps=self._dropped is not None, source=source
        )
        blocks = grouped(reader.lines(), lambda line: line.size)
        for block in map_pages(self.cleaner, work, blocks, self.processes):
            for sink, data in ((out, block.clean), (self.faults.quarantine, block.quarantined), (self._dropped, block.dropped)):
                if sink and data:
                    sink.write(data)
            self.absorb(block.outcome)

    def _clean_records(self, reader: Reader, source: Source, writer: Writer, before: int = 0) -> None:
        """Clean the records of a reader; `before` them, the input has that many others."""
        waiting: deque[tuple[Record, str]] = deque()
        for done in map_pages(self.cleaner, clean_batch, self._batches(reader, source, waiting, before), self.processes):
            self.stats.add(done.stats)
            self.tell(self.stats)
            self._keep_dropped(done.dropped)
            for page in done.pages:
                record, name = waiting.popleft()
                self.stats.add_notices(page.notices, name)
                writer.put(record, page.text, self._extras(page._replace(article=None) if record.missing else page, name))

    def _batches(self, reader: Reader, source: Source, waiting: deque[tuple[Record, str]], before: int) -> Iterator[Batch]:
        """Yield the texts of records in batches; queue the records themselves, with their names, until their clean texts return."""
        options, start = self.options, self.counts["records"] - before
        adds, keeps = options.adds, self._dropped is not None

        def queued() -> Iterator[Record]:
            for record in self.good_records(reader, source.name):
                waiting.append((record, page_name(source, self.counts["records"] - start)))  # bad records count too
                yield at_site_of(source, record)

        for batch in batches_of(queued()):
            texts, sites = [record.text for record in batch], sites_of(batch)
            yield Batch(texts, keeps, ATTRIBUTES in adds, sites, options.finish, ARTICLE in adds, options.header)

    def _extras(self, page: CleanPage, name: str) -> Extras:
        """Return the fields to add to a page's record."""
        review = self._lost_too_much(page.share_dropped, name) or self._is_doubtful(page, name)
        found = {NEEDS_REVIEW: review, ATTRIBUTES: page.attributes, ARTICLE: page.article}
        return {field: found[field] for field in self.options.adds}

    def _is_doubtful(self, page: CleanPage, name: str) -> bool:
        """Return whether an article has less than `min_confidence`; if so, count the page and keep its name."""
        least, confidence = self.options.min_confidence, page.article["confidence"] if page.article else None
        if least is None or confidence is None or confidence >= least:
            return False
        self.count_and_name(NEEDS_REVIEW, name)
        return True

    def _keep_dropped(self, lines: Sequence[tuple[Label, str]]) -> None:
        if self._dropped and lines:
            self._dropped.write(to_utf8("".join(f"{label}\t{line}\n" for label, line in lines)))

    def statistics(self, files: int, found: int, ignored: int = 0) -> bytes:
        """Return counts and speed as JSON.

        All counts include outputs that an earlier run finished (`found`), as if one run had written them; speed is that of this run.
        `ignored` is the number of files in folders that were no inputs.
        """
        seconds = time.perf_counter() - self._started
        pages, size = self.stats.pages - self.earlier.pages, self.stats.bytes - self.earlier.bytes
        speed = {"seconds": round(seconds, 3), "pages_per_second": round(pages / seconds, 1)}
        speed["megabytes_per_second"] = round(size / 1e6 / seconds, 3)
        counts = {name: self.counts[name] for name in REPORTED}
        report = {"files": files, "files_found_finished": found, "files_ignored": ignored, **counts, **self.stats.as_json(), **speed}
        return (json.dumps(report, indent=2) + "\n").encode()

    def digest(self) -> str:
        """Return a digest of everything besides the input that determines the output of an input without bad records."""
        recipe, memory = self.cleaner.recipe, self.cleaner.memory
        rules = None if recipe.rules is None else recipe.rules.rules
        parts: list[object] = [recipe.release, recipe.arrays_sha256, recipe.keep, recipe.threshold, self.options]
        parts += [rules, recipe.site, memory is not None, recipe.memory_digest, recipe.profile and recipe.profile.sha256]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _clean_block(
    cleaner: Cleaner, lines: Sequence[jsonl.Line], options: Options, faults: ErrorPolicy, keeps: bool, source: Source
) -> CleanBlock:
    """Clean some JSON lines of an input; runs in a worker process."""
    from classifier.formats import jsonl  # only the formats in use are imported

    clean, bad, dropped = Buffer(), Buffer(), Buffer()
    part = Job(cleaner, options, faults.into(bad), dropped if keeps else None)
    part._clean_records(jsonl.Block(lines, source.name, options), source, jsonl.Writer(clean, options), lines[0].record - 1)
    return CleanBlock(clean.data, bad.data, dropped.data, part.outcome)


def clean_into_one(job: Job, sources: Sequence[Source], out: Sink) -> None:
    """Clean all inputs, whose formats share an output format, into one output; pages of text are separated."""
    with closing(open_writer(sources[0].format, out, job.options)) as writer:
        for source in sources:
            with job.attempt(source):
                job.require_usable(source, whole=True)
                job.clean_into(source, writer)
