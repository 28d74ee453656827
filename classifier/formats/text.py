"""Plain text: pages of lines, separated by form feeds, by a line of the user's choice, or by blank lines.

`text_lines` serves `stream.label_blocks`, which labels lines as they arrive, however long the page; the reader holds a page. JSON
given as text is refused, since its lines are no lines of a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO

from classifier.errors import InputError
from classifier.formats.base import NO_EXTRAS, Extras, Options, Record
from classifier.io.encoding import TextDecoder, read_lines, to_utf8
from classifier.io.files import Sink
from classifier.lines import AtBlankLines, LineBlock, between_pages, cut_pages, is_blank

__all__ = ["Reader", "Writer", "page_text", "text_lines", "text_pages"]

_ARRAY = "looks like a JSON array, not text; read its records with --format json"


class Reader:
    """Reader of pages as records, for outputs in other formats."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._file, self.name, self._options = file, name, options

    def __iter__(self) -> Iterator[Record]:
        """Yield the pages in order; holds one of them."""
        decoder = TextDecoder(self.name, self._options.decoding)
        dropped = 0
        for number, page in enumerate(text_pages(text_lines(self._file, decoder, self.name, self._options), self._options), 1):
            lost, dropped = decoder.undecodable - dropped, decoder.undecodable
            yield Record(page_text(page), number, lost)

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """Return the name of the input, the number of the page, and its text."""
        return {"file": self.name, "page": record.place, self._options.field: text, **extras}


class Writer:
    """Writer of pages, with a separator between the pages of two inputs."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self.out, self._separator = out, between_pages(options.separator)
        self._started = False

    def follow(self, reader: Any) -> None:
        """Write a separator, unless this is the first input."""
        if self._started:
            self.out.write(to_utf8(self._separator))
        self._started = True

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write the clean text of a record that is the only page of its input."""
        if text:
            self.out.write(to_utf8(text + "\n"))

    def close(self) -> None:
        """Do nothing: lines are written immediately."""


def text_pages(blocks: Iterator[LineBlock], options: Options, last: bool = False) -> Iterator[LineBlock]:
    """Yield the pages of a text; a separator at its end opens no further page, unless the `last` is wanted even if empty."""
    at_blanks = AtBlankLines(options.blank_lines)
    page = LineBlock([], [])
    ended = False  # whether a page has ended
    for block in blocks:
        first, *others = at_blanks.cut(block) if options.blank_lines else cut_pages(block, options.separator)
        page.lines.extend(first.lines)
        page.starts.extend(first.starts)
        for other in others:
            yield page
            page, ended = other, True
    if page.lines or last or not ended:
        yield page


def page_text(page: LineBlock) -> str:
    """Return the text of a page, with line ends of the length that they have in the file, so that offsets are the same."""
    lines, starts = page
    ends = ["\r\n" if after - start - len(line) == 2 else "\n" for line, (start, after) in zip(lines, pairwise(starts))]
    return "".join([line + end for line, end in zip(lines, [*ends, "\n"])])


def text_lines(file: BinaryIO, decoder: TextDecoder, name: str, options: Options) -> Iterator[LineBlock]:
    """Yield the lines of a text in blocks, as they become available.

    Raises:
        InputError: the text is JSON, unless the user named the format.
    """
    head: list[str] | None = None if options.trusted else []  # the first lines with text; None once they are checked
    for block in read_lines(file, decoder, options.max_record):
        if head is not None:
            head += [line for line in block.lines if not is_blank(line)][:2]
            head = head if _judge(head, options.field, name) else None
        yield block


def _judge(head: list[str], field: str, name: str) -> bool:
    """Refuse a text that begins as JSON does; return whether that takes a further line to know."""
    if not head:
        return True
    first = head[0].removeprefix("\ufeff").strip()
    if (advice := _records_in(first, field)) or (len(head) > 1 and (advice := _opens_json(first, head[1]))):
        raise InputError(f"{name}: {advice}, or as text with --format text")
    return len(head) < 2 and first in ("{", "[", "[{")


def _records_in(line: str, field: str) -> str:
    """Return what a line of JSON looks like and how to read it; empty if it is not JSON with a page in it."""
    if re.match(r'\[\s*\{\s*"[^"]*"\s*:', line):
        return _ARRAY
    if line[:1] not in ("{", "["):
        return ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, list):
        return _ARRAY if any(isinstance(text, str) and "\n" in text for text in value) else ""
    if field in value:
        return f"looks like JSON lines, not text: its first line is an object with a field {field!r}; read its records with --format jsonl"
    if pages := [key for key, text in value.items() if isinstance(text, str) and "\n" in text]:
        return f"looks like JSON lines, not text; read its records with --format jsonl --text-field {pages[0]}"
    return ""


def _opens_json(first: str, second: str) -> str:
    """Return what an indented JSON file looks like and how to read it, by its first two lines; empty if it is none."""
    second = second.strip()
    of_object = first in ("{", "[{") and re.match(r'"[^"]*"\s*:', second)
    of_array = first == "[" and second.startswith(("{", '"'))
    return _ARRAY.replace("array", "file") if of_object or of_array else ""
