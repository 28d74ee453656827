"""Input files that cannot be used as a whole: binary, damaged, misnamed, unreadable, or in an encoding that is refused.

A job that goes on without such a file must not use half of it. If the output is a file of its own, it is discarded. If several
inputs share an output, each input is read to its end first (`require_usable`), which costs a second reading but no memory.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from classifier.errors import InputError, OutputError
from classifier.formats.base import BadRecord, Options, Record
from classifier.formats.registry import open_reader
from classifier.formats.size_limit import read_within
from classifier.formats.sources import Source
from classifier.formats.text import text_lines
from classifier.io.encoding import TextDecoder
from classifier.io.files import STDIN, os_error_message

__all__ = ["at_site_of", "file_fault", "is_file", "page_name", "require_usable"]


def page_name(source: Source, number: int) -> str:
    """Return the name that messages give to a page or record of an input, counted from 1."""
    if source.format == "html":  # a page a file
        return source.name
    return f"{source.name}, {'page' if source.format == 'text' else 'record'} {number}"


def at_site_of(source: Source, record: Record) -> Record:
    """Return a record of an input, which belongs to the site of the input if it names none."""
    return record._replace(site=source.site) if source.site and not record.site else record


def is_file(source: Source) -> bool:
    """Return whether an input can be read twice, or left out: not a pipe, whose first bytes are gone after an error."""
    return source.path != STDIN and (os.path.isfile(source.path) or not os.path.exists(source.path))


def file_fault(error: InputError | OSError, source: Source) -> str | None:
    """Return why an input cannot be used, beginning with its name; None if the error is not about the input.

    Other errors concern an output (`OutputError`; a full disk, which has another name), or a missing library, which fails on every such
    file.
    """
    if isinstance(error, InputError):
        reason = None if isinstance(error, OutputError) or isinstance(error.__cause__, ModuleNotFoundError) else str(error)
    elif error.errno is None or error.filename not in (None, source.path, source.name):
        return None
    else:
        reason = os_error_message(OSError(error.errno, error.strerror, source.name))
    return reason if reason is None or reason.startswith(source.name) else f"{source.name}: {reason}"


def require_usable(source: Source, options: Options, whole: bool) -> None:
    """Raise an error if an input cannot be used; unless `whole`, only its kind is checked, and damage further on is not found.

    Raises:
        InputError, OSError: the input is not what its name says, or cannot be read.
    """
    with source.open() as file:
        if source.format == "text":
            if whole:
                deque(text_lines(file, TextDecoder(source.name, options.decoding), source.name, options), 0)
        elif source.format == "html":
            from classifier.formats.html import text_of  # only the formats in use are imported

            text_of(read_within(file, source.name, options), source.name, options.decoding)
        else:
            records = iter(open_reader(source.format, file, source.name, options))
            if source.format == "jsonl":
                _require_json(records, source.name)
            if whole:
                deque(records, 0)


def _require_json(records: Iterator[Record | BadRecord], name: str) -> None:
    """Read the first record; if it is not JSON, all until one is."""
    first: BadRecord | None = None
    for record in records:
        if isinstance(record, Record) or _is_json(record.raw):
            return
        first = first or record
    if first:
        raise InputError(f"{name}: none of its lines is JSON (line {first.line}: {first.reason}); give the file the name of its format")


def _is_json(raw: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(raw.decode("utf-8", "replace")), (dict, list))
    return False
