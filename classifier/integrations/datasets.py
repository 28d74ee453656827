"""Hugging Face datasets: an object whose `batch` method is a function for `Dataset.map`, and `learn` for a site memory.

The object pickles to a few hundred bytes that identify the model by digest and tinsach by release, and to its memory if it has one.
datasets derives its cache key from the pickle, so the cache is reused for an equal cleaner and for no other. Missing texts stay
missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import classifier
from classifier.cleaner import Recipe
from classifier.errors import InputError, require_library
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE
from classifier.integrations.columns import MEMORY, SITE, TEXT, clean_texts, record_texts
from classifier.integrations.quarantine import reasons_of, refuse_taken, without_bad
from classifier.integrations.site_memory import learned_part, merged_memory, recipe_of
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

__all__ = ["BatchCleaner", "learn"]


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
        memory: SiteMemory | None = None,
        site_field: str | None = "url",
        quarantine: str | None = None,
    ) -> None:
        """Clean `text_field` in place or `into` another column; other arguments and errors are those of `tinsach.load`.

        With `record` the text is that of the page's record, and a column "article" holds the record (`Article.to_dict`). A `memory`
        judges the pages, each as one of its site, which `site_field` holds as a name or URL. `quarantine` names a column to add: why
        a record is bad, whose text stays as it was then; None for good ones. Pass `features` to `map` with either added column.
        """
        self.text_field, self.record, self.quarantine = text_field, record, quarantine
        self.into = into or text_field
        self.site_field = site_field if memory else None
        self.recipe = recipe_of(model, keep, threshold, memory)

    def features(self, features: Any) -> Any:
        """Return the features of a dataset with those of added columns, for `map(features=)`: else the first batch decides the types."""
        with require_library("datasets"):
            import pyarrow as pa
            from datasets import Features
        added = {self.into: pa.string()}
        if self.record:
            added[ARTICLE] = article_type(pa)
        if self.quarantine:
            added[self.quarantine] = pa.string()
        return Features({**Features.from_arrow_schema(pa.schema(added)), **{name: features[name] for name in features}})

    def batch(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Return the cleaned column of a batch of columns.

        Raises:
            InputError: the column does not exist, or `map` was called without `batched=True`.
        """
        refuse_taken(rows, self.record, self.quarantine)
        values, sites = _texts_and_sites(rows, self.text_field, self.site_field)
        reasons = reasons_of(values) if self.quarantine else [None] * len(values)
        texts = without_bad(values, reasons)
        found: dict[str, Any] = {}
        if self.record:
            found[self.into], found[ARTICLE] = record_texts(self.recipe, texts, sites)
        else:
            found[self.into] = clean_texts(self.recipe, texts, sites)
        if self.into == self.text_field:  # in place of bad ones stays what they are
            found[self.into] = [text if reason is None else value for value, text, reason in zip(values, found[self.into], reasons)]
        if self.quarantine:
            found[self.quarantine] = reasons
        return found


def _texts_and_sites(rows: Mapping[str, Any], text_field: str, site_field: str | None) -> tuple[list[str | None], list[str]]:
    for name, what in ((text_field, TEXT), (site_field, SITE)):
        if name is not None and name not in rows:
            raise InputError(f"no column {name!r}; name the one that holds {what}: {', '.join(rows)}")
    texts = rows[text_field]
    if isinstance(texts, str) or texts is None:
        raise InputError("got a single row instead of a batch; call map(cleaner.batch, batched=True)")
    return texts, [] if site_field is None else [site if isinstance(site, str) else "" for site in rows[site_field]]


def learn(
    dataset: Any,
    text_field: str = "text",
    *,
    site_field: str | None = "url",
    model: str | Path | None = None,
    pages: int = DEFAULT_PAGES,
    **options: Any,
) -> SiteMemory:
    """Return the memory of all pages of a dataset, each of the site that `site_field` holds as a name or URL.

    It does not depend on batches, and judges as `--site-memory auto` does: pass it to `BatchCleaner`. With `site_field=None`, all
    pages are of one site. See `SiteMemory` for `pages`; other options go to `Dataset.map`. Missing texts add nothing.

    Raises:
        InputError: a column does not exist, or `pages` is out of range.
    """
    SiteMemory(pages)  # refuses a wrong number here
    columns = [name for name in (text_field, site_field) if name is not None]
    learned = partial(_learn_batch, text_field=text_field, site_field=site_field, recipe=classifier.load(model).recipe, pages=pages)
    parts = dataset.map(learned, batched=True, remove_columns=dataset.column_names or columns, **options)
    return merged_memory((part[MEMORY] for part in parts), pages)


def _learn_batch(rows: Mapping[str, Any], text_field: str, site_field: str | None, recipe: Recipe, pages: int) -> dict[str, list[bytes]]:
    return {MEMORY: [learned_part(recipe, [_texts_and_sites(rows, text_field, site_field)], pages)]}
