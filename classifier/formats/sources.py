"""Where inputs come from: files, folders, patterns and standard input; and the place of each one's output in a folder.

A folder stands for every file in it and below whose name says that it is in a known format; a pattern (`'crawl/**/*.wet'`) for
what it fits. Outputs mirror the tree below. What it leaves out: what is in the files.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from classifier.errors import InputError
from classifier.formats.names import format_of, is_known, output_name, with_suffix
from classifier.io.compression import open_decompressed
from classifier.io.files import OWN, STDIN, _Input

__all__ = ["Source", "find_inputs", "find_sources", "refuse_same_file", "targets_in"]


class Source(NamedTuple):
    """An input and its format."""

    path: str  # STDIN for standard input
    format: str
    place: str = ""  # below the folder or pattern that it was found by; empty if it was named

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path == STDIN else self.path

    @property
    def target(self) -> str:
        """Where its output belongs, below an output folder."""
        return output_name(self.place or Path(self.path).name, self.format)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it for reading bytes, unpacked."""
        return nullcontext(sys.stdin.buffer) if self.path == STDIN else open_decompressed(self.path)


def find_sources(paths: Sequence[str], form: str | None, into: str | None = None) -> list[Source]:
    """Return the inputs, in the format given or the one that their names say; folders only where outputs go `into` a folder.

    Raises:
        InputError, OSError: one of them is missing, may not be read, or has nothing in it.
    """
    return [Source(path, form or format_of(path), place) for name in paths for path, place in _found(name, form, into)]


def find_inputs(paths: Sequence[str], form: str | None) -> list[Source]:
    """Return the inputs of a command that only looks at them: as `find_sources`, folders always allowed."""
    return find_sources(paths, form, os.devnull)  # where no output goes, so that nothing in a folder is taken for one


def _found(name: str, form: str | None, into: str | None) -> Iterator[tuple[str, str]]:
    """Yield path and place of every input that a name stands for."""
    if name == STDIN:
        if sys.stdin is None:
            raise InputError("standard input is closed; name a FILE")
        yield name, ""
    elif os.path.isdir(name):
        if into is None:
            advice = f"name the files in it, for example {name.rstrip('/')}/*.txt, or clean it into an --output-dir"
            raise InputError(f"{name}: a folder; {advice}")
        yield from _below(name, form is not None, os.path.realpath(into))
    elif glob.has_magic(name) and not os.path.lexists(name):
        yield from _fitting(name, os.path.realpath(into) if into else None)
    else:
        yield _readable(name), ""


def _readable(path: str) -> str:
    if not os.access(path, os.R_OK):
        os.stat(path)  # says what is wrong, unless it is only the permission
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return path


def _below(folder: str, any_name: bool, into: str) -> Iterator[tuple[str, str]]:
    """Yield the files in a folder and below, in order of their names, but for hidden ones and what is in the folder `into`."""
    nothing = True
    for here, folders, files in os.walk(folder, onerror=_fail):
        folders[:] = sorted(name for name in folders if name[0] != "." and os.path.realpath(os.path.join(here, name)) != into)
        for name in sorted(files):
            if name[0] != "." and (any_name or is_known(name)):
                nothing = False
                path = _readable(os.path.join(here, name))
                yield path, os.path.relpath(path, folder)
    if nothing:
        raise InputError(f"{folder}: no file in it has the name of a known format; say which one they are in with --format")


def _fail(error: OSError) -> None:
    raise error


def _fitting(pattern: str, into: str | None) -> Iterator[tuple[str, str]]:
    """Yield the files that fit a pattern, in order of their names; their places are below its last folder without a wildcard."""
    parts = PurePath(pattern).parts
    fixed = next(count for count, part in enumerate(parts) if glob.has_magic(part))
    paths = [path for path in sorted(glob.glob(pattern, recursive=True)) if not os.path.isdir(path)]
    if into:
        paths = [path for path in paths if not os.path.realpath(path).startswith(into + os.sep)]
    if not paths:
        raise FileNotFoundError(errno.ENOENT, "No such file, and none that fits this as a pattern", pattern)
    for path in paths:
        yield _readable(path), os.path.relpath(path, os.path.join("", *parts[:fixed]) or ".")


def targets_in(folder: str, sources: Sequence[Source], suffix: str = "") -> list[Path]:
    """Return the output of each input in a folder: a file of the same name, or with another suffix, at the same place below.

    Raises:
        InputError: an input has no such name, shares it with another, or cannot be read twice.
    """
    taken: dict[Path, str] = {}
    for source in sources:
        if source.path == STDIN or not os.path.isfile(source.path):
            raise InputError(f"{source.name}: --output-dir takes files only; leave it out for pipes")
        target = Path(folder) / (with_suffix(source.place or Path(source.path).name, suffix) if suffix else source.target)
        if target.name.startswith(OWN):
            raise InputError(f"{source.path}: names that begin with {OWN} are for tinsach's own files; rename it")
        if target in taken:
            raise InputError(f"{source.path}: would have the same output as {taken[target]}; name different folders for them")
        taken[target] = source.path
    return list(taken)


def refuse_same_file(inputs: Iterable[_Input], outputs: Iterable[str | Path]) -> None:
    """Raise InputError if something would be written over an input, or two things to one file, by whatever names."""
    seen: dict[object, str] = {}
    for source in inputs:
        identity = _stream_identity(sys.stdin) if source.path == STDIN else _identity(source.path)
        seen.setdefault(identity, f"the input {source.name}")
    named = [(_identity(path), str(path)) for path in outputs]
    for identity, name in (*named, (_stream_identity(sys.stdout), "standard output")):
        if identity is not None and identity in seen:
            raise InputError(f"{name}: the same file as {seen[identity]}; write to another file")
        seen[identity] = f"the output {name}"


def _identity(path: str | Path) -> object:
    """Return what tells a file from others: device and inode, its real path if there is none yet, None for a device."""
    try:
        return _status_identity(os.stat(path))
    except OSError:
        return os.path.realpath(path)


def _stream_identity(stream: object) -> object:
    try:
        return _status_identity(os.fstat(stream.fileno()))  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # closed, or no file at all
        return None


def _status_identity(status: os.stat_result) -> object:
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
