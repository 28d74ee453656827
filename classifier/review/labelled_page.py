"""Labelled pages: TSV files with one row per line of a page, parsed, relabelled and encoded without changing the lines.

A file has two columns, `label<TAB>line`, or three, `label<TAB>probability<TAB>line` (the output of `tinsach label`). It has three
if the second field of every row is a probability from 0 to 1, written with a decimal point; 1 means that a person or a site
rule has set the label. A blank line's label is `-`. Lines may contain tabs. An empty row is no line; empty rows, row endings and a byte
order mark are preserved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.lines import FORM_FEED, is_blank
from classifier.results import LabelledLine

__all__ = ["BLANK_LABEL", "LabelledPage", "Row", "labelled_row", "parse_page", "read_page"]

BLANK_LABEL = "-"
_NAMES = frozenset(label.value for label in LABELS)
_ENDS = re.compile(r"(\r\n|\r|\n)")  # the line endings of `lines.LineSplitter`
# Editors may strip the trailing tab after a blank line's probability.
_WITH_PROBABILITY = re.compile(r"[^\t]*\t(?:0\.\d+|1\.0+)\t|-\t0\.0+$")
_BOM = "\ufeff"
_ROW_FORMATS = "label<TAB>line or label<TAB>probability<TAB>line"


class Row(NamedTuple):
    """A line and its label, as written in the file."""

    number: int  # of the row in the file, from 1
    label: str  # a label's name, or BLANK_LABEL
    probability: float | None  # None in a file of two columns
    line: str


class LabelledPage(NamedTuple):
    """A labelled page, with everything needed to reproduce its file byte for byte."""

    name: str  # used in messages
    rows: tuple[Row, ...]
    columns: int  # 2 or 3
    pieces: tuple[str, ...]  # rows, empty ones included, alternating with their endings
    mark: str  # the byte order mark, or empty

    @property
    def labels(self) -> list[str]:
        """The label of each line; BLANK_LABEL for blank lines."""
        return [row.label for row in self.rows]

    @property
    def lines(self) -> list[str]:
        """The text of each line."""
        return [row.line for row in self.rows]

    def relabelled(self, labels: Mapping[int, str]) -> LabelledPage:
        """Return a copy with new labels for some lines, by line index; their probability, if any, becomes 1.

        Raises:
            InputError: a line or label does not exist, or a line is blank.
        """
        rows, pieces = list(self.rows), list(self.pieces)
        for index, label in labels.items():
            if not 0 <= index < len(rows) or rows[index].label == BLANK_LABEL or label not in _NAMES:
                raise InputError(f"{self.name}: line {index + 1} cannot be labelled {label!r}; reload the page")
            number, line = rows[index].number, rows[index].line
            rows[index] = Row(number, label, 1.0 if self.columns == 3 else None, line)
            pieces[2 * number - 2] = f"{label}\t1.0000\t{line}" if self.columns == 3 else f"{label}\t{line}"
        return self._replace(rows=tuple(rows), pieces=tuple(pieces))

    def encoded(self) -> bytes:
        """Return the bytes of the file."""
        return (self.mark + "".join(self.pieces)).encode()


def read_page(path: str | Path) -> LabelledPage:
    """Read a labelled page.

    Raises:
        InputError: the file is empty or not UTF-8, or a row is malformed.
        OSError: the file cannot be read.
    """
    return parse_page(Path(path).read_bytes(), str(path))


def parse_page(data: bytes, name: str) -> LabelledPage:
    """Parse the bytes of a labelled page; see `read_page`.

    >>> page = parse_page("nav\\tTrang chủ\\n-\\t\\nbody\\tLửa còn\\tthì nghề còn\\n".encode(), "page.tsv")
    >>> page.labels, page.lines
    (['nav', '-', 'body'], ['Trang chủ', '', 'Lửa còn\\tthì nghề còn'])
    >>> page.relabelled({0: "meta"}).encoded().decode().partition("\\n")[0]
    'meta\\tTrang chủ'
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        number = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        raise InputError(f"{name}:{number}: not UTF-8; save the file as UTF-8") from error
    mark = _BOM if text.startswith(_BOM) else ""
    pieces = _ENDS.split(text[len(mark) :])
    raw = [(number, piece) for number, piece in enumerate(pieces[::2], 1) if piece]
    if not raw:
        raise InputError(f"{name}:1: no rows in it; a labelled page has one per line, {_ROW_FORMATS}; `tinsach label` writes a draft")
    columns = _columns(raw, name)
    rows = tuple(_row(number, piece, columns, name) for number, piece in raw)
    return LabelledPage(name, rows, columns, tuple(pieces), mark)


def _columns(raw: Sequence[tuple[int, str]], name: str) -> int:
    """Return the number of columns, 2 or 3."""
    others = [number for number, row in raw if row != BLANK_LABEL and not _WITH_PROBABILITY.match(row)]
    if not others:
        return 3 if any(row != BLANK_LABEL for _, row in raw) else 2
    if 2 * len(others) < len(raw):  # reading two columns would turn the probabilities of most rows into text
        raise InputError(f"{name}:{others[0]}: second field is not a probability, but most rows have one; write all rows as {_ROW_FORMATS}")
    return 2


def _row(number: int, raw: str, columns: int, name: str) -> Row:
    label, tab, line = raw.partition("\t")
    if label != BLANK_LABEL and (label not in _NAMES or not tab):
        if raw.strip(" \t") == FORM_FEED:
            raise InputError(f"{name}:{number}: a form feed, which separates pages; put each page into a file of its own")
        fault = "no tab after the label" if label in _NAMES else f"{label[:30]!r} is no label"
        raise InputError(
            f"{name}:{number}: {fault}; a row is {_ROW_FORMATS}, labels: {', '.join(sorted(_NAMES))}, {BLANK_LABEL} for a blank line"
        )
    probability = None
    if columns == 3:
        field, _, line = line.partition("\t")
        probability = float(field or 0)
    if label == BLANK_LABEL and not is_blank(line):
        raise InputError(
            f"{name}:{number}: text without a label; {BLANK_LABEL} is for blank lines, choose from {', '.join(sorted(_NAMES))}"
        )
    return Row(number, label, probability, line)


MOST_CERTAIN = 0.9999  # the highest probability of the model in a file: 1 means that a person or a site rule has set the label


def labelled_row(line: LabelledLine) -> str:
    """Encode a labelled line as a row of three columns; the probability is 1 only where a rule has set the label.

    >>> labelled_row(LabelledLine(1, "Trang chủ", LABELS[4], 0.99999, False, LABELS[4], 0, 9))
    'nav\\t0.9999\\tTrang chủ\\n'
    """
    probability = line.probability if line.probability == 1 else min(line.probability, MOST_CERTAIN)
    return f"{line.label or BLANK_LABEL}\t{probability:.4f}\t{line.text}\n"
