"""Input formats: which one a file is in. Each module here reads one; writing what it read back is its business too.

`text` is pages of lines, endless if need be. `jsonl` is one record a line. A format of records yields `Record`s with the
text to clean, and `BadRecord`s for what it could not use; what happens to those is decided elsewhere (`jobs.Faults`).
"""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

__all__ = ["FORMATS", "BadRecord", "Record", "format_of"]

FORMATS = ("text", "jsonl")
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl"}


class Record(NamedTuple):
    """A text to clean, and what stands before and after it where it was found."""

    text: str
    before: str
    after: str
    undecodable: int = 0  # bytes left out of it


class BadRecord(NamedTuple):
    """A record that cannot be used."""

    line: int  # counts from 1
    raw: bytes  # as it stands in the file, without its line end
    reason: str


def format_of(name: str) -> str:
    """Return the format a file's name stands for; text if it says nothing.

    >>> format_of("crawl/2025.JSONL"), format_of("page.txt"), format_of("-")
    ('jsonl', 'text', 'text')
    """
    return _SUFFIXES.get(PurePath(name).suffix.lower(), "text")
