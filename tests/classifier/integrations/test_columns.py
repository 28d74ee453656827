"""Batch cleaning of Arrow tables."""

from __future__ import annotations

import pytest

import classifier
from classifier.errors import InputError
from classifier.integrations.columns import clean_column

EVERYTHING = classifier.load(threshold=0).recipe


@pytest.mark.engines
@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_a_column_keeps_its_type_its_place_and_its_missing_texts(cleaner, composed_pages, kind):
    pa = pytest.importorskip("pyarrow")
    texts = pa.array([None, *composed_pages], getattr(pa, kind)())
    for table in (pa.table({"a": range(31), "text": texts, "b": range(31)}), pa.record_batch({"text": texts, "a": pa.array(range(31))})):
        found = clean_column(table, "text", classifier.load().recipe)
        assert found.schema == table.schema
        assert found.column("text").to_pylist() == [None, *cleaner.clean_pages(composed_pages)]
        assert found.drop_columns(["text"]) == table.drop_columns(["text"])


@pytest.mark.engines
def test_columns_without_text():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"id": [1], "text": [None]})
    assert clean_column(table, "text", EVERYTHING) == table
    with pytest.raises(InputError, match=r"no column 'content'.*: id, text"):
        clean_column(table, "content", EVERYTHING)
    with pytest.raises(InputError, match="'id' holds int64, not text"):
        clean_column(table, "id", EVERYTHING)
