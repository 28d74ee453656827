"""Format registry: reader and writer classes by format name."""

from __future__ import annotations

from typing import Any, BinaryIO

from classifier.formats import conversion, delimited, html, json_file, jsonl, parquet, text, warc
from classifier.formats.base import Options, Reader, Writer
from classifier.formats.names import OUTPUTS
from classifier.io.files import Sink

__all__ = ["open_reader", "open_writer"]

_READERS: dict[str, Any] = {
    "text": text.Reader,
    "json": json_file.Reader,
    "jsonl": jsonl.Reader,
    "csv": delimited.Reader,
    "tsv": delimited.tab_reader,
    "html": html.Reader,
    "parquet": parquet.Reader,
    "warc": warc.Reader,
}
_WRITERS: dict[str, Any] = {
    "text": text.Writer,
    "json": json_file.Writer,
    "jsonl": jsonl.Writer,
    "csv": delimited.Writer,
    "tsv": delimited.Writer,
    "parquet": parquet.Writer,
    "warc": warc.Writer,
}


def open_reader(form: str, file: BinaryIO, name: str, options: Options) -> Reader:
    """Return a reader for an input in a format of records; `name` is for messages.

    Raises:
        InputError: the input is not in this format, or a library is missing.
    """
    if options.text_format == "html":
        html.require_extractor(name)
    return _READERS[form](file, name, options)


def open_writer(form: str, out: Sink, options: Options) -> Writer:
    """Return a writer for the cleaned records of inputs in a format, into `options.output` if that is another one."""
    if options.output:
        return conversion.CONVERTERS[options.output](out, options)
    return _WRITERS[OUTPUTS.get(form, form)](out, options)
