"""JSON records: find a record's text in its JSON, and put another text in its place.

A scan of the object locates the text, and only its value is replaced, so that numbers, escapes, order and white space of other
fields cannot change. A field name with dots leads into nested objects ("page.text"), unless a field has that very name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.field import field_text
from classifier.io.encoding import to_utf8

__all__ = ["BOM", "Place", "as_line", "parse_record", "put_back", "record_fields", "with_text"]

BOM = "\ufeff"
_BLANK = re.compile(r"[ \t\n\r]*")
_LINE_END = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")  # between the parts of an indented object: JSON strings hold none


class Place(NamedTuple):
    """Position of a text."""

    before: str  # the JSON in front of the text
    after: str
    value: str = "null"  # JSON of a missing text
    is_list: bool = False  # the text was a list of lines


def parse_record(line: bytes, number: int, offset: int, options: Options, bare: bool = False) -> Record | BadRecord:
    """Return the record that a piece of JSON holds; `bare` allows a string, which is then the text.

    `offset` is the position of its first byte in the file, for messages.
    """
    try:
        source, dropped = options.decoding.decode(line)
        record = _bare_record(source, options) if bare and source.lstrip(" \t\r\n").startswith('"') else _find(source, options)
    except UnicodeDecodeError as error:
        return BadRecord(number, line, f"byte offset {offset + error.start} of the file is not valid UTF-8")
    except JSONDecodeError as error:
        return BadRecord(number, line, f"not JSON: {error.msg} at character {error.pos + 1} of the {'record' if bare else 'line'}")
    except RecursionError:
        return BadRecord(number, line, "nested too deeply")
    except _Unusable as error:
        return BadRecord(number, line, str(error))
    if record.missing and options.on_null == "fail":
        return BadRecord(number, line, f"field {options.field!r} is null")
    return record._replace(undecodable=dropped, line=number, raw=lambda: line)


def with_text(record: Record, text: str, extras: Extras = NO_EXTRAS) -> str:
    """Return a record's JSON with another text, and with the extra fields appended; a missing text stays as it is.

    >>> with_text(Record("một\\n", Place('{"id": 1.10, "text": ', "}")), "hai")
    '{"id": 1.10, "text": "hai"}'
    """
    before, after, value, is_list = record.place
    if not record.missing:
        value = json.dumps((text.split("\n") if text else []) if is_list else text, ensure_ascii=False)
    if extras:
        added = "".join(f", {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in extras.items())
        head, brace, tail = after.rpartition("}")
        after = head + added + brace + tail
    return f"{before}{value}{after}"


def put_back(record: Record, text: str, extras: Extras = NO_EXTRAS) -> bytes:
    """Return the record as a line of UTF-8; see `with_text`.

    Non-ASCII text is not escaped, except lone surrogates, which UTF-8 cannot encode.

    >>> put_back(Record("một\\n", Place('{"id": 1.10, "text": ', "}")), "một \\ud800")
    b'{"id": 1.10, "text": "m\\xe1\\xbb\\x99t \\\\ud800"}\\n'
    """
    return to_utf8(with_text(record, text, extras) + "\n")


def as_line(source: str) -> str:
    """Return JSON without line ends."""
    return _LINE_END.sub(" ", source.removeprefix(BOM)).strip(" ") if "\n" in source or "\r" in source else source.removeprefix(BOM)


def record_fields(record: Record, text: str, extras: Extras, name: str) -> dict[str, Any]:
    """Return the fields of a record with another text; `name` is the field of a record that is only a string."""
    found = json.loads(with_text(record, text, extras).removeprefix(BOM))
    return found if isinstance(found, dict) else {name: found}


class _Unusable(Exception):
    """Why a piece of JSON is not a record with a text to clean."""


class _Value(NamedTuple):
    """A field of an object."""

    value: Any
    start: int  # of its JSON
    end: int


_NAN = object()  # the value of NaN, which is no JSON, but what Python writes for a missing text


def _bare_record(source: str, options: Options) -> Record:
    start = _skip_blanks(source, 0)
    value, end = _scan(source, start)
    _require_end(source, end)
    if options.adds:
        raise _Unusable(f"a string, which has no fields: this command adds {' and '.join(options.adds)}")
    return Record(field_text(value, options), Place(source[:start], source[end:]))


def _find(source: str, options: Options) -> Record:
    """Return the record of an object."""
    start = _object_start(source)
    fields = _fields_of(source, start)
    _require_end(source, _last_end(source, start, fields))
    for name, _ in fields:
        if name in options.adds:
            raise _Unusable(f"has a field {name!r} already, which this command adds; rename it")
    found = _look_up(source, fields, options.field)
    if not found:
        raise _Unusable(f"no field {options.field!r}; name the text field with --text-field")
    if len(found) > 1:
        raise _Unusable(f"field {options.field!r} occurs {len(found)} times")
    text, start, end = found[0]
    text, is_list, missing = _as_text(text, options)
    _refuse_nan(fields, start if missing else None)
    key = next((source[start:end] for _, start, end in _look_up(source, fields, options.id_field)), "null")
    sites = _look_up(source, fields, options.site_field) if options.site_field else []
    site = next((value for value, *_ in sites if isinstance(value, str)), "")
    place = Place(source[:start], source[end:], source[start:end], is_list)
    return Record(text if missing else field_text(text, options), place, 0, key, site, missing)


def _as_text(value: Any, options: Options) -> tuple[str, bool, bool]:
    """Return the text of a field's value, whether it was a list, and whether it is missing."""
    if value is None or value is _NAN:
        return "", False, True
    if isinstance(value, str):
        return value, False, False
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        if options.join_lists:
            return "\n".join(value), True, False
        raise _Unusable(f"field {options.field!r} is not text, but a list of strings; --join-lists reads it as lines")
    raise _Unusable(f"field {options.field!r} is not text")


def _refuse_nan(fields: list[tuple[str, _Value]], allowed: int | None) -> None:
    for _, (value, start, _) in fields:
        if value is _NAN and start != allowed:
            _refuse_constant("NaN")


def _look_up(source: str, fields: list[tuple[str, _Value]], name: str) -> list[_Value]:
    """Return the values of a field, by its very name or by a path through nested objects."""
    found = [value for field, value in fields if field == name]
    head, dot, rest = name.partition(".")
    while not found and dot:
        for field, value in fields:
            if field == head and isinstance(value.value, dict):
                found += _look_up(source, _fields_of(source, value.start), rest)
        step, dot, rest = rest.partition(".")
        head = f"{head}.{step}"
    return found


def _object_start(source: str) -> int:
    start = _skip_blanks(source, len(BOM) if source.startswith(BOM) else 0)
    if not source.startswith("{", start):
        _scan(source, start)  # invalid JSON is the more useful message
        raise _Unusable("not a JSON object")
    return start


def _last_end(source: str, start: int, fields: list[tuple[str, _Value]]) -> int:
    """Return the position after an object whose fields are known."""
    return _skip_blanks(source, fields[-1][1].end if fields else start + 1) + 1


def _require_end(source: str, position: int) -> None:
    if _skip_blanks(source, position) != len(source):
        raise JSONDecodeError("Extra data", source, position)


def _fields_of(source: str, start: int) -> list[tuple[str, _Value]]:
    return list(_scan_fields(source, start))


def _scan_fields(source: str, start: int) -> Iterator[tuple[str, _Value]]:
    """Yield the fields of the object at a position."""
    position = _skip_blanks(source, start + 1)
    closed = source.startswith("}", position)
    while not closed:
        name, position = scanstring(source, _expect(source, position, '"'), True)
        start = _skip_blanks(source, _expect(source, _skip_blanks(source, position), ":"))
        value, end = (_NAN, start + 3) if source.startswith("NaN", start) else _scan(source, start)
        yield name, _Value(value, start, end)
        position = _skip_blanks(source, end)
        closed = source.startswith("}", position)
        if not closed:
            position = _skip_blanks(source, _expect(source, position, ","))


def _skip_blanks(source: str, position: int) -> int:
    """Return the position after the white space at a position."""
    return _BLANK.match(source, position).end()  # type: ignore[union-attr]


def _expect(source: str, position: int, char: str) -> int:
    """Return the position after a required character."""
    if not source.startswith(char, position):
        raise JSONDecodeError(f"Expecting {char}", source, position)
    return position + 1


def _refuse_constant(name: str) -> None:
    raise _Unusable(f"{name} is not JSON")


# Numbers are not converted: their values are not needed, and Python rejects integers of more than 4300 digits.
_SCAN_ONCE = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse_constant).scan_once  # type: ignore[attr-defined]


def _scan(source: str, position: int) -> tuple[Any, int]:
    """Return the JSON value at a position, and the position after it."""
    try:
        return _SCAN_ONCE(source, position)
    except StopIteration as stop:
        raise JSONDecodeError("Expecting value", source, stop.value) from None
