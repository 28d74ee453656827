"""Format registry: reader and writer classes by format name, each imported when an input needs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, BinaryIO

from classifier.formats.base import Options, Reader, Writer
from classifier.formats.names import OUTPUTS
from classifier.io.files import Sink

__all__ = ["open_reader", "open_writer"]

# Classes by format, as "module.name" in this room.
_READERS = {
    "jsonl": "jsonl.Reader",
    "csv": "delimited.Reader",
    "tsv": "delimited.tab_reader",
    "html": "html.Reader",
    "parquet": "parquet.Reader",
    "warc": "warc.Reader",
}
_WRITERS = {
    "text": "text.Writer",
    "jsonl": "jsonl.Writer",
    "csv": "delimited.Writer",
    "tsv": "delimited.Writer",
    "parquet": "parquet.Writer",
    "warc": "warc.Writer",
}


def _imported(path: str) -> Any:
    module, _, name = path.partition(".")
    return getattr(import_module(f"classifier.formats.{module}"), name)


def open_reader(form: str, file: BinaryIO, name: str, options: Options) -> Reader:
    """Return a reader for an input in a format of records; `name` is for messages.

    Raises:
        InputError: the input is not in this format, or a library is missing.
    """
    return _imported(_READERS[form])(file, name, options)


def open_writer(form: str, out: Sink, options: Options) -> Writer:
    """Return a writer for the cleaned records of inputs in a format."""
    return _imported(_WRITERS[OUTPUTS.get(form, form)])(out, options)
