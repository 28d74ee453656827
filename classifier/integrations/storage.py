"""File systems and object stores through pyarrow: files of a folder, and outputs that appear whole or not at all.

Takes paths and the addresses that pyarrow knows (`s3://`, `gs://`, `abfs://`, `hdfs://`); others go to fsspec, if it is installed.
Credentials are those that the libraries find in the environment of each machine.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple, cast
from uuid import uuid4

from classifier.errors import InputError
from classifier.io.files import Sink

__all__ = ["FileEntry", "Folder", "Output", "compression_of", "damage_named", "file_system", "folder_at"]

SCRATCH = "_tinsach/scratch"  # below an output folder: unfinished outputs
_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
_ALIASES = {"s3a": "s3", "s3n": "s3"}  # Hadoop's names
_DAMAGED = re.compile(r"Truncated compressed stream|zlib|ZSTD|bz2|LZ4", re.IGNORECASE)  # begins the messages of pyarrow's codecs


class FileEntry(NamedTuple):
    """A file as a listing shows it; the time is 0 where the file system has none."""

    path: str
    size: int
    changed: int  # nanoseconds

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@lru_cache(maxsize=8)
def file_system(address: str) -> tuple[Any, str]:
    """Return the pyarrow file system of a path or an address, and the path on it.

    Raises:
        InputError: no library knows the address.
    """
    import pyarrow
    from pyarrow import fs

    scheme, separator, rest = address.partition("://")
    if not separator:
        return fs.LocalFileSystem(), os.path.abspath(address).replace(os.sep, "/")
    scheme = _ALIASES.get(scheme, scheme)
    try:
        return fs.FileSystem.from_uri(f"{scheme}://{rest}")
    except pyarrow.ArrowInvalid as unknown:
        try:
            return fs.FileSystem.from_uri(f"fsspec+{scheme}://{rest}")
        except (pyarrow.ArrowException, ImportError, ValueError) as error:
            what = f"neither pyarrow ({unknown}) nor fsspec ({error}) opens it"
            raise InputError(f"{address}: {what}; correct the address, or install the library that does") from error


def compression_of(path: str) -> str | None:
    """Return pyarrow's name of the compression that a file name shows, if any.

    >>> compression_of("crawl/2025.jsonl.GZ"), compression_of("crawl.jsonl")
    ('gzip', None)
    """
    return _CODECS.get(os.path.splitext(path)[1].lower())


@lru_cache(maxsize=8)
def folder_at(address: str) -> Folder:
    """Return the folder at a path or address; a process opens each once."""
    return Folder(address)


class Folder:
    """Files in and below a folder, by their relative names."""

    def __init__(self, address: str) -> None:
        """Open the file system; the folder need not exist."""
        self.address = address
        self._system, self._root = file_system(address)

    def files(self, below: str = "") -> list[FileEntry]:
        """Return the files in and below a folder, in order of their paths; of a file, itself; without hidden ones."""
        from pyarrow import fs

        root = self._path(below).rstrip("/")
        info = self._system.get_file_info(root)
        found = [info]
        if info.type != fs.FileType.File:
            found = self._system.get_file_info(fs.FileSelector(root, allow_not_found=True, recursive=True))
        entries = [FileEntry(one.path, one.size or 0, one.mtime_ns or 0) for one in found if one.type == fs.FileType.File]
        return sorted(entry for entry in entries if not _is_hidden(entry.path[len(root) :]))

    def exists(self, name: str = "") -> bool:
        """Return whether there is such a file or folder; by default, the folder itself."""
        from pyarrow import fs

        return bool(self._system.get_file_info(self._path(name).rstrip("/")).type != fs.FileType.NotFound)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with self._system.open_input_stream(self._path(name), compression=None) as file:
            return bytes(file.read())

    def write(self, name: str, data: bytes) -> None:
        """Write a file, which appears whole."""
        with self.output(name) as out:
            out.write(data)

    @contextmanager
    def output(self, name: str, always: bool = True) -> Iterator[Output]:
        """Open a file for writing, which appears when it is complete, or replaces one; unless `always`, only if something was written.

        It is written to a scratch file and moved, which replaces a file in one step, or copies one within an object store.
        """
        scratch = f"{SCRATCH}/{uuid4().hex}"
        out = Output(self._opened, scratch, f"{self.address}/{name}")
        try:
            yield out
            if always:
                out.write(b"")
            if out.close():
                self._make_room(name)
                self._system.move(self._path(scratch), self._path(name))
        except BaseException:
            if out.close():
                self._system.delete_file(self._path(scratch))
            raise

    def delete(self, name: str) -> None:
        """Delete a file or a folder, if it is there."""
        from pyarrow import fs

        kind = self._system.get_file_info(self._path(name)).type
        if kind == fs.FileType.Directory:
            self._system.delete_dir(self._path(name))
        elif kind == fs.FileType.File:
            self._system.delete_file(self._path(name))

    def _opened(self, name: str) -> BinaryIO:
        self._make_room(name)
        return cast(BinaryIO, self._system.open_output_stream(self._path(name), compression=None))

    def _make_room(self, name: str) -> None:
        self._system.create_dir(self._path(name).rpartition("/")[0], recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


class Output(Sink):
    """Output that opens its file at the first write, and keeps the size and the digest of what it wrote."""

    def __init__(self, opener: Any, scratch: str, name: str) -> None:
        """Write to the file that `opener` opens under the name `scratch`; `name` is for messages."""
        self._opener, self._scratch, self._stream = opener, scratch, None
        self._name, self._live = name, False
        self.bytes, self._digest = 0, hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Write bytes; an OSError carries the name of the file."""
        if self._stream is None:
            self._stream = self._file = self._opener(self._scratch)
        self.bytes += len(data)
        self._digest.update(data)
        super().write(data)

    def close(self) -> bool:
        """Close the file; return whether there is one."""
        if self._stream is not None:
            self._stream.close()
        return self._stream is not None


def _is_hidden(relative: str) -> bool:
    """Return whether a part of a path marks files that are no data, as Hadoop does: `_SUCCESS`, `.part.crc`."""
    return any(part.startswith(("_", ".")) for part in relative.split("/"))


@contextmanager
def damage_named(path: str) -> Iterator[None]:
    """Turn the error of a codec into one that says that the file is damaged, unlike a connection that broke."""
    try:
        yield
    except OSError as error:
        if not _DAMAGED.match(str(error)):
            raise
        raise InputError(f"{path}: damaged or cut ({error}); download or create it again") from error
