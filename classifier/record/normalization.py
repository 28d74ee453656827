"""Character normalisation of clean text: NFC, plain spaces, no invisible characters, no runs of white space."""

from __future__ import annotations

import unicodedata

from classifier.lines import split_lines
from classifier.visible import INVISIBLE, TABLED, is_invisible

__all__ = ["normalized", "normalized_lines"]

_INVISIBLE = str.maketrans("", "", INVISIBLE)
_BEYOND = chr(TABLED)  # INVISIBLE lists no character from here on


def normalized(text: str) -> str:
    """Return the text of one line or paragraph in NFC, its words separated by single spaces; HTML and Markdown stay.

    >>> normalized("\\ufeff  La\\u0300ng\\u00a0 gốm\\u200b ")
    'Làng gốm'
    """
    text = text.translate(_INVISIBLE)
    if text and max(text) >= _BEYOND:
        text = "".join([char for char in text if not is_invisible(char)])
    return " ".join(unicodedata.normalize("NFC", text).split())


def normalized_lines(text: str) -> str:
    """Return a text with each line normalised and at most one blank line in a row.

    >>> normalized_lines("một\\n\\n \\n hai ")
    'một\\n\\nhai'
    """
    lines = [normalized(line) for line in split_lines(text)]
    return "\n".join([line for place, line in enumerate(lines) if line or (place and lines[place - 1])])
