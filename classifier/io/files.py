"""Atomic output files, and OS errors that name their file.

An output is written to a scratch file in its own folder, compressed if its suffix says so, synced to disk and renamed. Devices
and pipes are written directly, since a rename would replace them; URLs are uploads (`upload`).
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from classifier.errors import InputError, OutputError
from classifier.io.addresses import make_parent
from classifier.io.compression import compressing
from classifier.io.urls import file_name, is_url, shown

__all__ = [
    "OWN",
    "SCRATCH",
    "STDIN",
    "Buffer",
    "Sink",
    "atomic_write",
    "atomic_write_if",
    "error_filename",
    "force_to_disk",
    "os_error_message",
    "remove_stale_files",
    "standard_output",
    "write_file",
]

OWN = ".tinsach-"  # name prefix of tinsach's own files
SCRATCH = OWN + "tmp-"  # name prefix of unfinished outputs
STDIN = "-"
_ADVICE = {
    errno.ENOSPC: "make room and run it again",
    errno.EDQUOT: "make room and run it again",
    errno.EFBIG: "write to a place that allows files of this size",
    errno.EIO: "the disk reports an error; write to another one",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ETIMEDOUT: "run it again, with --resume where there is an --output-dir",
    errno.ESTALE: "run it again when it is complete",
}


def os_error_message(error: OSError) -> str:
    """Return one line that names the file, the error and what to do about it."""
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}; {_ADVICE.get(error.errno or 0, 'check the path and its permissions')}"


# -- outputs -------------------------------------------------------------------------------------------------------------


class Sink:
    """Output file whose write errors carry its name."""

    def __init__(self, file: BinaryIO, name: str, live: bool = False) -> None:
        """Write to `file`; if `live`, flush after every write, since somebody may be reading along."""
        self._file, self._name, self._live = file, name, live

    def write(self, data: bytes) -> None:
        """Write bytes; an OSError carries the name of the file."""
        with error_filename(self._name):
            self._file.write(data)
            if self._live:
                self._file.flush()


class Buffer(Sink):
    """Output in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "memory")

    @property
    def data(self) -> bytes:
        """The bytes written so far."""
        return self._bytes.getvalue()


@contextmanager
def error_filename(name: str, instead: bool = False) -> Iterator[None]:
    """Set the file name of an OSError that has none; with `instead`, also replace one that the user does not know."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and not instead):
            raise
        raise OSError(error.errno, error.strerror, name) from error


def standard_output() -> Sink:
    """Return standard output as a live sink."""
    if sys.stdout is None:
        raise InputError("standard output is closed; name a file with --output")
    return Sink(sys.stdout.buffer, "standard output", live=True)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Sink]:
    """Open a file for writing that appears under its name only when it is complete and on disk."""
    if is_url(path):
        with _upload(str(path)) as sink:
            yield sink
        return
    name, target = str(path), Path(os.path.realpath(path))
    if os.path.isdir(path):
        raise OutputError(f"{name}: a folder; name a file to write")
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe: a rename would replace it
        with error_filename(name), open(path, "wb") as device, _compressed(device, name) as file:
            yield Sink(file, name, live=True)
        return
    if not target.parent.is_dir():
        raise OutputError(f"{name}: there is no folder {target.parent}; make it first")
    scratch = target.with_name(_scratch_name())  # bound before it is created, for the except clause
    try:
        with error_filename(name, instead=True):
            file = open(scratch, "xb", buffering=1 << 16)  # noqa: SIM115 - closed below, where closing may fail
        try:
            _copy_mode(target, scratch)
            with _compressed(file, name) as compressor:
                yield Sink(compressor, name)
            with error_filename(name):
                file.flush()
                force_to_disk(file)
        finally:
            with suppress(OSError):  # closing flushes the buffer, which fails again on a full disk
                file.close()
        with error_filename(name, instead=True):
            os.replace(scratch, target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def write_file(path: str, data: bytes) -> None:
    """Write a whole file as `atomic_write` does, and the folders above it."""
    make_parent(path)
    with atomic_write(path) as sink:
        sink.write(data)


def _scratch_name() -> str:
    return f"{SCRATCH}{os.getpid()}-{os.urandom(4).hex()}"


@contextmanager
def _upload(url: str) -> Iterator[Sink]:
    """Open an object for writing, as `atomic_write` opens a file."""
    from classifier.io.upload import uploading

    with uploading(url, _scratch_name()) as upload, _compressed(upload, file_name(url)) as compressor:
        yield Sink(compressor, shown(url))


class _Unwanted(Exception):
    """What was written is discarded."""


@contextmanager
def atomic_write_if(path: str | Path, wanted: Callable[[], bool]) -> Iterator[Sink]:
    """Open a file as `atomic_write` does; it appears only if it is `wanted` when it is complete."""
    with suppress(_Unwanted), atomic_write(path) as sink:
        yield sink
        if not wanted():
            raise _Unwanted


@contextmanager
def _compressed(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Compress what is written to `file` by the suffix of `name`; close the compressor, not the file."""
    compressor = compressing(file, name)
    try:
        yield compressor
        if compressor is not file:
            with error_filename(name):
                compressor.close()
    except BaseException:
        if compressor is not file:
            with suppress(OSError):  # its data is discarded; left open, it would write to the closed file when garbage-collected
                compressor.close()
        raise


def force_to_disk(file: BinaryIO) -> None:
    """Sync a file to disk (fsync); does nothing where the file system does not support it."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise


def _copy_mode(target: Path, scratch: Path) -> None:
    """Give the scratch file the permissions of an existing target; a new file keeps those of the umask."""
    with suppress(FileNotFoundError):
        os.chmod(scratch, stat.S_IMODE(target.stat().st_mode))


def remove_stale_files(folder: str | Path, *, below: bool = False, locked: bool = False) -> None:
    """Remove unfinished outputs of dead processes in a folder, and `below` it; of all processes if no other can write here (`locked`).

    Does nothing at a URL, where processes of other machines cannot be told from dead ones.
    """
    if is_url(folder):
        return
    for scratch in (Path(folder).rglob if below else Path(folder).glob)(SCRATCH + "*"):
        if locked or not _is_alive(scratch.name[len(SCRATCH) :].partition("-")[0]):
            scratch.unlink(missing_ok=True)


def _is_alive(process: str) -> bool:
    if os.name == "nt":  # there, signal 0 is CTRL_C_EVENT and interrupts the process
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:  # it belongs to another user
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Sync a rename to disk, where the platform can open and sync folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
