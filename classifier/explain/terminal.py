"""Terminal output of explained lines: coloured by label, dropped lines dimmed, reasons on request, or plain text.

Colour never carries information alone: a sign marks kept and dropped lines, and each line shows its label's name. Control and
format characters are escaped, so that no line can send commands to the terminal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TextIO

from classifier.explain.explainer import Explanation, Reasons
from classifier.explain.feature_text import meaning, reading
from classifier.labels import Label

__all__ = ["legend", "printable", "shown_line", "shown_reasons", "wants_colour"]

# 256-colour codes that are readable on dark and light backgrounds.
_COLOURS = dict(zip(Label, (33, 35, 107, 37, 245, 172, 167, 134, 74, 169, 136, 138)))
_FOR, _AGAINST = "38;5;35", "38;5;167"
_BOLD, _DIM = 1, 2
UNSURE = 0.6  # probabilities below it are dimmed: the label is hardly likelier than all others together


def wants_colour(stream: TextIO | None, choice: str = "auto") -> bool:
    """Return whether to colour a stream: by `choice`, else if it is a terminal and NO_COLOR (no-color.org) is not set."""
    if choice != "auto":
        return choice == "always"
    return bool(stream and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def printable(text: str) -> str:
    """Escape characters that are invisible or control the terminal; tabs become spaces.

    >>> printable("đỏ\\x1b[2J\\tvàng\\u202e")
    'đỏ\\\\x1b[2J vàng\\\\u202e'
    """
    return "".join(char if char.isprintable() or char == "\xa0" else repr(char)[1:-1] for char in text.replace("\t", " "))


def shown_line(why: Explanation, colour: bool) -> str:
    """Format a line: number, kept or dropped, label, probability, first guess if different, text."""
    line, paint = why.line, _painter(colour)
    if line.label is None:
        text = printable(line.text).strip()  # not always empty: a lone tag is blank, too
        return f"{line.number:5d}" + (f"{'':30s}{paint(text, _DIM)}" if text else "")
    hue = f"38;5;{_COLOURS[line.label]}"
    label = paint(f"{line.label:9s}", hue, _BOLD if line.kept else None)
    sure = paint(f"{line.probability:4.0%}", None if line.probability >= UNSURE else _DIM)
    guess = f"< {line.first_guess}" if line.first_guess is not line.label else ""
    text = paint(printable(line.text), None if line.kept else _DIM)
    return f"{line.number:5d} {'+' if line.kept else '-'} {label} {sure} {paint(f'{guess:11s}', _DIM)} {text}"


def _painter(colour: bool) -> Callable[..., str]:
    def paint(text: str, *codes: str | int | None) -> str:
        style = ";".join(str(code) for code in codes if code is not None)
        return f"\x1b[{style}m{text}\x1b[0m" if colour and style and text else text

    return paint


def shown_reasons(why: Explanation, colour: bool) -> Iterator[str]:
    """Yield the reasons for a line's label against the runner-up, pass by pass."""
    if why.line.label is None:
        yield "        a blank line has no label; it is kept between kept lines only"
    if why.first_pass and why.context_pass:
        versus = f"{why.line.label} against {why.runner_up}"
        yield from _shown_pass(f"the line by itself: {versus}", why.first_pass, colour)
        yield from _shown_pass(f"the line in context, which decides: {versus}", why.context_pass, colour)


def _shown_pass(title: str, reasons: Reasons, colour: bool) -> Iterator[str]:
    paint = _painter(colour)
    yield paint(f"        {title}, log odds {reasons.odds:+.2f}", _BOLD)
    for name, value, weight in reasons.features:
        description = meaning(name)
        share = paint(f"{weight:+6.2f}", _FOR if weight > 0 else _AGAINST)
        yield f"        {share}  {printable(description)} {paint(f'({reading(name, value)})', _DIM)}"
    yield f"        {reasons.rest:+6.2f}  {paint('everything else, including the bias', _DIM)}"


def legend(keep: frozenset[Label], colour: bool) -> str:
    """Return the labels in their colours and the meaning of the signs."""
    paint = _painter(colour)
    labels = " ".join(paint(label.value, f"38;5;{hue}", _BOLD if label in keep else None) for label, hue in _COLOURS.items())
    return f"{labels}\n+ kept, - dropped, < first guess; --line N explains line N"
