"""Plain text of short lines: no HTML, no markdown, no addresses, single spaces; what dates and names are read from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from classifier.core.scan import LINK_TARGET, readable

__all__ = ["MOST_CHARS", "plain", "plain_lines"]

MOST_CHARS = 2000  # of a line, read for dates and names; lines that hold them are far shorter

_IMAGE_NAME = re.compile(r"!\[[^\[\]]*(?=\]\()")  # an author's picture repeats the name beside it
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_LINE_MARK = re.compile(r"\s*(?:#+|[>+-]|\d+\.)\s")
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")


def plain_lines(lines: Sequence[str], *, addresses: bool = False) -> list[str]:
    """Return `plain` of each line; many at once are several times faster."""
    texts = readable("\n".join([line[:MOST_CHARS] for line in lines])).split("\n") if lines else []
    return [_without_markup(text, addresses) for text in texts]


def plain(line: str, *, addresses: bool = False) -> str:
    """Return what a reader sees of a line, or its first MOST_CHARS characters; with `addresses`, printed URLs stay.

    >>> plain("* [ ![An](/a.jpg) ](/tac-gia) **An&nbsp;Khuê**, [07:15](javascript:)")
    'An Khuê, 07:15'
    """
    return _without_markup(readable(line[:MOST_CHARS]), addresses)


def _without_markup(text: str, addresses: bool) -> str:
    if "](" in text:
        text = LINK_TARGET.sub("]", _IMAGE_NAME.sub("[", text))
    if not addresses and ("://" in text or "www." in text):
        text = _ADDRESS.sub(" ", text)
    if "\\" in text:
        text = _ESCAPE.sub("", text)
    if mark := _LINE_MARK.match(text):
        text = text[mark.end() :]
    if "*" in text or "_" in text or "`" in text:
        text = _EMPHASIS.sub("", text)
    return " ".join(text.replace("[", " ").replace("]", " ").split())
