"""Batch cleaning and learning for engines: a list of texts, or a column of an Arrow table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import maxsize
from typing import Any

from classifier.cleaner import Cleaner, Recipe
from classifier.errors import InputError
from classifier.formats.arrow_text import is_string, utf8_of
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE, MAX_RECORD
from classifier.integrations.quarantine import beyond, reasons_of, refuse_taken, with_originals, without_bad
from classifier.integrations.site_memory import AnyRecipe, learned_part, records_of
from classifier.integrations.threads import one_thread
from classifier.io.notices import warned
from classifier.jobs.batches import Batch, CleanPage, batches_of, clean_batch, sites_of
from classifier.lines import not_text

__all__ = [
    "MEMORY", "SITE", "TEXT", "clean_column", "clean_texts", "learn_column", "memory_table", "record_texts",
    "sites_in", "strings_in",
]  # fmt: skip

MEMORY = "memory"  # the column of packed memories
TEXT, SITE = "the text", "the site or URL of each page, as site_field, or site_field=None for pages of one site"


def clean_texts(recipe: AnyRecipe, texts: Sequence[str | None], sites: Sequence[str] = ()) -> list[str | None]:
    """Clean a batch of pages, each with the memory of its site if the recipe has one; None stays None.

    Raises:
        InputError: one of them is neither text nor None; the message names its row.
    """
    cleaned = _cleaned(recipe, texts, sites)
    return [None if text is None else next(cleaned).text for text in texts]


def record_texts(
    recipe: AnyRecipe, texts: Sequence[str | None], sites: Sequence[str] = ()
) -> tuple[list[str | None], list[dict[str, Any] | None]]:
    """Return the text of the record of each page of a batch, and the record as `Article.to_dict` gives it; None stays None.

    Raises:
        InputError: as in `clean_texts`.
    """
    found = _cleaned(recipe, texts, sites, record=True)
    pages = [None if text is None else next(found) for text in texts]
    return [page.text if page else None for page in pages], [page.article if page else None for page in pages]


def _cleaned(recipe: AnyRecipe, texts: Sequence[str | None], sites: Sequence[str], record: bool = False) -> Iterator[CleanPage]:
    """Yield the pages of a batch that are not missing, and warn of what was noticed about them."""
    for row, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise not_text(text, f"row {row} of the batch (counted from 0)")
    cleaner = recipe.cleaner()
    batches = (Batch([one.text for one in batch], sites=sites_of(batch), record=record) for batch in batches_of(records_of(texts, sites)))
    cleaned = (_on_one_thread(cleaner, batch) for batch in batches)
    return warned((pages, [page.notices for page in pages]) for pages in cleaned)


def _on_one_thread(cleaner: Cleaner, batch: Batch) -> list[CleanPage]:
    with one_thread():
        return clean_batch(cleaner, batch).pages


def clean_column(
    table: Any, field: str, recipe: AnyRecipe, record: bool = False, site_field: str | None = None, quarantine: str | None = None
) -> Any:
    """Return an Arrow table or record batch with one text column cleaned; types and nulls are preserved.

    With `record` the text is that of the page's record, which is added as a column "article" of structs. `site_field` is the
    column with the site of each page, for a recipe with a memory. `quarantine` names a column to add, of why a text is bad.

    Raises:
        InputError: a column does not exist or is not text, or is to be added and exists; without `quarantine`: a text is bad.
    """
    import pyarrow as pa

    refuse_taken(table.schema.names, record, quarantine)
    values = _values_in(table, field, TEXT, MAX_RECORD) if quarantine else strings_in(table, field)
    reasons = reasons_of(values) if quarantine else [None] * len(values)
    texts, sites = without_bad(values, reasons), sites_in(table, site_field)
    position = table.schema.names.index(field)
    column = table.schema.field(position)
    cleaned, records = record_texts(recipe, texts, sites) if record else (clean_texts(recipe, texts, sites), [])
    clean = with_originals(pa.array(cleaned, type=column.type), table.column(position), reasons)
    table = table.set_column(position, column, clean)
    if record:
        table = table.append_column(ARTICLE, pa.array(records, article_type(pa)))
    return table.append_column(quarantine, pa.array(reasons, pa.string())) if quarantine else table


def learn_column(table: Any, field: str, site_field: str | None, recipe: Recipe, pages: int) -> Any:
    """Return the packed memory of an Arrow table or record batch, as a table of one row; of an empty one, no row.

    Raises:
        InputError: a column does not exist or is not text.
    """
    parts = [learned_part(recipe, [(strings_in(table, field), sites_in(table, site_field))], pages)] if len(table) else []
    return memory_table(parts)


def memory_table(parts: Sequence[bytes]) -> Any:
    """Return packed memories as an Arrow table with one column."""
    import pyarrow as pa

    return pa.table({MEMORY: pa.array(parts, pa.large_binary())})


def sites_in(table: Any, site_field: str | None) -> list[str]:
    """Return the site of each row, empty if it is null; no sites without a field.

    Raises:
        InputError: the column does not exist or is not text.
    """
    return [] if site_field is None else [site or "" for site in strings_in(table, site_field, SITE)]


def strings_in(table: Any, field: str, what: str = TEXT) -> list[str | None]:
    """Return a column of text as a list; `what` says in messages what it holds.

    Raises:
        InputError: the column does not exist or is not text, or a text is not valid UTF-8.
    """
    values: list[Any] = _values_in(table, field, what, maxsize)
    for row, value in enumerate(values):
        if isinstance(value, InputError):
            raise InputError(f"column {field!r}, row {row} of the batch (counted from 0): {value}; leave it out, or see quarantine=")
    return values


def _values_in(table: Any, field: str, what: str, limit: int) -> list[str | InputError | None]:
    """Return a column of text as a list, with an InputError in place of a text that is not UTF-8, or of more than `limit` bytes."""
    import pyarrow as pa

    names = table.schema.names
    if field not in names:
        raise InputError(f"no column {field!r}; name the one that holds {what}: {', '.join(names)}")
    position = names.index(field)
    kind = table.schema.field(position).type
    if not is_string(kind, pa) and not pa.types.is_null(kind):  # null: all values of the batch are missing
        raise InputError(f"column {field!r} holds {kind}, not text; name another one: {', '.join(names)}")
    return [_decoded(value) for value in utf8_of(table.column(position), limit, pa)]


def _decoded(value: bytes | int | None) -> str | InputError | None:
    if isinstance(value, int):
        return InputError(beyond(value))
    try:
        return value if value is None else value.decode()
    except UnicodeDecodeError:
        return InputError("the text is not valid UTF-8")
