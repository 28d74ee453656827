"""Labelled pages as TSV files: a row for each line of a page, read, corrected and written without touching the lines.

Two spellings, and the file as a whole decides which: `label<TAB>line`, and `label<TAB>probability<TAB>line` (what `tinsach label`
prints) if every row has a probability, from 0 to 1 with a point, as its second field. A blank line's label is `-`. Lines may hold
tabs. A row with nothing in it stands for no line; it, the row ends and a byte order mark stay as they are. What it leaves out:
what the labels are good for, and writing to disk (`files.atomic_write`).
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
_ENDS = re.compile(r"(\r\n|\r|\n)")  # those of `lines.LineSplitter`
# Behind a blank line's probability an editor may have removed the tab.
_WITH_PROBABILITY = re.compile(r"[^\t]*\t(?:0\.\d+|1\.0+)\t|-\t0\.0+$")
_MARK = "\ufeff"
_SPELLINGS = "label<TAB>line or label<TAB>probability<TAB>line"


class Row(NamedTuple):
    """A line and its label, as they stand in the file."""

    number: int  # of the row in the file, from 1
    label: str  # a label's name, or BLANK_LABEL
    probability: float | None  # None in a file of two columns
    line: str


class LabelledPage(NamedTuple):
    """A labelled page, with all that its file holds."""

    name: str  # what messages call it
    rows: tuple[Row, ...]
    columns: int  # 2 or 3
    pieces: tuple[str, ...]  # rows and what ends them in turns, the empty ones too
    mark: str  # the byte order mark, if there is one

    @property
    def labels(self) -> list[str]:
        """The label of each line, BLANK_LABEL for blank ones."""
        return [row.label for row in self.rows]

    @property
    def lines(self) -> list[str]:
        """The lines."""
        return [row.line for row in self.rows]

    def relabelled(self, labels: Mapping[int, str]) -> LabelledPage:
        """Return the page with other labels for some lines, by their index; their probability, if there is one, becomes 1.

        Raises:
            InputError: there is no such line or label, or the line is blank.
        """
        rows, pieces = list(self.rows), list(self.pieces)
        for index, label in labels.items():
            if not 0 <= index < len(rows) or rows[index].label == BLANK_LABEL or label not in _NAMES:
                raise InputError(f"{self.name}: line {index + 1} cannot be labelled {label!r}; load the page again")
            number, line = rows[index].number, rows[index].line
            rows[index] = Row(number, label, 1.0 if self.columns == 3 else None, line)
            pieces[2 * number - 2] = f"{label}\t1.0000\t{line}" if self.columns == 3 else f"{label}\t{line}"
        return self._replace(rows=tuple(rows), pieces=tuple(pieces))

    def encoded(self) -> bytes:
        """Return the file's bytes."""
        return (self.mark + "".join(self.pieces)).encode()


def read_page(path: str | Path) -> LabelledPage:
    """Read a labelled page.

    Raises:
        InputError: it is not UTF-8 or empty, or a row is not in the file's spelling.
        OSError: it cannot be read.
    """
    return parse_page(Path(path).read_bytes(), str(path))


def parse_page(data: bytes, name: str) -> LabelledPage:
    """Return the labelled page that bytes hold; see `read_page`.

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
    mark = _MARK if text.startswith(_MARK) else ""
    pieces = _ENDS.split(text[len(mark) :])
    raw = [(number, piece) for number, piece in enumerate(pieces[::2], 1) if piece]
    if not raw:
        raise InputError(f"{name}:1: no row in it; a labelled page has one for each line, {_SPELLINGS}: `tinsach label` makes a draft")
    columns = _columns(raw, name)
    rows = tuple(_row(number, piece, columns, name) for number, piece in raw)
    return LabelledPage(name, rows, columns, tuple(pieces), mark)


def _columns(raw: Sequence[tuple[int, str]], name: str) -> int:
    """Return how many columns a file has."""
    others = [number for number, row in raw if row != BLANK_LABEL and not _WITH_PROBABILITY.match(row)]
    if not others:
        return 3 if any(row != BLANK_LABEL for _, row in raw) else 2
    if 2 * len(others) < len(raw):  # hardly lines that begin with a number: the probabilities would become text
        raise InputError(f"{name}:{others[0]}: no probability as second field, and most rows have one; write all rows as {_SPELLINGS}")
    return 2


def _row(number: int, raw: str, columns: int, name: str) -> Row:
    label, tab, line = raw.partition("\t")
    if label != BLANK_LABEL and (label not in _NAMES or not tab):
        if raw.strip(" \t") == FORM_FEED:
            raise InputError(f"{name}:{number}: a form feed, which separates pages; put each page into a file of its own")
        fault = "no tab behind the label" if label in _NAMES else f"{label[:30]!r} is no label"
        raise InputError(
            f"{name}:{number}: {fault}; a row is {_SPELLINGS}, labels: {', '.join(sorted(_NAMES))}, {BLANK_LABEL} for a blank line"
        )
    probability = None
    if columns == 3:
        number_read, _, line = line.partition("\t")
        probability = float(number_read or 0)
    if label == BLANK_LABEL and not is_blank(line):
        raise InputError(
            f"{name}:{number}: text without a label; {BLANK_LABEL} is for blank lines, choose from {', '.join(sorted(_NAMES))}"
        )
    return Row(number, label, probability, line)


def labelled_row(line: LabelledLine) -> str:
    """Return a labelled line as a row of three columns."""
    return f"{line.label or BLANK_LABEL}\t{line.probability:.4f}\t{line.text}\n"
