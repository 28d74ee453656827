"""Plain text: pages of lines, separated by form feeds, by a line of the user's choice, or by blank lines.

Only the writer is here. Text is read by `stream.label_blocks`, which labels lines as they arrive, however long the page.
"""

from __future__ import annotations

from typing import Any

from classifier.formats.base import NO_EXTRAS, Extras, Options, Record
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink
from classifier.lines import between_pages

__all__ = ["Writer"]


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
