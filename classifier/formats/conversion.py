"""Writers of records that were read from another format: JSON, CSV, TSV, Parquet or text, as the output's name asks.

The reader of a record names its fields (`formats.base.Reader.fields`); what these writers cannot hold is refused with the name of
the field. JSON from JSON stays as it was, but for line ends between its parts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from classifier.errors import OutputError
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE, NO_EXTRAS, Extras, Options, Reader, Record
from classifier.formats.delimited import csv_row
from classifier.formats.json_file import ArrayWriter
from classifier.formats.parquet import SinkFile, libraries
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink
from classifier.lines import between_pages

__all__ = ["CONVERTERS", "Writer"]

CHUNK_ROWS, CHUNK_CHARS = 10_000, 16 << 20  # a Parquet row group ends at this many rows or characters of text


class Writer:
    """Writer that asks the reader of a record for its fields."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out, self._options = out, options
        self._reader: Any = None
        self._count = 0

    def follow(self, reader: Reader) -> None:
        """Continue with the records of another input."""
        self._reader = reader

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record."""
        self._count += 1
        self._write(_plain(self._reader.fields(record, text, extras)))

    def _write(self, fields: dict[str, Any]) -> None:
        raise NotImplementedError

    def refuse(self, problem: str) -> OutputError:
        """Return the error for a record that the format cannot hold."""
        return OutputError(f"{self._reader.name}, record {self._count}: {problem}; write JSON lines instead (--output NAME.jsonl)")

    def close(self) -> None:
        """Do nothing: records are written immediately."""


class _JsonWriter(Writer):
    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        as_json = getattr(self._reader, "as_json", None)
        self._put_json(as_json(record, text, extras) if as_json else _dumps(_plain(self._reader.fields(record, text, extras))))

    def _put_json(self, piece: str) -> None:
        raise NotImplementedError


class JsonLinesWriter(_JsonWriter):
    """Writer of JSON lines."""

    def _put_json(self, piece: str) -> None:
        if not piece.startswith("{"):  # a string of a JSON array
            piece = _dumps({self._options.field: json.loads(piece)})
        self._out.write(to_utf8(piece + "\n"))


class JsonWriter(_JsonWriter):
    """Writer of a JSON array."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        super().__init__(out, options)
        self._array = ArrayWriter(out)

    def _put_json(self, piece: str) -> None:
        self._array.write(piece)

    def close(self) -> None:
        """End the array."""
        self._array.close()


class DelimitedWriter(Writer):
    """Writer of CSV; the first record names the columns."""

    delimiter = ","

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        super().__init__(out, options)
        self._names: list[str] = []

    def _write(self, fields: dict[str, Any]) -> None:
        if not self._names:
            self._names = list(fields)
            self._row(self._names)
        if more := fields.keys() - set(self._names):
            raise self.refuse(f"has a field {min(more)!r}, which is no column, since the first record lacks it")
        self._row([_cell(fields.get(name)) for name in self._names])

    def _row(self, values: list[str]) -> None:
        self._out.write(csv_row(values, self.delimiter))


class TabWriter(DelimitedWriter):
    """Writer of TSV."""

    delimiter = "\t"


class TextWriter(Writer):
    """Writer of the texts only, with a separator between two of them."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a text as a page."""
        separator = between_pages(self._options.separator) if self._count else ""
        self._count += 1
        self._out.write(to_utf8(separator + (text + "\n" if text else "")))


class ParquetWriter(Writer):
    """Writer of Parquet; the first row group, of 10,000 rows or 16 million characters, decides the types of the columns."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        super().__init__(out, options)
        self._arrow, self._parquet = libraries("Parquet")
        self._file: Any = None
        self._schema: Any = None
        self._rows: list[dict[str, Any]] = []
        self._chars = 0

    def _write(self, fields: dict[str, Any]) -> None:
        self._rows.append(fields)
        self._chars += sum(len(value) for value in fields.values() if isinstance(value, str))
        if len(self._rows) >= CHUNK_ROWS or self._chars >= CHUNK_CHARS:
            self._end_group()

    def _end_group(self) -> None:
        rows, self._rows, self._chars = self._rows, [], 0
        names = self._schema.names if self._schema else list(dict.fromkeys(name for row in rows for name in row))
        for name in dict.fromkeys(name for row in rows for name in row):
            if name not in names:
                raise self.refuse(f"has a field {name!r} in this or an earlier record, which is no column, since the first records lack it")
        arrays = [self._column(name, rows) for name in names]
        if self._schema is None:
            self._open(self._arrow.schema([(name, array.type) for name, array in zip(names, arrays)]))
        self._file.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def _column(self, name: str, rows: Sequence[dict[str, Any]]) -> Any:
        arrow = self._arrow
        values = [_without_surrogates(row.get(name)) for row in rows]
        kind = (
            self._schema.field(name).type
            if self._schema
            else article_type(arrow)
            if name in self._options.adds and name == ARTICLE
            else None
        )
        try:
            array = arrow.array(values, kind)
        except (arrow.ArrowException, OverflowError) as error:
            raise self.refuse(f"field {name!r} of this or an earlier record fits no column type: {error}") from error
        return array.cast(arrow.string()) if arrow.types.is_null(array.type) else array

    def close(self) -> None:
        """Write the last row group and the index."""
        if self._rows:
            self._end_group()
        elif self._file is None:
            self._open(self._arrow.schema([(self._options.field, self._arrow.string())]))
        self._file.close()

    def _open(self, schema: Any) -> None:
        self._schema = schema
        self._file = self._parquet.ParquetWriter(SinkFile(self._out), schema)


CONVERTERS: Mapping[str, Any] = {
    "text": TextWriter, "jsonl": JsonLinesWriter, "json": JsonWriter, "csv": DelimitedWriter, "tsv": TabWriter, "parquet": ParquetWriter,
}  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: NaN is null, bytes are text, dates and decimals are strings."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else _dumps(value)


def _without_surrogates(value: Any) -> Any:
    return to_utf8(value).decode() if isinstance(value, str) else value
