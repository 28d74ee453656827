"""Cleaning whole inputs: one or many, into one output or a folder of them, with every record and line accounted for.

`Job` reads an input in its format and writes the clean one. Bad records stop it, or are left out and counted (`Faults`).
`clean_into_folder` gives each input an output of its own and can go on after an interruption. Options come checked from `cli`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import classifier
from classifier.batches import Batch, batches_of, clean_batch
from classifier.cleaner import Cleaner, LabelledLine
from classifier.encoding import TextDecoder, read_lines
from classifier.errors import InputError
from classifier.files import Sink, sha256_of, whole_file
from classifier.formats import BadRecord, Options, Record, Writer, text
from classifier.formats.registry import open_reader, open_writer
from classifier.labels import Label
from classifier.lines import split_lines
from classifier.resume import Journal
from classifier.sources import Source
from classifier.tally import Tally

__all__ = ["Faults", "Job", "Options", "clean_into_folder", "clean_into_one", "labelled"]


class Faults:
    """What is done about a bad record: the job fails, or it is left out, or put into quarantine as it was."""

    def __init__(self, skip: bool = False, quarantine: Sink | None = None) -> None:
        """Fail, unless bad records are to be skipped or there is a place for them."""
        self.tolerant, self.quarantine = skip or quarantine is not None, quarantine

    def take(self, bad: BadRecord, name: str) -> None:
        """Put a bad record where it belongs, or raise InputError."""
        if self.quarantine is not None:
            self.quarantine.write(bad.raw + b"\n")
        elif not self.tolerant:
            raise InputError(f"{name}:{bad.line}: {bad.reason}; repair the record, or choose --on-error skip or quarantine FILE")


class Job:
    """Cleans inputs, one after the other."""

    def __init__(self, cleaner: Cleaner, options: Options, faults: Faults, dropped: Sink | None = None) -> None:
        """Set how inputs are read and cleaned, what is done about bad records, and where removed lines go."""
        self.cleaner, self.options, self.faults = cleaner, options, faults
        self._dropped = dropped
        # "records" read, of them "bad" (the others came out), and "undecodable" bytes left out
        self.counts: Counter[str] = Counter()
        self.tally = Tally()
        self._started = time.perf_counter()

    @property
    def lines(self) -> Counter[tuple[bool, Label]]:
        """Lines of text, by (kept, label)."""
        return self.tally.lines

    def clean(self, source: Source, out: Sink) -> None:
        """Clean one input into `out`."""
        clean_into_one(self, [source], out)

    def clean_into(self, source: Source, writer: Writer) -> None:
        """Clean one input into what may hold others already."""
        with source.open() as file:
            if isinstance(writer, text.Writer) and source.format == "text":
                writer.follow(None)
                self._clean_text(file, source.name, writer.out)
            else:
                self._clean_records(file, source, writer)

    def _clean_text(self, file: BinaryIO, name: str, out: Sink) -> None:
        decoder = TextDecoder(name, self.options.reading)
        self.tally.pages += 1
        for lines in text.label_blocks(self.cleaner.stream(), read_lines(file, decoder), self.options.separator):
            if isinstance(lines, str):
                out.write(text.encoded(lines))
                self.tally.pages += 1
                continue
            kept = [line.text for line in lines if line.kept]
            if kept:
                out.write(text.encoded("\n".join(kept) + "\n"))
            self.tally.add_lines(lines)
            self._keep_dropped([(line.label, line.text) for line in lines if line.label and not line.kept])
        self.counts["undecodable"] += decoder.dropped

    def good_records(self, records: Iterable[Record | BadRecord], name: str) -> Iterator[Record]:
        """Yield the records that can be used; count all, and see to the others."""
        for record in records:
            self.counts["records"] += 1
            if isinstance(record, BadRecord):
                self.faults.take(record, name)
                self.counts["bad"] += 1
            else:
                self.counts["undecodable"] += record.undecodable
                yield record

    def _clean_records(self, file: BinaryIO, source: Source, writer: Writer) -> None:
        reader = open_reader(source.format, file, source.name, self.options)
        writer.follow(reader)
        for batch in batches_of(self.good_records(reader, source.name)):
            done = clean_batch(self.cleaner, Batch([record.text for record in batch], self._dropped is not None))
            self.tally.add(done.tally)
            self._keep_dropped(done.dropped)
            for record, page in zip(batch, done.pages):
                writer.put(record, page.text)

    def _keep_dropped(self, lines: Sequence[tuple[Label, str]]) -> None:
        if self._dropped and lines:
            self._dropped.write(text.encoded("".join(f"{label}\t{line}\n" for label, line in lines)))

    def label(self, source: Source) -> Iterator[list[LabelledLine] | str]:
        """Yield the labelled lines of an input, as they are decided, and what separates its pages between them."""
        with source.open() as file:
            if source.format == "text":
                blocks = read_lines(file, TextDecoder(source.name, self.options.reading))
                yield from text.label_blocks(self.cleaner.stream(), blocks, self.options.separator)
                return
            reader = open_reader(source.format, file, source.name, self.options)
            for number, record in enumerate(self.good_records(reader, source.name)):
                if number:
                    yield text.between_pages(self.options.separator)
                yield list(self.cleaner.label_lines(split_lines(record.text)))

    def statistics(self, files: int, found: int) -> bytes:
        """Return what this run counted, as JSON; what an earlier run finished is in none of the counts but `files`."""
        seconds = time.perf_counter() - self._started
        speed = {"seconds": round(seconds, 3), "pages_per_second": round(self.tally.pages / seconds, 1)}
        speed["megabytes_per_second"] = round(self.tally.bytes / 1e6 / seconds, 3)
        counts = {name: self.counts[name] for name in ("records", "bad", "undecodable")}
        told = {"files": files, "files_found_finished": found, **counts, **self.tally.as_json(), **speed}
        return (json.dumps(told, indent=2) + "\n").encode()

    def digest(self) -> str:
        """Return a digest of everything but the input that decides what the output is."""
        import hashlib  # see files.sha256_of

        threshold, model = self.cleaner.threshold, self.cleaner.model.manifest["arrays_sha256"]
        parts = [classifier.__version__, model, sorted(self.cleaner.keep), threshold, self.options, self.faults.tolerant]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def labelled(job: Job, sources: Sequence[Source]) -> Iterator[list[LabelledLine] | str]:
    """Label all inputs, one after the other, the pages of each separated from the next's."""
    for number, source in enumerate(sources):
        if number:
            yield text.between_pages(job.options.separator)
        yield from job.label(source)


def clean_into_one(job: Job, sources: Sequence[Source], out: Sink) -> None:
    """Clean all inputs, whose formats share an output, into one: pages of text separated."""
    with closing(open_writer(sources[0].format, out, job.options)) as writer:
        for source in sources:
            job.clean_into(source, writer)


def clean_into_folder(job: Job, sources: Sequence[Source], folder: Path, resume: bool) -> int:
    """Clean each input into a file at its place below the folder; return how many there were from before, with `resume`."""
    digest, found = job.digest(), 0
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a folder; name another --output-dir")
    folder.mkdir(exist_ok=True)
    with Journal.opened(folder, digest, resume) as journal:
        for source in sources:
            target = folder / source.target
            content = f"{source.format} {sha256_of(source.path)}"
            counts = journal.finished(target, content)
            if counts is not None:
                found += 1
                _count_again(job, source, counts)
                continue
            before = Counter(job.counts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as out:
                job.clean(source, out)
            journal.note(target, content, dict(job.counts - before))
    return found


def _count_again(job: Job, source: Source, counts: dict[str, int]) -> None:
    """Count what a finished file held; its bad records are read once more, since their quarantine is written anew."""
    if not (counts.get("bad") and job.faults.quarantine):
        job.counts.update(counts)
        return
    with source.open() as file:
        for _ in job.good_records(open_reader(source.format, file, source.name, job.options), source.name):
            pass
