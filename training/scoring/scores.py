"""Evaluation metrics: the one implementation of every figure that this project reports.

article F1  over the visible characters of kept lines (title and body), captions ignored; averaged over a publisher's pages,
            then over publishers
strict F1   the same, but captions are expected to be dropped
line F1     as strict F1, counted in lines
macro F1    mean of the per-label line F1 over the labels present, all pages pooled
ECE         expected calibration error of the keep probability, ten bins of equal width
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import classifier
from classifier.core.arrays import Bools, Floats
from classifier.labels import DEFAULT_KEEP, LABELS
from classifier.record.confidence import page_confidences
from classifier.review.labelled_page import BLANK_LABEL
from training.scoring.gold import Gold

__all__ = ["FIGURES", "KEEP", "Figure", "PageScore", "Scores", "evaluate", "label", "merged", "score", "visible"]


class Figure(NamedTuple):
    """A headline figure of an evaluation."""

    name: str  # key in manifests and floors
    title: str
    higher_is_better: bool = True

    def is_better(self, new: float, old: float) -> bool:
        """Return whether `new` is better than `old`; equal figures are not."""
        return new != old and (new > old) == self.higher_is_better


FIGURES = (
    Figure("article_f1", "article F1"),
    Figure("strict_f1", "strict F1"),
    Figure("line_f1", "line F1"),
    Figure("macro_f1", "macro F1"),
    Figure("ece", "calibration error", higher_is_better=False),
)

KEEP = frozenset(label.value for label in DEFAULT_KEEP)
LINK_TARGET = re.compile(r"\]\([^)]*\)")
BINS = 10


class PageScore(NamedTuple):
    """One page's figures, and its wrong keep/drop decisions as (visible characters, gold, predicted, text), largest first."""

    name: str
    publisher: str
    article: float
    strict: float
    line: float
    errors: list[tuple[int, str, str, str]]
    confidence: float = 0.0  # the article F1 to expect; 0 if the model cannot tell


class Scores(NamedTuple):
    """The figures of some pages."""

    pages: list[PageScore]
    confusion: dict[tuple[str, str], int]  # (gold, predicted): lines
    reliability: list[tuple[float, float, int]]  # (mean keep probability, actual share, lines) per non-empty bin

    @property
    def article(self) -> float:
        """Article F1."""
        return self._mean("article")

    @property
    def strict(self) -> float:
        """Strict F1."""
        return self._mean("strict")

    @property
    def line(self) -> float:
        """Line F1."""
        return self._mean("line")

    @property
    def macro(self) -> float:
        """Macro F1 over the labels present."""
        return float(np.mean([f1 for _, _, f1, lines in self.labels().values() if lines]))

    @property
    def ece(self) -> float:
        """Expected calibration error of the keep probability."""
        total = sum(count for _, _, count in self.reliability)
        return sum(count * abs(predicted - actual) for predicted, actual, count in self.reliability) / max(1, total)

    def labels(self) -> dict[str, tuple[float, float, float, int]]:
        """Return (precision, recall, F1, gold lines) of each label."""
        out = {}
        for label in (label.value for label in LABELS):
            hit = self.confusion.get((label, label), 0)
            gold = sum(count for (want, _), count in self.confusion.items() if want == label)
            found = sum(count for (_, got), count in self.confusion.items() if got == label)
            out[label] = (hit / max(1, found), hit / max(1, gold), f1(hit, found - hit, gold - hit), gold)
        return out

    def share(self, want: str, got: str) -> float:
        """Return the share of the gold lines of label `want` that were labelled `got`."""
        gold = sum(count for (label, _), count in self.confusion.items() if label == want)
        return self.confusion.get((want, got), 0) / max(1, gold)

    def worst(self, count: int) -> list[PageScore]:
        """Return the `count` pages with the lowest article F1."""
        return sorted(self.pages, key=lambda page: page.article)[:count]

    def summary(self) -> dict[str, float]:
        """Return the headline figures by name, in the order of FIGURES, rounded to four digits."""
        values = (self.article, self.strict, self.line, self.macro, self.ece)
        return {figure.name: round(value, 4) for figure, value in zip(FIGURES, values)}

    def _mean(self, figure: str) -> float:
        means = defaultdict(list)
        for page in self.pages:
            means[page.publisher].append(getattr(page, figure))
        return float(np.mean([np.mean(values) for values in means.values()]))


def f1(true_positives: int, false_positives: int, false_negatives: int) -> float:
    """Return the harmonic mean of precision and recall; 0 without true positives.

    >>> f1(2, 1, 1)
    0.6666666666666666
    """
    return 2 * true_positives / (2 * true_positives + false_positives + false_negatives) if true_positives else 0.0


def visible(text: str) -> int:
    """Return the number of characters a reader sees: neither white space nor markdown link targets count.

    >>> visible("[Kinh tế](/kinh-te.htm)")
    8
    """
    return len("".join(LINK_TARGET.sub("]", text).split()))


def evaluate(cleaner: classifier.Cleaner, pages: Sequence[Gold]) -> Scores:
    """Label the pages and score them against gold."""
    return score(label(cleaner, pages), pages, cleaner)


def label(cleaner: classifier.Cleaner, pages: Sequence[Gold]) -> classifier.Labels:
    """Label the pages, all at once."""
    return cleaner.label_pages("\n".join(page.lines) + "\n" for page in pages)


def score(found: classifier.Labels, pages: Sequence[Gold], cleaner: classifier.Cleaner) -> Scores:
    """Score labelled pages against gold."""
    confusion: dict[tuple[str, str], int] = defaultdict(int)
    scored, predicted, actual = [], [], []
    names = [*(label.value for label in LABELS), "none"]  # a blank line's code is -1
    known = "confidence" in cleaner.model.manifest
    confidences = page_confidences(cleaner.model, found, cleaner.keep).tolist() if known else [0.0] * len(pages)
    for page, part, confidence in zip(pages, found.pages(), confidences):
        scored.append(_score_page(page, [names[code] for code in part.codes], confusion)._replace(confidence=confidence))
        counted = (np.array(page.labels) != BLANK_LABEL) & (part.codes >= 0)
        predicted.append(part.keep_probabilities[counted])
        actual.append(np.isin(page.labels, sorted(KEEP))[counted])
    return Scores(scored, dict(confusion), _reliability(np.concatenate(predicted), np.concatenate(actual)))


def merged(parts: Sequence[Scores]) -> Scores:
    """Return the scores of several sets of pages as one; bins are pooled by their mean probability."""
    confusion: dict[tuple[str, str], int] = defaultdict(int)
    for part in parts:
        for pair, count in part.confusion.items():
            confusion[pair] += count
    bins: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for part in parts:
        for entry in part.reliability:
            bins[min(int(entry[0] * BINS), BINS - 1)].append(entry)
    pooled = []
    for _, entries in sorted(bins.items()):
        total = sum(count for _, _, count in entries)
        pooled.append((*(sum(entry[side] * entry[2] for entry in entries) / total for side in (0, 1)), total))
    return Scores([page for part in parts for page in part.pages], dict(confusion), pooled)


def _score_page(page: Gold, found: list[str], confusion: dict[tuple[str, str], int]) -> PageScore:
    size, count, neutral, errors = [0, 0, 0], [0, 0, 0], 0, []
    for want, got, text in zip(page.labels, found, page.lines):
        if want == BLANK_LABEL:
            continue
        confusion[want, got] += 1
        if want not in KEEP and got not in KEEP:
            continue
        slot = 0 if want in KEEP and got in KEEP else 1 if got in KEEP else 2
        characters = visible(text)
        size[slot] += characters
        count[slot] += 1
        if want == "caption":
            neutral += characters
        elif slot:
            errors.append((characters, want, got, text.strip()))
    article = f1(size[0], size[1] - neutral, size[2])
    return PageScore(page.name, page.publisher, article, f1(*size), f1(*count), sorted(errors, reverse=True))


def _reliability(predicted: Floats, actual: Bools) -> list[tuple[float, float, int]]:
    bins = np.minimum((predicted * BINS).astype(int), BINS - 1)
    return [
        (float(predicted[bins == number].mean()), float(actual[bins == number].mean()), int((bins == number).sum()))
        for number in range(BINS)
        if (bins == number).any()
    ]
