"""Text: pages of lines, one after the other, separated by form feeds, by a line of the user's choice, or by blank lines.

Streams within a page too: lines are labelled as they come, whatever the length of the page.
"""

from __future__ import annotations

from typing import Any

from classifier.formats.base import NO_EXTRAS, Extras, Options, Record
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink
from classifier.lines import between_pages

__all__ = ["Writer"]


class Writer:
    """An output of pages; those of each input are separated from the last input's."""

    def __init__(self, out: Sink, options: Options) -> None:
        """See `formats.registry.open_writer`."""
        self.out, self._separator = out, between_pages(options.separator)
        self._begun = False

    def follow(self, reader: Any) -> None:
        """Separate what comes from what was written."""
        if self._begun:
            self.out.write(to_utf8(self._separator))
        self._begun = True

    def put(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> None:
        """Write the clean text of a record that is an input's only page."""
        if text:
            self.out.write(to_utf8(text + "\n"))

    def close(self) -> None:
        """Do nothing: lines are written as they come."""
