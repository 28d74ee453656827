"""Batch cleaning for engines: a list of texts, a column of an Arrow table, or JSON lines as bytes.

JSON lines are not parsed into columns: an engine would guess types, sort fields and fill gaps with nulls. Only the text is replaced
within its line; the rest of the line stays byte for byte, as in `tinsach clean`.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from classifier.cleaner import Recipe
from classifier.errors import InputError
from classifier.formats.arrow_text import is_string
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE, BadRecord, Record
from classifier.formats.jsonl import put_back, read_records
from classifier.io.encoding import Decoding
from classifier.lines import not_text

__all__ = ["clean_column", "clean_json_lines", "clean_texts", "record_texts"]

SHOWN = 60  # bytes of a bad line quoted in the error message


def clean_texts(recipe: Recipe, texts: Sequence[str | None]) -> list[str | None]:
    """Clean a batch of pages; None stays None.

    Raises:
        InputError: one of them is neither text nor None; the message names its row.
    """
    _require_texts(texts)
    cleaned = recipe.cleaner().clean_pages(text for text in texts if text is not None)
    return [None if text is None else next(cleaned) for text in texts]


def _require_texts(texts: Sequence[str | None]) -> None:
    for row, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise not_text(text, f"row {row} of the batch (counted from 0)")


def record_texts(recipe: Recipe, texts: Sequence[str | None]) -> tuple[list[str | None], list[dict[str, Any] | None]]:
    """Return the text of the record of each page of a batch, and the record as `Article.to_dict` gives it; None stays None.

    Raises:
        InputError: as in `clean_texts`.
    """
    _require_texts(texts)
    found = recipe.cleaner().articles(text for text in texts if text is not None)
    records = [None if text is None else next(found) for text in texts]
    return [record.text if record else None for record in records], [record.to_dict() if record else None for record in records]


def clean_column(table: Any, field: str, recipe: Recipe, record: bool = False) -> Any:
    """Return an Arrow table or record batch with one text column cleaned; types and nulls are preserved.

    With `record` the text is that of the page's record, which comes last as a column "article" of structs.

    Raises:
        InputError: the column does not exist or is not text, or there is a column "article" already.
    """
    import pyarrow as pa

    names = table.schema.names
    if field not in names:
        raise InputError(f"no column {field!r}; name the one that holds the text: {', '.join(names)}")
    position = names.index(field)
    kind = table.schema.field(position).type
    if record and ARTICLE in names:
        raise InputError(f"has a column {ARTICLE!r} already, which record=True adds; rename it")
    if pa.types.is_null(kind):  # all texts of the batch are missing
        return _appended(table, pa.nulls(len(table), article_type(pa))) if record else table
    if not is_string(kind, pa):
        raise InputError(f"column {field!r} holds {kind}, not text; name another one: {', '.join(names)}")
    texts = table.column(position).to_pylist()
    cleaned, records = record_texts(recipe, texts) if record else (clean_texts(recipe, texts), [])
    table = table.set_column(position, table.schema.field(position), pa.array(cleaned, type=kind))
    return _appended(table, pa.array(records, article_type(pa))) if record else table


def _appended(table: Any, records: Any) -> Any:
    return table.append_column(ARTICLE, records)


def clean_json_lines(lines: Sequence[bytes], field: str, recipe: Recipe) -> list[bytes]:
    """Return JSON lines with the text in one field cleaned and everything else unchanged; blank lines are skipped.

    Raises:
        InputError: a line is not a JSON object with text in that field.
    """
    records = [_valid(one) for one in read_records(BytesIO(b"\n".join(lines)), "JSON lines", Decoding(errors="strict"), field)]
    cleaned = clean_texts(recipe, [record.text for record in records])
    return [put_back(record, text or "").removesuffix(b"\n") for record, text in zip(records, cleaned)]


def _valid(record: Record | BadRecord) -> Record:
    if isinstance(record, BadRecord):
        start = record.raw[:SHOWN].decode("utf-8", "backslashreplace")
        raise InputError(
            f"{record.reason}, in the line that begins {start!r}; `tinsach clean --on-error quarantine FILE` collects all of them"
        )
    return record
