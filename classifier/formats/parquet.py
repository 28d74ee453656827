"""Parquet: one record per row, with the page's text in one string column; schema, metadata and other columns are preserved.

Row groups are read in slices and written when a group ends or has grown large, so memory stays bounded. A null text is a bad
record. Does not read texts inside lists or structs, nor input through a pipe or inside gzip or zstd, since Parquet has its
index at the end of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from classifier.errors import InputError, require_library
from classifier.formats.base import NEEDS_REVIEW, NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink

__all__ = ["Reader", "Writer"]

SLICE_ROWS = 64  # the size of a batch of pages that are cleaned together
GROUP_BYTES = 32 << 20  # size in memory at which a row group is written


class Place(NamedTuple):
    """Position of a text."""

    rows: Any  # pyarrow.RecordBatch
    row: int
    column: int
    group: int


class Reader:
    """Reader of row groups."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """Read the schema; see `formats.registry.open_reader`."""
        arrow, parquet = _libraries(name)
        if not file.seekable():
            raise InputError(f"{name}: Parquet cannot be read from a pipe or inside gzip or zstd; name a plain file")
        self.name = name
        self._errors = options.decoding.errors
        try:
            self._file = parquet.ParquetFile(file, buffer_size=1 << 16)
            self.schema = self._file.schema_arrow
        except (arrow.ArrowException, OSError) as error:
            raise InputError(f"{name}: not a Parquet file, or a damaged one ({error}); download or create it again") from error
        self.compression = _compression(self._file.metadata)
        self._column = self._column_index(options.field, arrow)
        once = [name for name in self.schema.names if self.schema.names.count(name) == 1]
        self._id, self._site = (name if name in once else None for name in (options.id_field, options.site_field))

    def _column_index(self, field: str, arrow: Any) -> int:
        names = self.schema.names
        if names.count(field) != 1:
            raise InputError(f"{self.name}: no column {field!r}, only {', '.join(names)}; name the text column with --text-field")
        kind = self.schema.field(field).type
        if not any(test(_value_type(kind, arrow)) for test in (arrow.types.is_string, arrow.types.is_large_string)):
            raise InputError(f"{self.name}: column {field!r} holds {kind}, not strings; name the text column with --text-field")
        return names.index(field)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the rows in order; holds one slice of them."""
        arrow, _ = _libraries(self.name)
        number = 0
        try:
            for group in range(self._file.num_row_groups):
                for rows in self._file.iter_batches(SLICE_ROWS, row_groups=[group], use_threads=False):
                    values = rows.column(self._column).cast(arrow.string()).cast(arrow.binary()).to_pylist()
                    keys = rows.column(self._id).to_pylist() if self._id else [None] * len(values)
                    sites = rows.column(self._site).to_pylist() if self._site else [None] * len(values)
                    for row, (value, key, site) in enumerate(zip(values, keys, sites)):
                        number += 1
                        record = self._record(value, key, Place(rows, row, self._column, group), number)
                        yield record._replace(site=site) if isinstance(site, str) and isinstance(record, Record) else record
        except (arrow.ArrowException, OSError) as error:
            raise InputError(f"{self.name}: damaged after row {number} ({error}); download or create it again") from error

    def _record(self, value: bytes | None, key: object, place: Place, number: int) -> Record | BadRecord:
        if value is None:
            return BadRecord(number, _as_json(place), "the text is null")
        try:
            text = value.decode("utf-8", "ignore" if self._errors == "skip" else self._errors)
        except UnicodeDecodeError:
            return BadRecord(number, _as_json(place), "the text is not valid UTF-8")
        lost = len(value) - len(text.encode()) if self._errors == "skip" else 0
        return Record(text, place, lost, json.dumps(key, ensure_ascii=False, default=str), line=number, raw=partial(_as_json, place))


class Writer:
    """Writer of row groups under one schema."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out, self._added = out, list(options.adds)
        self._arrow, self._parquet = _libraries("Parquet")
        self._file: Any = None
        self._source_schema: Any = None
        self._schema: Any = None  # with the added columns
        self._slice: list[tuple[Place, str, Extras]] = []
        self._group: list[Any] = []  # record batches

    def follow(self, reader: Reader) -> None:
        """Use the schema of the first input; require the same schema of every further one."""
        if self._file is not None and not reader.schema.equals(self._source_schema):
            raise InputError(f"{reader.name}: its schema differs from that of the files before it; clean it separately (--output-dir)")
        if self._file is None:
            self._source_schema = self._schema = reader.schema
            for name in self._added:
                if name in reader.schema.names:
                    raise InputError(f"{reader.name}: has a column {name!r} already, which this command adds; rename it")
                self._schema = self._schema.append(self._arrow.field(name, _type_of(name, self._arrow)))
            self._file = self._parquet.ParquetWriter(_SinkFile(self._out), self._schema, compression=reader.compression)

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Buffer a row; row groups are written when they are complete."""
        place = record.place
        if self._slice and self._slice[0][0].rows is not place.rows:
            ended = self._slice[0][0].group != place.group
            self._end_slice()
            if ended or sum(rows.nbytes for rows in self._group) >= GROUP_BYTES:
                self._end_group()
        self._slice.append((place, to_utf8(text).decode(), extras))

    def _end_slice(self) -> None:
        arrow, (first, *_) = self._arrow, self._slice[0]
        rows = first.rows.take(arrow.array([place.row for place, _, _ in self._slice]))
        columns = list(rows.columns)
        texts = arrow.array([text for _, text, _ in self._slice], arrow.string())
        columns[first.column] = _cast(texts, self._schema.field(first.column).type, arrow)
        for name in self._added:
            values = [_as_value(extras.get(name)) for _, _, extras in self._slice]
            columns.append(arrow.array(values, _type_of(name, arrow)))
        self._group.append(arrow.RecordBatch.from_arrays(columns, schema=self._schema))
        self._slice = []

    def _end_group(self) -> None:
        self._file.write_table(self._arrow.Table.from_batches(self._group, self._schema))
        self._group = []

    def close(self) -> None:
        """Write the last row group and the index."""
        if self._slice:
            self._end_slice()
        if self._group:
            self._end_group()
        if self._file is not None:
            self._file.close()


class _SinkFile:
    """Adapter from a sink to the file interface of pyarrow."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def flush(self) -> None:
        """Do nothing: the owner of the sink flushes it."""

    def close(self) -> None:
        """Do nothing: the owner of the sink closes it."""


def _libraries(name: str) -> tuple[Any, Any]:
    with require_library("parquet", name):
        import pyarrow
        from pyarrow import parquet
    return pyarrow, parquet


def _compression(metadata: Any) -> str:
    """Return the compression of the first row group, which the output uses too."""
    if not metadata.num_row_groups or not metadata.num_columns:
        return "snappy"
    return str(metadata.row_group(0).column(0).compression).lower().replace("uncompressed", "none")


def _value_type(kind: Any, arrow: Any) -> Any:
    return kind.value_type if arrow.types.is_dictionary(kind) else kind


def _cast(texts: Any, kind: Any, arrow: Any) -> Any:
    if arrow.types.is_dictionary(kind):
        return texts.cast(kind.value_type).dictionary_encode().cast(kind)
    return texts.cast(kind)


def _type_of(name: str, arrow: Any) -> Any:
    """Return the type of an added column: a flag, or JSON as text."""
    return arrow.bool_() if name == NEEDS_REVIEW else arrow.string()


def _as_value(value: object) -> object:
    return value if isinstance(value, (bool, str)) or value is None else json.dumps(value, ensure_ascii=False)


def _as_json(place: Place) -> bytes:
    """Return a row as JSON, for quarantine."""
    (row,) = place.rows.slice(place.row, 1).to_pylist()
    return to_utf8(json.dumps(row, ensure_ascii=False, default=str))
