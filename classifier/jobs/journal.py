"""Resume journal: the finished outputs of a folder job, so that an interrupted run can continue.

The journal is a file in the output folder. It gets a line after each output is in place: digests of the input, of the output, and
of the options and model that turn one into the other. An output counts as finished only if all three still match; otherwise it is
cleaned again. A line torn by a crash costs one file cleaned twice, never one lost.
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
    """The finished outputs of a folder that one job, identified by its digest, has produced."""

    def __init__(self, file: BinaryIO, folder: Path, job: str, entries: dict[str, dict[str, Any]]) -> None:
        """Set the fields; use `Journal.opened`."""
        self._file, self._folder, self._job, self._entries = file, folder, job, entries

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, job: str, resume: bool) -> Iterator[Journal]:
        """Open and lock the folder's journal: start an empty one, or `resume` it after removing unfinished outputs.

        `job` is the digest of the options and the model.

        Raises:
            InputError: another process has locked the journal.
        """
        path = folder / JOURNAL
        with open(path, "a+b") as file:
            _lock(file, folder)
            if not resume:
                file.truncate(0)
            else:
                remove_stale_files(folder, below=True, locked=True)
            yield cls(file, folder, job, _read(file))

    def finished(self, target: Path, source: str) -> dict[str, Any] | None:
        """Return the outcome recorded for `target` if it is intact and has the same job and `source` digests, else None."""
        entry = self._entries.get(self._name(target))
        if not entry or entry["job"] != self._job or not target.is_file():
            return None
        same = entry["input"] == source and entry["output"] == sha256_of(target)
        return entry["outcome"] if same else None

    def note(self, target: Path, source: str, outcome: dict[str, Any]) -> None:
        """Record that `target` is in place, with what was counted on the way, and force the record to disk."""
        entry = dict(zip(_KEYS, (self._name(target), self._job, source, sha256_of(target), outcome)))
        with error_filename(self._file.name):
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
            force_to_disk(self._file)

    def _name(self, target: Path) -> str:
        return target.relative_to(self._folder).as_posix()


_KEYS = ("name", "job", "input", "output", "outcome")


def _read(file: BinaryIO) -> dict[str, dict[str, Any]]:
    """Return the last entry of each name, and complete a torn last line so that the next entry starts a new one."""
    file.seek(0)
    content = file.read()
    entries: dict[str, dict[str, Any]] = {}
    for line in content.splitlines():
        with suppress(ValueError, TypeError):  # torn by a crash, or foreign: that file is cleaned again
            entry = json.loads(line)
            if set(entry) == set(_KEYS):
                entries[entry["name"]] = entry
    if content and not content.endswith(b"\n"):
        file.write(b"\n")
    return entries


def _lock(file: BinaryIO, folder: Path) -> None:
    """Lock the journal until it is closed, where the system supports locks."""
    with suppress(ImportError, OSError):  # no locks on this system or network file system
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: in use by another tinsach process; let it finish, or choose another --output-dir") from error
