"""Files on disk: outputs that appear whole or not at all, and mistakes with names, refused before anything is read.

An output is written under a scratch name beside its place, packed if its name says so (`compression`), forced to disk and
renamed. Devices and pipes cannot be renamed over: they are written as they are. What it leaves out: what is in the files, and
how inputs are found (`sources`).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from classifier.errors import InputError
from classifier.io.compression import compressing

__all__ = [
    "OWN",
    "SCRATCH",
    "STDIN",
    "Sink",
    "atomic_write",
    "error_filename",
    "force_to_disk",
    "os_error_message",
    "remove_stale_files",
    "sha256_of",
    "standard_output",
]

OWN = ".tinsach-"
SCRATCH = OWN + "tmp-"  # how the names of unfinished files begin
STDIN = "-"
_ADVICE = {
    errno.ENOSPC: "make room and run it again",
    errno.EDQUOT: "make room and run it again",
    errno.EFBIG: "write to a place that takes files of this size",
    errno.EIO: "the disk reports a fault; write to another one",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def os_error_message(error: OSError) -> str:
    """Return in one line what went wrong with which file, and what to do."""
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}; {_ADVICE.get(error.errno or 0, 'check the path and its permissions')}"


def sha256_of(path: str | Path) -> str:
    """Return the digest of a file's bytes, in hexadecimal."""
    import hashlib  # OpenSSL takes a while to load, and most calls need no digests

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


# -- outputs -------------------------------------------------------------------------------------------------------------


class Sink:
    """Where bytes go: a file whose name an error carries."""

    def __init__(self, file: BinaryIO, name: str, live: bool = False) -> None:
        """Write to `file`; at once, if it is `live`, since somebody may be reading along."""
        self._file, self._name, self._live = file, name, live

    def write(self, data: bytes) -> None:
        """Write bytes; an OSError names the file."""
        with error_filename(self._name):
            self._file.write(data)
            if self._live:
                self._file.flush()


@contextmanager
def error_filename(name: str, instead: bool = False) -> Iterator[None]:
    """Let an OSError that names no file name this one; or `instead` of a name that means nothing to the user."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and not instead):
            raise
        raise OSError(error.errno, error.strerror, name) from error


def standard_output() -> Sink:
    """Return standard output, written as it comes."""
    if sys.stdout is None:
        raise InputError("standard output is closed; name a file with --output")
    return Sink(sys.stdout.buffer, "standard output", live=True)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Sink]:
    """Open a file for writing that appears under its name only when it is complete and on the disk."""
    name, target = str(path), Path(os.path.realpath(path))
    if os.path.isdir(path):
        raise InputError(f"{name}: a folder; name a file to write")
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe; a rename would replace /dev/null
        with error_filename(name), open(path, "wb") as device, _packing(device, name) as file:
            yield Sink(file, name, live=True)
        return
    if not target.parent.is_dir():
        raise InputError(f"{name}: there is no folder {target.parent}; make it first")
    scratch = target.with_name(f"{SCRATCH}{os.getpid()}-{os.urandom(4).hex()}")  # known before it is made: see the except
    try:
        with error_filename(name, instead=True):
            file = open(scratch, "xb", buffering=1 << 16)  # noqa: SIM115 - closed below, where closing may fail
        try:
            _copy_mode(target, scratch)
            with _packing(file, name) as packing:
                yield Sink(packing, name)
            with error_filename(name):
                file.flush()
                force_to_disk(file)
        finally:
            with suppress(OSError):  # closing writes what is left, and on a full disk fails again
                file.close()
        with error_filename(name, instead=True):
            os.replace(scratch, target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextmanager
def _packing(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Let what is written be packed as the name says."""
    packing = compressing(file, name)
    try:
        yield packing
        if packing is not file:
            with error_filename(name):
                packing.close()
    except BaseException:
        if packing is not file:
            with suppress(OSError):  # nobody wants what is left, but unclosed it would be written when there is no file any more
                packing.close()
        raise


def force_to_disk(file: BinaryIO) -> None:
    """Wait until what was written is on the disk; where there is no such thing, do without."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise


def _copy_mode(target: Path, scratch: Path) -> None:
    """Make the scratch file as readable for others as its target is; else it is what the umask says."""
    with suppress(FileNotFoundError):
        os.chmod(scratch, stat.S_IMODE(target.stat().st_mode))


def remove_stale_files(folder: Path, alone: bool) -> None:
    """Remove what killed runs left unfinished: `alone` in a folder, all of it there and below; else only that of dead processes."""
    for scratch in folder.rglob(SCRATCH + "*") if alone else folder.glob(SCRATCH + "*"):
        if alone or not _is_alive(scratch.name[len(SCRATCH) :].partition("-")[0]):
            scratch.unlink(missing_ok=True)


def _is_alive(process: str) -> bool:
    if os.name == "nt":  # there, the signal 0 would be the end of it
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Force a rename to disk, where folders can be opened and synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# -- the same file twice -------------------------------------------------------------------------------------------------


class _Input(Protocol):
    """What is asked of an input here; `sources.Source` is one."""

    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...
