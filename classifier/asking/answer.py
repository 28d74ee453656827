"""Parser of answers: rows `FIRST-LAST LABEL` or `NUMBER LABEL`, checked so that every line has exactly one label.

Chat windows and models add to what they were asked for. Code fences, bullets, emphasis, tables, other dashes, text that does
not begin with a number, and the thoughts of a model before `</think>` are passed over. Everything else that is wrong is a
complaint with file and line: a row that cannot be read, an unknown label, a line outside the page, a line in two rows, and a line
in none. Nothing is repaired by guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from classifier.labels import LABELS

__all__ = ["Answer", "read_answer"]

Text = tuple[str, str]  # an answer's name, for complaints, and its content

_NAMES = frozenset(label.value for label in LABELS)
_BLANK_NAMES = ("", "blank")  # what a model may call a blank line
_DECORATION = " \t\r`*|\"'“”•()[]>\ufeff"
_DASHES = "‐‑‒–—―−~-"
_ROW = re.compile(rf"([0-9]{{1,9}})(?:\s*[{_DASHES}]+\s*([0-9]{{1,9}}))?[\s:=|,;`*\"'“”>→{_DASHES}]*([A-Za-z][A-Za-z_ -]*)?")
_ASKED = "a row is FIRST-LAST LABEL or NUMBER LABEL"


class Answer(NamedTuple):
    """What an answer says, and what is wrong with it; usable only if there are no complaints."""

    labels: dict[int, str]  # by line number, from 1
    complaints: list[str]


class _Row(NamedTuple):
    place: str  # file and line
    first: int
    last: int
    label: str


def read_answer(texts: Sequence[Text], wanted: Sequence[int], span: tuple[int, int]) -> Answer:
    """Return the labels that one or several texts give to the lines `wanted` (ascending numbers, the non-blank ones) of a page.

    `span` is the first and the last line that a row may name, blank ones included. The complaints are in the order of the rows, then of
    the lines.

    >>> read_answer([("answer.txt", "```\\n1–2 nav\\n**4**: title\\n```")], [1, 2, 4], (1, 4)).labels
    {1: 'nav', 2: 'nav', 4: 'title'}
    >>> read_answer([("answer.txt", "1 nav\\n2-9 body")], [1, 2, 4], (1, 4)).complaints[0]
    'answer.txt:2: 2-9 is not within lines 1-4, which were asked for; correct the range'
    """
    complaints: list[str] = []
    needed, givers = set(wanted), dict[int, _Row]()
    for row in _rows(texts, complaints):
        if fault := _fault(row, needed, span):
            complaints.append(f"{row.place}: {fault}")
            continue
        lines = sorted(needed.intersection(range(row.first, row.last + 1)))
        complaints += _overlaps(row, [line for line in lines if line in givers], givers)
        for line in lines:
            givers.setdefault(line, row)
    complaints += _gaps(wanted, givers, texts)
    return Answer({line: givers[line].label for line in sorted(givers)}, complaints)


def _rows(texts: Sequence[Text], complaints: list[str]) -> Iterator[_Row]:
    """Yield the rows of all texts, and collect complaints about those that cannot be read."""
    for name, text in texts:
        answer_start = len(text) - len(text.rpartition("</think>")[2])
        first_number = text.count("\n", 0, answer_start) + 1
        for number, line in enumerate(text[answer_start:].split("\n"), first_number):
            line = line.strip(_DECORATION).removeprefix("- ").lstrip(_DECORATION)
            if not line[:1].isdecimal():
                continue
            found = _ROW.fullmatch(line.rstrip(".,;" + _DECORATION))
            if not found:
                complaints.append(f"{name}:{number}: {line[:60]!r} cannot be read; {_ASKED}")
                continue
            first, last, label = found.groups("")
            yield _Row(f"{name}:{number}", int(first), int(last or first), re.sub(r"[ -]", "_", label.strip().lower()))


def _fault(row: _Row, needed: set[int], span: tuple[int, int]) -> str:
    """Return what is wrong with a row by itself; empty if nothing is."""
    run = f"{row.first}-{row.last}" if row.last != row.first else f"{row.first}"
    if row.first > row.last:
        return f"{run} ends before it begins; write the lower number first"
    if row.first < span[0] or row.last > span[1]:
        return f"{run} is not within lines {span[0]}-{span[1]}, which were asked for; correct the range"
    blank = needed.isdisjoint(range(row.first, row.last + 1))
    if row.label in _NAMES or (blank and row.label in _BLANK_NAMES):
        return ""
    if not row.label:
        return f"{run} has no label; {_ASKED}"
    return f"{row.label[:30]!r} is no label; choose from {', '.join(sorted(_NAMES))}"


def _overlaps(row: _Row, lines: Sequence[int], givers: Mapping[int, _Row]) -> list[str]:
    """Return a complaint if some of a row's lines have a label already."""
    if not lines:
        return []
    other = givers[lines[0]]
    shared = [line for line in lines if givers[line] is other]
    return [f"{row.place}: {_run(shared)} already {other.label} by {other.place}; keep one row for each line"]


def _gaps(wanted: Sequence[int], givers: Mapping[int, _Row], texts: Sequence[Text]) -> list[str]:
    """Return a complaint about the lines without a label, named after the row before them; the gap may be a cut-off answer."""
    complaints, place, missing = [], f"{texts[0][0]}:1", list[int]()
    if not givers:
        return [f"{place}: no usable row in it; {_ASKED}"]
    for line in [*wanted, None]:
        if line is not None and line not in givers:
            missing.append(line)
            continue
        if missing:
            cut = "" if line else ", as if the answer had been cut off"
            complaints.append(f"{place}: no row for {_run(missing)}{cut}; add what is missing")
            missing = []
        if line is not None:
            place = givers[line].place
    return complaints


def _run(lines: Sequence[int]) -> str:
    """Return a run of non-blank lines in words.

    >>> _run([3]), _run([3, 4, 6])
    ('line 3', 'lines 3-6')
    """
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]}-{lines[-1]}"
