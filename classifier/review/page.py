"""Pages under review: the model's confidence in each label, and saving of every change at once.

A save carries all changes since its window was opened, so saves do not depend on each other. A delayed save never undoes a newer
one, and a file that somebody else has changed is never overwritten.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from classifier.cleaner import Cleaner
from classifier.core.arrays import Floats
from classifier.core.model import Recording
from classifier.errors import InputError
from classifier.html_page import MAX_LINES, MAX_SHOWN, lines_page
from classifier.io.files import atomic_write, os_error_message
from classifier.io.notices import without_warnings
from classifier.labels import LABELS
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL, LabelledPage, parse_page

__all__ = ["Conflict", "ReviewedPage", "find_pages", "label_probabilities"]

_CODES = {label.value: code for code, label in enumerate(LABELS)}


class Conflict(InputError):
    """The page can no longer be saved from this window: another window replaced it, or its file was changed or removed."""


class ReviewedPage:
    """A labelled page and its file; thread-safe."""

    def __init__(self, path: str, cleaner: Cleaner) -> None:
        """Read the page and score its labels with the model of `cleaner`.

        Raises:
            InputError, OSError: the file cannot be read as a labelled page, or has more than MAX_LINES lines.
        """
        self.path, self._cleaner = path, cleaner
        self.failure = ""  # why the last save failed; empty if it succeeded
        self.saved = False  # whether any change was saved
        self._lock = threading.Lock()
        self._window, self._sequence = 0, 0  # the newest window, and the number of its newest saved change
        self._scored = LabelledPage(path, (), 2, (), "")  # the page whose lines and labels the model has scored
        self._load()

    @property
    def doubt(self) -> float:
        """Expected share of wrong labels, by the model's probabilities, those that a person or a rule has set being right; 0 to 1."""
        labels = zip(self._opened.labels, self._probabilities, self._is_set)
        certainties = [1.0 if is_set else float(p[_CODES[label]]) for label, p, is_set in labels if label != BLANK_LABEL]
        return 1 - sum(certainties) / len(certainties) if certainties else 0.0

    @property
    def corrected(self) -> int:
        """Number of labels that differ from those first read."""
        return sum(one.label != other.label for one, other in zip(self._scored.rows, self._now.rows))

    def _load(self) -> None:
        data = Path(self.path).read_bytes()
        page = parse_page(data, self.path)
        if len(page.rows) > MAX_LINES:
            raise InputError(f"{self.path}: more than {MAX_LINES} lines are too many for one HTML page; split it into several files")
        # Assign only now that the file is known to be valid: else the open window could overwrite a version it has never shown.
        self._bytes, self._opened, self._now = data, page, page
        if self._scored.lines != page.lines:  # same lines: keep the first labels, so that corrected ones count as certain
            self._scored = page
            self._probabilities = label_probabilities(self._cleaner, page.lines)
        # In a file, the model's probabilities are below 1 (`labelled_row`). A file of two columns does not show what was set earlier.
        pairs = zip(page.rows, self._scored.rows)
        self._is_set = [row.label != BLANK_LABEL and (row.probability == 1 or row.label != first.label) for row, first in pairs]

    def open(self, number: int, pages: int) -> str:
        """Reread the file and return it as an HTML page, `number` of `pages`, in a new window: only this window can save from now on."""
        with self._lock:
            self._load()
            self._window, self._sequence, self.failure = self._window + 1, 0, ""
            data = {
                "name": Path(self.path).name,
                "labels": [[label.value, label.description] for label in LABELS],
                "window": self._window,
                "page": number,
                "pages": pages,
                "lines": self._shown(),
            }
        return lines_page(Path(self.path).name, "review", data, connects=True)

    def _shown(self) -> list[object]:
        """Encode each line for review.js; for a blank line, 0, or its text if that is more than white space."""
        shown: list[object] = []
        for index, (row, p, is_set) in enumerate(zip(self._opened.rows, self._probabilities, self._is_set)):
            text = row.line[:MAX_SHOWN]
            if row.label == BLANK_LABEL:
                shown.append(text if text.strip() else 0)
                continue
            code, guess = _CODES[row.label], int(p.argmax()) if p.any() else -1  # -1: blank to the model
            odds = [round(float(p[code]), 4), int(is_set), guess, round(float(p[guess]), 4)]
            shown.append([index, row.number, text, len(row.line) - len(text), code, *odds])
        return shown

    def save(self, window: int, sequence: int, labels: Mapping[int, str]) -> None:
        """Write the page as the window opened it, with these labels by line index. Ignored if a newer change is already saved.

        Raises:
            Conflict: a newer window was opened, or the file was changed or removed.
            InputError, OSError: a line or label does not exist, or the file cannot be written.
        """
        with self._lock:
            if window != self._window:
                raise Conflict("the page was opened again, in another window; continue there, or reload this one")
            if sequence <= self._sequence:
                return
            try:
                self._write(self._opened.relabelled(labels))
            except OSError as error:
                self.failure = os_error_message(error)
                raise
            except Conflict as error:
                self.failure = str(error)
                raise
            self._sequence, self.failure, self.saved = sequence, "", True

    def _write(self, page: LabelledPage) -> None:
        try:
            current = Path(self.path).read_bytes()
        except FileNotFoundError as error:
            raise Conflict(f"{self.path} no longer exists; restore it, and reload this page") from error
        if current != self._bytes:
            raise Conflict(f"{self.path} was changed by somebody else; nothing was overwritten; reload this page, and redo your changes")
        data = page.encoded()
        if data != current:
            with atomic_write(self.path) as out:
                out.write(data)
        self._bytes, self._now = data, page

    def close(self) -> None:
        """Wait for a running save and block later ones, so that the process can exit."""
        self._lock.acquire()


def label_probabilities(cleaner: Cleaner, lines: Sequence[str]) -> Floats:
    """Return the label probabilities (lines, labels) of one page; zeros for blank lines.

    >>> import classifier
    >>> p = label_probabilities(classifier.load(), ["Trang chủ", ""])
    >>> p.shape, p.sum(axis=1).round(6).tolist()
    ((2, 12), [1.0, 0.0])
    """
    model = Recording(cleaner.model)
    found = np.zeros((len(lines), len(LABELS)))
    with without_warnings():  # of a page that a person reviews
        for _ in Cleaner(model).label_lines(list(lines)):
            pass
    if model.records:
        found[[index for index, line in enumerate(lines) if not is_blank(line)]] = np.exp([p for _, p in model.records])
    return found


def find_pages(names: Sequence[str]) -> list[str]:
    """Return the paths of labelled pages, each once: files as named, and all *.tsv files below named folders, sorted, hidden ones skipped.

    Raises:
        InputError: a folder contains none.
    """
    found: dict[str, str] = {}
    for name in names:
        paths = [name]
        if Path(name).is_dir():
            tables = sorted(Path(name).rglob("*.tsv"))
            paths = [str(path) for path in tables if not any(part[0] == "." for part in path.relative_to(name).parts)]
            if not paths:
                raise InputError(f"{name}: no labelled page.tsv in it; `tinsach label PAGES --output-dir {name}` writes them")
        for path in paths:
            found.setdefault(str(Path(path).resolve()), path)
    return list(found.values())
