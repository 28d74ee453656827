"""Augmentation of composed pages: the differences between seasons, sites and extractors.

Blocks are dropped, doubled, shortened or moved; the article may appear twice; blank lines, case, line wrapping and Unicode
form (NFD) vary. Labels stay with their lines.
"""

from __future__ import annotations

import random
import unicodedata
from typing import NamedTuple

from training.composer.skeleton import strip_accents

__all__ = ["BLANK_LINE", "Line", "augment", "blank_policy", "cut_raw"]

BLOCKS = ("nav", "related", "most_read", "media", "weather", "comment", "promo", "footer")


class Line(NamedTuple):
    """A line of a page: label (`-` for blank), text, and whether it is the heading of its block."""

    label: str
    text: str
    heading: bool = False


BLANK_LINE = Line("-", "")


def augment(lines: list[Line], style: str, rng: random.Random) -> list[Line]:
    """Return the page after random changes, each of which has its own probability."""
    if rng.random() < 0.6:
        lines = _move_blocks(lines, rng)
    if rng.random() < 0.04:
        lines = _double_article(lines, rng)
    if rng.random() < 0.15:
        lines = blank_policy(lines, rng)
    if rng.random() < 0.08:
        lines = _break_paragraphs(lines, rng)
    if style in ("markdown", "crawl") and rng.random() < 0.03:
        lines = _one_cell(lines, rng)
    if rng.random() < 0.05:
        lines = [Line(line.label, line.text.upper(), line.heading) if line.heading else line for line in lines]
    if rng.random() < 0.08:
        lines = [Line(line.label, line.text.lower(), line.heading) if line.heading else line for line in lines]
    if rng.random() < 0.04:
        lines = [line._replace(text=unicodedata.normalize("NFD", line.text)) for line in lines]
    roll = rng.random()
    if roll < 0.05:  # scrapers that lose accents or capitals
        lose = strip_accents if roll < 0.025 else str.lower
        lines = [line._replace(text=lose(line.text)) for line in lines]
    return lines


def _runs(lines: list[Line]) -> list[list[Line]]:
    """Split a page into runs of one label; blank lines belong to the preceding run, and a heading starts a new one."""
    runs: list[list[Line]] = []
    for line in lines:
        if runs and (line.label == "-" or (line.label == runs[-1][0].label and not line.heading)):
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs


def _move_blocks(lines: list[Line], rng: random.Random) -> list[Line]:
    """Drop, double, shorten or move some blocks outside the article."""
    runs = _runs(lines)
    out: list[list[Line]] = []
    dropped = rng.choice((0.04, 0.12, 0.3))
    parked: list[list[Line]] = []
    for run in runs:
        roll = rng.random()
        if run[0].label not in BLOCKS or len(run) < 2:
            out.append(run)
        elif roll < dropped:
            continue
        elif roll < dropped + 0.03:
            out += [run, run]
        elif roll < dropped + 0.08 and len(run) > 6:
            out.append(run[: rng.randint(3, len(run))])
        elif roll < dropped + 0.12:
            parked.append(run)
        else:
            out.append(run)
    for run in parked:
        out.insert(rng.randint(0, len(out)), run) if run[0].label != "footer" else out.append(run)
    return [line for run in out for line in run]


def _double_article(lines: list[Line], rng: random.Random) -> list[Line]:
    """Duplicate the article, as on pages with a hidden mobile copy."""
    article = [index for index, line in enumerate(lines) if line.label in ("title", "body")]
    if not article:
        return lines
    first, last = article[0], article[-1] + 1
    copy = [line for line in lines[first:last] if line.label in ("title", "body", "caption", "meta", "-")]
    at = rng.choice((first, last, len(lines)))
    return [*lines[:at], *copy, BLANK_LINE, *lines[at:]]


def blank_policy(lines: list[Line], rng: random.Random) -> list[Line]:
    """Remove all blank lines, put one after every line, or double them."""
    policy = rng.choice(("none", "none", "all", "double"))
    out: list[Line] = []
    for line in lines:
        if line.label == "-":
            out += [] if policy in ("none", "all") else [line, line]
        else:
            out += [line, BLANK_LINE] if policy == "all" else [line]
    return out


def _break_paragraphs(lines: list[Line], rng: random.Random) -> list[Line]:
    """Hard-wrap long lines at a fixed width, as text dumps do."""
    width = rng.choice((48, 56, 65, 72, 78, 80, 90, 120, 200))
    out: list[Line] = []
    for line in lines:
        text = line.text
        while len(text) > 1.3 * width and "](" not in text:
            part = cut_raw(text, width)
            out.append(line._replace(text=part))
            text = text[len(part) :].lstrip()
        out.append(line._replace(text=text))
    return out


def _one_cell(lines: list[Line], rng: random.Random) -> list[Line]:
    """Join the article's body into one line, as converters print the cell of a table-based page."""
    body = [index for index, line in enumerate(lines) if line.label == "body"]
    if len(body) < 2:
        return lines
    text = rng.choice((" ", " ", "<br>", "  ")).join(lines[index].text.strip(" |") for index in body)
    bar = rng.choice(("", "| ", "| | "))
    joined = Line("body", bar + text + (" |" if bar and rng.random() < 0.7 else ""))
    inside = set(body[1:])
    return [joined if index == body[0] else line for index, line in enumerate(lines) if index not in inside]


def cut_raw(text: str, length: int) -> str:
    """Return the text up to the last word boundary within `length`; at least one word."""
    if len(text) <= length:
        return text
    space = text.rfind(" ", 0, length + 1)
    if space <= 0:
        space = text.find(" ", length)
    return text[:space] if space > 0 else text
