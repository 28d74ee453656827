"""Resume journal: the finished outputs of a folder job, so that an interrupted run can continue.

The journal lies in the output folder. It gets an entry after each output is in place: digests of the input, of the output, and of the
options and model that turn one into the other. An output counts as finished only if all three still match; otherwise it is cleaned
again. In a local folder the entries are lines of a file; a line torn by a crash costs one file cleaned twice, never one lost. An
object store cannot append to an object, so there each entry is a small object: it is written in one request, whole or not at all,
and no entry is ever written again for the sake of another. Two jobs in one folder are refused locally; a URL has no locks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from classifier.errors import InputError
from classifier.io.addresses import digest_of, exists, join
from classifier.io.files import error_filename, force_to_disk, remove_stale_files
from classifier.io.urls import is_url

__all__ = ["JOURNAL", "REMOTE_JOURNAL", "Journal"]

JOURNAL = ".tinsach-resume.jsonl"
REMOTE_JOURNAL = ".tinsach-resume"  # a folder with an object NAME.json for each output NAME

Entry = dict[str, Any]
Log = tuple[list[bytes], Callable[[str, bytes], None]]  # entries that are there; a function that adds one for an output


class Journal:
    """The finished outputs of a folder that one job, identified by its digest, has produced."""

    def __init__(self, folder: str, job: str, entries: dict[str, Entry], add: Callable[[str, bytes], None]) -> None:
        """Set the fields; use `Journal.opened`."""
        self._folder, self._job, self._entries, self._add = folder, job, entries, add

    @classmethod
    @contextmanager
    def opened(cls, folder: str, job: str, resume: bool) -> Iterator[Journal]:
        """Open the journal of a folder, a path or URL: start an empty one, or `resume` it after removing unfinished outputs.

        `job` is the digest of the options and the model.

        Raises:
            InputError: another process has locked the journal.
        """
        log: AbstractContextManager[Log] = _objects(folder, resume) if is_url(folder) else _lines(Path(folder), resume)
        with log as (lines, add):
            yield cls(folder, job, _parsed(lines), add)

    def finished(self, name: str, source: str) -> Entry | None:
        """Return the outcome recorded for an output if it is intact and has the same job and `source` digests, else None."""
        entry, target = self._entries.get(Path(name).as_posix()), join(self._folder, name)
        if not entry or entry["job"] != self._job or entry["input"] != source or not exists(target):
            return None
        return entry["outcome"] if entry["output"] == digest_of(target) else None

    def note(self, name: str, source: str, outcome: Entry) -> None:
        """Record durably that an output is in place, with what was counted on the way."""
        name = Path(name).as_posix()
        entry = dict(zip(_KEYS, (name, self._job, source, digest_of(join(self._folder, name)), outcome)))
        self._add(name, json.dumps(entry).encode() + b"\n")


_KEYS = ("name", "job", "input", "output", "outcome")


def _parsed(lines: Iterable[bytes]) -> dict[str, Entry]:
    """Return the last entry of each name."""
    entries: dict[str, Entry] = {}
    for line in lines:
        with suppress(ValueError, TypeError):  # torn by a crash, or foreign: that file is cleaned again
            entry = json.loads(line)
            if set(entry) == set(_KEYS):
                entries[entry["name"]] = entry
    return entries


# -- objects -------------------------------------------------------------------------------------------------------------------


@contextmanager
def _objects(folder: str, resume: bool) -> Iterator[Log]:
    """Open the journal of a URL."""
    from classifier.io import remote

    place = join(folder, REMOTE_JOURNAL)
    if not resume:
        remote.remove_below(place)
    yield remote.read_small(place), lambda name, data: remote.write_small(join(place, f"{name}.json"), data)


# -- lines of a file -----------------------------------------------------------------------------------------------------------


@contextmanager
def _lines(folder: Path, resume: bool) -> Iterator[Log]:
    """Open and lock the journal of a local folder, which is made if it is missing."""
    folder.mkdir(exist_ok=True)
    with open(folder / JOURNAL, "a+b") as file:
        _lock(file, folder)
        if not resume:
            file.truncate(0)
        else:
            remove_stale_files(folder, below=True, locked=True)
        yield _read(file), lambda name, data: _append(file, data)


def _append(file: BinaryIO, data: bytes) -> None:
    with error_filename(file.name):
        file.write(data)
        file.flush()
        force_to_disk(file)


def _read(file: BinaryIO) -> list[bytes]:
    """Return the lines, and complete a torn last one so that the next entry starts a new one."""
    file.seek(0)
    content = file.read()
    if content and not content.endswith(b"\n"):
        file.write(b"\n")
    return content.splitlines()


def _lock(file: BinaryIO, folder: Path) -> None:
    """Lock the journal until it is closed, where the system supports locks."""
    with suppress(ImportError, OSError):  # no locks on this system or network file system
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: in use by another tinsach process; let it finish, or choose another --output-dir") from error
