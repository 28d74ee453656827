"""Uploads that appear whole or not at all.

An object store is told to complete an upload at its end, or to forget it. Other storage shows what is being written: there it is a
scratch file, renamed at the end. A killed process leaves parts of an upload in an object store, which nobody sees, but which are
paid for until a rule of the bucket removes them (docs/SCALE.md).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, BinaryIO, cast

from classifier.io.addresses import require_writable
from classifier.io.remote import info_of
from classifier.io.storage import OBJECT_STORES, open_storage, os_error, retried
from classifier.io.urls import protocol_of

__all__ = ["uploading"]

PART = 16 << 20  # bytes of a part of an upload; S3 takes 10,000 of them


@contextmanager
def uploading(url: str, scratch_name: str) -> Iterator[BinaryIO]:
    """Open an object for writing that appears when the block ends without an exception; nothing of it stays otherwise.

    `scratch_name` is the name of an unfinished file, for storage that shows what is being written.
    """
    require_writable(url)
    storage, path = open_storage(url)
    in_place = protocol_of(url) in OBJECT_STORES
    folder = path.rpartition("/")[0]
    written = path if in_place else f"{folder}/{scratch_name}"
    if in_place:
        _require_bucket(f"{protocol_of(url)}://{path.partition('/')[0]}")
    else:
        retried(lambda: storage.makedirs(folder, exist_ok=True), url)
    upload = _Upload(retried(lambda: storage.open(written, "wb", block_size=PART), url), url)
    try:
        yield cast(BinaryIO, upload)
        upload.finish()
        if not in_place:
            retried(lambda: storage.mv(written, path), url)
    except BaseException:
        with suppress(Exception):  # the storage may be what has failed; an object store shows nothing of an unfinished upload
            upload.abandon()
            if not in_place:
                storage.rm(written)
        raise


@lru_cache(maxsize=64)
def _require_bucket(bucket: str) -> None:
    """Raise an OSError if there is no such bucket, before hours of work for it; one that may only be written to is taken as it is."""
    with suppress(PermissionError):
        info_of(bucket)


class _Upload(io.RawIOBase):
    """Upload whose errors name its address; it is finished or abandoned, and closing it alone does neither."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._call(self._file.write, data)
        return len(data)

    def finish(self) -> None:
        """Send what is left, and complete the upload."""
        self._call(self._file.close)

    def abandon(self) -> None:
        """Discard the upload, if it can be, or close the scratch file."""
        if not isinstance(self._file, _buffered_file()):
            self._file.close()
            return
        self._file.closed = True  # or fsspec completes the upload when it collects the file
        self._file.discard()

    def _call(self, method: Callable[..., object], *args: object) -> None:
        try:
            method(*args)
        except Exception as error:  # as in `retried`; the library has repeated the request, and a part must not be sent twice
            raise os_error(error, self._url) from error


def _buffered_file() -> Any:
    """Return the class of files that fsspec uploads by parts."""
    from fsspec.spec import AbstractBufferedFile

    return AbstractBufferedFile
