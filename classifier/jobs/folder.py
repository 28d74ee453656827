"""Folder jobs: each input cleaned into an output file at the same relative path below a folder, resumable.

The journal records finished outputs, so that an interrupted run can be resumed. With several processes, files are cleaned in
parallel, unless dropped lines or bad records of all files go to one output.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.registry import open_reader
from classifier.formats.sources import Source
from classifier.io.files import atomic_write, remove_stale_files, sha256_of
from classifier.io.notices import without_warnings
from classifier.jobs.job import ErrorPolicy, Job
from classifier.jobs.journal import Journal
from classifier.jobs.stats import Stats

__all__ = ["clean_into_folder"]


def clean_into_folder(job: Job, sources: Sequence[Source], folder: Path, resume: bool) -> int:
    """Clean each input into its target below the folder; return how many were found finished (with `resume`)."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a folder; name another --output-dir")
    folder.mkdir(exist_ok=True)
    in_progress: deque[tuple[Path, str]] = deque()
    with Journal.opened(folder, job.digest(), resume) as journal:
        todo = _unfinished(job, sources, folder, journal, in_progress)
        done = 0
        for counts in _cleaned_files(job, todo, folder, len(sources)):
            target, content = in_progress.popleft()
            journal.note(target, content, counts)
            done += 1
    return len(sources) - done


def _unfinished(
    job: Job, sources: Sequence[Source], folder: Path, journal: Journal, in_progress: deque[tuple[Path, str]]
) -> Iterator[tuple[Source, Path]]:
    """Yield the inputs to clean with their targets; add the recorded counts of the others."""
    for source in sources:
        target = folder / source.target
        content = f"{source.format} {sha256_of(source.path)}"
        counts = journal.finished(target, content)
        if counts is not None:
            _count_again(job, source, counts)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        in_progress.append((target, content))
        yield source, target


def _cleaned_files(job: Job, todo: Iterable[tuple[Source, Path]], folder: Path, files: int) -> Iterator[dict[str, int]]:
    """Clean inputs into files, yielding the counts of each: several files in parallel, a single one by batches in parallel."""
    if job.processes == 1 or files == 1 or job.collects:
        for source, target in todo:
            before = Counter(job.counts)
            with atomic_write(target) as out:
                job.clean(source, out)
            yield dict(job.counts - before)
        return
    pieces = ((job.options, job.faults.tolerant, source, target) for source, target in todo)
    try:
        with closing(map_pages(job.cleaner, _clean_file, pieces, job.processes)) as results:
            for counts, stats, review in results:
                job.absorb(counts, stats, review)
                yield dict(counts)
    except BaseException:
        remove_stale_files(folder, alone=True)  # left by the workers, which are dead by now
        raise


def _clean_file(cleaner: Cleaner, piece: tuple[Options, bool, Source, Path]) -> tuple[Counter[str], Stats, list[str]]:
    """Clean one input into its target; runs in a worker process."""
    options, tolerant, source, target = piece
    job = Job(cleaner, options, ErrorPolicy(tolerant))
    with without_warnings(), atomic_write(target) as out:
        job.clean(source, out)
    return job.counts, job.stats, job.review


def _count_again(job: Job, source: Source, counts: dict[str, int]) -> None:
    """Add the counts of a finished file; if it has bad records, read it again, because the quarantine file is rewritten."""
    if not (counts.get("bad") and job.faults.quarantine):
        job.counts.update(counts)
        return
    with source.open() as file:
        for _ in job.good_records(open_reader(source.format, file, source.name, job.options), source.name):
            pass
