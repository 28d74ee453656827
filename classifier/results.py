"""Results of labelling: one line as a record (`LabelledLine`), many pages as columns (`Labels`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Floats, Int8s, Ints
from classifier.io.notices import NOTHING_KEPT, Notice, notice
from classifier.labels import LABELS, Label

__all__ = ["LabelledLine", "Labels", "counts_by_page", "labelled_lines", "with_nothing_kept"]


def counts_by_page(flags: Bools, offsets: Ints | Sequence[int]) -> Ints:
    """Return how many lines of each page are flagged; line i of page p is entry `offsets[p] + i`."""
    return np.diff(np.searchsorted(np.flatnonzero(flags), offsets))


class LabelledLine(NamedTuple):
    """A line with its label and the decision to keep it."""

    number: int  # from 1 on each page
    text: str  # unmodified
    label: Label | None  # None for blank lines
    probability: float  # of the label; 0.0 for blank lines
    kept: bool
    first_guess: Label | None  # the label before the context pass
    start: int  # of the text, in characters of the page's text; lines given one by one count one line end each
    end: int  # of the text, without its line end


_NAMES: tuple[Label | None, ...] = (*LABELS, None)  # by code; blank lines have -1, the last
_AS_LINE = partial(tuple.__new__, LabelledLine)  # LabelledLine._make without a Python call per line


def labelled_lines(
    numbers: Iterable[int], texts: Iterable[str], starts: Iterable[int], codes: Int8s, probabilities: Floats, kept: Bools, guesses: Int8s
) -> list[LabelledLine]:
    """Return columns as lines; there may be more numbers, texts and starts than codes."""
    labels, first_guesses = (map(_NAMES.__getitem__, column.tolist()) for column in (codes, guesses))
    columns = zip(probabilities.tolist(), kept.tolist(), first_guesses, labels, texts, numbers, starts)
    return [
        _AS_LINE((number, text, label, p, keep, guess, start, start + len(text))) for p, keep, guess, label, text, number, start in columns
    ]


class Labels(NamedTuple):
    """Labelled pages as columns: line i of page p is entry `offsets[p] + i`."""

    codes: Int8s  # (n,) index into `LABELS`, -1 for blank lines
    probabilities: Floats  # (n,) probability of the label, 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) sum over the labels to keep, 0 for blank lines
    first_guesses: Int8s  # (n,) index into `LABELS`, -1 for blank lines
    offsets: Ints  # (pages + 1,)
    lines: list[str]  # (n,) unmodified
    starts: Ints  # (n,) of the lines, in characters of their page's text
    ends: Ints  # (n,) without the line ends
    notices: tuple[tuple[Notice, ...], ...] = ()  # (pages,) why a page's labels are doubtful, mostly ()
    caption_probabilities: Floats = np.zeros(0)  # (n,) 0 for blank lines
    title_probabilities: Floats = np.zeros(0)  # (n,) 0 for blank lines

    def pages(self) -> Iterator[Labels]:
        """Yield the `Labels` of each page; the arrays are views."""
        for page, (start, stop) in enumerate(pairwise(self.offsets.tolist())):
            columns = [column[start:stop] for column in self[:5]]
            places = [column[start:stop] for column in (self.starts, self.ends)]
            others = [column[start:stop] for column in (self.caption_probabilities, self.title_probabilities)]
            bounds, notices = np.array([0, stop - start]), self.notices[page : page + 1]
            yield Labels._make([*columns, bounds, self.lines[start:stop], *places, notices, *others])

    def texts(self) -> list[str]:
        """Return the clean text of each page: its kept lines, joined by newlines."""
        kept = np.flatnonzero(self.kept)
        bounds = np.searchsorted(kept, self.offsets).tolist()
        lines = [self.lines[i] for i in kept.tolist()]
        return ["\n".join(lines[start:stop]) for start, stop in pairwise(bounds)]

    def dropped(self) -> list[tuple[Label, str]]:
        """Return label and text of each line that is neither blank nor kept."""
        rows = np.flatnonzero((self.codes >= 0) & ~self.kept).tolist()
        return [(LABELS[self.codes[i]], self.lines[i]) for i in rows]


def with_nothing_kept(labels: Labels) -> Labels:
    """Return labels with one more notice for each page that is not blank and of which nothing is kept."""
    lines, kept = (counts_by_page(flags, labels.offsets) for flags in (labels.codes >= 0, labels.kept))
    notices = list(labels.notices)
    for page in np.flatnonzero((lines > 0) & (kept == 0)).tolist():
        notices[page] += (notice(NOTHING_KEPT),)
    return labels._replace(notices=tuple(notices))
