"""JSON lines: one object per line, with the page's text in one field; everything else is preserved byte for byte.

A scan of the object's top level locates the text, and only its value is replaced, so that numbers, escapes, order and white
space of other fields cannot change. JSON is UTF-8 (RFC 8259). Blank lines are skipped. Does not look for the text in nested
objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, BinaryIO

from classifier.errors import InputError
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.io.encoding import Decoding, to_utf8
from classifier.io.files import Sink
from classifier.io.sniffing import Sniffer

__all__ = ["Reader", "Writer", "put_back", "read_records"]

_BLANK = re.compile(r"[ \t\n\r]*")
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
BOM = "\ufeff"


class Reader:
    """Reader of JSON lines."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._source = (file, name, options.decoding, options.field, options.id_field, options.adds, options.site_field)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order; holds one line at a time."""
        return read_records(*self._source)


class Writer:
    """Writer of JSON lines."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out = out

    def follow(self, reader: Reader) -> None:
        """Continue with the records of another input."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record's line."""
        self._out.write(put_back(record, text, extras))

    def close(self) -> None:
        """Do nothing: lines are written immediately."""


def read_records(
    source: BinaryIO,
    name: str,
    decoding: Decoding,
    field: str,
    id_field: str = "id",
    adds: Sequence[str] = (),
    site_field: str | None = None,
) -> Iterator[Record | BadRecord]:
    """Yield the records of a source in order; holds one line at a time. A record that has one of the fields `adds` is bad.

    Raises:
        InputError: the source is not UTF-8 (see `sniffing`), or another encoding is requested.
    """
    if decoding.encoding and decoding.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise InputError(f"{name}: JSON lines are UTF-8; convert them: iconv -f {decoding.encoding} -t UTF-8 FILE")
    sniffer = None if decoding.encoding else Sniffer(name, of_records=True)
    offset = 0
    for number, line in enumerate(source, 1):
        if number == 1 and sniffer and line.startswith(_WIDE_BOMS):
            raise InputError(f"{name}: UTF-16, but JSON lines are UTF-8; convert them: iconv -f UTF-16 -t UTF-8 FILE")
        if sniffer:
            sniffer.feed(line)
        if (line.removeprefix(BOM.encode()) if number == 1 else line).strip(b" \t\n\r"):
            yield _record(line[:-1] if line.endswith(b"\n") else line, number, offset, decoding.errors, (field, id_field, adds, site_field))
        offset += len(line)
    if sniffer:
        sniffer.flush()


def put_back(record: Record, text: str, extras: Extras = NO_EXTRAS) -> bytes:
    """Return the record's line with another text, and with the extra fields appended.

    Non-ASCII text is not escaped, except lone surrogates, which UTF-8 cannot encode.

    >>> put_back(Record("một\\n", ('{"id": 1.10, "text": ', "}")), "một \\ud800")
    b'{"id": 1.10, "text": "m\\xe1\\xbb\\x99t \\\\ud800"}\\n'
    """
    before, after = record.place
    value = json.dumps(text, ensure_ascii=False)
    if extras:
        added = "".join(f", {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in extras.items())
        head, brace, tail = after.rpartition("}")
        after = head + added + brace + tail
    return to_utf8(f"{before}{value}{after}\n")


def _record(line: bytes, number: int, offset: int, errors: str, fields: tuple[str, str, Sequence[str], str | None]) -> Record | BadRecord:
    try:
        text = line.decode("utf-8", "ignore" if errors == "skip" else errors)
        value, start, end, key, site = _find(text, *fields)
    except UnicodeDecodeError as error:
        return BadRecord(number, line, f"byte offset {offset + error.start} of the file is not valid UTF-8")
    except JSONDecodeError as error:
        return BadRecord(number, line, f"not JSON: {error.msg} at character {error.pos + 1} of the line")
    except RecursionError:
        return BadRecord(number, line, "nested too deeply")
    except _Unusable as error:
        return BadRecord(number, line, str(error))
    lost = len(line) - len(text.encode()) if errors == "skip" else 0
    return Record(value, (text[:start], text[end:]), lost, key, site, number, lambda: line)


class _Unusable(Exception):
    """Why a line of JSON is not a record with a text to clean."""


def _find(line: str, field: str, id_field: str, adds: Sequence[str], site_field: str | None) -> tuple[str, int, int, str, str]:
    """Return the text, the start and end of its JSON value in the line, the id as raw JSON, and the site."""
    fields = list(_fields(line))
    found = [(value, start, end) for name, value, start, end in fields if name == field]
    if not found:
        raise _Unusable(f"no field {field!r}; name the text field with --text-field")
    if len(found) > 1:
        raise _Unusable(f"field {field!r} occurs {len(found)} times")
    if not isinstance(found[0][0], str):
        raise _Unusable(f"field {field!r} is not text")
    for name, *_ in fields:
        if name in adds:
            raise _Unusable(f"has a field {name!r} already, which this command adds; rename it")
    key = next((line[start:end] for name, _, start, end in fields if name == id_field), "null")
    return *found[0], key, next((value for name, value, *_ in fields if name == site_field and isinstance(value, str)), "")


def _fields(line: str) -> Iterator[tuple[str, Any, int, int]]:
    """Yield name, value, and start and end of the value, of each field of the object that makes up the line."""
    position = _skip_blanks(line, len(BOM) if line.startswith(BOM) else 0)
    if not line.startswith("{", position):
        _scan(line, position)  # invalid JSON is the more useful message
        raise _Unusable("not a JSON object")
    position = _skip_blanks(line, position + 1)
    closed = line.startswith("}", position)
    while not closed:
        name, position = scanstring(line, _expect(line, position, '"'), True)
        start = _skip_blanks(line, _expect(line, _skip_blanks(line, position), ":"))
        value, end = _scan(line, start)
        yield name, value, start, end
        position = _skip_blanks(line, end)
        closed = line.startswith("}", position)
        if not closed:
            position = _skip_blanks(line, _expect(line, position, ","))
    if _skip_blanks(line, position + 1) != len(line):
        raise JSONDecodeError("Extra data", line, position + 1)


def _skip_blanks(line: str, position: int) -> int:
    """Return the position after the white space at a position."""
    return _BLANK.match(line, position).end()  # type: ignore[union-attr]


def _expect(line: str, position: int, char: str) -> int:
    """Return the position after a required character."""
    if not line.startswith(char, position):
        raise JSONDecodeError(f"Expecting {char}", line, position)
    return position + 1


def _refuse_constant(name: str) -> None:
    raise _Unusable(f"{name} is not JSON")


# Numbers are not converted: their values are not needed, and Python rejects integers of more than 4300 digits.
_SCAN_ONCE = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse_constant).scan_once  # type: ignore[attr-defined]


def _scan(line: str, position: int) -> tuple[Any, int]:
    """Return the JSON value at a position, and the position after it."""
    try:
        return _SCAN_ONCE(line, position)
    except StopIteration as stop:
        raise JSONDecodeError("Expecting value", line, stop.value) from None
