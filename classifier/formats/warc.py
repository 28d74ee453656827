"""WARC and WET crawl archives, read by FastWARC; the output is WET, with one text per record.

The text of a `conversion` record (WET) is cleaned as it is; an HTML `response` (WARC) is converted to lines as in `formats.html`.
Both are written as `conversion` records that keep URI and date. Responses with another status than 2xx, and those that are not HTML,
are left out and counted; other records (requests, metadata) are skipped. An archive that ends inside a record has a bad record there.
Does not keep the HTML, nor one gzip member per record: a compressed output is one stream.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from classifier.errors import InputError, require_library
from classifier.formats.base import LEFT_OUT, NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.html import html_to_lines, is_only_in_script, require_extractor, text_of
from classifier.formats.size_limit import too_large
from classifier.io.compression import CutFile
from classifier.io.encoding import TextDecoder, to_utf8
from classifier.io.files import Sink

__all__ = ["NOT_HTML", "NOT_OK", "Reader", "Writer"]

NOT_OK, NOT_HTML = LEFT_OUT
_AGAIN = "download it again"
_SMALL = 1 << 16  # other records of up to this many bytes are read, to notice a cut in them
_HTML = ("text/html", "application/xhtml+xml")
_REWRITTEN_HEADERS = {"content-length", "content-type", "warc-type", "warc-block-digest", "warc-payload-digest"}
# Headers of a response that also hold for the text extracted from it.
_RESPONSE_HEADERS = {"warc-target-uri", "warc-date", "warc-warcinfo-id", "warc-identified-payload-type"}


class Place(NamedTuple):
    """Headers of a record."""

    headers: list[tuple[str, str]]  # only those kept in the output


class _Response(NamedTuple):
    """An HTTP response."""

    record: Any  # with its HTTP headers parsed
    body: bytes


class Reader:
    """Reader of an archive."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self.name, self._options = name, options
        self.left_out: Counter[str] = Counter()  # responses, by reason: NOT_OK, NOT_HTML
        with require_library("warc", name):
            from fastwarc import warc

            require_extractor(name)
        self._types, self._new_record = warc.WarcRecordType, warc.WarcRecord
        self._bytes = _CountedFile(file)
        self._records: Callable[[], Any] = lambda: warc.ArchiveIterator(self._bytes, parse_http=False)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the records in order; holds one record."""
        number, unread = 0, None  # the last record, unless its content was read
        found: Record | BadRecord | None = None
        try:
            for number, record in enumerate(self._records(), 1):
                unread = record
                if self._is_page(record) and record.content_length > self._options.max_record:
                    yield too_large(number, record.content_length, self.name, self._options)
                elif record.headers.get("Content-Length") and (self._is_page(record) or record.content_length <= _SMALL):
                    unread = None
                    if (found := self._read(record, number)) is not None:
                        yield found
        except OSError as error:
            if error.errno is not None:
                raise
            raise InputError(f"{self.name}: not a WARC file, or damaged after record {number} ({error}); download it again") from error
        if unread is not None and self._bytes.ends_inside(unread):
            yield BadRecord(number, b"", f"the archive is cut inside this record; {_AGAIN}")
        elif self._bytes.cut and not number:
            raise self._bytes.cut
        elif self._bytes.cut and not isinstance(found, BadRecord):
            yield BadRecord(number + 1, b"", str(self._bytes.cut).removeprefix(f"{self.name}: "))

    def _is_page(self, record: Any) -> bool:
        return record.record_type in (self._types.conversion, self._types.response)

    def _read(self, record: Any, number: int) -> Record | BadRecord | None:
        """Return a response or a text; None if it is left out."""
        length, data = record.content_length, record.reader.read()
        if len(data) != length:
            return BadRecord(number, data, f"Content-Length is {length}, but there are only {len(data)} bytes; {_AGAIN}")
        if record.record_type == self._types.conversion:
            return self._record(record, number, data, None)
        if record.record_type != self._types.response or not record.is_http:
            return None
        try:
            response = self._response(data)
        except OSError as error:
            return BadRecord(number, data, f"the body is not encoded as its HTTP headers say ({error}); {_AGAIN}")
        if reason := _reason_to_leave_out(response.record):
            self.left_out[reason] += 1
            return None
        if len(response.body) > self._options.max_record:  # what was compressed inside the record
            return too_large(number, len(response.body), self.name, self._options)
        return self._record(record, number, response.body, response.record.http_charset)

    def _response(self, data: bytes) -> _Response:
        """Parse an HTTP response and decode its body, unless the crawler has done so and left the headers as they were.

        Raises:
            OSError: the body has another encoding than the headers say.
        """
        try:
            return self._decoded(data, "all")
        except OSError as fault:
            with suppress(OSError):
                return self._decoded(data, "content")  # the chunks of the transfer have been joined
            response = self._decoded(data, "none")
            if not response.body.lstrip().startswith(b"<"):
                raise fault
            return response

    def _decoded(self, data: bytes, encodings: str) -> _Response:
        record = self._new_record()  # that of the archive cannot be read again after a fault
        record.set_bytes_content(data)
        record.is_http = True
        record.parse_http(auto_decode=encodings)
        return _Response(record, record.reader.read(self._options.max_record + 1))

    def _record(self, record: Any, number: int, data: bytes, charset: str | None) -> Record | BadRecord:
        name = f"{self.name}: {record.headers.get('WARC-Target-URI') or record.record_id}"
        in_script = False
        is_wet = record.record_type == self._types.conversion
        try:
            if is_wet:
                decoder = TextDecoder(name, self._options.decoding)
                text, lost = decoder.feed(data) + decoder.flush(), decoder.undecodable
            else:
                source, lost = text_of(data, name, self._options.decoding, charset)
                text = html_to_lines(source, self._options)
                in_script = is_only_in_script(source, text)
        except InputError as error:
            return BadRecord(number, data, str(error).removeprefix(f"{self.name}: "))
        headers = [(key, value) for key, value in record.headers.items() if _is_kept(key.lower(), is_wet)]
        if not is_wet:
            headers += [("WARC-Record-ID", _id_of_text(record.record_id)), ("WARC-Refers-To", record.record_id)]
        site_field = self._options.site_field
        site = (record.headers.get(site_field) or "").strip("<>") if site_field else ""
        key = json.dumps(record.record_id)
        return Record(text, Place(headers), lost, key, site, only_in_script=in_script, line=number, raw=lambda: data)

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """Return id, URI and date of a record, and its text."""
        headers = {key.lower(): value for key, value in record.place.headers}
        about = {name: headers.get(header) for name, header in (("url", "warc-target-uri"), ("date", "warc-date"))}
        return {"id": json.loads(record.id), **about, self._options.field: text, **extras}


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
        self._head = self._tail = b""  # the first and the last bytes read
        self.cut: CutFile | None = None  # why the file ends here, if it should not

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._file.read1(size)  # type: ignore[attr-defined]
        except CutFile as error:
            self.cut, data = error, b""
        self._position += len(data)
        self._head = self._head or data[:5]
        self._tail = (self._tail + data[-4:])[-4:]
        return data

    def tell(self) -> int:
        return self._position

    def ends_inside(self, record: Any) -> bool:
        """Return whether the file ends before the end of its last record, which two line ends follow."""
        if self._head != b"WARC/":  # compressed: FastWARC notices cuts
            return False
        least = sum(len(key) + len(value) + 2 for key, value in record.headers.items()) + record.content_length
        return not self._tail.endswith((b"\r\n\r\n", b"\n\n")) or self._position - record.stream_pos < least


def _reason_to_leave_out(record: Any) -> str:
    """Return why a response is no page; empty if it is one."""
    status = record.http_headers.status_code if record.http_headers else None
    if status is not None and not 200 <= status < 300:
        return NOT_OK
    return "" if (record.http_content_type or "").lower() in _HTML else NOT_HTML


def _is_kept(key: str, is_wet: bool) -> bool:
    return key not in _REWRITTEN_HEADERS if is_wet else key in _RESPONSE_HEADERS


def _id_of_text(record_id: str) -> str:
    """Return the record id for the text of a response; derived from the response's id, so that runs are reproducible."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, record_id)}>"
