"""Labels beside a text instead of in it: spans in the manner of Dolma, and the text that a choice of them leaves.

A page's attributes are `{"tinsach__body": [[start, end, probability], ...], ...}`: one span for each line that is not blank, under its
label, in characters of the text and without the line's end. `keep_spans` makes from text and spans what the classifier would
have kept, so that a choice can be changed without running the model again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from classifier.core.pipeline import BLANK_REACH
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import is_blank, split_lines

__all__ = ["PREFIX", "Attributes", "attributes_of", "keep_spans", "line_starts", "parse_thresholds"]

PREFIX = "tinsach__"
DIGITS = 4  # of a probability, as in `tinsach label`

Attributes = dict[str, list[list[float]]]


def line_starts(text: str, lines: Sequence[str]) -> list[int]:
    """Return where each line of a text begins; the lines are those of `split_lines`.

    >>> line_starts("một\\r\\nhai\\nba", ["một", "hai", "ba"])
    [0, 5, 9]
    """
    if "\r" not in text:
        return list(accumulate((len(line) + 1 for line in lines[:-1]), initial=0)) if lines else []
    ends = [end.end() for end in re.finditer(r"\r\n|\r|\n", text)]
    return [0, *ends][: len(lines)]


def attributes_of(starts: Iterable[int], lines: Iterable[str], codes: Iterable[int], probabilities: Iterable[float]) -> Attributes:
    """Return the spans of lines by label, in the order of `LABELS`; lines with code -1 have none."""
    spans: dict[int, list[list[float]]] = {}
    for start, line, code, probability in zip(starts, lines, codes, probabilities):
        if code >= 0:
            spans.setdefault(code, []).append([start, start + len(line), round(probability, DIGITS)])
    return {PREFIX + LABELS[code]: spans[code] for code in sorted(spans)}


def parse_thresholds(keep: frozenset[Label], given: str | None) -> dict[Label, float]:
    """Return the labels to keep with the probability that each needs; `given` is one for all, or `body=0.6,title=0.4`.

    >>> parse_thresholds(frozenset([Label.BODY]), "0.5") == parse_thresholds(frozenset([Label.BODY]), "body=.5")
    True
    """
    needed = dict.fromkeys(keep, 0.0)
    for part in (given or "0").split(","):
        name, equals, number = part.strip().rpartition("=")
        labels = [label for label in keep if label == name.strip()] if equals else list(keep)
        try:
            probability = float(number)
        except ValueError:
            probability = -1.0
        if not 0 <= probability <= 1 or not labels:
            raise InputError(f"--threshold {part!r}: give a number from 0 to 1, for all or by kept label, as in 0.5 or body=0.6,title=0.4")
        needed.update(dict.fromkeys(labels, probability))
    return needed


def keep_spans(text: str, attributes: Mapping[str, Any], needed: Mapping[Label, float]) -> str:
    """Return the lines of a text whose label is to be kept and probable enough, joined by newlines.

    Blank lines are kept between kept lines, as the classifier does.

    Raises:
        InputError: the spans are not of this text.
    """
    lines = split_lines(text)
    starts = line_starts(text, lines)
    kept = _kept_starts(text, attributes, needed)
    fates = [None if is_blank(line) else start in kept for start, line in zip(starts, lines)]
    return "\n".join([line for line, fate in zip(lines, _with_blanks(fates)) if fate])


def _kept_starts(text: str, attributes: Mapping[str, Any], needed: Mapping[Label, float]) -> set[int]:
    """Return where the lines to keep begin."""
    kept = set()
    for label in LABELS:
        for span in attributes.get(PREFIX + label, ()):
            if not (isinstance(span, list) and len(span) == 3 and _fits(text, span)):
                raise InputError(f"span {span!r} of {PREFIX + label} is not a line of this text; annotate it again")
            if label in needed and span[2] >= needed[label]:
                kept.add(span[0])
    return kept


def _fits(text: str, span: list[Any]) -> bool:
    """Return whether a span is what it should be, and a whole line."""
    start, end, probability = span
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(probability, (int, float)) and 0 <= start < end <= len(text)):
        return False
    return (not start or text[start - 1] in "\r\n") and (end == len(text) or text[end] in "\r\n")


def _with_blanks(fates: Sequence[bool | None]) -> list[bool]:
    """Return which lines are kept, blank ones (None) included: between kept lines, the next within reach."""
    out, following, distance = [False] * len(fates), False, BLANK_REACH
    for place in range(len(fates) - 1, -1, -1):
        fate = fates[place]
        if fate is None:
            distance += 1
            out[place] = following and distance <= BLANK_REACH
        else:
            out[place] = following = fate
            distance = 0
    before = False
    for place, fate in enumerate(fates):
        before = before if fate is None else fate
        out[place] &= before
    return out
