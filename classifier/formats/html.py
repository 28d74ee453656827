"""HTML: one document, turned into lines by resiliparse; what comes out is text.

Lines are those of block-level elements, alt texts of pictures included, as many of the pages the model learnt from were made. The
encoding is the one that is asked for, else a byte order mark's, else UTF-8 where the bytes can be read as that, else what HTTP or the
document (`<meta charset>`) says, else UTF-8 again.
What it leaves out: choosing the article (that is the classifier's work), and keeping the markup.
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
_HEAD = 4096  # bytes in which a document declares its encoding; the standard says 1024, pages care less


class Reader:
    """An input that is one document."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._file, self.name, self._decoding = file, name, options.decoding
        _extractor(name)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the document's text; holds the document."""
        data = self._file.read()
        try:
            text, undecodable = text_of(data, self.name, self._decoding)
        except InputError as error:
            yield BadRecord(1, data, str(error).removeprefix(f"{self.name}: "))
            return
        yield Record(html_to_lines(text, self.name), None, undecodable)


def text_of(data: bytes, name: str, decoding: Decoding, declared: str | None = None) -> tuple[str, int]:
    """Return a document's source as text, and how many bytes were left out of it; HTTP may have `declared` its encoding.

    Raises:
        InputError: the bytes are no text, or cannot be decoded under the policy "strict".
    """
    encoding = decoding.encoding or _declared(data, declared)
    if encoding:
        lookout = Sniffer(name)
        if not decoding.encoding and encoding == "utf-8":  # the declaration most often is a habit: what is no UTF-8 is still refused
            lookout.feed(data)
            lookout.flush()
        decoding = Decoding(encoding, decoding.errors)
    decoder = TextDecoder(name, decoding)
    text = decoder.feed(data) + decoder.flush()
    return text.removeprefix("\ufeff"), decoder.dropped  # the mark would be the first text of the body, and end the head


def _declared(data: bytes, declared: str | None) -> str | None:
    """Return the encoding that a document is declared to be in, if Python knows it and no byte order mark knows better."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)):
        return None
    with suppress(UnicodeDecodeError):  # servers and templates say all kinds of things; other encodings hardly ever look like UTF-8
        data.decode("utf-8")
        return "utf-8"
    found = _DECLARED.search(data[:_HEAD])
    for name in (declared, found[1].decode("ascii", "replace") if found else None):
        try:
            encoding = codecs.lookup(name or "").name
            Decoding(encoding).checked()
        except (LookupError, InputError):
            continue
        # A document that can be read as far as its declaration is in no UTF-16, whatever it says; Latin-1 is windows-1252, says HTML
        return {"iso8859-1": "cp1252", "ascii": "cp1252"}.get(encoding, "utf-8" if encoding.startswith("utf-") else encoding)
    return None


def html_to_lines(source: str, name: str) -> str:
    """Return the text that a reader of a document sees, in lines."""
    text = _extractor(name)(source, preserve_formatting=True, list_bullets=False, alt_texts=True)
    return "\n".join(line.strip() for line in text.split("\n"))  # list items are indented


def _extractor(name: str) -> Any:
    with require_library("html", name):
        from resiliparse.extract.html2text import extract_plain_text
    return extract_plain_text
