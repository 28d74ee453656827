"""Quarantine column of a data frame: why a record could not be cleaned, beside its text, which stays as it was.

Bad is what it is for the jobs (`--on-error quarantine`): bytes that are not UTF-8, a value that is not text, more bytes than a record may
have, HTML, and garbled letters. Missing texts are not bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from classifier.errors import InputError
from classifier.formats.base import ARTICLE, MAX_RECORD, BadRecord, Record
from classifier.io.encoding import to_utf8
from classifier.jobs.batches import judged
from classifier.lines import not_text

__all__ = ["beyond", "reasons_of", "refuse_taken", "with_originals", "without_bad"]

Reasons = Sequence[str | None]  # for each value why it is bad; None for a good one


def reasons_of(values: Iterable[object]) -> list[str | None]:
    """Return why each value of a column is bad, if it is; an InputError in place of a value is its reason.

    >>> reasons_of(["Làng gốm đỏ lửa", None, 7])
    [None, None, 'the value is int, not text (str); convert it to text first']
    """
    return [_reason(value) for value in values]


def _reason(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, InputError):
        return str(value)
    if not isinstance(value, str):
        return str(not_text(value, "the value"))
    if (size := len(to_utf8(value))) > MAX_RECORD:
        return beyond(size)
    found = judged(Record(value, None, line=1))
    return found.reason if isinstance(found, BadRecord) else None


def beyond(size: int) -> str:
    """Return the reason for a text of too many bytes."""
    return f"{size:,} bytes, more than the {MAX_RECORD:,} that a record may have"


def without_bad(values: Sequence[Any], reasons: Reasons) -> list[str | None]:
    """Return the values of a column, None in place of bad ones."""
    return [None if reason else value for value, reason in zip(values, reasons)]


def with_originals(cleaned: Any, column: Any, reasons: Reasons) -> Any:
    """Return an Arrow array of clean texts, with the bad ones as they are in a column of the same type."""
    import pyarrow as pa
    from pyarrow import compute

    if not any(reasons):
        return cleaned
    bad = pa.array([reason is not None for reason in reasons])
    return compute.if_else(bad, column.cast(pa.large_string()), cleaned.cast(pa.large_string())).cast(cleaned.type)


def refuse_taken(names: Iterable[str], record: bool, quarantine: str | None) -> None:
    """Raise InputError if a column that would be added is there already."""
    taken = set(names)
    for name, option in ((ARTICLE if record else None, "record=True"), (quarantine, "quarantine=")):
        if name in taken:
            raise InputError(f"has a column {name!r} already, which {option} adds; rename it")
        taken.add(name or "")
