"""Input formats: which one a file is in, and what each has in common. Each module here reads and writes one.

`text` is pages of lines, endless if need be. The others hold records: a `Reader` yields `Record`s with the text to clean, and
`BadRecord`s for what it could not use; what happens to those is decided elsewhere (`jobs.Faults`). A `Writer` puts the clean text
where the text was. Both stream. `registry` knows the modules; what is imported with this file needs none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol

from classifier.encoding import Reading

__all__ = [
    "ATTRIBUTES", "FORMATS", "NEEDS_REVIEW", "NO_EXTRAS", "NO_SITE", "OUTPUTS", "BadRecord", "Extras", "Options", "Reader", "Record",
    "Writer", "format_of", "is_known", "output_name", "without_packing",
]  # fmt: skip

_SUFFIXES = {
    ".txt": "text", ".text": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".html": "html",
    ".htm": "html", ".xhtml": "html", ".parquet": "parquet", ".warc": "warc", ".wet": "warc",
}  # fmt: skip
FORMATS = tuple(dict.fromkeys(_SUFFIXES.values()))
OUTPUTS = {"html": "text"}  # the format a clean input is written in, where it is another than its own
_NEW_SUFFIXES = {"html": ".txt", "warc": ".wet"}  # of outputs in another format
_PACKINGS = (".gz", ".zst")

ATTRIBUTES, NEEDS_REVIEW = "attributes", "needs_review"
NO_SITE = "no_site"  # what jobs count records without a site under

Extras = Mapping[str, Any]  # what is added to a record, by field
NO_EXTRAS: Extras = {}


class Options(NamedTuple):
    """How inputs are read."""

    reading: Reading
    separator: str  # of pages of text
    field: str  # that holds a record's text
    id_field: str = "id"  # that says which record it is
    adds: tuple[str, ...] = ()  # fields that records get besides: ATTRIBUTES, NEEDS_REVIEW
    blank_lines: int = 0  # in a row that separate pages of text, instead of the separator; 0 for none
    max_dropped: float | None = None  # share of its characters that a page may lose before it needs review
    site_field: str | None = None  # that says which site a record is of


class Record(NamedTuple):
    """A text to clean, and where it was found."""

    text: str
    place: Any  # what its format's writer needs to put a text back
    undecodable: int = 0  # bytes left out of it
    id: str = "null"  # as JSON
    site: str = ""  # a name or a URL; empty if it names none


class BadRecord(NamedTuple):
    """A record that cannot be used."""

    line: int  # counts from 1; of a format without lines, the record
    raw: bytes  # as it stands in the file, without its line end
    reason: str


class Reader(Protocol):
    """An input of records, being read."""

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order, with bounded memory."""


class Writer(Protocol):
    """An output being written."""

    def follow(self, reader: Any) -> None:
        """Get ready for the records of a reader, the first or a further one; None stands for an input of text."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record with another text in the place of its own, and with fields it did not have."""

    def close(self) -> None:
        """Write what is left; without it, the output is not whole."""


def without_packing(name: str) -> str:
    """Return a file's name without the suffix of a compression.

    >>> without_packing("crawl.jsonl.gz"), without_packing("page.txt")
    ('crawl.jsonl', 'page.txt')
    """
    path = PurePath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in _PACKINGS else name


def is_known(name: str) -> bool:
    """Return whether a file's name stands for a format."""
    return PurePath(without_packing(name)).suffix.lower() in _SUFFIXES


def format_of(name: str) -> str:
    """Return the format a file's name stands for; text if it says nothing.

    >>> format_of("crawl/2025.JSONL"), format_of("crawl.jsonl.zst"), format_of("page.txt"), format_of("-")
    ('jsonl', 'jsonl', 'text', 'text')
    """
    return _SUFFIXES.get(PurePath(without_packing(name)).suffix.lower(), "text")


def output_name(name: str, form: str) -> str:
    """Return the name for the clean form of a file: its own, unless it is written in another format.

    >>> output_name("crawl.jsonl.gz", "jsonl")
    'crawl.jsonl.gz'
    >>> output_name("sub/page.html", "html")
    'sub/page.txt'
    """
    if form not in _NEW_SUFFIXES:
        return name
    bare = without_packing(name)
    return str(PurePath(bare).with_suffix(_NEW_SUFFIXES[form])) + name[len(bare) :]
