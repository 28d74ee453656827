"""Folder jobs: each input cleaned into an output file at the same relative path below a folder, resumable.

The journal records finished outputs, so that an interrupted run can be resumed. With several processes, files are cleaned in
parallel, unless dropped lines or bad records of all files go to one output. An input that cannot be used leaves no output and no
entry in the journal, so a resumed run tries it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from classifier.cleaner import Cleaner, map_pages
from classifier.formats.base import Options
from classifier.formats.registry import open_reader
from classifier.formats.sources import Source, Targets
from classifier.io.addresses import digest_of, join, make_parent
from classifier.io.files import atomic_write, remove_stale_files
from classifier.jobs.job import BAD_FILES, ErrorPolicy, Job, Outcome
from classifier.jobs.journal import Journal

__all__ = ["clean_into_folder"]


def clean_into_folder(job: Job, sources: Sequence[Source], folder: str, resume: bool) -> int:
    """Clean each input into its target below an existing folder, a path or URL; return how many were found finished (with `resume`)."""
    in_progress: deque[tuple[str, str]] = deque()
    found: list[Source] = []
    with Journal.opened(folder, job.digest(), resume) as journal:
        todo = _unfinished(job, sources, folder, journal, in_progress, found)
        for outcome in _cleaned_files(job, todo, folder, len(sources)):
            target, content = in_progress.popleft()
            if not outcome.counts[BAD_FILES]:
                journal.note(target, content, outcome.as_json())
    return len(found)


def _unfinished(
    job: Job, sources: Sequence[Source], folder: str, journal: Journal, in_progress: deque[tuple[str, str]], found: list[Source]
) -> Iterator[tuple[Source, str]]:
    """Yield the inputs to clean with their targets; add the recorded counts of the others, which are `found` finished."""
    targets = Targets()
    for source in sources:
        target, content = join(folder, source.target), None
        with job.attempt(source):
            targets.add(target, source)
            content = f"{source.format} {digest_of(source.path)}"
        if content is None:
            continue
        entry = journal.finished(source.target, content)
        if entry and (job.faults.tolerant or not entry["counts"].get("bad")):
            _count_again(job, source, Outcome.from_json(entry))
            found.append(source)
            continue
        make_parent(target)
        in_progress.append((source.target, content))
        yield source, target


def _cleaned_files(job: Job, todo: Iterable[tuple[Source, str]], folder: str, files: int) -> Iterator[Outcome]:
    """Clean inputs into files, yielding the outcome of each: several files in parallel, a single one by batches in parallel."""
    if job.processes == 1 or files == 1 or job.collects:
        for source, target in todo:
            outcome = _clean_into(job.part(), source, target)
            job.absorb(outcome)
            yield outcome
        return
    pieces = ((job.options, job.faults, source, target) for source, target in todo)
    try:
        with closing(map_pages(job.cleaner, _clean_file, pieces, job.processes, large=True)) as results:
            for outcome in results:
                job.absorb(outcome)
                yield outcome
    except BaseException:
        remove_stale_files(folder, below=True, locked=True)  # left by the workers, which are dead by now
        raise


def _clean_file(cleaner: Cleaner, piece: tuple[Options, ErrorPolicy, Source, str]) -> Outcome:
    """Clean one input into its target; runs in a worker process."""
    options, faults, source, target = piece
    return _clean_into(Job(cleaner, options, faults), source, target)


def _clean_into(part: Job, source: Source, target: str) -> Outcome:
    """Clean one input into its target with a job of its own; no target if the input cannot be used."""
    with part.attempt(source):
        whole = part.collects or part.cleaner.learns  # what goes to an output of all inputs, or into a memory, stays there
        part.require_usable(source, whole)
        with atomic_write(target) as out:
            part.clean(source, out)
    return part.outcome


def _count_again(job: Job, source: Source, outcome: Outcome) -> None:
    """Add the outcome of a finished file; if it has bad records, read it again, because the quarantine file is rewritten."""
    if outcome.counts["bad"] and job.faults.quarantine:
        with source.open() as file:
            for _ in job.part().good_records(open_reader(source.format, file, source.name, job.options), source.name):
                pass
    job.earlier.add(outcome.stats)
    job.absorb(outcome)
