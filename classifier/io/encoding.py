"""Incremental text decoding: byte order marks and error policies; chunk boundaries do not affect the result.

Input is UTF-8 unless a byte order mark indicates UTF-16 or UTF-32, or the caller names an encoding. Well-formed input is
preserved exactly, a UTF-8 byte order mark included. Depending on the policy, undecodable bytes are replaced by U+FFFD, rejected
with their position, or dropped and counted. Input that is not UTF-8 text at all is rejected by `sniffing`.
"""

from __future__ import annotations

import codecs
import threading
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, NamedTuple

from classifier.errors import InputError
from classifier.io.sniffing import Sniffer
from classifier.lines import LineBlock, LineSplitter

__all__ = ["POLICIES", "Decoding", "TextDecoder", "chunks", "is_longer", "read_lines", "to_utf8"]

POLICIES = ("replace", "strict", "skip")
CHUNK = 1 << 16
_BOMS = (  # UTF-32 first, since its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_BOM = 4


def to_utf8(text: str) -> bytes:
    """Return text as UTF-8; lone surrogates (from JSON escapes) have no UTF-8 form and are escaped again."""
    return text.encode("utf-8", "backslashreplace")


class Decoding(NamedTuple):
    """Encoding and error policy of an input."""

    encoding: str | None = None  # None: by byte order mark, else UTF-8, with content sniffing
    errors: str = "replace"  # one of POLICIES

    def checked(self) -> Decoding:
        """Return self; raise InputError unless Python knows the encoding."""
        try:
            codecs.getincrementaldecoder(self.encoding or "utf-8")
            b"x".decode(self.encoding or "utf-8")  # fails for codecs that are not text encodings, such as hex
        except UnicodeError:  # a text encoding in which b"x" is invalid
            return self
        except (LookupError, ValueError) as error:  # ValueError: a NUL in the name
            raise InputError(f"--encoding {self.encoding}: not a text encoding that Python knows; try utf-8, utf-16 or cp1258") from error
        return self

    @property
    def is_utf8(self) -> bool:
        """Whether no other encoding is asked for."""
        return (self.encoding or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")

    def decode(self, data: bytes) -> tuple[str, int]:
        """Return the text of a whole UTF-8 value, and how many of its bytes were replaced or left out.

        Raises:
            UnicodeDecodeError: the value is not UTF-8, and the policy is to fail.
        """
        _undecodable.count = 0
        return data.decode("utf-8", _HANDLERS.get(self.errors, self.errors)), _undecodable.count


class TextDecoder:
    """Incremental decoder for the bytes of one input.

    >>> decoder = TextDecoder("page.txt", Decoding(errors="skip"))
    >>> decoder.feed(b"n\\xe1\\xba"), decoder.feed(b"\\xafng\\xff\\n"), decoder.flush(), decoder.undecodable
    ('', 'nắng\\n', '', 1)
    """

    def __init__(self, name: str, reading: Decoding, of_records: bool = False) -> None:
        """Start before the first byte of an input; `name` is for messages, `of_records` for `sniffing`."""
        self.undecodable = 0  # bytes replaced or left out
        self.name, self._errors = name, reading.errors
        self._head: bytes | None = None if reading.encoding else b""  # first bytes, held until a byte order mark can be ruled out
        self._sniffer = None if reading.encoding else Sniffer(name, of_records)
        self._offset = 0  # of the current chunk in the input, in bytes
        self._lines = _LineCount()
        self._decoder = self._new_decoder(reading.encoding or "utf-8")

    def _new_decoder(self, encoding: str) -> codecs.IncrementalDecoder:
        self._encoding = encoding  # as it was asked for; to Python, many are "charmap"
        return codecs.getincrementaldecoder(encoding)(_HANDLERS.get(self._errors, self._errors))

    def feed(self, chunk: bytes) -> str:
        """Return the text completed by these bytes.

        Raises:
            InputError: the input is not text (see `sniffing`), or cannot be decoded under the policy "strict".
        """
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < _LONGEST_BOM:
                self._head = chunk
                return ""
            self._head = None
            chunk = self._strip_bom(chunk)
        if self._sniffer:
            self._sniffer.feed(chunk)
        return self._decode(chunk, final=False)

    def flush(self) -> str:
        """Return the text completed by the end of the input."""
        head, self._head = self._head or b"", None
        chunk = self._strip_bom(head)
        if self._sniffer:
            self._sniffer.feed(chunk)
            self._sniffer.flush()
        return self._decode(chunk, final=True)

    def _strip_bom(self, chunk: bytes) -> bytes:
        """Choose the encoding by the byte order mark, if any, and return the bytes after it."""
        for bom, encoding in _BOMS:
            if chunk.startswith(bom):
                self._decoder, self._sniffer = self._new_decoder(encoding), None
                self._offset = len(bom)
                return chunk[len(bom) :]
        return chunk

    def _decode(self, chunk: bytes, final: bool) -> str:
        _undecodable.count = 0
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            start = self._offset + len(chunk) - len(error.object) + error.start
            line = 1 + self._lines.after(error.object[: error.start].decode(error.encoding, "replace"))
            raise InputError(
                f"{self.name}: line {line}, byte offset {start}: not valid {self._encoding} ({error.reason}); "
                "repair it, or choose --encoding-errors replace or skip"
            ) from error
        except UnicodeError as error:  # some codecs, such as idna, raise the base class
            raise InputError(f"{self.name}: cannot be decoded in this encoding ({error}); choose another --encoding") from error
        self.undecodable += _undecodable.count
        self._offset += len(chunk)
        if self._errors == "strict":
            self._lines.add(text)
        return text


# Handlers are global, by name, so there is one for all decoders; a call of `decode` ends in the thread in which it began.
_HANDLERS = {"replace": "tinsach-replace-and-count", "skip": "tinsach-skip-and-count"}
_undecodable = threading.local()  # count: bytes replaced or left out by the current call


def _count_and_put(text: str, error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _undecodable.count += error.end - error.start
    return text, error.end


codecs.register_error(_HANDLERS["replace"], partial(_count_and_put, "\ufffd"))
codecs.register_error(_HANDLERS["skip"], partial(_count_and_put, ""))


class _LineCount:
    """Counts line ends (LF, CR, CRLF) in text that arrives in pieces."""

    def __init__(self) -> None:
        self._ends = 0
        self._carriage_return = False  # the last piece ended with CR: a following LF belongs to it

    def after(self, text: str) -> int:
        """Return the number of line ends including this further text, without adding it."""
        ends = text.count("\n") + text.count("\r") - text.count("\r\n")
        return self._ends + ends - (self._carriage_return and text.startswith("\n"))

    def add(self, text: str) -> None:
        self._ends = self.after(text)
        self._carriage_return = text.endswith("\r") if text else self._carriage_return


def chunks(source: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a source as they become available."""
    read = getattr(source, "read1", source.read)
    while chunk := read(CHUNK):
        yield chunk


def is_longer(text: str, limit: int) -> bool:
    """Return whether a text has more than `limit` bytes of UTF-8."""
    return len(text) * 4 > limit and len(to_utf8(text)) > limit  # a character has 4 bytes at most


def read_lines(source: BinaryIO, decoder: TextDecoder, longest: int | None = None) -> Iterator[LineBlock]:
    """Yield the lines of a source in blocks, as they become available.

    Raises:
        InputError: a line has more than `longest` bytes of UTF-8.

    Offsets count a byte order mark of UTF-8, which stays in the text, and none of UTF-16 or UTF-32.
    """
    splitter = LineSplitter()
    number = 1  # of the unfinished line
    for chunk in chunks(source):
        lines = splitter.feed(decoder.feed(chunk))
        if longest is not None and max(4 * max(map(len, lines), default=0), splitter.pending) > longest:  # else no line can be too long
            too_long = [place for place, line in enumerate(lines) if is_longer(line, longest)]
            if too_long or splitter.pending > longest:
                place = number + (too_long[0] if too_long else len(lines))
                raise InputError(
                    f"{decoder.name}: line {place} has more bytes than the {longest:,} of --max-record-size; raise it if this is text"
                )
        number += len(lines)
        yield LineBlock(lines, splitter.starts)
    yield LineBlock(splitter.feed(decoder.flush()), splitter.starts)
    yield LineBlock(splitter.flush(), splitter.starts)
