"""Manifest of a distributed job: its options, its inputs and their splits, kept beside the output so that it can be resumed.

A resumed job takes the splits from the manifest, and cleans those without a commit (see `split_job`), or whose part is not as it was
committed. Another input, model or option is refused by name, since its parts would not go with those that are there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from classifier.errors import InputError
from classifier.integrations.site_memory import SiteRecipe
from classifier.integrations.split_job import DONE, FAIL, FolderJob
from classifier.integrations.splits import Split, splits_of
from classifier.io.addresses import exists, join, read
from classifier.io.files import write_file
from classifier.io.listing import FileEntry, files_below
from classifier.io.urls import file_name, shown
from classifier.jobs.job import BAD_FILES

__all__ = ["Manifest", "begun", "commits", "is_final", "resumed"]

_NAME = "_tinsach/manifest.json"
_VERSION = 1
_READERS = 16  # commits are small: reading them from an object store waits more than it works


class Manifest(NamedTuple):
    """The identity of a job, and its work."""

    options: dict[str, Any]
    inputs: list[FileEntry]
    splits: list[Split]


def begun(job: FolderJob, inputs: Sequence[FileEntry], split_size: int) -> Manifest:
    """Write the manifest of a new job into its output folder."""
    manifest = Manifest(_identity(job), list(inputs), splits_of(inputs, job.format, split_size))
    entry = {"version": _VERSION, **manifest._replace(inputs=_shown(manifest.inputs), splits=_shown(manifest.splits))._asdict()}
    write_file(join(job.target, _NAME), json.dumps(entry, ensure_ascii=False).encode())
    return manifest


def _shown(entries: Sequence[Any]) -> list[Any]:
    """Return inputs or splits without what is secret in their addresses."""
    return [entry._replace(path=shown(entry.path)) for entry in entries]


def resumed(job: FolderJob, inputs: Sequence[FileEntry]) -> Manifest:
    """Return the manifest of the job that an output folder holds.

    Raises:
        InputError: it holds none, or that of a job with other options or other inputs.
    """
    target, place = shown(job.target), join(job.target, _NAME)
    if not exists(place):
        raise InputError(f"{target}: holds no job of this command to resume; name a new folder, or remove it")
    entry = json.loads(read(place))
    if entry.get("version") != _VERSION:
        raise InputError(f"{target}: was begun by another release of tinsach; resume it with that one, or name a new folder")
    _require_same(f"{target}: was begun with", entry["options"], _identity(job))
    before = {one.path: one for one in (FileEntry(*fields) for fields in entry["inputs"])}
    _require_same_inputs(target, before, {one.path: one for one in _shown(inputs)})
    paths = {shown(one.path): one.path for one in inputs}
    splits = (Split(*fields) for fields in entry["splits"])
    return Manifest(entry["options"], list(inputs), [split._replace(path=paths[split.path]) for split in splits])


def _identity(job: FolderJob) -> dict[str, Any]:
    """Return everything besides the input that determines the parts of a job without bad records, by the name that the user knows."""
    recipe, memory = (job.recipe.recipe, job.recipe.memory) if isinstance(job.recipe, SiteRecipe) else (job.recipe, b"")
    return {
        "release": recipe.release,
        "--model": recipe.arrays_sha256,
        "--keep": sorted(recipe.keep),
        "--threshold": recipe.threshold,
        "--site-memory": hashlib.sha256(memory).hexdigest() if memory else None,
        "--site-field": job.site_field,
        "--text-field": job.text_field,
        "--format": job.format,
    }


def _require_same(what: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    for name, value in now.items():
        if before.get(name) != value:
            raise InputError(f"{what} another {name} ({before.get(name)}, not {value}); resume it with that one, or name a new folder")


def _require_same_inputs(target: str, before: dict[str, FileEntry], now: dict[str, FileEntry]) -> None:
    for path in sorted({*before, *now}):
        if before.get(path) != now.get(path):
            fate = "is new" if path not in before else "is gone" if path not in now else "has changed"
            raise InputError(f"{path}: {fate} since {target} was begun; put the input back as it was, or name a new folder")


def commits(target: str) -> dict[str, dict[str, Any]]:
    """Return the commits of a job whose parts are there as they were committed, by the names of the parts."""
    sizes = {_part(entry): entry.size for entry in files_below(target, (".", "_"))}
    done = files_below(join(target, DONE))
    with ThreadPoolExecutor(_READERS) as pool:
        found = zip(map(_part, done), pool.map(lambda entry: json.loads(read(entry.path)), done))
    return {part: commit for part, commit in found if sizes.get(part, 0) == commit["bytes"]}


def _part(entry: FileEntry) -> str:
    return file_name(entry.path).partition(".")[0]


def is_final(commit: dict[str, Any] | None, on_error: str) -> bool:
    """Return whether a resumed job need not clean a split again: it is whole, and this error policy would treat it as that one did."""
    if commit is None or commit["outcome"]["counts"].get(BAD_FILES):
        return False
    return not commit["outcome"]["counts"].get("bad") or (commit["on_error"] == on_error != FAIL)
