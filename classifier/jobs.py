"""Cleaning whole inputs: one or many, into one output or a folder of them, with every record and line accounted for.

`Job` reads an input in its format and writes the clean one. Bad records stop it, or are left out and counted (`Faults`).
`clean_into_folder` gives each input an output of its own and can go on after an interruption. Options come checked from `cli`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

import classifier
from classifier.cleaner import Cleaner, Labels
from classifier.encoding import Reading, TextDecoder, read_lines
from classifier.errors import InputError
from classifier.files import Sink, Source, sha256_of, whole_file
from classifier.formats import BadRecord, Record, jsonl, text
from classifier.labels import LABELS, Label
from classifier.lines import split_lines
from classifier.resume import Journal
from classifier.stream import LabelledLine

__all__ = ["Faults", "Job", "Options", "clean_into_folder", "clean_into_one", "labelled"]

# Records are cleaned together, for speed, until there are this many of them or of their characters, to bound memory and delay.
BATCH_RECORDS, BATCH_CHARS = 64, 1 << 20


class Options(NamedTuple):
    """How inputs are read."""

    reading: Reading
    separator: str  # of pages of text
    field: str  # that holds a record's text


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
        self.lines: Counter[tuple[bool, Label]] = Counter()  # of text, by (kept, label)

    def clean(self, source: Source, out: Sink) -> None:
        """Clean one input into `out`."""
        with source.open() as file:
            if source.format == "jsonl":
                self._clean_records(self.good_records(file, source.name), out)
            else:
                self._clean_text(file, source.name, out)

    def _clean_text(self, file: BinaryIO, name: str, out: Sink) -> None:
        decoder = TextDecoder(name, self.options.reading)
        for block in text.label_blocks(self.cleaner.stream(), read_lines(file, decoder), self.options.separator):
            shown = ("".join(line.text + "\n" for line in part if line.kept) if isinstance(part, list) else part for part in block)
            if clean := "".join(shown):
                out.write(_encoded(clean))
            lines = [line for part in block if isinstance(part, list) for line in part]
            self.lines.update((line.kept, line.label) for line in lines if line.label)
            self._keep_dropped([(line.label, line.text) for line in lines if line.label and not line.kept])
        self.counts["undecodable"] += decoder.dropped

    def good_records(self, file: BinaryIO, name: str) -> Iterator[Record]:
        """Yield the records that can be used; count all, and see to the others."""
        for record in jsonl.read_records(file, name, self.options.reading, self.options.field):
            self.counts["records"] += 1
            if isinstance(record, BadRecord):
                self.faults.take(record, name)
                self.counts["bad"] += 1
            else:
                self.counts["undecodable"] += record.undecodable
                yield record

    def _clean_records(self, records: Iterable[Record], out: Sink) -> None:
        for batch in _batches(records):
            labels = self.cleaner.label_pages([record.text for record in batch])
            self._count(labels)
            for record, start, stop in zip(batch, labels.offsets.tolist(), labels.offsets[1:].tolist()):
                kept = (np.flatnonzero(labels.kept[start:stop]) + start).tolist()
                out.write(jsonl.put_back(record, "\n".join([labels.lines[i] for i in kept])))

    def _count(self, labels: Labels) -> None:
        solid = labels.codes >= 0
        for kept in (True, False):
            counts = np.bincount(labels.codes[solid & (labels.kept == kept)], minlength=len(LABELS))
            self.lines.update({(kept, label): int(count) for label, count in zip(LABELS, counts) if count})
        if self._dropped:
            rows = np.flatnonzero(solid & ~labels.kept).tolist()
            self._keep_dropped([(LABELS[labels.codes[i]], labels.lines[i]) for i in rows])

    def _keep_dropped(self, lines: Sequence[tuple[Label, str]]) -> None:
        if self._dropped and lines:
            self._dropped.write(_encoded("".join(f"{label}\t{line}\n" for label, line in lines)))

    def label(self, source: Source) -> Iterator[list[LabelledLine] | str]:
        """Yield the labelled lines of an input, as they are decided, and what separates its pages between them."""
        with source.open() as file:
            if source.format == "text":
                blocks = read_lines(file, TextDecoder(source.name, self.options.reading))
                for found in text.label_blocks(self.cleaner.stream(), blocks, self.options.separator):
                    yield from found
                return
            for number, record in enumerate(self.good_records(file, source.name)):
                if number:
                    yield text.between_pages(self.options.separator)
                yield list(self.cleaner.label_lines(split_lines(record.text)))

    def digest(self) -> str:
        """Return a digest of everything but the input that decides what the output is."""
        import hashlib  # see files.sha256_of

        threshold, model = self.cleaner.threshold, self.cleaner.model.manifest["arrays_sha256"]
        parts = [classifier.__version__, model, sorted(self.cleaner.keep), threshold, self.options, self.faults.tolerant]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _encoded(lines: str) -> bytes:
    return lines.encode("utf-8", "backslashreplace")  # a lone surrogate, from a JSON escape, has no UTF-8


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
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


def labelled(job: Job, sources: Sequence[Source]) -> Iterator[list[LabelledLine] | str]:
    """Label all inputs, one after the other, the pages of each separated from the next's."""
    for number, source in enumerate(sources):
        if number:
            yield text.between_pages(job.options.separator)
        yield from job.label(source)


def clean_into_one(job: Job, sources: Sequence[Source], out: Sink) -> None:
    """Clean all inputs into one output, pages of text separated."""
    for number, source in enumerate(sources):
        if number and source.format == "text":
            out.write(text.between_pages(job.options.separator).encode())
        job.clean(source, out)


def clean_into_folder(job: Job, sources: Sequence[Source], folder: Path, resume: bool) -> int:
    """Clean each input into a file of its name in the folder; return how many there were from before, with `resume`."""
    digest, found = job.digest(), 0
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a folder; name another --output-dir")
    folder.mkdir(exist_ok=True)
    with Journal.opened(folder, digest, resume) as journal:
        for source in sources:
            target = folder / Path(source.path).name
            content = f"{source.format} {sha256_of(source.path)}"
            counts = journal.finished(target, content)
            if counts is not None:
                found += 1
                _count_again(job, source, counts)
                continue
            before = Counter(job.counts)
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
        for _ in job.good_records(file, source.name):
            pass
