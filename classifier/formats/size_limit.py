"""Size limit of records: a record larger than `Options.max_record` is refused by its number, without being held in memory.

The rest of such a record is read and forgotten. Nothing of it goes to quarantine but a line that says where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options
from classifier.io.encoding import to_utf8

__all__ = ["lines_within", "read_within", "size_of", "too_large"]

_PIECE = 1 << 20  # bytes read at a time of what is too large
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}


def size_of(text: str, option: str) -> int:
    """Return the number of bytes that an option asks for.

    >>> size_of("64M", "--size"), size_of("500k", "--size"), size_of("1000", "--size")
    (67108864, 512000, 1000)

    Raises:
        InputError: it is no size, or 0.
    """
    number, unit = (text[:-1], text[-1:].upper()) if text[-1:].isalpha() else (text, "")
    if not number.isdecimal() or not int(number) or unit not in _UNITS:
        raise InputError(f"{option} {text}: give a number of bytes, perhaps with K, M or G, as in 64M")
    return int(number) << _UNITS[unit]


def too_large(number: int, size: int, name: str, options: Options) -> BadRecord:
    """Return the bad record for one of `size` bytes."""
    reason = f"{size:,} bytes, more than the {options.max_record:,} of --max-record-size"
    return BadRecord(number, to_utf8(json.dumps({"file": name, "record": number, "reason": reason}, ensure_ascii=False)), reason)


def lines_within(source: BinaryIO, limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield the lines of a source and their sizes; of a line with more than `limit` bytes, only the beginning."""
    while line := source.readline(limit + 1):
        size = len(line)
        if size > limit and not line.endswith(b"\n"):
            while rest := source.readline(_PIECE):
                size += len(rest)
                if rest.endswith(b"\n"):
                    break
        yield line, size


def read_within(file: BinaryIO, name: str, options: Options) -> bytes:
    """Return the bytes of a file that is read as a whole.

    Raises:
        InputError: there are more of them than the limit.
    """
    data = file.read(options.max_record + 1)
    if len(data) > options.max_record:
        raise InputError(f"{name}: more bytes than the {options.max_record:,} of --max-record-size; raise it if this is one page")
    return data
