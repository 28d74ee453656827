"""Hugging Face datasets: an object whose `batch` is what `Dataset.map` takes.

It pickles to a few hundred bytes that name the model by digest and tinsach by release, which is what datasets makes its cache key of:
the cache is found again for the same cleaner, and not for another. Missing texts stay missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import InputError
from classifier.integrations.columns import clean_texts
from classifier.labels import DEFAULT_KEEP

__all__ = ["BatchCleaner"]


class BatchCleaner:
    """Cleans one column of a dataset, for `dataset.map(BatchCleaner().batch, batched=True)`; needs no import of datasets itself.

    >>> BatchCleaner(threshold=0).batch({"text": ["Làng gốm đỏ lửa", None]})  # 0 keeps every line
    {'text': ['Làng gốm đỏ lửa', None]}
    """

    def __init__(
        self,
        text_field: str = "text",
        *,
        into: str | None = None,
        model: str | Path | None = None,
        keep: str | Iterable[str] = DEFAULT_KEEP,
        threshold: float | None = None,
    ) -> None:
        """Clean `text_field`, in its place or `into` another column; for the rest see `classifier.load`, whose errors it raises."""
        self.text_field = text_field
        self.into = into or text_field
        self.recipe = classifier.load(model, keep=keep, threshold=threshold).recipe

    def batch(self, rows: Mapping[str, Any]) -> dict[str, list[str | None]]:
        """Return the cleaned column of a batch of columns.

        Raises:
            InputError: there is no such column, or `map` was called without `batched=True`.
        """
        if self.text_field not in rows:
            raise InputError(f"no column {self.text_field!r}; name the one that holds the text: {', '.join(rows)}")
        texts = rows[self.text_field]
        if isinstance(texts, str) or texts is None:
            raise InputError("one row where a batch of rows is meant; call map(cleaner.batch, batched=True)")
        return {self.into: clean_texts(self.recipe, texts)}
