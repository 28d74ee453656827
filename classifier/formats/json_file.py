"""JSON files: one array of objects or strings, one object, or objects one after the other; read record by record.

The file is cut into its records by their brackets, without parsing them, so one record is in memory, and each is then read and
written as in `jsonl`. The output has the shape of the input: an array, a single object, or JSON lines. Does not look for records
inside an object (`{"data": [...]}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from classifier.errors import InputError
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.json_record import as_line, parse_record, record_fields, with_text
from classifier.formats.jsonl import sniffer_of
from classifier.formats.size_limit import too_large
from classifier.io.encoding import chunks, to_utf8
from classifier.io.files import Sink

__all__ = ["ArrayWriter", "Reader", "Writer"]

ARRAY, OBJECT, LINES = "array", "object", "lines"
_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SCALAR_END = re.compile(rb"[\s,\]}]")
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
_UTF8_BOM = b"\xef\xbb\xbf"


class Reader:
    """Reader of a JSON file."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._source, self.name, self._options = _Values(file, name, options), name, options
        self.layout = ARRAY  # ARRAY, OBJECT or LINES, as far as the file has been read

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order; holds one of them."""
        pieces = self._array() if self._source.next() == b"[" else self._sequence()
        for number, (offset, piece, size) in enumerate(pieces, 1):
            if size > self._options.max_record:
                yield too_large(number, size, self.name, self._options)
            else:
                yield parse_record(piece, number, offset, self._options, bare=True)

    def _array(self) -> Iterator[tuple[int, bytes, int]]:
        source = self._source
        source.skip(b"[")
        if source.next() != b"]":
            yield source.value()
            while source.next() == b",":
                source.skip(b",")
                yield source.value()
        source.skip(b"]")
        if source.next():
            raise source.error("goes on after the end of its array; JSON lines are read with --format jsonl")

    def _sequence(self) -> Iterator[tuple[int, bytes, int]]:
        self.layout = OBJECT
        first = True
        while self._source.next():
            self.layout = OBJECT if first else LINES
            first = False
            yield self._source.value()

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """See `formats.base.Reader`."""
        return record_fields(record, text, extras, self._options.field)

    def as_json(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> str:
        """Return a record as one line of JSON, everything but the text as it was."""
        return as_line(with_text(record, text, extras))


class _Values:
    """Cuts a JSON source into the values at its top level, and those of a top-level array."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        self._chunks, self._name = chunks(file), name
        self._sniffer = sniffer_of(name, options.decoding)
        self._data = bytearray()  # read, and not returned yet
        self._start = 0  # offset of the first of these bytes in the file
        self._at = 0  # position in them
        self._limit, self._forgotten = options.max_record, 0  # of the current value: bytes that were too many to keep
        self._more()
        if self._data.startswith(_UTF8_BOM):
            self._at = len(_UTF8_BOM)

    def error(self, problem: str) -> InputError:
        """Return the error for a file whose records cannot be told apart."""
        return InputError(f"{self._name}: byte offset {self._start + self._at}: {problem}")

    def _more(self) -> bool:
        """Read further bytes; return whether there were any."""
        chunk = next(self._chunks, b"")
        if self._sniffer:
            if chunk:
                self._sniffer.feed(chunk)
            else:
                self._sniffer.flush()
                self._sniffer = None
        self._data += chunk
        return bool(chunk)

    def next(self) -> bytes:
        """Return the next byte that is not white space, without consuming it; empty at the end."""
        while True:
            found = _NOT_BLANK.search(self._data, self._at)
            self._at = found.start() if found else len(self._data)
            if found or not self._more():
                return bytes(self._data[self._at : self._at + 1])

    def skip(self, char: bytes) -> None:
        """Consume a required byte."""
        found = self.next()
        if not found:
            raise self.error("ends inside its array; it is cut, download or create it again")
        if found != char:
            raise self.error(f"not JSON: expecting {char.decode()}; repair the file")
        self._at += 1

    def value(self) -> tuple[int, bytes, int]:
        """Consume the next value; return its offset in the file, its bytes, and their number; of a value above the limit, only the end."""
        char = self.next()
        self._forget()
        self._forgotten, start = 0, self._start
        if char in (b"{", b"[", b'"'):
            self._pass_brackets()
        else:
            self._pass_scalar()
        return start, bytes(self._data[: self._at]), self._forgotten + self._at

    def _forget(self) -> None:
        """Drop the bytes before the current position."""
        del self._data[: self._at]
        self._start, self._forgotten, self._at = self._start + self._at, self._forgotten + self._at, 0

    def _pass_brackets(self) -> None:
        depth = 0
        while True:
            found = _STRUCTURE.search(self._data, self._at)
            self._at = found.end() if found else len(self._data)
            if found is None:
                self._require_more()
                continue
            if found[0] == b'"':
                self._pass_string()
            else:
                depth += 1 if found[0] in b"{[" else -1
            if depth == 0:
                return

    def _pass_string(self) -> None:
        """Consume the rest of a string, its closing quote included."""
        while True:
            self._at = _IN_STRING.match(self._data, self._at).end()  # type: ignore[union-attr]
            if self._data.startswith(b'"', self._at):
                self._at += 1
                return
            self._require_more()

    def _pass_scalar(self) -> None:
        while not (found := _SCALAR_END.search(self._data, self._at)):
            self._at = len(self._data)
            if not self._more():
                return
        if found.start() == 0:
            raise self.error("not JSON: expecting a value")
        self._at = found.start()

    def _require_more(self) -> None:
        if self._at > self._limit:
            self._forget()
        if not self._more():
            raise self.error("ends inside a record; it is cut, download or create it again")


class ArrayWriter:
    """Writer of one array, a record a line."""

    def __init__(self, out: Sink) -> None:
        """Start before the first record."""
        self._out = out
        self._written = 0

    def write(self, piece: str) -> None:
        """Write a record, given as JSON."""
        self._out.write(to_utf8((",\n" if self._written else "[\n") + piece))
        self._written += 1

    def close(self) -> None:
        """End the array."""
        self._out.write(b"\n]\n" if self._written else b"[]\n")


class Writer:
    """Writer of JSON files in the layout of the input; several inputs become one array, unless all are JSON lines."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out, self._array = out, ArrayWriter(out)
        self._readers: list[Reader] = []
        self._held: str | None = None  # the first record, while it may be the only one
        self._layout: str | None = None  # None: not chosen yet

    def follow(self, reader: Reader) -> None:
        """Continue with the records of another input."""
        self._readers.append(reader)

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record."""
        piece = with_text(record, text, extras)
        if self._layout is None and self._held is None:
            self._held = piece
            return
        self._choose()
        self._write(piece)

    def _choose(self) -> None:
        """Choose the layout, now that there are two records or the input has ended, and write what was held back."""
        if self._layout is None:
            layouts = {reader.layout for reader in self._readers}
            self._layout = layouts.pop() if len(layouts) == 1 and (len(self._readers) == 1 or layouts == {LINES}) else ARRAY
            held, self._held = self._held, None
            if held is not None:
                self._write(held)

    def _write(self, piece: str) -> None:
        if self._layout == ARRAY:
            self._array.write(piece.removeprefix("\ufeff"))
        else:
            self._out.write(to_utf8((as_line(piece) if self._layout == LINES else piece) + "\n"))

    def close(self) -> None:
        """Write what was held back, and end an array."""
        self._choose()
        if self._layout == ARRAY:
            self._array.close()
