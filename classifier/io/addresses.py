"""File addresses: paths of this machine and URLs of other storage (`s3://bucket/crawl.warc.gz`), behind one set of functions.

A path goes to the operating system, as ever; a URL goes to fsspec (`remote`), which is imported for URLs only.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePath
from typing import BinaryIO

from classifier.errors import InputError
from classifier.io.urls import is_http, is_url, shown

__all__ = [
    "digest_of", "exists", "join", "make_folder", "make_parent", "open_binary", "read", "remove", "require_folder", "require_writable",
    "sha256_of",
]  # fmt: skip


def join(folder: str, relative: str) -> str:
    """Return the address of a file below a folder, given its path there.

    >>> join("s3://clean/2025/", "a/page.txt"), join("clean/", "a/page.txt")
    ('s3://clean/2025/a/page.txt', 'clean/a/page.txt')
    """
    if is_url(folder):
        return f"{folder.rstrip('/')}/{PurePath(relative).as_posix()}"
    return str(Path(folder) / relative)


def open_binary(address: str) -> BinaryIO:
    """Open a file for reading its bytes."""
    if is_url(address):
        from classifier.io import remote

        return remote.open_for_reading(address)
    return open(address, "rb")


def exists(address: str) -> bool:
    """Return whether there is a file or a folder."""
    if is_url(address):
        from classifier.io import remote

        return remote.kind_of(address) is not None
    return os.path.exists(address)


def read(address: str) -> bytes:
    """Return the content of a small file."""
    if is_url(address):
        from classifier.io import remote

        return remote.read(address)
    return Path(address).read_bytes()


def remove(address: str) -> None:
    """Remove a file, if it is there."""
    if is_url(address):
        from classifier.io import remote

        remote.remove(address)
    else:
        Path(address).unlink(missing_ok=True)


def require_writable(address: str) -> None:
    """Raise InputError if an address can only be read."""
    if is_http(address):
        raise InputError(f"{shown(address)}: HTTP is read only; write to a file or to an object store")


def require_folder(address: str) -> None:
    """Raise InputError if a folder for outputs is something else."""
    if not is_url(address) and os.path.exists(address) and not os.path.isdir(address):
        raise InputError(f"{address}: not a folder; name another --output-dir")


def make_folder(address: str) -> None:
    """Create a folder for outputs if there is none; an object store has none.

    Raises:
        InputError: it is something else.
        OSError: it cannot be created, for example since its parent is missing.
    """
    require_folder(address)
    if not is_url(address):
        Path(address).mkdir(exist_ok=True)


def make_parent(address: str) -> None:
    """Make the folders above a file; an object store has none, and what has some makes them when it writes."""
    if not is_url(address):
        Path(address).parent.mkdir(parents=True, exist_ok=True)


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open_binary(str(path)) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def digest_of(address: str) -> str:
    """Return what changes when a file does: the SHA-256 of its bytes; of an object, that of its size, ETag and time, which cost no reading.

    An HTTP server need not tell such things: what it serves is read.
    """
    if is_url(address):
        from classifier.io import remote

        if (version := remote.version_of(address)) is not None:
            return version
    return sha256_of(address)
