"""Remote files: what is there, listed and read by ranges, and small objects written; see `upload` for outputs.

Reads are ranges of one version of an object, each repeated when it fails in passing.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, cast

from classifier.io.storage import open_storage, os_error, retried
from classifier.io.urls import is_http, shown

__all__ = [
    "files_below", "info_of", "kind_of", "matches_of", "open_for_reading", "read", "read_small", "remove", "remove_below", "require_file",
    "version_in", "version_of", "write_small",
]  # fmt: skip

Found = tuple[str, str, dict[str, Any]]  # the address of a file, its path below the folder, and what the storage tells of it

BLOCK, BLOCKS = 2 << 20, 32  # bytes of a range, and ranges kept: Parquet reads its columns side by side


def kind_of(url: str) -> str | None:
    """Return "file", "directory", or None if there is nothing at an address; HTTP has files only."""
    if is_http(url):
        return "file"
    try:
        return str(info_of(url)["type"])
    except FileNotFoundError:
        return None


def require_file(url: str) -> None:
    """Raise an OSError unless there is a file at an address that may be read."""
    if is_http(url):
        open_for_reading(url).close()  # some servers answer a HEAD with an error
    else:
        info_of(url)


def info_of(url: str) -> dict[str, Any]:
    """Return what the storage tells of a file or folder."""
    storage, path = open_storage(url)
    return retried(lambda: storage.info(path), url)


def version_of(url: str) -> str | None:
    """Return a digest of what the storage tells of an object: size, ETag, time; None for HTTP, where it need not tell anything."""
    return None if is_http(url) else version_in(info_of(url))


def version_in(info: dict[str, Any]) -> str:
    """Return a digest of what the storage tells of an object."""
    return hashlib.sha256(repr(sorted(info.items())).encode()).hexdigest()


# -- listing -------------------------------------------------------------------------------------------------------------------


def files_below(folder: str, hidden: tuple[str, ...] = (".",)) -> list[Found]:
    """Return the files below a folder, except `hidden` ones, in the order of a walk through local folders; of a file, itself."""
    if is_http(folder):
        return [(folder, "", info_of(folder))]
    storage, path = open_storage(folder)
    found = retried(lambda: storage.find(path, detail=True), folder)
    if list(found) == [path]:
        return [(folder, "", found[path])]
    return sorted(_located(found, path, folder, hidden), key=_order_of_walk)


def matches_of(pattern: str, fixed: str) -> list[Found]:
    """Return the files that match a pattern, with their paths below `fixed`, the folder at its beginning."""
    storage, path = open_storage(pattern)
    found = retried(lambda: storage.glob(path, detail=True), pattern)
    files = {name: info for name, info in found.items() if info["type"] == "file"}
    return sorted(_located(files, open_storage(fixed)[1], fixed, (".",)))


def _located(files: dict[str, dict[str, Any]], root: str, url: str, hidden: tuple[str, ...]) -> Iterator[Found]:
    """Yield the files below a folder, except hidden ones and the markers of empty folders."""
    for path, info in files.items():
        relative = path[len(root) :].lstrip("/")
        if relative and not relative.endswith("/") and not any(part.startswith(hidden) for part in relative.split("/")):
            yield f"{url.rstrip('/')}/{relative}", relative, info


def _order_of_walk(found: Found) -> list[tuple[bool, str]]:
    *folders, name = found[1].split("/")
    return [*((True, folder) for folder in folders), (False, name)]


# -- reading -------------------------------------------------------------------------------------------------------------------


def open_for_reading(url: str) -> BinaryIO:
    """Open an object for reading its bytes; seekable, unless the server serves no ranges."""
    return cast(BinaryIO, io.BufferedReader(_RemoteFile(url), 1 << 16))


class _RemoteFile(io.RawIOBase):
    """Raw stream of an object, read by ranges that are repeated when they fail in passing."""

    def __init__(self, url: str) -> None:
        self._url = url
        storage, path = open_storage(url)
        options = {"block_size": BLOCK, "cache_type": "blockcache", "cache_options": {"maxblocks": BLOCKS}}
        self._file: Any = retried(lambda: storage.open(path, "rb", **options), url)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = self._file.seek(offset, whence)
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = retried(lambda: self._read(len(buffer)), self._url) if self.seekable() else self._stream(len(buffer))
        size = getattr(self._file, "size", None)
        if not data and len(buffer) and size and self._position < size:
            raise OSError(errno.ESTALE, f"ends after {self._position} of {size} bytes", shown(self._url))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        self._file.seek(self._position)
        return cast(bytes, self._file.read(size))

    def _stream(self, size: int) -> bytes:
        try:
            return cast(bytes, self._file.read(size))
        except Exception as error:  # as in `retried`
            raise os_error(error, self._url) from error

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


# -- small objects -------------------------------------------------------------------------------------------------------------


def read(url: str) -> bytes:
    """Return the content of an object."""
    storage, path = open_storage(url)
    return retried(lambda: cast(bytes, storage.cat_file(path)), url)


def remove(url: str) -> None:
    """Remove an object, if it is there."""
    storage, path = open_storage(url)
    with suppress(FileNotFoundError):
        retried(lambda: storage.rm_file(path), url)


def write_small(url: str, data: bytes) -> None:
    """Write a small object in one request."""
    storage, path = open_storage(url)
    retried(lambda: storage.pipe_file(path, data), url)


def read_small(folder: str) -> list[bytes]:
    """Return the contents of all objects below a folder, requested together; none if there is no such folder."""
    storage, path = open_storage(folder)
    names = _found(storage, path, folder)
    return list(retried(lambda: storage.cat(names), folder).values()) if names else []


def remove_below(folder: str) -> None:
    """Remove all objects below a folder, if there are any."""
    storage, path = open_storage(folder)
    if names := _found(storage, path, folder):
        retried(lambda: storage.rm(names), folder)


def _found(storage: Any, path: str, folder: str) -> list[str]:
    try:
        return retried(lambda: list(storage.find(path)), folder)
    except FileNotFoundError:  # object stores return an empty list instead
        return []
