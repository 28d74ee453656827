"""Listing of the files below a folder, a path or URL; hidden files and folders are passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from classifier.io.urls import is_url

__all__ = ["FileEntry", "files_below", "local_files"]


class FileEntry(NamedTuple):
    """A file as a listing shows it."""

    path: str  # or a URL
    size: int  # 0 if an HTTP server does not tell it
    changed: int | str  # nanoseconds; of an object, a digest of what its storage tells of it, such as ETag and time


def files_below(folder: str, hidden: tuple[str, ...] = (".",)) -> list[FileEntry]:
    """Return the files in and below a folder, except those with a `hidden` name in their path; of a file, itself; of nothing, none."""
    if is_url(folder):
        from classifier.io import remote

        found = remote.files_below(folder, hidden)
        return [FileEntry(url, info.get("size") or 0, remote.version_in(info)) for url, _, info in found]
    if not os.path.isdir(folder):
        return [_entry(folder)] if os.path.isfile(folder) else []
    paths = (path for path, _ in local_files(folder, os.devnull, hidden))
    return [_entry(path) for path in paths if os.path.isfile(path) or not os.path.exists(path)]  # no pipes; a broken link is an error


def _entry(path: str) -> FileEntry:
    status = os.stat(path)
    return FileEntry(path, status.st_size, status.st_mtime_ns)


def local_files(folder: str, into: str, hidden: tuple[str, ...] = (".",)) -> Iterator[tuple[str, str]]:
    """Yield path and relative path of files in and below a folder, sorted by name, but none in the folder `into`.

    Links to folders are followed; a folder that is reached in two ways is listed once, so links may form circles.
    """
    seen = {os.path.realpath(into), os.path.realpath(folder)}
    for here, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(hidden) and _is_new(os.path.join(here, name), seen))
        for name in sorted(name for name in files if not name.startswith(hidden)):
            path = os.path.join(here, name)
            yield path, os.path.relpath(path, folder)


def _is_new(folder: str, seen: set[str]) -> bool:
    """Return whether a folder has not been `seen`, and add it."""
    real = os.path.realpath(folder)
    new = real not in seen
    seen.add(real)
    return new


def _raise(error: OSError) -> None:
    raise error
