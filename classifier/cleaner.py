"""The public face: a `Cleaner` labels lines and streams out the article.

Every call ends in `pipeline.Pipeline`, so they cannot disagree. This file turns lines, text, pages and pushed chunks into
blocks for it, and its arrays into `LabelledLine`s. What it leaves out: files and formats, which are `cli.py`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Floats, Int8s, Ints
from classifier.errors import InputError
from classifier.labels import DEFAULT_KEEP, LABELS, parse_keep
from classifier.lines import split_lines
from classifier.model import Model
from classifier.pipeline import BLOCK_LINES, LOOKAHEAD, Pipeline
from classifier.site_memory import PagePass, SiteMemory
from classifier.site_rules import SiteRules, site_name
from classifier.stream import LabelledLine, Stream

__all__ = ["Cleaner", "Labels", "load"]

PAGES_PER_JOB = 64


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
    rules: SiteRules | None = None,
) -> Cleaner:
    """Return a cleaner with the shipped model, or with the model at `path` (an `.npz` file or its folder).

    Args:
        path: another model's file or folder.
        keep: the labels to keep, as names or `Label`s; by default title and body.
        threshold: keep a line when the probabilities of the kept labels add up to at least this (0 to 1); by default a
            line is kept when its label is.
        rules: what lines of certain sites must or cannot be; without `Cleaner.at`, those for every site count.

    Raises:
        ModelError: the model is missing, damaged, or made for another version.
        InputError: a label to keep is unknown, the threshold is no probability, or `rules` is something else.

    >>> cleaner = load(keep="title,body,caption")
    >>> cleaner.lookahead
    48
    """
    return Cleaner(Model.load(path), keep=keep, threshold=threshold, rules=rules)


class Cleaner:
    """Labels the lines of news pages. Without a memory, calls share no state; threads may share a cleaner."""

    lookahead: int = LOOKAHEAD
    """A line is decided after at most this many further lines have been read."""

    def __init__(
        self,
        model: Model,
        *,
        keep: str | Iterable[str] = DEFAULT_KEEP,
        threshold: float | None = None,
        rules: SiteRules | None = None,
        site: str | None = None,
        memory: SiteMemory | None = None,
    ) -> None:
        """Take a loaded model, what to keep, rules and a memory; see `load`, `at` and `remembering`."""
        if threshold is not None and not 0 <= threshold <= 1:
            raise InputError(f"threshold {threshold!r} is no probability; give a number from 0 to 1, or None")
        if rules is not None and not isinstance(rules, SiteRules):
            raise InputError(f"rules takes SiteRules, not {type(rules).__name__}; read them with SiteRules.read(path)")
        if memory is not None and not isinstance(memory, SiteMemory):
            raise InputError(f"memory takes a SiteMemory, not {type(memory).__name__}; make one, or SiteMemory.load(path)")
        self.model = model
        self.keep = parse_keep(keep)
        self.threshold = threshold
        self.rules = rules
        self.memory = memory
        self.site = site_name(site or "") or None
        """The site whose rules apply, None for any site."""

    def at(self, site: str | None) -> Cleaner:
        """Return this cleaner for the pages of one site: the same model, keep, threshold and rules; costs next to nothing.

        A site is a host's name, or any name that the rules have; a URL stands for its host. Upper and lower case, and a
        leading `www.`, are the same; `m.bao-bai-song.vn` is another site than `bao-bai-song.vn`.

        >>> load().at("https://www.bao-bai-song.vn/thoi-su/1.html").site
        'bao-bai-song.vn'
        """
        return Cleaner(self.model, keep=self.keep, threshold=self.threshold, rules=self.rules, site=site, memory=self.memory)

    def remembering(self, memory: SiteMemory | None) -> Cleaner:
        """Return this cleaner with a memory of the lines of its site, which every call reads and adds to; costs next to nothing.

        A page adds its lines when it ends: one that a call is left in the middle of adds none.

        Raises:
            InputError: `memory` is something else.
        """
        return Cleaner(self.model, keep=self.keep, threshold=self.threshold, rules=self.rules, site=self.site, memory=memory)

    def _pipeline(self) -> Pipeline:
        kept = [code for code, label in enumerate(LABELS) if label in self.keep]
        rules = None if self.rules is None else self.rules.at(self.site)
        memory = None if self.memory is None else PagePass(self.memory, self.site)
        return Pipeline(self.model, kept, self.threshold, rules, memory)

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
        stream = self.stream()
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

    def clean_pages(self, pages: Iterable[str], jobs: int = 1, *, memory: SiteMemory | None = None) -> Iterator[str]:
        """Clean many pages, in order, in batches across pages; with `jobs` > 1 in that many processes (-1: all cores).

        Reads ahead by a bounded number of batches only, so `pages` may be endless. A `memory` of their site reads and counts
        them in this order; see `SiteMemory`.

        Raises:
            InputError: `pages` is one string, holds something that is not a string, `jobs` is 0, or more processes are asked
                for with a model that came from no file, or with a memory.
        """
        _require_pages(pages, "clean_pages")
        from classifier.workers import in_processes

        cleaner = self if memory is None else self.remembering(memory)
        results = in_processes(cleaner, Cleaner._clean_batch, _batches(pages), jobs)
        return (page for batch in results for page in batch)

    def label_pages(self, pages: Iterable[str], *, memory: SiteMemory | None = None) -> Labels:
        """Label many pages at once, as columns instead of objects: the fastest call, for adapters.

        A `memory` of their site reads and counts the pages in this order; see `SiteMemory`.

        Raises:
            InputError: `pages` is one string, or holds something that is not a string; `memory` is something else.
        """
        _require_pages(pages, "label_pages")
        lines: list[str] = []
        offsets = [0]
        for page in pages:
            _require_text(page, "label_pages")
            lines += split_lines(page)
            offsets.append(len(lines))
        cleaner = self if memory is None else self.remembering(memory)
        done = cleaner._pipeline().advance(lines, offsets[1:])
        return Labels(done.codes, done.probabilities, done.kept, done.keep_probabilities, done.guesses, np.array(offsets), lines)

    def _clean_batch(self, pages: Sequence[str]) -> list[str]:
        labels = self.label_pages(pages)
        kept = np.flatnonzero(labels.kept)
        bounds = np.searchsorted(kept, labels.offsets).tolist()
        texts = [labels.lines[i] for i in kept.tolist()]
        return ["\n".join(texts[start:stop]) for start, stop in pairwise(bounds)]

    def stream(self) -> Stream:
        """Return a push-style stream: feed it chunks of text or bytes, get labelled lines back."""
        return Stream(self._pipeline())


def _require_text(text: object, call: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"{call} takes text (str), not {type(text).__name__}; decode bytes first, or feed them to stream()")


def _require_pages(pages: object, call: str) -> None:
    if isinstance(pages, (str, bytes)):
        raise InputError(f"{call} takes an iterable of pages, not one string; pass [page], or call clean_text(page)")


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
