"""Page confidence: the article F1 to expect of a page, from the probabilities of its lines.

A logistic regression of the loss (1 - article F1) on two signs of a page, fitted on composed pages that training holds out
(`training/scoring/confidence.py`) and stored in the model's manifest. Captions count neither way, as in article F1: without that, the
rank correlation with real F1 is .50 instead of .62. Tried and left out, since they add nothing (training/EXPERIMENTS.md, "Confidence"):
characters expected to be dropped wrongly, a missing headline, unseen words, the share of teasers, the number of gaps in the article, its
length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from classifier.core.arrays import Floats, diff
from classifier.core.model import Model
from classifier.errors import ModelError
from classifier.labels import Label
from classifier.results import Labels

__all__ = ["DOUBTFUL", "REVIEW_BELOW", "SIGNS", "Confidence", "page_confidences", "page_signs"]

# Shares of the kept characters of a page.
SIGNS = {
    "excess": "characters expected to be kept wrongly",
    "doubtful": "characters of lines whose decision is wrong with a probability above DOUBTFUL",
}
DOUBTFUL = 0.1  # of .02 to .3, the one with the least log loss on composed pages that training holds out
LEAST = 1e-3  # of a sign, so that its logarithm is finite; below it, pages are equally good
REVIEW_BELOW = 0.9  # one real page in 21 is below it, and the average loss of those is five times that of the others
REFIT = "retrain it with this tinsach, or add it with `python -m training.train --confidence`"


class Confidence(NamedTuple):
    """Coefficients of the regression."""

    weights: tuple[float, ...]  # of the logarithms of SIGNS, in their order
    bias: float

    def as_json(self) -> dict[str, float]:
        """Return the coefficients as a manifest stores them."""
        return {**dict(zip(SIGNS, self.weights)), "bias": self.bias}

    @classmethod
    def of(cls, model: Model) -> Confidence:
        """Return the coefficients in a model's manifest.

        Raises:
            ModelError: it has none, or they are no numbers.
        """
        found: Any = model.manifest.get("confidence")
        if found is None:
            raise ModelError(f"the model cannot tell how good a page is; {REFIT}")
        try:
            *weights, bias = (float(found[name]) for name in (*SIGNS, "bias"))
        except (TypeError, ValueError, KeyError) as error:
            raise ModelError(f"`confidence` in the model's manifest is of another version ({error}); {REFIT}") from error
        if not np.isfinite([*weights, bias]).all():
            raise ModelError(f"`confidence` in the model's manifest is not finite; {REFIT}")
        return cls(tuple(weights), bias)

    def expected(self, signs: Floats) -> Floats:
        """Return the expected article F1 of pages (n,) from their signs (signs, n); 0 where nothing is kept (NaN)."""
        logs = np.log(np.maximum(signs, LEAST))
        score = sum((weight * log for weight, log in zip(self.weights, logs)), self.bias)  # a matrix product depends on the batch
        return np.nan_to_num(1 / (1 + np.exp(score)), nan=0.0)


def page_confidences(model: Model, labels: Labels, keep: frozenset[Label]) -> Floats:
    """Return the expected article F1 (pages,) of labelled pages, of which the labels in `keep` were kept.

    Calibrated for the default labels to keep. A page of which nothing is kept has 0, whether it has an article or not.

    Raises:
        ModelError: the model has no coefficients for it.
    """
    return Confidence.of(model).expected(page_signs(labels, keep))


def page_signs(labels: Labels, keep: frozenset[Label]) -> Floats:
    """Return the SIGNS of labelled pages (signs, pages); NaN where nothing is kept."""
    pages = len(labels.offsets) - 1
    page = np.arange(pages).repeat(diff(labels.offsets))
    sizes = np.fromiter(map(len, labels.lines), np.float64, len(labels.lines))
    sizes[labels.codes < 0] = 0  # blank lines
    right = labels.keep_probabilities if Label.CAPTION in keep else labels.keep_probabilities + labels.caption_probabilities
    excess = np.where(labels.kept, np.maximum(0, 1 - right), 0)
    loss = np.where(labels.kept, 0, labels.keep_probabilities)
    of_lines = (excess, np.maximum(excess, loss) > DOUBTFUL)
    sums = np.array([np.bincount(page, values * sizes, pages) for values in of_lines])
    kept = np.bincount(page, labels.kept * sizes, pages)
    return sums / np.where(kept > 0, kept, np.nan)
