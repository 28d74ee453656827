"""Input splits: the parts of the inputs that are cleaned and committed one by one, each by a task of an engine.

A large file of JSON lines is cut into byte ranges, and a line belongs to the range that holds its first byte. Compressed files,
Parquet files and what an HTTP server sends, perhaps without ranges, stay whole. Memory does not depend on the size of a split: lines
are read one by one, Parquet by slices of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, cast

from classifier.formats.sources import Source
from classifier.io.addresses import open_binary
from classifier.io.compression import compression_of
from classifier.io.listing import FileEntry
from classifier.io.urls import file_name, is_http

__all__ = ["Split", "SplitSource", "splits_of"]

PIECE = 1 << 16  # bytes passed over at a time


class Split(NamedTuple):
    """A part of an input file."""

    number: int
    path: str  # or a URL
    start: int
    end: int

    @property
    def part(self) -> str:
        """The name of its outputs, without a suffix."""
        return f"part-{self.number:05d}"


def splits_of(files: Sequence[FileEntry], form: str, size: int) -> list[Split]:
    """Return the splits of input files, in order.

    >>> [split[2:] for split in splits_of([FileEntry("a.jsonl", 250, 0), FileEntry("b.jsonl.gz", 250, 0)], "jsonl", 100)]
    [(0, 100), (100, 200), (200, 250), (0, 250)]
    """
    found: list[Split] = []
    for file in files:
        step = size if _can_be_cut(file.path, form) else max(file.size, 1)
        starts = range(0, max(file.size, 1), step)  # an empty file is a split too, so that one that should not be empty is noticed
        found += [Split(len(found) + k, file.path, start, min(start + step, file.size)) for k, start in enumerate(starts)]
    return found


def _can_be_cut(path: str, form: str) -> bool:
    return form == "jsonl" and not compression_of(file_name(path)) and not is_http(path)


class SplitSource(Source):
    """A split as the input of a job."""

    split: Split

    @classmethod
    def of(cls, split: Split, form: str) -> SplitSource:
        """Return the source of a split."""
        source = cls(split.path, form)
        source.split = split
        return source

    @property
    def name(self) -> str:
        """Name in messages, where lines count from the first one of the split."""
        name = super().name
        return f"{name} from byte {self.split.start}" if self.split.start else name

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the split: a whole file, or its lines."""
        if not _can_be_cut(self.path, self.format):
            return super().open()
        file = open_binary(self.path)
        if self.split.start:  # the line that holds the byte before belongs to the split before
            file.seek(self.split.start - 1)
            _pass_line(file)
        return _Lines(file, self.split.end)


class _Lines:
    """Lines of a file up to the last that begins before `end`."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._at, self._end = file, file.tell(), end
        self._inside = False  # a line that was read in part

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def readline(self, size: int) -> bytes:
        """Return a line, or the next `size` bytes of one; nothing at the end of the split."""
        if self._at >= self._end and not self._inside:
            return b""
        line = self._file.readline(size)
        self._at += len(line)
        self._inside = not line.endswith(b"\n")
        return line


def _pass_line(file: BinaryIO) -> None:
    """Read to the end of the line, in pieces."""
    while (piece := file.readline(PIECE)) and not piece.endswith(b"\n"):
        pass
