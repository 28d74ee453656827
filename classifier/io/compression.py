"""gzip and zstd around any format, by the file's name: `.gz` and `.zst` are unpacked in reading and packed in writing.

Both ways stream. Damaged and cut files are errors with the file's name, never a shorter text. Reproducible: no time or name
goes into a gzip header. What it leaves out: guessing from the bytes, since a pipe has other tools for that.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from classifier.errors import InputError, require_library

__all__ = ["compressing", "compression_of", "open_decompressed", "without_compression"]

# Zstd is unpacked so many bytes at a time: a block of 128 KB takes 4 bytes at least, so no piece can become more than 32 MB.
ZSTD_PIECE = 1 << 10
LEVELS = {".gz": 6, ".zst": 3}  # each tool's own default


def compression_of(name: str) -> str:
    """Return the compression that a file's name stands for, as its suffix; empty if none.

    >>> compression_of("crawl.jsonl.ZST"), compression_of("page.txt")
    ('.zst', '')
    """
    return PurePath(name).suffix.lower() if without_compression(name) != name else ""


def open_decompressed(path: str) -> BinaryIO:
    """Open a file for reading what is in it, unpacked."""
    packing = compression_of(path)
    if not packing:
        return open(path, "rb")
    raw = _Gzip(path) if packing == ".gz" else _Zstd(path)
    return io.BufferedReader(raw, 1 << 16)


def compressing(file: BinaryIO, name: str) -> BinaryIO:
    """Return a file that packs into `file` as the name says: `file` itself, or another that has to be closed, before it."""
    packing = compression_of(name)
    if packing == ".gz":
        return cast(BinaryIO, gzip.GzipFile("", "wb", LEVELS[packing], file, mtime=0))
    if packing == ".zst":
        return _zstandard(name).ZstdCompressor(level=LEVELS[packing], write_checksum=True).stream_writer(file, closefd=False)
    return file


def _zstandard(name: str) -> Any:
    with require_library("zstd", name):
        import zstandard
    return zstandard


class _Unpacked(io.RawIOBase):
    """A file being unpacked."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "rb")  # noqa: SIM115 - closed with this one

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
        """Return the error to raise."""
        return InputError(f"{self._path}: damaged or cut ({reason}); fetch or make it again")


class _Gzip(_Unpacked):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._members = gzip.GzipFile(fileobj=self._file)

    def _read(self, size: int) -> bytes:
        try:
            return self._members.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.damaged(error) from error


class _Zstd(_Unpacked):
    """Reads frame after frame itself: zstandard's own reader takes a cut file for a whole one."""

    def __init__(self, path: str) -> None:
        self._library = _zstandard(path)
        super().__init__(path)
        self._frame: Any = None  # being read, if there is one
        self._packed = b""  # not unpacked yet
        self._ready = memoryview(b"")  # unpacked and not returned yet

    def _read(self, size: int) -> bytes:
        while not self._ready:
            self._packed = self._packed or self._file.read(ZSTD_PIECE)
            if not self._packed:
                if self._frame is not None:
                    raise self.damaged("the last frame has no end")
                return b""
            self._ready = memoryview(self._unpack())
        data, self._ready = bytes(self._ready[:size]), self._ready[size:]
        return data

    def _unpack(self) -> bytes:
        self._frame = self._frame or self._library.ZstdDecompressor().decompressobj()
        try:
            data = self._frame.decompress(self._packed)
        except self._library.ZstdError as error:
            raise self.damaged(error) from error
        self._packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
        return data


_PACKINGS = (".gz", ".zst")


def without_compression(name: str) -> str:
    """Return a file's name without the suffix of a compression.

    >>> without_compression("crawl.jsonl.gz"), without_compression("page.txt")
    ('crawl.jsonl', 'page.txt')
    """
    path = PurePath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in _PACKINGS else name
