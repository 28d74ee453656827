"""JSON lines: one object per line, with the page's text in one field; everything else is preserved byte for byte.

JSON is UTF-8 (RFC 8259). Blank lines are skipped. For how the text is found and replaced, see `json_record`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from classifier.errors import InputError
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.json_record import BOM, as_line, parse_record, put_back, record_fields, with_text
from classifier.formats.size_limit import lines_within, too_large
from classifier.io.encoding import Decoding
from classifier.io.files import Sink
from classifier.io.sniffing import Sniffer

__all__ = ["Block", "Line", "Reader", "Writer", "put_back", "sniffer_of"]


class Line(NamedTuple):
    """A line that holds a record, and its position in the input."""

    data: bytes  # without its line end; empty if there are too many of them
    size: int  # bytes, with the line end
    number: int  # from 1
    record: int  # from 1; blank lines hold none
    offset: int  # of its first byte


class Reader:
    """Reader of JSON lines."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._file, self.name, self._options = file, name, options

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order; holds one line at a time."""
        return (_record(line, self.name, self._options) for line in self.lines())

    def lines(self) -> Iterable[Line]:
        """Yield the lines that hold a record, which is all that has to be done in order; see `Block`."""
        return _lines(self._file, self.name, self._options)

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """See `formats.base.Reader`."""
        return record_fields(record, text, extras, self._options.field)

    def as_json(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> str:
        """Return a record as one line of JSON, everything but the text as it was."""
        return as_line(with_text(record, text, extras))


class Block(Reader):
    """Reader of some lines of an input, perhaps in another process than the one that read them."""

    def __init__(self, lines: Sequence[Line], name: str, options: Options) -> None:
        """Store the lines; `name` is that of the input."""
        self._block, self.name, self._options = lines, name, options

    def lines(self) -> Iterable[Line]:
        """Return the lines."""
        return self._block


class Writer:
    """Writer of JSON lines."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self.out = out

    def follow(self, reader: Reader) -> None:
        """Continue with the records of another input."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record's line."""
        self.out.write(put_back(record, text, extras))

    def close(self) -> None:
        """Do nothing: lines are written immediately."""


def _lines(source: BinaryIO, name: str, options: Options) -> Iterator[Line]:
    sniffer = sniffer_of(name, options.decoding)
    offset = record = 0
    for number, (line, size) in enumerate(lines_within(source, options.max_record), 1):
        if sniffer:
            sniffer.feed(line)
        large = size > options.max_record
        if large or (line.removeprefix(BOM.encode()) if number == 1 else line).strip(b" \t\n\r"):
            record += 1
            yield Line(b"" if large else line.removesuffix(b"\n"), size, number, record, offset)
        offset += size
    if sniffer:
        sniffer.flush()


def _record(line: Line, name: str, options: Options) -> Record | BadRecord:
    if line.size > options.max_record:
        return too_large(line.number, line.size, name, options)
    return parse_record(line.data, line.number, line.offset, options)


def sniffer_of(name: str, decoding: Decoding) -> Sniffer | None:
    """Return what checks the bytes of a JSON input; None if the user vouches for UTF-8.

    Raises:
        InputError: another encoding is requested.
    """
    if not decoding.is_utf8:
        raise InputError(f"{name}: JSON lines are UTF-8; convert them: iconv -f {decoding.encoding} -t UTF-8 FILE")
    return None if decoding.encoding else Sniffer(name, of_records=True)
