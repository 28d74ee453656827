"""Evaluation of a newly trained model on its held-out pages: confidence, scores, drift profile and model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import classifier
from classifier.monitoring.profile import measure, profile_of
from classifier.record.confidence import page_signs
from training.composer.compose import Page
from training.learning.dataset import text_of
from training.learning.export import write_manifest
from training.scoring.confidence import fit_confidence
from training.scoring.gold import gold_by_style, gold_pages
from training.scoring.model_card import write_card
from training.scoring.scores import Scores, evaluate, label, merged, score

__all__ = ["complete", "confidence", "judge", "profile"]


def complete(manifest: dict[str, Any], folder: Path, held_out: Sequence[Page]) -> None:
    """Add confidence, scores and profile on the held-out pages to an exported model's manifest, and write manifest and card."""
    manifest["confidence"] = confidence(folder, held_out)
    write_manifest(manifest, folder)  # scores hold the confidence of each page
    scores, by_style = judge(folder, held_out)
    manifest["scores"] = scores.summary()
    manifest["profile"] = profile(folder, held_out)
    write_manifest(manifest, folder)
    write_card(manifest, scores, by_style, folder)


def judge(folder: Path, pages: Sequence[Page]) -> tuple[Scores, dict[str, Scores]]:
    """Return the scores of a folder's model on held-out pages, overall and by style."""
    cleaner = classifier.load(folder)
    by_style = {style: evaluate(cleaner, gold) for style, gold in gold_by_style(pages).items()}
    return merged([*by_style.values()]), by_style


def confidence(folder: Path, pages: Sequence[Page]) -> dict[str, float]:
    """Return the coefficients of a folder's model that tell how good a page is, fitted on held-out pages."""
    cleaner, gold = classifier.load(folder), gold_pages(pages)
    labels = label(cleaner, gold)
    scores = np.array([page.article for page in score(labels, gold, cleaner).pages])
    return fit_confidence(page_signs(labels, cleaner.keep), scores).as_json()


def profile(folder: Path, pages: Sequence[Page]) -> dict[str, Any]:
    """Return the drift profile of held-out pages under a folder's model, each page a layout of its own; `tinsach drift` reads it.

    Articles alone and pages cut short are left out: the pages of a site, which are compared with it, hold more.
    """
    cleaner = classifier.load(folder)
    measures = measure(cleaner, cleaner.label_pages(text_of(page) for page in pages if page.layout not in ("bare", "small")))
    return profile_of(measures, of_sites=True).as_json()
