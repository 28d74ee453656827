"""Features in words, for people: what a column or an n-gram means, and what its value says.

Names are those of `LINE_COLUMNS`, `EVIDENCE` and `CONTEXT_COLUMNS`, or the words of an n-gram in quotes. What it leaves out: the
scales are described here, not defined; `features.py` and `context.py` define them.
"""

from __future__ import annotations

import re

from classifier.core.features import LINE_COLUMNS, LOGS, SHARES
from classifier.core.history import COUNTED, EVENTS, NO_EVENT
from classifier.labels import EVIDENCE

__all__ = ["LINE_END", "LINE_START", "meaning", "reading"]

LINE_START, LINE_END = "⊢", "⊣"
_LOGARITHMIC = {*LOGS, *(f"{name} so far" for name in COUNTED), *(f"lines since {name}" for name in EVENTS)}
_LOGARITHMIC |= {"prose since heading", "repeated size"}
_WHERE = re.compile(r"(.*) (at|over) ([+-])(\d+)")


def meaning(name: str) -> str:
    """Return what a feature is, in words.

    >>> meaning("prose at -1")
    'a long line that ends like a sentence and is not mostly link: the line before'
    >>> meaning("related over +10")
    'first pass says related: mean of the 10 lines after'
    """
    if name.startswith("“"):
        return f"words, digits as 0; {LINE_START} is the line's start, {LINE_END} its end"
    placed = _WHERE.fullmatch(name)
    if not placed:
        return _meaning(name)
    what, how, sign, count = placed.groups()
    side = "before" if sign == "-" else "after"
    if how == "over":
        return f"{_meaning(what)}: mean of the {count} lines {side}"
    return f"{_meaning(what)}: the line {side}" if count == "1" else f"{_meaning(what)}: {count} lines {side}"


def _meaning(name: str) -> str:
    if name in EVIDENCE:
        return f"first pass says {name}"
    return LINE_COLUMNS.get(name, name).removesuffix(", log2 scale")


def reading(name: str, value: float) -> str:
    """Return what a value, in the feature's units, says: a number, a share, a probability, yes.

    >>> reading("size", 2.375), reading("accents", 0.6), reading("related", 5), reading("prose", 1), reading("“theo”", 2)
    ('26', '30%', 'p 0.50', 'yes', '2 times')
    """
    if name.startswith("“"):
        return "once" if value == 1 else f"{value:.0f} times"
    placed = _WHERE.fullmatch(name)
    base, over = (placed[1], placed[2] == "over") if placed else (name, False)
    if base in EVIDENCE:
        return f"p {value / 4 if over else 2.0 ** (value - 6):.2f}"
    if base.startswith("lines since ") and value >= NO_EVENT:
        return "none so far"
    if base in _LOGARITHMIC:
        count = 4.0**value - 1  # half a unit is a doubling
        return f"{count * 32 if base == 'prose characters so far' else count:.0f}"
    if base == "blank lines before":
        return "3 or more" if value == 3 else f"{value:.0f}"
    if base in SHARES:
        return f"{value / 2:.0%}"
    return f"{value:.0%}" if over else "yes"
