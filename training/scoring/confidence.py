"""Page confidence: fitted on scored pages, and compared with their real article F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from classifier.core.arrays import Floats
from classifier.record.confidence import LEAST, Confidence
from training.scoring.scores import PageScore

__all__ = ["BORDERS", "Agreement", "agreement", "confidence_table", "fit_confidence"]

DIGITS = 3
BORDERS = (0.0, 0.8, 0.9, 0.95, 0.98, 0.99)  # of confidence; two thirds of all pages are above the last
LEAST_CONFIDENT = 0.1  # share of pages


def fit_confidence(signs: Floats, scores: Floats) -> Confidence:
    """Return the regression of the loss of pages (n,) on their signs (signs, n); pages of which nothing is kept are left out.

    The loss is a share, not a class: each page counts as lost with a weight of 1 - F1 and as found with a weight of F1.
    """
    kept = np.isfinite(signs).all(axis=0)
    rows, loss = np.log(np.maximum(signs[:, kept].T, LEAST)), 1 - scores[kept]
    classes = np.repeat([1, 0], len(rows))
    fitted = LogisticRegression(max_iter=1000).fit(np.concatenate((rows, rows)), classes, np.concatenate((loss, 1 - loss)))
    return Confidence(tuple(fitted.coef_[0].round(DIGITS).tolist()), round(float(fitted.intercept_[0]), DIGITS))


class Agreement(NamedTuple):
    """How well confidence foretells article F1."""

    rank_correlation: float  # Spearman's
    caught: float  # share of all lost and wrongly kept characters that the LEAST_CONFIDENT pages hold
    bins: list[tuple[float, float, float, int]]  # from this confidence on, mean confidence, mean article F1, pages


def agreement(pages: Sequence[PageScore]) -> Agreement:
    """Compare the confidence of scored pages with their article F1."""
    predicted, real = (np.array([getattr(page, name) for page in pages]) for name in ("confidence", "article"))
    wrong = np.array([sum(size for size, *_ in page.errors) for page in pages])
    least = np.argsort(predicted, kind="stable")[: max(1, round(LEAST_CONFIDENT * len(pages)))]
    bin_of = np.searchsorted(BORDERS, predicted, side="right") - 1
    bins = [
        (border, float(predicted[bin_of == number].mean()), float(real[bin_of == number].mean()), int((bin_of == number).sum()))
        for number, border in enumerate(BORDERS)
        if (bin_of == number).any()
    ]
    return Agreement(float(spearmanr(predicted, real)[0]), float(wrong[least].sum() / max(1, wrong.sum())), bins)


TABLE = """Spearman's rank correlation with article F1 is {rank_correlation:.2f}; the least confident tenth of the pages holds
{caught:.0%} of all characters that are lost or kept wrongly.

| confidence from | said | true | pages |
|---:|---:|---:|---:|
{rows}"""


def confidence_table(found: Agreement) -> str:
    """Return an agreement as text for the model card."""
    rows = "\n".join(f"| {border:.2f} | {said:.3f} | {true:.3f} | {pages} |" for border, said, true, pages in found.bins)
    return TABLE.format(**found._asdict() | {"rows": rows})
