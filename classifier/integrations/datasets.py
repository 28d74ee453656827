"""Hugging Face datasets: an object whose `batch` method is a function for `Dataset.map`.

It pickles to a few hundred bytes that identify the model by digest and tinsach by release. datasets derives its cache key from the
pickle, so the cache is reused for an equal cleaner and for no other. Missing texts stay missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import InputError, require_library
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE
from classifier.integrations.columns import clean_texts, record_texts
from classifier.labels import DEFAULT_KEEP

__all__ = ["BatchCleaner"]


class BatchCleaner:
    """Cleans one column of a dataset: `dataset.map(BatchCleaner().batch, batched=True)`. Does not import datasets itself.

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
        record: bool = False,
    ) -> None:
        """Clean `text_field` in place or `into` another column; other arguments and errors are those of `tinsach.load`.

        With `record` the text is that of the page's record, and a column "article" holds the record (`Article.to_dict`); pass
        `features` to `map` then.
        """
        self.text_field, self.record = text_field, record
        self.into = into or text_field
        self.recipe = classifier.load(model, keep=keep, threshold=threshold).recipe

    def features(self, features: Any) -> Any:
        """Return the features of a dataset with those of a record, for `map(features=)`: else the first batch decides the types."""
        with require_library("datasets"):
            import pyarrow as pa
            from datasets import Features
        added = pa.schema([(self.into, pa.string()), (ARTICLE, article_type(pa))])
        return Features({**Features.from_arrow_schema(added), **{name: features[name] for name in features}})

    def batch(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Return the cleaned column of a batch of columns.

        Raises:
            InputError: the column does not exist, or `map` was called without `batched=True`.
        """
        if self.text_field not in rows:
            raise InputError(f"no column {self.text_field!r}; name the one that holds the text: {', '.join(rows)}")
        texts = rows[self.text_field]
        if isinstance(texts, str) or texts is None:
            raise InputError("got a single row instead of a batch; call map(cleaner.batch, batched=True)")
        if not self.record:
            return {self.into: clean_texts(self.recipe, texts)}
        if ARTICLE in rows:
            raise InputError(f"has a column {ARTICLE!r} already, which record=True adds; rename it")
        return dict(zip((self.into, ARTICLE), record_texts(self.recipe, texts)))
