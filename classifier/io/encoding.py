"""Bytes in, text out, however the bytes were chunked: byte order marks, and what to do with bytes that are no text.

UTF-8 unless a byte order mark says UTF-16 or UTF-32, or the caller names an encoding. Well-formed input comes out as it
went in, a UTF-8 byte order mark included. Bytes that cannot be decoded are, by policy, replaced by U+FFFD, refused with their
place, or dropped and counted. What looks like something else entirely is refused by `detection`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from classifier.errors import InputError
from classifier.io.sniffing import Sniffer
from classifier.lines import LineSplitter

__all__ = ["POLICIES", "Decoding", "TextDecoder", "chunks", "read_lines", "to_utf8"]

POLICIES = ("replace", "strict", "skip")
CHUNK = 1 << 16
_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK = 4


def to_utf8(text: str) -> bytes:
    """Return text as UTF-8; a lone surrogate, from a JSON escape, has no encoding and is escaped again."""
    return text.encode("utf-8", "backslashreplace")


class Decoding(NamedTuple):
    """How an input's bytes are read."""

    encoding: str | None = None  # None: by byte order mark, else UTF-8, and strangers are refused
    errors: str = "replace"  # one of POLICIES

    def checked(self) -> Decoding:
        """Return self if Python knows the encoding, else raise InputError."""
        try:
            codecs.getincrementaldecoder(self.encoding or "utf-8")
            b"x".decode(self.encoding or "utf-8")  # codecs also knows what is no text, such as hex
        except UnicodeError:  # a text encoding in which this is none
            return self
        except (LookupError, ValueError) as error:  # the latter for a NUL in the name
            raise InputError(f"--encoding {self.encoding}: not a text encoding of Python; try utf-8, utf-16 or cp1258") from error
        return self


class TextDecoder:
    """Decodes the bytes of one input.

    >>> decoder = TextDecoder("page.txt", Decoding(errors="skip"))
    >>> decoder.feed(b"n\\xe1\\xba"), decoder.feed(b"\\xafng\\xff\\n"), decoder.flush(), decoder.dropped
    ('', 'nắng\\n', '', 1)
    """

    def __init__(self, name: str, reading: Decoding) -> None:
        """Start before the first byte of the input called `name`; the name is for messages."""
        self.dropped = 0  # bytes left out under the policy "skip"
        self._name, self._errors = name, reading.errors
        self._head: bytes | None = None if reading.encoding else b""  # the first bytes, until they show a mark or none
        self._lookout = None if reading.encoding else Sniffer(name)
        self._taken = 0  # bytes read before the current ones
        self._lines = _LineCount()
        self._decoder = self._opened(reading.encoding or "utf-8")

    def _opened(self, encoding: str) -> codecs.IncrementalDecoder:
        return codecs.getincrementaldecoder(encoding)(_COUNTING if self._errors == "skip" else self._errors)

    def feed(self, chunk: bytes) -> str:
        """Return the text that these bytes complete.

        Raises:
            InputError: the bytes are no text (see `detection`), or cannot be decoded under the policy "strict".
        """
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < _LONGEST_MARK:
                self._head = chunk
                return ""
            self._head = None
            chunk = self._after_mark(chunk)
        if self._lookout:
            self._lookout.feed(chunk)
        return self._decoded(chunk, final=False)

    def flush(self) -> str:
        """Return what the end of the input completes."""
        head, self._head = self._head or b"", None
        chunk = self._after_mark(head)
        if self._lookout:
            self._lookout.feed(chunk)
            self._lookout.flush()
        return self._decoded(chunk, final=True)

    def _after_mark(self, chunk: bytes) -> bytes:
        """Choose the encoding by the byte order mark and return what follows the mark."""
        for mark, encoding in _MARKS:
            if chunk.startswith(mark):
                self._decoder, self._lookout = self._opened(encoding), None
                self._taken = len(mark)
                return chunk[len(mark) :]
        return chunk

    def _decoded(self, chunk: bytes, final: bool) -> str:
        codecs.register_error(_COUNTING, self._drop)  # codecs finds handlers by name only: each decoder puts its own there
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            start = self._taken + len(chunk) - len(error.object) + error.start
            line = 1 + self._lines.after(error.object[: error.start].decode(error.encoding, "replace"))
            raise InputError(
                f"{self._name}: line {line}, byte offset {start}: not valid {error.encoding} ({error.reason}); "
                "repair it, or choose --encoding-errors replace or skip"
            ) from error
        except UnicodeError as error:  # codecs with habits of their own, such as idna
            raise InputError(f"{self._name}: cannot be read in this encoding ({error}); choose another --encoding") from error
        self._taken += len(chunk)
        if self._errors == "strict":
            self._lines.add(text)
        return text

    def _drop(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self.dropped += error.end - error.start
        return "", error.end


_COUNTING = "tinsach-drop-and-count"


class _LineCount:
    """Counts line ends (LF, CR, CRLF) in text that comes in pieces."""

    def __init__(self) -> None:
        self._ends = 0
        self._carriage_return = False  # the last piece ended with one: an LF that follows belongs to it

    def after(self, text: str) -> int:
        """Return how many lines have ended after this further text."""
        ends = text.count("\n") + text.count("\r") - text.count("\r\n")
        return self._ends + ends - (self._carriage_return and text.startswith("\n"))

    def add(self, text: str) -> None:
        self._ends = self.after(text)
        self._carriage_return = text.endswith("\r") if text else self._carriage_return


def chunks(source: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a source as they are ready."""
    read = getattr(source, "read1", source.read)
    while chunk := read(CHUNK):
        yield chunk


def read_lines(source: BinaryIO, decoder: TextDecoder) -> Iterator[list[str]]:
    """Yield the lines of a source, as many at a time as it has ready."""
    splitter = LineSplitter()
    for chunk in chunks(source):
        yield splitter.feed(decoder.feed(chunk))
    yield splitter.feed(decoder.flush()) + splitter.flush()
