"""Folder jobs of labelling: one labelled file per page, for correction by hand; files that are there already stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.sources import Source, Targets
from classifier.io.addresses import exists, make_parent
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, remove_stale_files
from classifier.jobs.job import ErrorPolicy, Job, Outcome
from classifier.jobs.labelling import label_one
from classifier.results import LabelledLine

__all__ = ["label_into_folder"]

Row = Callable[[LabelledLine], str]


def label_into_folder(job: Job, pages: Sequence[tuple[Source, str]], folder: str, row: Row, force: bool = False) -> int:
    """Write a labelled file for each page that has none, or for all with `force`; return how many were there already.

    An input that is not a single page is a bad file.
    """
    existing: list[str] = []
    todo = _new_pages(job, pages, force, existing)
    if job.processes == 1 or job.collects:  # one process writes all that is quarantined
        for source, target in todo:
            job.absorb(_label_into(job.part(), source, target, row))
        return len(existing)
    pieces = ((job.options, job.faults, source, target, row) for source, target in todo)
    try:
        with closing(map_pages(job.cleaner, _label_file, pieces, job.processes, large=True)) as outcomes:
            for outcome in outcomes:
                job.absorb(outcome)
    except BaseException:
        remove_stale_files(folder, below=True)  # left by the workers, which are dead by now
        raise
    return len(existing)


def _new_pages(job: Job, pages: Sequence[tuple[Source, str]], force: bool, existing: list[str]) -> Iterator[tuple[Source, str]]:
    """Yield the pages to label; collect the targets of the others in `existing`."""
    targets = Targets()
    for source, target in pages:
        usable = False
        with job.attempt(source):
            if source.format not in ("text", "html"):
                raise InputError(f"{source.name}: not a page of text or HTML, but {source.format}; label it without --output-dir")
            targets.add(target, source)
            usable = True
        if usable and not force and exists(target):
            existing.append(target)
        elif usable:
            yield source, target


def _label_file(cleaner: Cleaner, piece: tuple[Options, ErrorPolicy, Source, str, Row]) -> Outcome:
    """Label one page into its target; runs in a worker process."""
    options, faults, source, target, row = piece
    return _label_into(Job(cleaner, options, faults), source, target, row)


def _label_into(part: Job, source: Source, target: str, row: Row) -> Outcome:
    with part.attempt(source):
        rows = _rows(part, source, row)
        make_parent(target)
        with atomic_write(target) as out:
            out.write(to_utf8("".join(rows)))
    return part.outcome


def _rows(part: Job, source: Source, row: Row) -> list[str]:
    """Return the labelled rows of an input that holds exactly one page."""
    part.require_usable(source, whole=False)
    rows: list[str] = []
    for lines in label_one(part, source):
        if isinstance(lines, str):
            raise InputError(f"{source.name}: several pages; put each into a file of its own")
        rows += map(row, lines)
    if not rows:
        raise InputError(f"{source.name}: no lines in it; remove it from the pages to label")
    return rows
