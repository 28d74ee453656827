"""scikit-learn: a transformer from pages to articles, to stand before a vectorizer.

It learns nothing from the pages: `fit` checks the parameters and notes which model they mean, and only that note is pickled. Pages
of which nothing is kept become empty strings, so that the rows still match `y`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import require_library
from classifier.labels import DEFAULT_KEEP

with require_library("sklearn"):
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted

__all__ = ["LineCleaner"]

_KEEP = tuple(sorted(map(str, DEFAULT_KEEP)))  # scikit-learn takes plain values only as defaults


class LineCleaner(TransformerMixin, BaseEstimator):
    """Turns pages of text into their articles.

    Args:
        model: another model's file or folder.
        keep: the labels to keep, as names; by default title and body.
        threshold: see `classifier.load`.
        n_jobs: processes to clean in; None is one, -1 all cores.

    >>> LineCleaner(threshold=0).fit_transform(["Làng gốm đỏ lửa"])  # 0 keeps every line
    ['Làng gốm đỏ lửa']
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        keep: str | Iterable[str] = _KEEP,
        threshold: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.keep = keep
        self.threshold = threshold
        self.n_jobs = n_jobs

    def fit(self, X: Iterable[str], y: Any = None) -> LineCleaner:
        """Find the model and check the parameters; the pages are not looked at.

        Raises:
            InputError, ModelError: as `classifier.load`; both are ValueErrors.
        """
        self.recipe_ = classifier.load(self.model, keep=self.keep, threshold=self.threshold).recipe
        return self

    def transform(self, X: Iterable[str]) -> list[str]:
        """Return the article of each page, in order.

        Raises:
            NotFittedError: `fit` was not called.
            InputError: X is one string, or holds something that is not a string.
        """
        check_is_fitted(self)
        jobs = 1 if self.n_jobs is None else self.n_jobs
        return list(self.recipe_.cleaner().clean_pages(X, jobs=jobs))

    def __sklearn_tags__(self) -> Any:
        """Say that input is text."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
