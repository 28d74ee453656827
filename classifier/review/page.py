"""Labelled pages while a person corrects them: how sure the model is of each label, and saving every change at once.

A save brings all changes since its window was opened, so that none depends on another; a late one never undoes a newer one, and
nothing is written over a file that somebody else has changed. What it leaves out: how the changes come here (`review_server`).
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
from classifier.labels import LABELS
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL, LabelledPage, parse_page

__all__ = ["Conflict", "ReviewedPage", "find_pages", "label_probabilities"]

_CODES = {label.value: code for code, label in enumerate(LABELS)}


class Conflict(InputError):
    """A page cannot be saved, now or later, because its file has become another's."""


class ReviewedPage:
    """A labelled page in its file; threads may share it."""

    def __init__(self, path: str, cleaner: Cleaner) -> None:
        """Read the page and let the model of `cleaner` judge its labels.

        Raises:
            InputError, OSError: it cannot be read as a labelled page, or has more than MAX_LINES lines.
        """
        self.path, self._cleaner = path, cleaner
        self.failure = ""  # why the last save failed; empty if it did not
        self._lock = threading.Lock()
        self._window, self._sequence = 0, 0  # the one open last, and its newest change that is saved
        self._judged = LabelledPage(path, (), 2, (), "")  # the page whose lines and labels the model has judged
        self._load()

    @property
    def doubt(self) -> float:
        """The share of its lines whose labels are wrong, as the model expects; 0 to 1."""
        own = [certainty for row, certainty in zip(self._opened.rows, self._certainties) if row.label != BLANK_LABEL]
        return 1 - sum(own) / len(own) if own else 0.0

    @property
    def corrected(self) -> int:
        """How many labels are others than when the page was first read."""
        return sum(one.label != other.label for one, other in zip(self._judged.rows, self._now.rows))

    def _load(self) -> None:
        data = Path(self.path).read_bytes()
        page = parse_page(data, self.path)
        if len(page.rows) > MAX_LINES:
            raise InputError(f"{self.path}: more than {MAX_LINES} lines are too many for a page to look at; cut it into several files")
        # Not before it is known to be sound: the window still open would else save over what it has never seen.
        self._bytes, self._opened, self._now = data, page, page
        if self._judged.lines != page.lines:  # labels that have been corrected since are no doubts
            self._judged = page
            self._probabilities = label_probabilities(self._cleaner, page.lines)
        self._certainties = [
            1.0 if row.probability == 1 or row.label != first.label else float(p[_CODES[row.label]]) if row.label in _CODES else 0.0
            for row, first, p in zip(page.rows, self._judged.rows, self._probabilities)
        ]  # a probability of 1 stands for a person, or for a model that is as sure

    def open(self, number: int, pages: int) -> str:
        """Read the file again and return it as an HTML page, number `number` of `pages`, in a new window: only this one can save now."""
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
        """Return each line as review.js takes it: 0 if it cannot be labelled."""
        shown: list[object] = []
        for index, (row, p, certainty) in enumerate(zip(self._opened.rows, self._probabilities, self._certainties)):
            if row.label == BLANK_LABEL:
                shown.append(0)
                continue
            text, code, guess = row.line[:MAX_SHOWN], _CODES[row.label], int(p.argmax())
            cut = len(row.line) - len(text)
            shown.append([index, row.number, text, cut, code, round(certainty, 4), guess, round(float(p[guess]), 4)])
        return shown

    def save(self, window: int, sequence: int, labels: Mapping[int, str]) -> None:
        """Write the page as the window had it on opening, but for these labels by index, unless a newer change of it is saved already.

        Raises:
            Conflict: another window, or somebody else, has taken over the file.
            InputError, OSError: there is no such line or label, or the file cannot be written.
        """
        with self._lock:
            if window != self._window:
                raise Conflict("the page was opened once more, in another window; go on there, or reload this one")
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
            self._sequence, self.failure = sequence, ""

    def _write(self, page: LabelledPage) -> None:
        try:
            there = Path(self.path).read_bytes()
        except FileNotFoundError as error:
            raise Conflict(f"{self.path} has gone; put it back, and reload this page") from error
        if there != self._bytes:
            raise Conflict(f"{self.path} was changed by somebody else; nothing was overwritten; reload this page, and label once more")
        data = page.encoded()
        if data != there:
            with atomic_write(self.path) as out:
                out.write(data)
        self._bytes, self._now = data, page

    def close(self) -> None:
        """Wait until a save that has begun is through, and let none begin any more: the process may end."""
        self._lock.acquire()


def label_probabilities(cleaner: Cleaner, lines: Sequence[str]) -> Floats:
    """Return the probability of each label (lines, labels) for the lines of one page; of blank lines, zeros.

    >>> import classifier
    >>> p = label_probabilities(classifier.load(), ["Trang chủ", ""])
    >>> p.shape, p.sum(axis=1).round(6).tolist()
    ((2, 12), [1.0, 0.0])
    """
    model = Recording(cleaner.model)
    found = np.zeros((len(lines), len(LABELS)))
    for _ in Cleaner(model).label_lines(list(lines)):
        pass
    if model.records:
        found[[index for index, line in enumerate(lines) if not is_blank(line)]] = np.exp([p for _, p in model.records])
    return found


def find_pages(names: Sequence[str]) -> list[str]:
    """Return the paths of labelled pages: files as named, and every page.tsv in a folder or below, in order; each once.

    Raises:
        InputError: there is none in a folder.
    """
    found: dict[str, str] = {}
    for name in names:
        paths = [name]
        if Path(name).is_dir():
            below = sorted(Path(name).rglob("*.tsv"))
            paths = [str(path) for path in below if not any(part[0] == "." for part in path.relative_to(name).parts)]
            if not paths:
                raise InputError(f"{name}: no labelled page.tsv in it; `tinsach label PAGES --output-dir {name}` makes some")
        for path in paths:
            found.setdefault(str(Path(path).resolve()), path)
    return list(found.values())
