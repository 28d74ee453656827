"""Parquet: one record per row, with the page's text in one column; schema, metadata and other columns are preserved.

The text is a string, UTF-8 in a binary column, or a list of strings (`Options.join_lists`), also inside structs ("page.text", unless
a column has that very name). Row groups are read in slices and written when a group ends or has grown large, so memory stays
bounded. Does not read input through a pipe or inside gzip or zstd, since Parquet has its index at the end of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

from classifier.errors import InputError, require_library
from classifier.formats.arrow_text import (
    array_at,
    is_list,
    is_text,
    list_of_lines,
    path_of,
    set_text,
    type_at,
    utf8_of,
    value_type,
    with_texts,
)
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE, NEEDS_REVIEW, NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.field import field_text
from classifier.formats.size_limit import too_large
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink

__all__ = ["Reader", "SinkFile", "Writer", "libraries"]

SLICE_ROWS = 64  # the size of a batch of pages that are cleaned together
GROUP_BYTES = 32 << 20  # size in memory at which a row group is written


class Place(NamedTuple):
    """Position of a text."""

    rows: Any  # pyarrow.RecordBatch
    row: int
    path: tuple[int, ...]  # of the text: a column, and fields of the structs in it
    group: int


class Reader:
    """Reader of row groups."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """Read the schema; see `formats.registry.open_reader`."""
        arrow, parquet = libraries(name)
        if not file.seekable():
            raise InputError(f"{name}: Parquet cannot be read from a pipe or inside gzip or zstd; name a plain file")
        self.name = name
        self._options = options
        try:
            self._file = parquet.ParquetFile(file, buffer_size=1 << 16)
            self.schema = self._file.schema_arrow
        except (arrow.ArrowException, OSError) as error:
            _raise_if_named(error)
            raise InputError(f"{name}: not a Parquet file, or a damaged one ({error}); download or create it again") from error
        self.compression = _compression(self._file.metadata)
        self._path = self._text_path(options.field, arrow)
        self._id, self._site = (name and path_of(self.schema, name, arrow) for name in (options.id_field, options.site_field))

    def _text_path(self, field: str, arrow: Any) -> tuple[int, ...]:
        path = path_of(self.schema, field, arrow)
        if path is None:
            names = ", ".join(self.schema.names)
            raise InputError(f"{self.name}: no column {field!r}, only {names}; name the text column with --text-field")
        kind = type_at(self.schema, path)
        if not self._options.decoding.is_utf8:
            encoding = self._options.decoding.encoding
            raise InputError(
                f"{self.name}: strings of Parquet are UTF-8; convert a column of other bytes, and leave out --encoding {encoding}"
            )
        if not (arrow.types.is_null(kind) or is_text(value_type(kind, arrow), arrow)):
            of_strings = is_list(kind, arrow) and is_text(kind.value_type, arrow)
            if not (of_strings and self._options.join_lists):
                advice = "--join-lists reads them as lines" if of_strings else "name the text column with --text-field"
                raise InputError(f"{self.name}: column {field!r} holds {kind}, not strings; {advice}")
        return path

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the rows in order; holds one slice of them."""
        arrow, _ = libraries(self.name)
        number = 0
        try:
            for group in range(self._file.num_row_groups):
                for rows in self._file.iter_batches(SLICE_ROWS, row_groups=[group], use_threads=False):
                    values = utf8_of(array_at(rows, self._path), self._options.max_record, arrow)
                    keys, sites = (array_at(rows, path).to_pylist() if path else [None] * len(values) for path in (self._id, self._site))
                    for row, (value, key, site) in enumerate(zip(values, keys, sites)):
                        number += 1
                        record = self._record(value, key, Place(rows, row, self._path, group), number)
                        yield record._replace(site=site) if isinstance(site, str) and isinstance(record, Record) else record
        except (arrow.ArrowException, OSError) as error:
            _raise_if_named(error)
            raise InputError(f"{self.name}: damaged after row {number} ({error}); download or create it again") from error

    def _record(self, value: bytes | int | None, key: object, place: Place, number: int) -> Record | BadRecord:
        if value is None and self._options.on_null == "fail":
            return BadRecord(number, _as_json(place), "the text is null")
        if isinstance(value, int):
            return too_large(number, value, self.name, self._options)
        try:
            text, dropped = self._options.decoding.decode(value or b"")
        except UnicodeDecodeError:
            return BadRecord(number, _as_json(place), "the text is not valid UTF-8")
        key = json.dumps(key, ensure_ascii=False, default=str)
        text = text if value is None else field_text(text, self._options)
        return Record(text, place, dropped, key, missing=value is None, line=number, raw=partial(_as_json, place))

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """See `formats.base.Reader`."""
        place: Place = record.place
        (row,) = place.rows.slice(place.row, 1).to_pylist()
        if not record.missing:
            arrow, _ = libraries(self.name)
            kind = type_at(self.schema, place.path)
            set_text(row, self.schema, place.path, list_of_lines(text) if is_list(kind, arrow) else text)
        return {**row, **extras}


class Writer:
    """Writer of row groups under one schema."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out, self._added = out, list(options.adds)
        self._arrow, self._parquet = libraries("Parquet")
        self._file: Any = None
        self._source_schema: Any = None
        self._schema: Any = None  # with the added columns
        self._slice: list[tuple[Place, str | None, Extras]] = []
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
            self._file = self._parquet.ParquetWriter(SinkFile(self._out), self._schema, compression=reader.compression)

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Buffer a row; row groups are written when they are complete."""
        place = record.place
        if self._slice and self._slice[0][0].rows is not place.rows:
            ended = self._slice[0][0].group != place.group
            self._end_slice()
            if ended or sum(rows.nbytes for rows in self._group) >= GROUP_BYTES:
                self._end_group()
        self._slice.append((place, None if record.missing else to_utf8(text).decode(), extras))

    def _end_slice(self) -> None:
        """Put the rows of a slice into the group, run by run: pyarrow can slice all types, but not pick rows of all."""
        runs = groupby(enumerate(self._slice), key=lambda numbered: numbered[1][0].row - numbered[0])
        for _, run in runs:
            self._end_run([row for _, row in run])
        self._slice = []

    def _end_run(self, run: list[tuple[Place, str | None, Extras]]) -> None:
        arrow, (first, *_) = self._arrow, run[0]
        columns = list(first.rows.slice(first.row, len(run)).columns)
        position, *inner = first.path
        columns[position] = with_texts(columns[position], tuple(inner), [text for _, text, _ in run], arrow)
        for name in self._added:
            values = [extras.get(name) if name == ARTICLE else _as_value(extras.get(name)) for _, _, extras in run]
            columns.append(arrow.array(values, _type_of(name, arrow)))
        self._group.append(arrow.RecordBatch.from_arrays(columns, schema=self._schema))

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


class SinkFile:
    """Adapter from a sink to the file interface of pyarrow."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def flush(self) -> None:
        """Do nothing: the owner of the sink flushes it."""

    def close(self) -> None:
        """Do nothing: the owner of the sink closes it."""


def libraries(name: str) -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet; `name` is the file that needs them, for the message if they are missing."""
    with require_library("parquet", name):
        import pyarrow
        from pyarrow import parquet
    return pyarrow, parquet


def _raise_if_named(error: Exception) -> None:
    """Raise an error that names its file, which is about the storage and not about what is in the file."""
    if isinstance(error, OSError) and error.filename is not None:
        raise error


def _compression(metadata: Any) -> str:
    """Return the compression of the first row group, which the output uses too."""
    if not metadata.num_row_groups or not metadata.num_columns:
        return "snappy"
    return str(metadata.row_group(0).column(0).compression).lower().replace("uncompressed", "none")


def _type_of(name: str, arrow: Any) -> Any:
    """Return the type of an added column: a record, a flag, or JSON as text."""
    if name == ARTICLE:
        return article_type(arrow)
    return arrow.bool_() if name == NEEDS_REVIEW else arrow.string()


def _as_value(value: object) -> object:
    return value if isinstance(value, (bool, str)) or value is None else json.dumps(value, ensure_ascii=False)


def _as_json(place: Place) -> bytes:
    """Return a row as JSON, for quarantine."""
    (row,) = place.rows.slice(place.row, 1).to_pylist()
    return to_utf8(json.dumps(row, ensure_ascii=False, default=str))
