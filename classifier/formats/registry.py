"""Format registry: reader and writer classes by format name, each imported when an input needs it."""

from __future__ import annotations

from types import ModuleType
from typing import BinaryIO

from classifier.formats.base import Options, Reader, Writer
from classifier.formats.names import OUTPUTS
from classifier.io.files import Sink

__all__ = ["open_reader", "open_writer"]


def _module(form: str) -> ModuleType:
    """Import the module of a format; plain import statements, which `tests/test_rooms.py` can read."""
    if form == "text":
        from classifier.formats import text

        return text
    if form == "json":
        from classifier.formats import json_file

        return json_file
    if form == "jsonl":
        from classifier.formats import jsonl

        return jsonl
    if form in ("csv", "tsv"):
        from classifier.formats import delimited

        return delimited
    if form == "html":
        from classifier.formats import html

        return html
    if form == "parquet":
        from classifier.formats import parquet

        return parquet
    from classifier.formats import warc

    return warc


def open_reader(form: str, file: BinaryIO, name: str, options: Options) -> Reader:
    """Return a reader for an input in a format of records; `name` is for messages.

    Raises:
        InputError: the input is not in this format, or a library is missing.
    """
    if options.text_format == "html":
        _module("html").require_extractor(name)
    module = _module(form)
    return (module.tab_reader if form == "tsv" else module.Reader)(file, name, options)


def open_writer(form: str, out: Sink, options: Options) -> Writer:
    """Return a writer for the cleaned records of inputs in a format, into `options.output` if that is another one."""
    output = options.output or ("text" if options.finish and OUTPUTS.get(form, form) == "text" else None)  # such pages are read whole
    if output:
        from classifier.formats import conversion

        return conversion.CONVERTERS[output](out, options)
    return _module(OUTPUTS.get(form, form)).Writer(out, options)
