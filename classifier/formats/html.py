"""HTML: one document per file, converted to lines by resiliparse; the output is plain text.

Each block-level element gives a line, and alt texts are included; many of the training pages were extracted this way. Encoding,
by precedence: as requested, byte order mark, UTF-8 if the bytes are valid UTF-8, the charset declared by HTTP or the document
(`<meta charset>`), else UTF-8. Does not select the article, which is the classifier's task, and does not keep the markup.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from classifier.errors import InputError, require_library
from classifier.formats.base import BadRecord, Options, Record
from classifier.io.encoding import Decoding, TextDecoder
from classifier.io.sniffing import Sniffer

__all__ = ["Reader", "html_to_lines", "text_of"]

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD = 4096  # bytes searched for the declared encoding; the standard says 1024, but pages exceed that


class Reader:
    """Reader of a single document."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._file, self.name, self._decoding = file, name, options.decoding
        _extractor(name)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the text of the document, which is held in memory."""
        data = self._file.read()
        try:
            text, undecodable = text_of(data, self.name, self._decoding)
        except InputError as error:
            yield BadRecord(1, data, str(error).removeprefix(f"{self.name}: "))
            return
        yield Record(html_to_lines(text, self.name), None, undecodable, line=1, raw=lambda: data)


def text_of(data: bytes, name: str, decoding: Decoding, declared: str | None = None) -> tuple[str, int]:
    """Decode a document; return its source and the number of bytes dropped. `declared` is the charset declared by HTTP.

    Raises:
        InputError: the bytes are not text, or cannot be decoded under the policy "strict".
    """
    encoding = decoding.encoding or _declared(data, declared)
    if encoding:
        sniffer = Sniffer(name)
        if not decoding.encoding and encoding == "utf-8":  # often declared out of habit: other input is still rejected
            sniffer.feed(data)
            sniffer.flush()
        decoding = Decoding(encoding, decoding.errors)
    decoder = TextDecoder(name, decoding)
    text = decoder.feed(data) + decoder.flush()
    return text.removeprefix("\ufeff"), decoder.dropped  # the parser would take the mark as body text, which ends the head


def _declared(data: bytes, declared: str | None) -> str | None:
    """Return UTF-8 if the bytes are valid, else a declared encoding that Python knows; None: `TextDecoder` decides."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)):
        return None
    with suppress(UnicodeDecodeError):  # declarations are unreliable; text in other encodings is hardly ever valid UTF-8
        data.decode("utf-8")
        return "utf-8"
    found = _DECLARED.search(data[:_HEAD])
    for name in (declared, found[1].decode("ascii", "replace") if found else None):
        try:
            encoding = codecs.lookup(name or "").name
            Decoding(encoding).checked()
        except (LookupError, InputError):
            continue
        # A document whose declaration can be read is not UTF-16, whatever it says. The HTML standard reads Latin-1 as windows-1252.
        return {"iso8859-1": "cp1252", "ascii": "cp1252"}.get(encoding, "utf-8" if encoding.startswith("utf-") else encoding)
    return None


def html_to_lines(source: str, name: str) -> str:
    """Return the visible text of a document, as lines."""
    text = _extractor(name)(source, preserve_formatting=True, list_bullets=False, alt_texts=True)
    return "\n".join(line.strip() for line in text.split("\n"))  # resiliparse indents list items


def _extractor(name: str) -> Any:
    with require_library("html", name):
        from resiliparse.extract.html2text import extract_plain_text
    return extract_plain_text
