"""WARC and WET crawl archives, read by FastWARC; the output is WET, with one text per record.

The text of a `conversion` record (WET) is cleaned as it is; an HTML `response` (WARC) is converted to lines as in `formats.html`.
Both are written as `conversion` records that keep URI and date. Other records (requests, metadata, images) are skipped. Does not
keep the HTML, nor one gzip member per record: a compressed output is one stream.
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
_REWRITTEN_HEADERS = {"content-length", "content-type", "warc-type", "warc-block-digest", "warc-payload-digest"}
# Headers of a response that also hold for the text extracted from it.
_RESPONSE_HEADERS = {"warc-target-uri", "warc-date", "warc-warcinfo-id", "warc-identified-payload-type"}


class Place(NamedTuple):
    """Headers of a record."""

    headers: list[tuple[str, str]]  # only those kept in the output


class Reader:
    """Reader of an archive."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self.name = name
        self._decoding, self._site_field = options.decoding, options.site_field
        with require_library("warc", name):
            from fastwarc import warc
        self._conversion = warc.WarcRecordType.conversion
        types = warc.WarcRecordType.response | self._conversion
        options_of_http = {"parse_http": True, "auto_decode": "content"}
        self._records: Callable[[], Any] = lambda: warc.ArchiveIterator(_CountedFile(file), record_types=types, **options_of_http)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order; holds one record."""
        number = 0
        try:
            for number, record in enumerate(self._records(), 1):
                if record.record_type == self._conversion or _media_type(record) in _HTML:
                    yield self._record(record, number)
        except OSError as error:
            if error.errno is not None:
                raise
            raise InputError(f"{self.name}: not a WARC file, or damaged after record {number} ({error}); download it again") from error

    def _record(self, record: Any, number: int) -> Record | BadRecord:
        name = f"{self.name}: {record.headers.get('WARC-Target-URI') or record.record_id}"
        is_wet, length, data = record.record_type == self._conversion, record.content_length, record.reader.read()
        try:
            if is_wet:
                if len(data) != length:
                    return BadRecord(number, data, f"Content-Length is {length}, but there are only {len(data)} bytes")
                decoder = TextDecoder(name, self._decoding)
                text, lost = decoder.feed(data) + decoder.flush(), decoder.dropped
            else:
                source, lost = text_of(data, name, self._decoding, record.http_charset)
                text = html_to_lines(source, name)
        except InputError as error:
            return BadRecord(number, data, str(error).removeprefix(f"{self.name}: "))
        headers = [(key, value) for key, value in record.headers.items() if _is_kept(key.lower(), is_wet)]
        if not is_wet:
            headers += [("WARC-Record-ID", _id_of_text(record.record_id)), ("WARC-Refers-To", record.record_id)]
        site = (record.headers.get(self._site_field) or "").strip("<>") if self._site_field else ""
        return Record(text, Place(headers), lost, json.dumps(record.record_id), site, number, lambda: data)


class Writer:
    """Writer of an archive of texts."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self._out = out

    def follow(self, reader: Reader) -> None:
        """Continue with the records of another archive."""

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write a record; added fields become `Tinsach-` headers."""
        data = to_utf8(text + "\n" if text else "")
        added = [(f"Tinsach-{name.replace('_', '-').title()}", json.dumps(value)) for name, value in extras.items()]
        block = [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))]
        headers = [("WARC-Type", "conversion"), *record.place.headers, *added, *block]
        head = "".join(f"{key}: {value}\r\n" for key, value in headers)
        self._out.write(b"WARC/1.0\r\n" + to_utf8(head) + b"\r\n" + data + b"\r\n\r\n")

    def close(self) -> None:
        """Do nothing: records are written immediately."""


class _CountedFile:
    """File adapter that counts bytes for `tell`, which FastWARC calls and pipes and decompressed files lack."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._position = file, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position


def _media_type(record: Any) -> str:
    return (record.http_content_type or "").lower() if record.is_http else ""


def _is_kept(key: str, is_wet: bool) -> bool:
    return key not in _REWRITTEN_HEADERS if is_wet else key in _RESPONSE_HEADERS


def _id_of_text(record_id: str) -> str:
    """Return the record id for the text of a response; derived from the response's id, so that runs are reproducible."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, record_id)}>"
