"""What a job over many files has finished, so that an interrupted one can go on where it stopped.

A journal in the output folder gets a line after each output is in place: digests of the input, of the output, and of all
that decides how one becomes the other. An output counts as done only if all three still hold: a changed input, option, model
or output is cleaned anew, and a line torn by a crash is one file done twice, never one lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from classifier.errors import InputError
from classifier.io.files import error_filename, force_to_disk, remove_stale_files, sha256_of

__all__ = ["JOURNAL", "Journal"]

JOURNAL = ".tinsach-resume.jsonl"


class Journal:
    """The finished files of a folder, as far as they came out of one job."""

    def __init__(self, file: BinaryIO, folder: Path, job: str, entries: dict[str, dict[str, Any]]) -> None:
        """Use `Journal.opened`."""
        self._file, self._folder, self._job, self._entries = file, folder, job, entries

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, job: str, resume: bool) -> Iterator[Journal]:
        """Open the folder's journal: to go on with it, after clearing away unfinished files, or to begin a new one.

        `job` is a digest of the options and the model. One process at a time may hold a folder's journal.
        """
        path = folder / JOURNAL
        with open(path, "a+b") as file:
            _lock(file, folder)
            if not resume:
                file.truncate(0)
            else:
                remove_stale_files(folder, alone=True)
            yield cls(file, folder, job, _read(file))

    def finished(self, target: Path, source: str) -> dict[str, int] | None:
        """Return what was counted when `target` was made, if this job would make the same of `source` (a digest) again."""
        entry = self._entries.get(self._name(target))
        if not entry or entry["job"] != self._job or not target.is_file():
            return None
        same = entry["input"] == source and entry["output"] == sha256_of(target)
        return entry["counts"] if same else None

    def note(self, target: Path, source: str, counts: dict[str, int]) -> None:
        """Note that `target` is in place."""
        entry = dict(zip(_KEYS, (self._name(target), self._job, source, sha256_of(target), counts)))
        with error_filename(self._file.name):
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
            force_to_disk(self._file)

    def _name(self, target: Path) -> str:
        return target.relative_to(self._folder).as_posix()


_KEYS = ("name", "job", "input", "output", "counts")


def _read(file: BinaryIO) -> dict[str, dict[str, Any]]:
    """Return the entries by name, the last of each, and leave the file ready for the next line."""
    file.seek(0)
    content = file.read()
    entries: dict[str, dict[str, Any]] = {}
    for line in content.splitlines():
        with suppress(ValueError, TypeError):  # torn by a crash, or not ours: that file is done again
            entry = json.loads(line)
            if set(entry) == set(_KEYS):
                entries[entry["name"]] = entry
    if content and not content.endswith(b"\n"):
        file.write(b"\n")
    return entries


def _lock(file: BinaryIO, folder: Path) -> None:
    """Hold the journal until the process ends, where the system has such locks."""
    with suppress(ImportError, OSError):  # a system, or a network disk, without locks
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: another tinsach is writing there; let it finish, or choose another --output-dir") from error
