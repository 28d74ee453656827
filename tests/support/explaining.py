"""Explanations of the lines of one page, computed as `tinsach explain` does."""

from __future__ import annotations

from collections.abc import Iterable

from classifier.cleaner import Cleaner
from classifier.explain.explainer import TOP, Explainer, Explanation


def explain_lines(cleaner: Cleaner, lines: Iterable[str], top: int = TOP) -> list[Explanation]:
    """Label the lines of one page and explain each of them."""
    explainer = Explainer(cleaner, top)
    return explainer.explain(list(explainer.cleaner.label_lines(lines)))
