"""Human-readable descriptions of features and their values.

A feature's name is one of `LINE_COLUMNS`, `EVIDENCE` or `STACKED_COLUMNS`, or an n-gram in quotes. The scales are defined in
`core.features` and `core.history`; `reading` only undoes them.
"""

from __future__ import annotations

import re

from classifier.core.features import LINE_COLUMNS, LOGS, SHARES
from classifier.core.history import COUNTED, EVENTS, NO_EVENT
from classifier.core.stacked import PAGE_COLUMNS
from classifier.labels import EVIDENCE

__all__ = ["LINE_END", "LINE_START", "meaning", "reading"]

LINE_START, LINE_END = "⊢", "⊣"  # of n-grams
_LOGARITHMIC = {*LOGS, *(f"{name} so far" for name in COUNTED), *(f"lines since {name}" for name in EVENTS)}
_LOGARITHMIC |= {"prose since heading", "repeated size", *PAGE_COLUMNS[:-1]}
_FOUND = {f"found {name}" for name in EVIDENCE}
_POSITION = re.compile(r"(.*) (at|over) ([+-])(\d+)")


def meaning(name: str) -> str:
    """Describe a feature in words.

    >>> meaning("prose at -1")
    'a long line that ends like a sentence and is not mostly link: the line before'
    >>> meaning("related over +10")
    'first pass says related: mean of the 10 lines after'
    >>> meaning("found body at +0")
    'context says body: the line itself'
    """
    if name.startswith("“"):
        return name  # an n-gram
    placed = _POSITION.fullmatch(name)
    if not placed:
        return _meaning(name)
    base, form, sign, count = placed.groups()
    side = "before" if sign == "-" else "after"
    if form == "over":
        return f"{_meaning(base)}: mean of the {count} lines {side}"
    if count == "0":
        return f"{_meaning(base)}: the line itself"
    return f"{_meaning(base)}: the line {side}" if count == "1" else f"{_meaning(base)}: {count} lines {side}"


def _meaning(name: str) -> str:
    if name in EVIDENCE:
        return f"first pass says {name}"
    if name in _FOUND:
        return name.replace("found", "context says")
    return LINE_COLUMNS.get(name, name).removesuffix(", log2 scale")


def reading(name: str, value: float) -> str:
    """Format a value, given in the feature's units, as a number, a share, a probability or "yes".

    >>> reading("size", 2.375), reading("accents", 0.6), reading("related", 5), reading("prose", 1), reading("“theo”", 2)
    ('26', '30%', 'p 0.50', 'yes', '2 times')
    """
    if name.startswith("“"):
        return "once" if value == 1 else f"{value:.0f} times"
    placed = _POSITION.fullmatch(name)
    base, is_mean = (placed[1], placed[2] == "over") if placed else (name, False)
    if base in EVIDENCE or base in _FOUND:
        return f"p {value / 4 if is_mean else 2.0 ** (value - 6):.2f}"
    if base.startswith("lines since ") and value >= NO_EVENT:
        return "none so far"
    if base in _LOGARITHMIC:
        count = 4.0**value - 1  # half a unit is a doubling
        return f"{count * 32 if base == 'prose characters so far' else count:.0f}"
    if base == "blank lines before":
        return "3 or more" if value == 3 else f"{value:.0f}"
    if base in SHARES:
        return f"{value / 2:.0%}"
    return f"{value:.0%}" if is_mean else "yes"
