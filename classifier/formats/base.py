"""Types shared by all formats: input options, records, and the protocols of readers and writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from classifier.io.encoding import Decoding

__all__ = [
    "ARTICLE",
    "ATTRIBUTES",
    "LEFT_OUT",
    "MAX_RECORD",
    "MISSING",
    "NEEDS_REVIEW",
    "NO_EXTRAS",
    "NO_SITE",
    "ONLY_IN_SCRIPT",
    "ON_NULL",
    "BadRecord",
    "Extras",
    "Options",
    "Reader",
    "Record",
    "Writer",
]

ARTICLE, ATTRIBUTES, NEEDS_REVIEW = "article", "attributes", "needs_review"  # fields that a job can add to records
NO_SITE = "no_site"  # the key under which jobs count records without a site
Extras = Mapping[str, Any]  # values of the fields added to a record, by name
NO_EXTRAS: Extras = {}
ON_NULL = ("keep", "skip", "fail")  # records without a text stay as they are, are left out, or are bad
LEFT_OUT = ("responses_not_ok", "responses_not_html")  # the keys under which jobs count responses of archives that are no pages
ONLY_IN_SCRIPT = "only_in_script"  # the key under which jobs count documents whose article is in JSON-LD only
MAX_RECORD = 64 << 20  # bytes that a record, or a line of text, may have
MISSING = "missing"  # the key under which jobs count records without a text


class Options(NamedTuple):
    """Options for reading inputs, and for the fields added to their records."""

    decoding: Decoding
    separator: str  # between pages of text
    field: str  # name of the field that holds a record's text
    id_field: str = "id"  # name of the field that identifies a record
    adds: tuple[str, ...] = ()  # fields to add to records: ARTICLE, ATTRIBUTES, NEEDS_REVIEW
    blank_lines: int = 0  # if not 0, this many in a row separate pages of text instead of `separator`
    max_dropped: float | None = None  # share of its characters that a page may lose without needing review; None: any
    site_field: str | None = None  # name of the field that holds a record's site
    on_null: str = "keep"  # what becomes of records without a text, one of ON_NULL
    join_lists: bool = False  # whether a text may be a list of strings, which are its lines
    delimiter: str | None = None  # between the values of a CSV row; None: sniffed
    text_format: str = "text"  # of texts in records: "text" or "html"
    html_hidden: bool = False  # whether hidden elements of HTML are text
    html_alt: bool = False  # whether alternative texts of pictures are text
    trusted: bool = False  # the user named the format: text may look like JSON
    output: str | None = None  # format of the output, if not that of the input
    finish: tuple[str, ...] = ()  # steps that finish a clean text, see `record.finishing`
    header: bool = False  # whether the text of an article begins with a header
    max_record: int = MAX_RECORD
    min_confidence: float | None = None  # confidence below which an article needs review; None: any


class Record(NamedTuple):
    """A text to clean, and its position in the input."""

    text: str
    place: Any  # what the format's writer needs to put a text back
    undecodable: int = 0  # bytes replaced or left out
    id: str = "null"  # as JSON
    site: str = ""  # a name or a URL; empty if unknown
    missing: bool = False  # there is no text, and `text` is empty; writers leave the record as it is
    only_in_script: bool = False  # a document whose article is not in its text, but in JSON-LD
    line: int = 0  # as in BadRecord; 0 for pages of text and HTML, which are no records of a file
    raw: Callable[[], bytes] = bytes  # returns what BadRecord.raw is


class BadRecord(NamedTuple):
    """A record that cannot be used, and why."""

    line: int  # from 1; the number of the record in formats without lines
    raw: bytes  # unmodified, without its line end
    reason: str


class Reader(Protocol):
    """Protocol of an input of records."""

    name: str  # for messages

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order, with bounded memory."""

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """Return a record's fields with `text` in place of its own, and with added fields, for writers of other formats."""


class Writer(Protocol):
    """Protocol of an output."""

    def follow(self, reader: Any) -> None:
        """Prepare for the records of a reader, the first or a further one; None for an input of text."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record with `text` in place of its own, and with added fields."""

    def close(self) -> None:
        """Write what is still buffered; the output is incomplete without this call."""
