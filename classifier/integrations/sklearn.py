"""scikit-learn: a transformer from pages to articles, for use before a vectorizer.

`fit` learns nothing from the pages: it validates the parameters and stores a recipe of the cleaner, and a pickle holds this recipe
instead of the model. Pages with no line kept become empty strings, so that rows still match `y`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import require_library
from classifier.labels import DEFAULT_KEEP
from classifier.parallel import checked_jobs

with require_library("sklearn"):
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted

__all__ = ["LineCleaner"]

_KEEP = tuple(sorted(map(str, DEFAULT_KEEP)))  # scikit-learn allows only plain values as defaults


class LineCleaner(TransformerMixin, BaseEstimator):
    """Transforms pages of text into their articles.

    Args:
        model: model file or folder (default: the shipped model).
        keep: names of the labels to keep (default: title and body).
        threshold: see `tinsach.load`.
        n_jobs: number of processes, as `jobs` in `clean_pages`; None means 1, -1 all cores.

    X is any iterable of texts, a column, or a frame or array with one column; the names of columns are never taken for pages.

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
        """Validate the parameters and find the model; X is ignored.

        Raises:
            InputError, ModelError: as in `tinsach.load`, or `n_jobs` is 0; both are ValueErrors.
        """
        self._jobs()
        self.recipe_ = classifier.load(self.model, keep=self.keep, threshold=self.threshold).recipe
        return self

    def transform(self, X: Iterable[str]) -> list[str]:
        """Return the article of each page, in order.

        Raises:
            NotFittedError: `fit` was not called.
            InputError: X is a single string or a frame of several columns, or contains something other than strings: the
                message names the row.
        """
        check_is_fitted(self)
        return list(self.recipe_.cleaner().clean_pages(X, jobs=self._jobs()))

    def _jobs(self) -> int:
        return checked_jobs(1 if self.n_jobs is None else self.n_jobs)

    def __sklearn_tags__(self) -> Any:
        """Declare that the input is text."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
