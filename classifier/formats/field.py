"""Text of a record's field: as it is, or converted from HTML."""

from __future__ import annotations

from classifier.formats.base import Options

__all__ = ["field_text"]


def field_text(value: str, options: Options) -> str:
    """Return the text of a record's field, as lines if it holds HTML (`options.text_format`)."""
    if options.text_format != "html":
        return value
    from classifier.formats.html import html_to_lines  # only the formats in use are imported

    return html_to_lines(value, options)
