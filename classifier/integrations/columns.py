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
from classifier.formats.base import BadRecord, Record
from classifier.formats.jsonl import put_back, read_records
from classifier.io.encoding import Decoding
from classifier.lines import not_text

__all__ = ["clean_column", "clean_json_lines", "clean_texts"]

SHOWN = 60  # bytes of a bad line quoted in the error message


def clean_texts(recipe: Recipe, texts: Sequence[str | None]) -> list[str | None]:
    """Clean a batch of pages; None stays None.

    Raises:
        InputError: one of them is neither text nor None; the message names its row.
    """
    for row, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise not_text(text, f"row {row} of the batch (counted from 0)")
    cleaned = recipe.cleaner().clean_pages(text for text in texts if text is not None)
    return [None if text is None else next(cleaned) for text in texts]


def clean_column(table: Any, field: str, recipe: Recipe) -> Any:
    """Return an Arrow table or record batch with one text column cleaned; types and nulls are preserved.

    Raises:
        InputError: the column does not exist or is not text.
    """
    import pyarrow as pa

    names = table.schema.names
    if field not in names:
        raise InputError(f"no column {field!r}; name the one that holds the text: {', '.join(names)}")
    position = names.index(field)
    kind = table.schema.field(position).type
    if pa.types.is_null(kind):  # all texts of the batch are missing
        return table
    if not is_string(kind, pa):
        raise InputError(f"column {field!r} holds {kind}, not text; name another one: {', '.join(names)}")
    cleaned = pa.array(clean_texts(recipe, table.column(position).to_pylist()), type=kind)
    return table.set_column(position, table.schema.field(position), cleaned)


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
