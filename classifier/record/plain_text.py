"""Plain text of short lines: no HTML, no markdown, no addresses, single spaces; what dates and names are read from."""

from __future__ import annotations

import re
from functools import lru_cache

from classifier.core.scan import LINK_TARGET, readable

__all__ = ["MOST_CHARS", "plain"]

MOST_CHARS = 2000  # of a line, read for dates and names; lines that hold them are far shorter

_IMAGE_NAME = re.compile(r"!\[[^\[\]]*(?=\]\()")  # an author's picture repeats the name beside it
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_MARKUP = re.compile(r"[*`]+|^\s*#+\s|(?<!\w)_+|_+(?!\w)|^\s*(?:[>+-]|\d+\.)\s")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")


@lru_cache(maxsize=1 << 8)  # dates, authors and source are read from the same lines
def plain(line: str, *, addresses: bool = False) -> str:
    """Return what a reader sees of a line, or its first MOST_CHARS characters; with `addresses`, printed URLs stay.

    >>> plain("* [ ![An](/a.jpg) ](/tac-gia) **An&nbsp;Khuê**, [07:15](javascript:)")
    'An Khuê, 07:15'
    """
    text = readable(line[:MOST_CHARS])
    if "](" in text:
        text = LINK_TARGET.sub("]", _IMAGE_NAME.sub("[", text))
    if not addresses:
        text = _ADDRESS.sub(" ", text)
    text = _MARKUP.sub("", _ESCAPE.sub("", text))
    return " ".join(text.replace("[", " ").replace("]", " ").split())
