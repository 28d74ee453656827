"""Comparison of an old and a new model on the same pages, and the gate that decides whether the new one replaces the old."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import classifier
from classifier.labels import LABELS
from training.composer.compose import Page
from training.retraining.user_pages import UserPage
from training.scoring import floors
from training.scoring.gold import gold_pages
from training.scoring.scores import Scores, evaluate

__all__ = ["Change", "Comparison", "Point", "changed_lines", "compare", "verdict"]

# Loss allowed on composed pages of held-out layouts. Training from scratch moves figures by .005 by chance alone.
TOLERANCE = 0.003


class Comparison(NamedTuple):
    """Old and new scores on the same pages."""

    old: Scores
    new: Scores


class Change(NamedTuple):
    """A line that old and new model label differently."""

    page: str
    number: int
    gold: str
    old: str
    new: str
    text: str


class Point(NamedTuple):
    """A point of the learning curve."""

    pages: int
    own: float  # article F1 on the user's held-out pages
    others: float  # article F1 on the composed held-out pages


def compare(old: Path, new: Path, own: Sequence[UserPage], held_out: Sequence[Page]) -> dict[str, Comparison]:
    """Return both models' scores on the user's held-out pages ("own") and on composed ones ("others")."""
    sets = {"own": [page.gold for page in own], "others": gold_pages(held_out)}
    before, after = classifier.load(old), classifier.load(new)
    return {name: Comparison(evaluate(before, pages), evaluate(after, pages)) for name, pages in sets.items()}


def verdict(found: dict[str, Comparison]) -> list[str]:
    """Return the reasons against the new model; none if the gate holds."""
    own, others = ({side: getattr(found[name], side).summary() for side in ("old", "new")} for name in ("own", "others"))
    complaints = []
    if own["new"]["article_f1"] < own["old"]["article_f1"]:
        complaints.append(f"article F1 on your held-out pages fell from {own['old']['article_f1']:.4f} to {own['new']['article_f1']:.4f}")
    limits = floors.limits(others["old"], TOLERANCE)
    return complaints + [f"on composed held-out pages {complaint}" for complaint in floors.check(others["new"], limits)]


def changed_lines(old: Path, new: Path, pages: Sequence[UserPage]) -> list[Change]:
    """Return the lines of labelled pages that two models label differently, in page order."""
    texts = ["\n".join(page.gold.lines) + "\n" for page in pages]
    before, after = (classifier.load(folder).label_pages(texts) for folder in (old, new))
    names = [label.value for label in LABELS]
    changes = []
    for page, low, high in zip(pages, before.offsets, before.offsets[1:]):
        for at in np.flatnonzero(before.codes[low:high] != after.codes[low:high]).tolist():
            labels = (names[found.codes[low + at]] for found in (before, after))
            changes.append(Change(f"{page.style}/{page.key}", at + 1, page.gold.labels[at], *labels, page.gold.lines[at].strip()))
    return changes
