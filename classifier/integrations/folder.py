"""Distributed job: a folder of JSON lines or Parquet files cleaned into a new one, split by split, so that it can be resumed.

The engine runs one task per split (`split_job`), wherever and as often as it likes; the driver plans the splits and sums the commits.
No record passes through the driver. As in `tinsach clean`, a bad record ends the job, is skipped, or goes into quarantine, unchanged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.formats.base import MAX_RECORD
from classifier.integrations.manifest import Manifest, begun, commits, is_final, resumed
from classifier.integrations.site_memory import recipe_of
from classifier.integrations.split_job import FAIL, ON_ERROR, FolderJob, clean_split
from classifier.integrations.splits import Split
from classifier.io.addresses import exists, join, require_writable
from classifier.io.files import remove_stale_files, write_file
from classifier.io.listing import FileEntry, files_below
from classifier.io.urls import file_name, is_url, shown
from classifier.jobs.job import BAD_FILES, REPORTED, ErrorPolicy, Job, Outcome
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import SiteMemory

__all__ = ["SPLIT_SIZE", "STATS", "Run", "clean", "clean_folder", "folder_job"]

HIDDEN = (".", "_")  # what begins the names of files that are no data, as Hadoop marks them: `_SUCCESS`, `.part.crc`
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
UNREAD = (".bz2", ".lz4", ".xz")  # compressed files that would be taken for damaged text
SPLIT_SIZE = 64 << 20  # bytes: seconds of work, so that little is lost with a machine, and the start of a task does not count
STATS = "_tinsach/stats.json"  # below the output folder; engines pass over names that begin with an underscore

Task = Callable[[Split], None]
Run = Callable[[Task, Sequence[Split]], None]  # runs a task for each split on an engine; raises if one fails for good


def folder_job(
    source: str,
    target: str,
    text_field: str = "text",
    *,
    form: str | None = None,
    model: str | Path | None = None,
    keep: str | Iterable[str] = DEFAULT_KEEP,
    threshold: float | None = None,
    memory: SiteMemory | None = None,
    site_field: str = "url",
    on_error: str = FAIL,
    max_record_size: int = MAX_RECORD,
) -> FolderJob:
    """Return a job with checked options; the format is by default that of the file names, which `clean_folder` looks up.

    Raises:
        InputError, ModelError: an option cannot be used.
    """
    if on_error not in ON_ERROR:
        raise InputError(f"on_error {on_error!r}: choose one of {', '.join(ON_ERROR)}")
    if max_record_size < 1:
        raise InputError(f"max_record_size {max_record_size}: give a number of bytes of 1 or more")
    recipe = recipe_of(model, keep, threshold, memory)
    source, target, site = _absolute(source), _absolute(target), site_field if memory else None
    return FolderJob(source, target, form or "", text_field, site, recipe, on_error, max_record_size)


def _absolute(address: str) -> str:
    """Return a path from the root: a task has another working directory."""
    return address if is_url(address) else os.path.abspath(address)


def clean(execute: Run, source: str, target: str, *, resume: bool = False, split_size: int = SPLIT_SIZE, **options: Any) -> dict[str, Any]:
    """Run the job of `folder_job`'s arguments and return its statistics; with `resume`, skip what an earlier run has finished.

    Raises:
        InputError, ModelError: see `folder_job` and `clean_folder`.
    """
    return clean_folder(folder_job(source, target, **options), execute, resume, split_size)[0]


def clean_folder(job: FolderJob, execute: Run, resume: bool = False, split_size: int = SPLIT_SIZE) -> tuple[dict[str, Any], list[str]]:
    """Clean the splits of a job that are not finished yet.

    Return the statistics of all, which STATS below the target holds, and what there is to say about them.

    Raises:
        InputError: the target exists and the job is not to be resumed, or is another job's; an input is bad, and the policy is to fail.
    """
    if split_size < 1:
        raise InputError(f"split_size {split_size}: give a number of bytes of 1 or more")
    inputs = _inputs(job.source)
    job = job._replace(format=job.format or _format_of(inputs, job.source))
    require_writable(job.target)
    begun_before = exists(job.target)
    if begun_before and not resume:
        raise InputError(f"{shown(job.target)}: exists already; name a new folder, remove it, or continue its job with --resume")
    manifest = resumed(job, inputs) if begun_before else begun(job, inputs, split_size)
    found = commits(job.target)
    todo = [split for split in manifest.splits if not is_final(found.get(split.part), job.on_error)]
    if todo:
        execute(partial(clean_split, job), todo)
    return _finish(job, manifest)


def _inputs(source: str) -> list[FileEntry]:
    """Return the files in and below a folder, in order of their paths."""
    found = sorted(files_below(source, HIDDEN))
    if not found:
        raise InputError(f"{shown(source)}: no such folder, or one without files; check the path")
    if unread := [shown(file.path) for file in found if file.path.lower().endswith(UNREAD)]:
        raise InputError(f"{unread[0]}: compressed in a way that is not read; compress it with gzip or zstd")
    return found


def _finish(job: FolderJob, manifest: Manifest) -> tuple[dict[str, Any], list[str]]:
    """Sum the commits, write the statistics, and mark the output as complete."""
    found = commits(job.target)
    missing = [split.part for split in manifest.splits if split.part not in found]
    if missing:
        raise InputError(f"{shown(job.target)}: {len(missing)} parts are not there, {missing[0]} the first; run it again with --resume")
    total = Job(job.recipe.cleaner(), job.options, ErrorPolicy())
    for split in manifest.splits:
        total.absorb(Outcome.from_json(found[split.part]["outcome"]))
    counts = {name: total.counts[name] for name in REPORTED}
    report = {"files": len(manifest.inputs), "splits": len(manifest.splits), **counts, **total.stats.as_json()}
    write_file(join(job.target, STATS), (json.dumps(report, indent=2) + "\n").encode())
    write_file(join(job.target, "_SUCCESS"), b"")
    remove_stale_files(job.target, below=True, locked=True)  # of tasks that were killed
    return report, [*total.stats.notice_lines(), *(f"left out: {reason}" for reason in total.names.get(BAD_FILES, []))]


def _format_of(files: Sequence[FileEntry], source: str) -> str:
    """Return the format of files by their names; compressed files count too.

    Raises:
        InputError: there are files of both formats, or of neither.
    """
    parts = (Path(file_name(file.path)).suffixes for file in files)
    found = {SUFFIXES[suffix] for suffixes in parts for suffix in map(str.lower, suffixes) if suffix in SUFFIXES}
    if len(found) != 1:
        what = "both .jsonl and .parquet files" if found else "no .jsonl and no .parquet files"
        raise InputError(f"{shown(source)}: holds {what}; give --format jsonl or --format parquet")
    return found.pop()
