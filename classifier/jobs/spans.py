"""Stand-off label spans in the style of Dolma attributes, and filtering of a text by its spans.

A page's attributes are `{"tinsach__body": [[start, end, probability], ...], ...}`: one span per non-blank line under its label, in
characters of the text, without the line end. `keep_spans` rebuilds from text and spans what the classifier would have kept, so
that the labels to keep can change without running the model again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from classifier.core.pipeline import BLANK_REACH
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import is_blank, line_starts, split_lines

__all__ = ["PREFIX", "Attributes", "attributes_of", "keep_spans", "parse_thresholds"]

PREFIX = "tinsach__"
DIGITS = 4  # decimals of a probability, as in `tinsach label`

Attributes = dict[str, list[list[float]]]


def attributes_of(starts: Iterable[int], lines: Iterable[str], codes: Iterable[int], probabilities: Iterable[float]) -> Attributes:
    """Return the spans of lines by label, in the order of `LABELS`; blank lines (code -1) get none."""
    spans: dict[int, list[list[float]]] = {}
    for start, line, code, probability in zip(starts, lines, codes, probabilities):
        if code >= 0:
            spans.setdefault(code, []).append([start, start + len(line), round(probability, DIGITS)])
    return {PREFIX + LABELS[code]: spans[code] for code in sorted(spans)}


def parse_thresholds(keep: frozenset[Label], given: str | None) -> dict[Label, float]:
    """Return the minimum probability of each label to keep; `given` is one number for all, or `body=0.6,title=0.4`.

    Raises:
        InputError: `given` is neither, or names a label that is not kept.

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
            raise InputError(f"--threshold {part!r}: give a number from 0 to 1, or one per kept label, as in 0.5 or body=0.6,title=0.4")
        needed.update(dict.fromkeys(labels, probability))
    return needed


def keep_spans(text: str, attributes: Mapping[str, Any], needed: Mapping[Label, float]) -> str:
    """Return the lines of a text whose label is kept and probable enough, joined by newlines.

    `needed` holds the minimum probability of each label to keep. Blank lines between kept lines stay, as in cleaning.

    Raises:
        InputError: the spans do not belong to this text.
    """
    lines = split_lines(text)
    starts = line_starts(text, lines)
    kept = _kept_starts(text, attributes, needed)
    flags = [None if is_blank(line) else start in kept for start, line in zip(starts, lines)]
    return "\n".join([line for line, flag in zip(lines, _with_blanks(flags)) if flag])


def _kept_starts(text: str, attributes: Mapping[str, Any], needed: Mapping[Label, float]) -> set[int]:
    """Return the start offsets of the lines to keep."""
    kept = set()
    for label in LABELS:
        for span in attributes.get(PREFIX + label, ()):
            if not (isinstance(span, list) and len(span) == 3 and _is_line_span(text, span)):
                raise InputError(f"span {span!r} of {PREFIX + label} is not a line of this text; label it again")
            if label in needed and span[2] >= needed[label]:
                kept.add(span[0])
    return kept


def _is_line_span(text: str, span: list[Any]) -> bool:
    """Return whether a span is well formed, and begins and ends at line boundaries."""
    start, end, probability = span
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(probability, (int, float)) and 0 <= start < end <= len(text)):
        return False
    return (not start or text[start - 1] in "\r\n") and (end == len(text) or text[end] in "\r\n")


def _with_blanks(flags: Sequence[bool | None]) -> list[bool]:
    """Return which lines are kept; a blank line (None) stays between kept lines, the next at most BLANK_REACH lines away."""
    out, following, distance = [False] * len(flags), False, BLANK_REACH
    for row in range(len(flags) - 1, -1, -1):
        flag = flags[row]
        if flag is None:
            distance += 1
            out[row] = following and distance <= BLANK_REACH
        else:
            out[row] = following = flag
            distance = 0
    previous = False
    for row, flag in enumerate(flags):
        previous = previous if flag is None else flag
        out[row] &= previous
    return out
