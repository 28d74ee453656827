"""The public face: a `Cleaner` labels lines and streams out the article.

Every call ends in `pipeline.Pipeline`, so they cannot disagree. This file turns lines, text, pages and pushed chunks into
blocks for it, and its arrays into `LabelledLine`s. What it leaves out: files and formats, which are `cli.py`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Floats, Int8s, Ints
from classifier.errors import InputError
from classifier.labels import DEFAULT_KEEP, LABELS, Label, parse_keep
from classifier.lines import LineSplitter, split_lines
from classifier.model import Model
from classifier.pipeline import BLOCK_LINES, LOOKAHEAD, Decided, Pipeline

__all__ = ["Cleaner", "LabelledLine", "Labels", "Stream", "load"]

PAGES_PER_JOB = 64


class LabelledLine(NamedTuple):
    """One line and what was decided about it."""

    number: int  # counts from 1 on each page
    text: str  # as given
    label: Label | None  # None for blank lines
    probability: float  # of the label; 0.0 for blank lines
    kept: bool
    first_guess: Label | None  # the label before context


class Labels(NamedTuple):
    """The lines of some pages as columns: line i of page p is entry `offsets[p] + i`."""

    codes: Int8s  # (n,) index into `LABELS`, -1 for blank lines
    probabilities: Floats  # (n,) of the label, 0 for blank lines
    kept: Bools  # (n,)
    keep_probabilities: Floats  # (n,) that the label is one of those to keep, 0 for blank lines
    first_guesses: Int8s  # (n,) index into `LABELS`, -1 for blank lines
    offsets: Ints  # (pages + 1,)
    lines: list[str]  # (n,) as given


def load(
    path: str | Path | None = None,
    *,
    keep: str | Iterable[str] = DEFAULT_KEEP,
    threshold: float | None = None,
) -> Cleaner:
    """Return a cleaner with the shipped model, or with the model at `path` (an `.npz` file or its folder).

    Args:
        path: another model's file or folder.
        keep: the labels to keep, as names or `Label`s; by default title and body.
        threshold: keep a line when the probabilities of the kept labels add up to at least this (0 to 1); by default a
            line is kept when its label is.

    Raises:
        ModelError: the model is missing, damaged, or made for another version.
        InputError: a label to keep is unknown, or the threshold is no probability.

    >>> cleaner = load(keep="title,body,caption")
    >>> cleaner.lookahead
    48
    """
    return Cleaner(Model.load(path), keep=keep, threshold=threshold)


class Cleaner:
    """Labels the lines of news pages. Holds weights only: calls share no state, threads may share a cleaner."""

    lookahead: int = LOOKAHEAD
    """A line is decided after at most this many further lines have been read."""

    def __init__(
        self,
        model: Model,
        *,
        keep: str | Iterable[str] = DEFAULT_KEEP,
        threshold: float | None = None,
    ) -> None:
        """Take a loaded model and what to keep; see `load`."""
        if threshold is not None and not 0 <= threshold <= 1:
            raise InputError(f"threshold {threshold!r} is no probability; give a number from 0 to 1, or None")
        self.model = model
        self.keep = parse_keep(keep)
        self.threshold = threshold

    def _pipeline(self) -> Pipeline:
        return Pipeline(self.model, [code for code, label in enumerate(LABELS) if label in self.keep], self.threshold)

    # -- lines -----------------------------------------------------------------------------------------------------

    def label_lines(self, lines: Iterable[str]) -> Iterator[LabelledLine]:
        """Label the lines of one page, lazily: at most `lookahead` lines are read ahead of the one returned.

        A list or tuple is at hand already, so it is worked on in larger blocks: the same results, faster.

        Raises:
            InputError: `lines` is a string (split it, or call `clean_text`), or holds something that is not a string.
        """
        if isinstance(lines, (str, bytes)):
            raise InputError("label_lines takes an iterable of lines, not one string; pass text.splitlines(), or call clean_text(text)")
        return self._label(lines)

    def _label(self, lines: Iterable[str]) -> Iterator[LabelledLine]:
        stream = Stream(self)
        if isinstance(lines, (list, tuple)):
            last = max(0, len(lines) - 1) // BLOCK_LINES * BLOCK_LINES
            for start in range(0, last, BLOCK_LINES):
                yield from stream.feed_lines(lines[start : start + BLOCK_LINES])
            yield from stream.end_page(lines[last:])
            return
        source = iter(lines)
        while block := list(islice(source, stream.wanted)):
            yield from stream.feed_lines(block)
        yield from stream.end_page()

    def clean_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Return the kept lines of one page, untouched, as lazily as `label_lines`."""
        return (line.text for line in self.label_lines(lines) if line.kept)

    def clean_text(self, text: str) -> str:
        """Return the kept lines of one page of text, joined by newlines (no newline at the end).

        Raises:
            InputError: `text` is not a string.
        """
        _require_text(text, "clean_text")
        return "\n".join(self.clean_lines(split_lines(text)))

    # -- pages -----------------------------------------------------------------------------------------------------

    def clean_pages(self, pages: Iterable[str], jobs: int = 1) -> Iterator[str]:
        """Clean many pages, in order, in batches across pages; with `jobs` > 1 in that many processes (-1: all cores).

        Reads ahead by a bounded number of batches only, so `pages` may be endless.

        Raises:
            InputError: `pages` is one string, holds something that is not a string, `jobs` is 0, or more processes are asked
                for with a model that came from no file.
        """
        _require_pages(pages, "clean_pages")
        from classifier.workers import in_processes

        results = in_processes(self, Cleaner._clean_batch, _batches(pages), jobs)
        return (page for batch in results for page in batch)

    def label_pages(self, pages: Iterable[str]) -> Labels:
        """Label many pages at once, as columns instead of objects: the fastest call, for adapters.

        Raises:
            InputError: `pages` is one string, or holds something that is not a string.
        """
        _require_pages(pages, "label_pages")
        lines: list[str] = []
        offsets = [0]
        for page in pages:
            _require_text(page, "label_pages")
            lines += split_lines(page)
            offsets.append(len(lines))
        done = self._pipeline().advance(lines, offsets[1:])
        return Labels(done.codes, done.probabilities, done.kept, done.keep_probabilities, done.guesses, np.array(offsets), lines)

    def _clean_batch(self, pages: Sequence[str]) -> list[str]:
        labels = self.label_pages(pages)
        kept = np.flatnonzero(labels.kept)
        bounds = np.searchsorted(kept, labels.offsets).tolist()
        texts = [labels.lines[i] for i in kept.tolist()]
        return ["\n".join(texts[start:stop]) for start, stop in pairwise(bounds)]

    def stream(self) -> Stream:
        """Return a push-style stream: feed it chunks of text or bytes, get labelled lines back."""
        return Stream(self)


class Stream:
    """Labels lines that arrive in chunks, cut anywhere.

    >>> stream = load().stream()
    >>> early = stream.feed("Trang chủ\\nLàng gốm bên sông ")
    >>> late = stream.feed("đỏ lửa trở lại\\n") + stream.end_page()
    >>> [line.text for line in early + late]
    ['Trang chủ', 'Làng gốm bên sông đỏ lửa trở lại']
    """

    def __init__(self, cleaner: Cleaner) -> None:
        """Start before the first line of a page; use `Cleaner.stream`."""
        self._pipeline = cleaner._pipeline()
        self._splitter = LineSplitter()
        self._fresh: list[str] = []  # read, but not handed to the pipeline yet
        self._texts: list[str] = []  # handed to the pipeline, and not returned yet
        self._number = 0

    @property
    def wanted(self) -> int:
        """How many further lines can be taken before one has to be returned."""
        return LOOKAHEAD + 1 - len(self._texts) - len(self._fresh)

    def feed(self, chunk: str | bytes) -> list[LabelledLine]:
        """Take text or UTF-8 bytes, cut anywhere; return the lines that are decided now.

        Raises:
            InputError: the chunk is neither text nor bytes.
        """
        if not isinstance(chunk, (str, bytes)):
            raise InputError(f"feed takes str or bytes, not {type(chunk).__name__}")
        return self._take(self._splitter.feed(chunk))

    def feed_lines(self, lines: Sequence[str]) -> list[LabelledLine]:
        """Take whole lines; return the lines that are decided now.

        Raises:
            InputError: one of them is not a string; none is taken then.
        """
        _require_lines(lines)
        return self._take(lines)

    def _take(self, lines: Sequence[str]) -> list[LabelledLine]:
        self._fresh += lines
        if self.wanted > 0:  # nothing is due: wait, since a block costs about the same for 1 line as for 16
            return []
        return self._advance(end=False)

    def end_page(self, lines: Sequence[str] = ()) -> list[LabelledLine]:
        """Close the page, after some last whole lines if any are given; return all lines still undecided.

        The next line is number 1 of a new page.

        Raises:
            InputError: one of the lines is not a string; the page stays open then.
        """
        _require_lines(lines)
        self._fresh += self._splitter.flush()
        self._fresh += lines
        out = self._advance(end=True)
        self._number = 0
        return out

    def flush(self) -> list[LabelledLine]:
        """Close the last page; the same as `end_page()`."""
        return self.end_page()

    def _advance(self, end: bool) -> list[LabelledLine]:
        fresh, self._fresh = self._fresh, []
        self._texts += fresh
        return self._labelled(self._pipeline.advance(fresh, (len(fresh),) if end else ()))

    def _labelled(self, done: Decided) -> list[LabelledLine]:
        count = len(done.codes)
        texts, self._texts = self._texts[:count], self._texts[count:]
        numbers = range(self._number + 1, self._number + 1 + count)
        self._number += count
        labels, guesses = map(_NAMES.__getitem__, done.codes.tolist()), map(_NAMES.__getitem__, done.guesses.tolist())
        columns = zip(numbers, texts, labels, done.probabilities.tolist(), done.kept.tolist(), guesses)
        return list(map(_AS_LINE, columns))


_NAMES: tuple[Label | None, ...] = (*LABELS, None)  # by code; a blank line's is -1, the last
_AS_LINE = partial(tuple.__new__, LabelledLine)  # what LabelledLine._make does, without a Python call for each line


def _require_text(text: object, call: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"{call} takes text (str), not {type(text).__name__}; decode bytes first, or feed them to stream()")


def _require_pages(pages: object, call: str) -> None:
    if isinstance(pages, (str, bytes)):
        raise InputError(f"{call} takes an iterable of pages, not one string; pass [page], or call clean_text(page)")


def _require_lines(lines: Sequence[str]) -> None:
    if {str}.issuperset(map(type, lines)):
        return
    for line in lines:  # a subclass of str will do
        if not isinstance(line, str):
            raise InputError(f"a line must be a str, not {type(line).__name__}; decode bytes first, or feed them to stream()")


def _batches(pages: Iterable[str]) -> Iterator[list[str]]:
    """Group pages into batches of about BLOCK_LINES lines, by their newlines."""
    batch: list[str] = []
    lines = 0
    for page in pages:
        _require_text(page, "clean_pages")
        batch.append(page)
        lines += page.count("\n") + 1
        if lines >= BLOCK_LINES or len(batch) >= PAGES_PER_JOB:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch
