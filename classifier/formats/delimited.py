"""CSV and TSV: a header row, then one record per row, with the page's text in one column; other values are preserved.

The dialect is that of spreadsheets: values may be quoted, and may then hold line ends and doubled quotes. Values are separated by
commas, semicolons, tabs or bars: by what makes the text field one of the columns. The header and its line end are copied; rows are
rewritten with that line end and delimiter, quoted where necessary, or throughout if the header is. An empty text is missing, since
CSV has no null, and stays empty. Does not read files without a header, or backslash escapes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Literal, NamedTuple

from classifier.errors import InputError
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.field import field_text
from classifier.formats.size_limit import too_large
from classifier.io.encoding import TextDecoder, chunks, is_longer, to_utf8
from classifier.io.files import Sink

__all__ = ["Reader", "Writer", "tab_reader"]

_CSV_LIMIT = 1 << 26  # of the characters of a value: Python's csv rejects more, to catch unclosed quotes; its own 131,072 are too few

TAB = "\t"
DELIMITERS = ",;\t|"  # those looked for, the likeliest first


class Header(NamedTuple):
    """The header row."""

    names: list[str]
    raw: str  # unmodified, without its line end
    delimiter: str
    end: str  # line end

    @property
    def quoting(self) -> int:
        """The csv quoting mode of the output: all values if the header starts with a quote, else as few as possible."""
        return csv.QUOTE_ALL if self.raw.removeprefix("\ufeff").startswith('"') else csv.QUOTE_MINIMAL


class Place(NamedTuple):
    """Position of a text."""

    row: list[str]
    column: int
    header: Header


class Reader:
    """Reader of comma-separated rows."""

    def __init__(self, file: BinaryIO, name: str, options: Options, delimiter: str = ",") -> None:
        """Read the header; see `formats.registry.open_reader`."""
        csv.field_size_limit(max(csv.field_size_limit(), options.max_record, _CSV_LIMIT))  # of the whole process
        self.name = name
        self._decoder, self._options = TextDecoder(name, options.decoding, of_records=True), options
        lines = _raw_lines(file, self._decoder, options.max_record)
        first = next(lines, "")
        delimiter = options.delimiter or _delimiter_of(first, options.field, delimiter)
        self._lines = _RecordedLines(chain([first] if first else [], lines))
        self._rows = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self.header = self._read_header(delimiter)
        self._column = self._column_index(options.field)
        names = self.header.names
        self._id, self._site = (names.index(name) if name in names else None for name in (options.id_field, options.site_field))

    def _read_header(self, delimiter: str) -> Header:
        try:
            names = next(self._rows, [])
        except csv.Error as error:
            raise InputError(f"{self.name}:1: the header is damaged ({error}); repair it") from error
        raw = self._lines.take()
        bare = raw.rstrip("\r\n")
        return Header([name.removeprefix("\ufeff") for name in names], bare, delimiter, raw[len(bare) :] or "\n")

    def _column_index(self, field: str) -> int:
        names = self.header.names
        if names.count(field) == 1 or not names:  # an empty file has no header and no rows
            return names.index(field) if names else 0
        problem = f"{names.count(field)} columns {field!r}" if field in names else f"no column {field!r}, only {', '.join(names)}"
        raise InputError(f"{self.name}: {problem}; name the text column with --text-field")

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the rows in order; holds one row and part of the next."""
        dropped = 0
        for line, raw, row in self._parse_rows():
            if is_longer(raw, self._options.max_record):
                yield too_large(line, len(to_utf8(raw)), self.name, self._options)
                continue
            if isinstance(row, str):
                yield BadRecord(line, _without_line_end(raw), row)
                continue
            lost, dropped = self._decoder.undecodable - dropped, self._decoder.undecodable
            key = "null" if self._id is None else json.dumps(row[self._id], ensure_ascii=False)
            site = "" if self._site is None else row[self._site]
            place, text = Place(row, self._column, self.header), row[self._column]
            if not text and self._options.on_null == "fail":
                yield BadRecord(line, _without_line_end(raw), "the text is empty")
                continue
            as_read = partial(_without_line_end, raw)
            yield Record(field_text(text, self._options), place, lost, key, site, not text, line=line, raw=as_read)

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """See `formats.base.Reader`."""
        place, names = record.place, self.header.names
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InputError(f"{self.name}: has two columns {twice!r}, and only CSV and TSV can hold both; rename one")
        return {**dict(zip(self.header.names, place.row)), self.header.names[place.column]: text, **extras}

    def _parse_rows(self) -> Iterator[tuple[int, str, list[str] | str]]:
        """Yield line number, raw text and values of each row; for a bad row, the reason instead of the values."""
        while True:
            line = self._lines.count + 1
            try:
                row: list[str] | str | None = next(self._rows, None)
            except csv.Error as error:
                row = f"not {'TSV' if self.header.delimiter == TAB else 'CSV'}: {error}"
            raw = self._lines.take()
            if row is None:
                return
            if isinstance(row, list) and len(row) != len(self.header.names):
                row = f"{len(row)} values, but the header has {len(self.header.names)}" if row else []
            if row:  # not a blank line
                yield line, raw, row


def _delimiter_of(header: str, field: str, usual: str) -> str:
    """Return the delimiter that makes the text field a column; else what csv.Sniffer finds in the header, or the usual one."""
    candidates = usual + DELIMITERS.replace(usual, "")
    for delimiter in candidates:
        try:
            names = next(csv.reader([header.removeprefix("\ufeff")], delimiter=delimiter), [])
        except csv.Error:
            continue
        if field in names:
            return delimiter
    try:
        return csv.Sniffer().sniff(header, candidates).delimiter
    except csv.Error:  # one column
        return usual


def tab_reader(file: BinaryIO, name: str, options: Options) -> Reader:
    """Return a reader of tab-separated rows."""
    return Reader(file, name, options, TAB)


class Writer:
    """Writer of rows under one header."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out, self._added = out, list(options.adds)
        self._header: Header | None = None

    def follow(self, reader: Reader) -> None:
        """Write the header of the first input; require the same header of every further one."""
        header = reader.header
        if not header.names:
            return
        for name in set(self._added) & set(header.names):
            raise InputError(f"{reader.name}: has a column {name!r} already, which this command adds; rename it")
        if self._header is None:
            self._header = header
            self._out.write(to_utf8(header.raw + "".join(header.delimiter + name for name in self._added) + header.end))
        elif header.names != self._header.names:
            raise InputError(f"{reader.name}: its header differs from that of the files before it; clean it separately (--output-dir)")

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a row."""
        row, column, header = record.place
        values = [*row[:column], "" if record.missing else text, *row[column + 1 :], *(_as_value(extras.get(name)) for name in self._added)]
        self._out.write(csv_row(values, header.delimiter, header.end, header.quoting))

    def close(self) -> None:
        """Do nothing: rows are written immediately."""


def csv_row(values: Sequence[str], delimiter: str, end: str = "\n", quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
    """Return a row of CSV as UTF-8."""
    line = io.StringIO()
    # With "\n" as its line end, csv would not quote a value that holds CR.
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n", quoting=quoting).writerow(values)
    return to_utf8(line.getvalue().removesuffix("\r\n") + end)


def _without_line_end(raw: str) -> bytes:
    return to_utf8(raw.rstrip("\r\n"))


def _as_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _RecordedLines:
    """Line iterator that records the raw text consumed for the current row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._consumed: list[str] = []
        self.count = 0

    def __iter__(self) -> _RecordedLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._consumed.append(line)
        self.count += 1
        return line

    def take(self) -> str:
        """Return the text consumed since the last call."""
        consumed, self._consumed = "".join(self._consumed), []
        return consumed


def _raw_lines(source: BinaryIO, decoder: TextDecoder, longest: int) -> Iterator[str]:
    """Yield lines with their line ends, split at LF only; one of more than `longest` bytes is an error."""
    rest: list[str] = []
    size, number = 0, 1
    for chunk in chunks(source):
        *whole, last = decoder.feed(chunk).split("\n")
        for line in whole:
            yield "".join(rest) + line + "\n"
            rest = []
        rest.append(last)
        size, number = len(last) + (0 if whole else size), number + len(whole)
        if size > longest:
            raise InputError(f"{decoder.name}:{number}: the line has more bytes than the {longest:,} of --max-record-size")
    yield from io.StringIO("".join(rest) + decoder.flush())  # also splits at LF only
