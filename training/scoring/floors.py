"""Quality floors: a limit for each figure, and the comparison of measured figures with their limits."""

from __future__ import annotations

from training.scoring.scores import FIGURES

__all__ = ["check", "limits", "lowered"]

# The random seed alone moves a figure by about this much (training/EXPERIMENTS.md): a closer floor would fail by chance.
MARGIN = 0.005


def check(found: dict[str, float], floors: dict[str, float]) -> list[str]:
    """Return a complaint for each figure beyond its limit."""
    complaints = []
    for figure in FIGURES:
        value, limit = found[figure.name], floors.get(figure.name)
        if limit is not None and figure.is_better(limit, value):
            kind = "below its floor" if figure.higher_is_better else "above its ceiling"
            complaints.append(f"{figure.name} {value:.4f} is {kind} {limit:.4f}")
    return complaints


def limits(found: dict[str, float], margin: float = MARGIN) -> dict[str, float]:
    """Return a limit for each figure: the value less `margin`, or plus `margin` if lower is better."""
    return {figure.name: round(found[figure.name] + (-margin if figure.higher_is_better else margin), 4) for figure in FIGURES}


def lowered(old: dict[str, float], new: dict[str, float]) -> list[str]:
    """Return the names of the figures whose limit would become looser."""
    return [figure.name for figure in FIGURES if figure.name in old and figure.is_better(old[figure.name], new[figure.name])]
