"""Evaluation of a newly trained model on its held-out pages: scores, drift profile and model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import classifier
from classifier.monitoring.profile import measure, profile_of
from training.composer.compose import Page
from training.learning.dataset import text_of
from training.learning.export import write_manifest
from training.scoring.gold import gold_by_style
from training.scoring.model_card import write_card
from training.scoring.scores import Scores, evaluate, merged

__all__ = ["complete", "judge", "profile"]


def complete(manifest: dict[str, Any], folder: Path, held_out: Sequence[Page]) -> None:
    """Add scores and profile on the held-out pages to an exported model's manifest, and write manifest and card."""
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


def profile(folder: Path, pages: Sequence[Page]) -> dict[str, Any]:
    """Return the drift profile of held-out pages under a folder's model, each page a layout of its own; `tinsach drift` reads it.

    Articles alone and pages cut short are left out: the pages of a site, which are compared with it, hold more.
    """
    cleaner = classifier.load(folder)
    measures = measure(cleaner, cleaner.label_pages(text_of(page) for page in pages if page.layout not in ("bare", "small")))
    return profile_of(measures, of_sites=True).as_json()
