"""Transparent gzip and zstd compression, chosen by file suffix (`.gz`, `.zst`), for reading and writing.

Both directions stream. A damaged or truncated file raises InputError; it never passes as a shorter text. Output is
reproducible: the gzip header holds neither time nor name. Does not detect compression by content.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from classifier.errors import InputError, require_library
from classifier.io.addresses import open_binary
from classifier.io.urls import file_name, shown

__all__ = ["CutFile", "compressing", "compression_of", "open_decompressed", "without_compression"]

# Compressed bytes decoded at a time. A zstd block of 128 KB takes at least 4 bytes, so a piece expands to 32 MB at most.
ZSTD_PIECE = 1 << 10
LEVELS = {".gz": 6, ".zst": 3}  # the defaults of the command-line tools


def compression_of(name: str) -> str:
    """Return the compression suffix of a file name, in lower case; empty if it has none.

    >>> compression_of("crawl.jsonl.ZST"), compression_of("page.txt")
    ('.zst', '')
    """
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in LEVELS else ""


def open_decompressed(path: str) -> BinaryIO:
    """Open a file, named by path or URL, for reading its decompressed content."""
    suffix = compression_of(file_name(path))
    if not suffix:
        return open_binary(path)
    raw = _Gzip(path) if suffix == ".gz" else _Zstd(path)
    return io.BufferedReader(raw, 1 << 16)


def compressing(file: BinaryIO, name: str) -> BinaryIO:
    """Return a file that compresses into `file` by the suffix of `name`: `file` itself, or a wrapper to close before it."""
    suffix = compression_of(name)
    if suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile("", "wb", LEVELS[suffix], file, mtime=0))
    if suffix == ".zst":
        return _zstandard(name).ZstdCompressor(level=LEVELS[suffix], write_checksum=True).stream_writer(file, closefd=False)
    return file


def _zstandard(name: str) -> Any:
    with require_library("zstd", name):
        import zstandard
    return zstandard


class CutFile(InputError):
    """A compressed file ends too early; what was read of it is sound."""


class _DecompressedFile(io.RawIOBase):
    """Raw stream of the decompressed bytes of a file."""

    def __init__(self, path: str) -> None:
        self._name = shown(path)
        self._file = open_binary(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        self._file.close()
        super().close()

    def damaged(self, reason: object) -> InputError:
        """Return the error for a damaged file."""
        kind = CutFile if isinstance(reason, EOFError) else InputError
        return kind(f"{self._name}: damaged or cut ({reason}); download or create it again")


class _Gzip(_DecompressedFile):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._members = gzip.GzipFile(fileobj=self._file)

    def _read(self, size: int) -> bytes:
        try:
            data = self._members.read1(size)  # what is sound before a cut is returned before the error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.damaged(error) from error
        if not data and self._members.mtime is None:  # no header of a member was read
            raise self.damaged("it is empty")
        return data


class _Zstd(_DecompressedFile):
    """Decodes frame by frame, because zstandard's own reader accepts a truncated file."""

    def __init__(self, path: str) -> None:
        self._library = _zstandard(shown(path))
        super().__init__(path)
        self._frame: Any = None  # decompressor of the current frame; None between frames
        self._empty = True  # so far
        self._input = b""  # compressed bytes, not decoded yet
        self._output = memoryview(b"")  # decompressed bytes, not returned yet

    def _read(self, size: int) -> bytes:
        while not self._output:
            self._input = self._input or self._file.read(ZSTD_PIECE)
            if not self._input:
                if self._frame is not None:
                    raise self.damaged(EOFError("the last frame is incomplete"))
                if self._empty:
                    raise self.damaged("it is empty")
                return b""
            self._empty = False
            self._output = memoryview(self._decompress())
        data, self._output = bytes(self._output[:size]), self._output[size:]
        return data

    def _decompress(self) -> bytes:
        self._frame = self._frame or self._library.ZstdDecompressor().decompressobj()
        try:
            data = self._frame.decompress(self._input)
        except self._library.ZstdError as error:
            raise self.damaged(error) from error
        self._input = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
        return data


def without_compression(name: str) -> str:
    """Return a file name without its compression suffix, if any.

    >>> without_compression("crawl.jsonl.gz"), without_compression("page.txt")
    ('crawl.jsonl', 'page.txt')
    """
    return name[: len(name) - len(compression_of(name))]
