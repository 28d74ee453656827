"""WARC and WET: crawl archives, read by FastWARC; what comes out is WET, one text a record.

The text of `conversion` records (WET) is cleaned as it is; an HTML `response` (WARC) becomes lines as in `formats.html`. Either comes
out as a `conversion` record that keeps the URI and the date. Other records (requests, metadata, pictures) are passed over. What it
leaves out: keeping the HTML, and compressed records' own gzip members: a packed output is one stream.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from classifier.errors import InputError, require_library
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.html import html_to_lines, text_of
from classifier.io.encoding import TextDecoder, to_utf8
from classifier.io.files import Sink

__all__ = ["Reader", "Writer"]

_HTML = ("text/html", "application/xhtml+xml")
_REMADE = {"content-length", "content-type", "warc-type", "warc-block-digest", "warc-payload-digest"}
# What of a response's headers is still true of the text made from it.
_OF_A_RESPONSE = {"warc-target-uri", "warc-date", "warc-warcinfo-id", "warc-identified-payload-type"}


class Place(NamedTuple):
    """What a record said of itself."""

    headers: list[tuple[str, str]]  # those that stay


class Reader:
    """An archive, being read."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self.name = name
        self._decoding, self._site_field = options.decoding, options.site_field
        with require_library("warc", name):
            from fastwarc import warc
        self._conversion = warc.WarcRecordType.conversion
        types = warc.WarcRecordType.response | self._conversion
        options_of_http = {"parse_http": True, "auto_decode": "content"}
        self._records: Callable[[], Any] = lambda: warc.ArchiveIterator(_Counted(file), record_types=types, **options_of_http)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the texts; holds one record."""
        number = 0
        try:
            for number, record in enumerate(self._records(), 1):
                if record.record_type == self._conversion or _media_type(record) in _HTML:
                    yield self._record(record, number)
        except OSError as error:
            if error.errno is not None:
                raise
            raise InputError(f"{self.name}: no WARC file, or damaged behind record {number} ({error}); fetch it again") from error

    def _record(self, record: Any, number: int) -> Record | BadRecord:
        name = f"{self.name}: {record.headers.get('WARC-Target-URI') or record.record_id}"
        is_wet, length, data = record.record_type == self._conversion, record.content_length, record.reader.read()
        try:
            if is_wet:
                if len(data) != length:
                    return BadRecord(number, data, f"{length} bytes long, but ends after {len(data)}")
                decoder = TextDecoder(name, self._decoding)
                text, lost = decoder.feed(data) + decoder.flush(), decoder.dropped
            else:
                source, lost = text_of(data, name, self._decoding, record.http_charset)
                text = html_to_lines(source, name)
        except InputError as error:
            return BadRecord(number, data, str(error).removeprefix(f"{self.name}: "))
        headers = [(key, value) for key, value in record.headers.items() if _stays(key.lower(), is_wet)]
        if not is_wet:
            headers += [("WARC-Record-ID", _id_of_text(record.record_id)), ("WARC-Refers-To", record.record_id)]
        site = (record.headers.get(self._site_field) or "").strip("<>") if self._site_field else ""
        return Record(text, Place(headers), lost, json.dumps(record.record_id), site)


class Writer:
    """An archive of texts, being written."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out = out

    def follow(self, reader: Reader) -> None:
        """Go on with the records of another archive."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record; what is added goes into headers of our own."""
        data = to_utf8(text + "\n" if text else "")
        ours = [(f"Tinsach-{name.replace('_', '-').title()}", json.dumps(value)) for name, value in extras.items()]
        made = [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))]
        headers = [("WARC-Type", "conversion"), *record.place.headers, *ours, *made]
        head = "".join(f"{key}: {value}\r\n" for key, value in headers)
        self._out.write(b"WARC/1.0\r\n" + to_utf8(head) + b"\r\n" + data + b"\r\n\r\n")

    def close(self) -> None:
        """Do nothing: records are written as they come."""


class _Counted:
    """A file as FastWARC wants it, which asks where it is: pipes and unpacked files do not know."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._place = file, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._place += len(data)
        return data

    def tell(self) -> int:
        return self._place


def _media_type(record: Any) -> str:
    return (record.http_content_type or "").lower() if record.is_http else ""


def _stays(key: str, is_wet: bool) -> bool:
    return key not in _REMADE if is_wet else key in _OF_A_RESPONSE


def _id_of_text(record_id: str) -> str:
    """Return an id for the text of a response: always the same, so that jobs done twice can be compared."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, record_id)}>"
