"""How good a model is: on held-out composed pages, or on a folder of gold TSV pages.

The measures, in the one implementation of this project:

article F1  over the visible characters of kept lines (title and body), caption lines neutral; the mean over a publisher's
            pages, then over publishers
strict F1   the same with captions counted as to be dropped
line F1     the strict decision counted by lines
macro F1    mean over the labels present of per-label line F1, all pages pooled
ECE         expected calibration error of the keep probability, ten bins of equal width

`python -m training.evaluate [PAGES] [--html FILE]`; PAGES is a folder of `publisher__n.tsv` pages, or of style folders of them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import classifier
from classifier.arrays import Bools, Floats
from classifier.files import whole_file
from classifier.labels import DEFAULT_KEEP, LABELS
from training.compose import Page
from training.skeleton import BLANK, SkeletonError, read_page

__all__ = ["Gold", "PageScore", "Scores", "evaluate", "gold_pages", "merged", "read_gold", "visible"]

KEEP = frozenset(label.value for label in DEFAULT_KEEP)
LINK_TARGET = re.compile(r"\]\([^)]*\)")
BINS = 10


class Gold(NamedTuple):
    """A labelled page."""

    name: str
    publisher: str
    labels: Sequence[str]
    lines: Sequence[str]


class PageScore(NamedTuple):
    """One page's figures, and its wrong keep/drop decisions as (visible size, gold, found, text)."""

    name: str
    publisher: str
    article: float
    strict: float
    line: float
    errors: list[tuple[int, str, str, str]]


class Scores(NamedTuple):
    """The figures of some pages."""

    pages: list[PageScore]
    confusion: dict[tuple[str, str], int]  # (gold, found): lines
    reliability: list[tuple[float, float, int]]  # (mean keep probability, share really kept, lines) of each bin in use

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
        return sum(count * abs(said - true) for said, true, count in self.reliability) / max(1, total)

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
        """Return the share of the gold lines of one label that were found to be another."""
        gold = sum(count for (label, _), count in self.confusion.items() if label == want)
        return self.confusion.get((want, got), 0) / max(1, gold)

    def worst(self, count: int) -> list[PageScore]:
        """Return the pages of the lowest article F1."""
        return sorted(self.pages, key=lambda page: page.article)[:count]

    def summary(self) -> dict[str, float]:
        """Return the headline figures, rounded."""
        figures = {"article_f1": self.article, "strict_f1": self.strict, "line_f1": self.line, "macro_f1": self.macro, "ece": self.ece}
        return {name: round(value, 4) for name, value in figures.items()}

    def _mean(self, figure: str) -> float:
        means = defaultdict(list)
        for page in self.pages:
            means[page.publisher].append(getattr(page, figure))
        return float(np.mean([np.mean(values) for values in means.values()]))


def f1(true_positives: int, false_positives: int, false_negatives: int) -> float:
    """Return the harmonic mean of precision and recall; 0 where nothing was found.

    >>> f1(2, 1, 1)
    0.6666666666666666
    """
    return 2 * true_positives / (2 * true_positives + false_positives + false_negatives) if true_positives else 0.0


def visible(text: str) -> int:
    """Return how many characters a reader sees: neither white space nor markdown link targets.

    >>> visible("[Kinh tế](/kinh-te.htm)")
    8
    """
    return len("".join(LINK_TARGET.sub("]", text).split()))


def gold_pages(pages: Sequence[Page]) -> list[Gold]:
    """Return composed pages as gold pages, each its own publisher."""
    lines = [([line.label for line in page.lines], [line.text for line in page.lines]) for page in pages]
    return [Gold(f"{page.style} {number}", str(number), *both) for number, (page, both) in enumerate(zip(pages, lines))]


def read_gold(folder: Path) -> dict[str, list[Gold]]:
    """Return the gold pages of a folder by style; a folder that holds pages itself is one style.

    Raises:
        InputError: there is no page, or a page breaks the format.
    """
    styles = [folder] if any(folder.glob("*.tsv")) else sorted(path for path in folder.iterdir() if path.is_dir())
    found = {}
    for style in styles:
        pages = [Gold(path.stem, path.stem.split("__")[0], *read_page(path)) for path in sorted(style.glob("*.tsv"))]
        if pages:
            found[style.name] = pages
    if not found:
        raise SkeletonError(f"{folder}: no publisher__n.tsv page here or one folder down")
    return found


def evaluate(cleaner: classifier.Cleaner, pages: Sequence[Gold]) -> Scores:
    """Label the pages and compare with gold."""
    confusion: dict[tuple[str, str], int] = defaultdict(int)
    scored, said, true = [], [], []
    found = cleaner.label_pages("\n".join(page.lines) + "\n" for page in pages)
    names = [*(label.value for label in LABELS), "none"]  # a blank line's code is -1
    for page, low, high in zip(pages, found.offsets, found.offsets[1:]):
        codes = found.codes[low:high]
        scored.append(_score_page(page, [names[code] for code in codes], confusion))
        counted = (np.array(page.labels) != BLANK) & (codes >= 0)
        said.append(found.keep_probabilities[low:high][counted])
        true.append(np.isin(page.labels, sorted(KEEP))[counted])
    return Scores(scored, dict(confusion), _reliability(np.concatenate(said), np.concatenate(true)))


def merged(parts: Sequence[Scores]) -> Scores:
    """Return the scores of several sets of pages as one."""
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
        if want == BLANK:
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


def _reliability(said: Floats, true: Bools) -> list[tuple[float, float, int]]:
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        (float(said[bins == number].mean()), float(true[bins == number].mean()), int((bins == number).sum()))
        for number in range(BINS)
        if (bins == number).any()
    ]


def report(name: str, scores: Scores, errors: int) -> str:
    """Return the figures of one style as text: headline, per label, confusion, worst pages."""
    figures = "  ".join(f"{key} {value:.4f}" for key, value in scores.summary().items())
    out = [f"{name}: {len(scores.pages)} pages  {figures}", "  label      precision recall     F1   lines"]
    for label, (precision, recall, score, lines) in scores.labels().items():
        if lines:
            out.append(f"  {label:10s} {precision:9.3f} {recall:6.3f} {score:6.3f} {lines:7d}")
    mistakes = sorted(((count, pair) for pair, count in scores.confusion.items() if pair[0] != pair[1]), reverse=True)[:8]
    out.append("  most confused: " + ", ".join(f"{want} as {got} {count}" for count, (want, got) in mistakes))
    for page in scores.worst(3):
        out.append(f"  worst: {page.name} article F1 {page.article:.3f}")
        out += [f"    {want} -> {got} [{size}] {text[:90]}" for size, want, got, text in page.errors[:errors]]
    return "\n".join(out)


def main(argv: list[str] | None = None) -> int:
    """Print the figures of the shipped model, or of another."""
    parser = argparse.ArgumentParser(description="Evaluate a model on held-out composed pages, or on gold TSV pages.")
    parser.add_argument("pages", type=Path, nargs="?", help="folder of publisher__n.tsv pages, or of style folders of them")
    parser.add_argument("--model", type=Path, help="model file or folder; the shipped one by default")
    parser.add_argument("--errors", type=int, default=3, help="wrong lines to print for each of the worst pages")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report with diagrams and the worst pages, which holds page text")
    args = parser.parse_args(argv)
    try:
        styles = read_gold(args.pages) if args.pages else held_out_styles()
        cleaner = classifier.load(args.model)
        scores = {name: evaluate(cleaner, pages) for name, pages in styles.items()}
        if args.html:
            _write_page(args.html, str(args.pages or HELD_OUT), scores)
    except (classifier.TinsachError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    for name, part in scores.items() if args.pages else [(HELD_OUT, merged(list(scores.values())))]:
        print(report(name, part, args.errors))
    return 0


HELD_OUT = "held-out composed"


def _write_page(path: Path, title: str, scores: dict[str, Scores]) -> None:
    from training.evaluation_report import evaluation_page  # it imports this module

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as out:
        out.write(evaluation_page(title, scores).encode())


def held_out_pages() -> list[Gold]:
    """Return the composed pages that training holds out."""
    from training.train import compose_held_out  # train imports this module

    return gold_pages(compose_held_out())


def held_out_styles() -> dict[str, list[Gold]]:
    """Return the composed pages that training holds out, by style."""
    from training.train import compose_held_out

    pages = compose_held_out()
    styles: dict[str, list[Gold]] = {style: [] for style in sorted({page.style for page in pages})}
    for page, gold in zip(pages, gold_pages(pages)):
        styles[page.style].append(gold)
    return styles


if __name__ == "__main__":
    sys.exit(main())
