"""TODO"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from classifier.io.encoding import Decoding

__all__ = ["ATTRIBUTES", "NEEDS_REVIEW", "NO_EXTRAS", "NO_SITE", "BadRecord", "Extras", "Options", "Reader", "Record", "Writer"]

ATTRIBUTES, NEEDS_REVIEW = "attributes", "needs_review"
NO_SITE = "no_site"  # what jobs count records without a site under
Extras = Mapping[str, Any]  # what is added to a record, by field
NO_EXTRAS: Extras = {}


class Options(NamedTuple):
    """How inputs are read."""

    decoding: Decoding
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
