"""Input discovery (files, folders, patterns, standard input, URLs), output addresses, and a check that no output overwrites an input.

A folder, also that of a URL, means every file in and below it with the suffix of a known format (the others are counted); a pattern
(`'crawl/**/*.wet'`), every file it matches. In an output folder, outputs mirror the tree of the inputs.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from classifier.errors import InputError
from classifier.formats.names import format_of, is_known, output_name, with_suffix
from classifier.io.addresses import join
from classifier.io.compression import open_decompressed
from classifier.io.files import OWN, STDIN
from classifier.io.listing import local_files
from classifier.io.urls import file_name, is_url, shown

__all__ = ["Source", "Targets", "find_inputs", "find_sources", "refuse_same_file", "targets_in"]


class Source(NamedTuple):
    """An input and its format."""

    path: str  # or a URL; STDIN for standard input
    format: str
    place: str = ""  # path below the folder or pattern that found it; empty if named directly
    site: str = ""  # of its pages that name none; empty for that of the cleaner

    @property
    def name(self) -> str:
        """Name of the input in messages."""
        return "standard input" if self.path == STDIN else shown(self.path)

    @property
    def target(self) -> str:
        """Path of its output below an output folder."""
        return output_name(self.place or file_name(self.path), self.format)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the input for reading decompressed bytes."""
        return nullcontext(sys.stdin.buffer) if self.path == STDIN else open_decompressed(self.path)


def find_sources(
    paths: Sequence[str], form: str | None, into: str | None = None, ignored: Counter[str] | None = None, unreadable: bool = False
) -> list[Source]:
    """Return the inputs, in the given format or that of their names; accept folders only if outputs go `into` a folder.

    Args:
        paths: files, folders, patterns, or STDIN; URLs of them.
        form: the format of all; None for that of each name.
        into: the output folder, whose files are no inputs.
        ignored: receives the number of files in folders that are no inputs, by kind.
        unreadable: whether files that folders and patterns find are returned even if they cannot be read.

    Raises:
        InputError, OSError: an input is missing, cannot be read, or is a folder or pattern without files.
    """
    find = _Search(form, into, Counter() if ignored is None else ignored, unreadable)
    return [Source(path, form or format_of(file_name(path)), place) for name in paths for path, place in _expand(name, find)]


def find_inputs(paths: Sequence[str], form: str | None) -> list[Source]:
    """Return the inputs of a command that only reads them: as `find_sources`, but folders are always accepted."""
    return find_sources(paths, form, os.devnull)  # a path that no folder contains, so nothing is skipped as an output


class _Search(NamedTuple):
    """The arguments of `find_sources`."""

    form: str | None
    into: str | None
    ignored: Counter[str]
    unreadable: bool

    def found(self, path: str) -> str:
        return path if self.unreadable or is_url(path) else _readable(path)


def _expand(name: str, find: _Search) -> Iterator[tuple[str, str]]:
    """Yield path and place of every input that a name refers to."""
    if is_url(name):
        yield from _expand_url(name, find)
    elif name == STDIN:
        if sys.stdin is None:
            raise InputError("standard input is closed; name a FILE")
        yield name, ""
    elif os.path.isdir(name):
        yield from _walk(name, find)
    elif glob.has_magic(name) and not os.path.lexists(name):
        yield from _matches(name, find)
    else:
        yield _readable(name), ""


def _expand_url(url: str, find: _Search) -> Iterator[tuple[str, str]]:
    """Yield URL and place of every input that a URL refers to; HTTP has no folders and no patterns."""
    from classifier.io import remote

    kind = remote.kind_of(url)
    if kind == "directory":
        yield from _walk(url, find)
    elif kind is None and glob.has_magic(url):
        yield from _matches(url, find)
    else:
        remote.require_file(url)
        yield url, ""


def _readable(path: str) -> str:
    if not os.access(path, os.R_OK):
        os.stat(path)  # raises the precise error, unless only the permission is missing
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return path


def _walk(folder: str, find: _Search) -> Iterator[tuple[str, str]]:
    """Yield the files in and below a folder, sorted by name, except hidden ones and those in the output folder; count the others."""
    if find.into is None:
        advice = f"name the files in it, for example {shown(folder).rstrip('/')}/*.txt, or clean it into an --output-dir"
        raise InputError(f"{shown(folder)}: a folder; {advice}")
    nothing = True
    for path, place in (_remote_files if is_url(folder) else local_files)(folder, find.into):
        if kind := _unknown_kind(path, find.form):
            find.ignored[kind] += 1
            continue
        nothing = False
        yield find.found(path), place
    if nothing:
        what = "no file in it has the name of a known format; name the format with --format" if find.ignored else "there is no file in it"
        raise InputError(f"{shown(folder)}: {what}")


def _remote_files(folder: str, into: str) -> Iterator[tuple[str, str]]:
    from classifier.io import remote

    return ((url, place) for url, place, _ in remote.files_below(folder) if not url.startswith(into.rstrip("/") + "/"))


def _unknown_kind(path: str, form: str | None) -> str:
    """Return what a file in a folder is if it is no input; empty if it is one."""
    if os.path.exists(path) and not os.path.isfile(path):
        return "pipe or device"  # reading it could wait for ever
    if form is not None or is_known(path):
        return ""
    return PurePath(path).suffix.lower() or "without suffix"


def _matches(pattern: str, find: _Search) -> Iterator[tuple[str, str]]:
    """Yield the files that match a pattern, sorted; their places are relative to its last folder without a wildcard."""
    found = list((_remote_matches if is_url(pattern) else _local_matches)(pattern, find.into))
    if not found:
        raise FileNotFoundError(errno.ENOENT, "No such file, and no file matches it as a pattern", shown(pattern))
    for path, place in found:
        yield find.found(path), place


def _local_matches(pattern: str, into: str | None) -> Iterator[tuple[str, str]]:
    parts = PurePath(pattern).parts
    fixed = os.path.join("", *parts[: _fixed(parts)]) or "."
    below = os.path.realpath(into) + os.sep if into else None
    for path in sorted(glob.glob(pattern, recursive=True)):
        if not os.path.isdir(path) and not (below and os.path.realpath(path).startswith(below)):
            yield path, os.path.relpath(path, fixed)


def _remote_matches(pattern: str, into: str | None) -> Iterator[tuple[str, str]]:
    from classifier.io import remote

    parts = pattern.split("/")
    found = remote.matches_of(pattern, "/".join(parts[: _fixed(parts)]))
    return ((url, place) for url, place, _ in found if not (into and url.startswith(into.rstrip("/") + "/")))


def _fixed(parts: Sequence[str]) -> int:
    """Return the number of parts before the first one with a wildcard."""
    return next(count for count, part in enumerate(parts) if glob.has_magic(part))


def targets_in(folder: str, sources: Sequence[Source], suffix: str = "", clashes: bool = False) -> list[str]:
    """Return the address of each input's output in a folder: the same relative path, optionally with another suffix.

    With `clashes`, inputs that folders and patterns find may have the same output, which `Targets` notices later.

    Raises:
        InputError: an input is not a regular file, its output name is reserved, or two inputs have the same output.
    """
    targets = Targets()
    paths = []
    for source in sources:
        if source.path == STDIN or (os.path.exists(source.path) and not os.path.isfile(source.path)):
            raise InputError(f"{source.name}: --output-dir takes files only; leave it out for pipes")
        target = join(folder, with_suffix(source.place or file_name(source.path), suffix) if suffix else source.target)
        if file_name(target).startswith(OWN):
            raise InputError(f"{source.name}: names that begin with {OWN} are reserved for tinsach's own files; rename it")
        if not (clashes and source.place):
            targets.add(target, source)
        paths.append(target)
    return paths


class Targets:
    """The output addresses that are in use."""

    def __init__(self) -> None:
        """Start with none."""
        self._inputs: dict[str, str] = {}

    def add(self, target: str, source: Source) -> None:
        """Use an output address for an input.

        Raises:
            InputError: another input has it.
        """
        if target in self._inputs:
            raise InputError(f"{source.name}: would have the same output as {self._inputs[target]}; name different folders for them")
        self._inputs[target] = source.name


def refuse_same_file(inputs: Iterable[Source], outputs: Iterable[str | Path]) -> None:
    """Raise InputError if an output is also an input, or if two outputs are the same file, under whatever names."""
    seen: dict[object, str] = {}
    for source in inputs:
        identity = _stream_identity(sys.stdin) if source.path == STDIN else _identity(source.path)
        seen.setdefault(identity, f"the input {source.name}")
    named = [(_identity(path), shown(str(path))) for path in outputs]
    for identity, name in (*named, (_stream_identity(sys.stdout), "standard output")):
        if identity is not None and identity in seen:
            raise InputError(f"{name}: the same file as {seen[identity]}; write to another file")
        seen[identity] = f"the output {name}"


def _identity(path: str | Path) -> object:
    """Return the identity of a file: device and inode; its real path if it does not exist; None for a device; a URL is its own."""
    if is_url(path):
        return path
    try:
        return _status_identity(os.stat(os.path.realpath(path)))  # also of `missing/../page.txt`, which the system does not resolve
    except OSError:
        return os.path.realpath(path)


def _stream_identity(stream: object) -> object:
    try:
        return _status_identity(os.fstat(stream.fileno()))  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # closed, or not backed by a file
        return None


def _status_identity(status: os.stat_result) -> object:
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
