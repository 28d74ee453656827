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


PAGE = "Sáng nay chợ Hạ mở lại sau đợt sửa mái.\nĐọc nhiều"
BROKEN, HTML, LONG = b"Ch\xe1", "<html><body><div><p>Sáng nay chợ Hạ mở lại.</p></div><p>Đọc nhiều</p></body></html>", "Chợ Hạ. " * 99


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
@pytest.mark.parametrize("record", [False, True])
def test_bad_texts_stay_as_they_are_and_a_column_says_why(cleaner, monkeypatch, kind, record):
    pa = pytest.importorskip("pyarrow")
    for module in ("columns", "quarantine"):
        monkeypatch.setattr(f"classifier.integrations.{module}.MAX_RECORD", 500)
    texts = [PAGE.encode(), BROKEN, None, HTML.encode(), LONG.encode()]
    column = pa.array(texts, pa.large_binary()).view(pa.large_string()).cast(getattr(pa, kind)())
    for table in (pa.table({"text": column, "n": range(5)}), pa.record_batch({"text": column, "n": pa.array(range(5))})):
        found = clean_column(table, "text", classifier.load().recipe, record, quarantine="why")
        first, *others = found.column("text").cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
        assert others == texts[1:]
        assert record or first.decode() == next(cleaner.clean_pages([PAGE]))
        good, utf8, missing, html, long = found.column("why").to_pylist()
        assert (good, missing) == (None, None)
        assert utf8 == "the text is not valid UTF-8"
        assert "HTML" in html
        assert long == f"{len(LONG.encode()):,} bytes, more than the 500 that a record may have"
        assert found.schema.names == ["text", "n", *["article"] * record, "why"]
        assert found.schema.field("text").type == column.type
        if record:
            assert [row is None for row in found.column("article").to_pylist()] == [False, True, True, True, True]


def test_without_a_quarantine_a_broken_text_ends_the_work_with_its_row():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"text": pa.array([b"", BROKEN], pa.binary()).view(pa.string())})
    with pytest.raises(
        InputError, match=r"column 'text', row 1 of the batch \(counted from 0\): the text is not valid UTF-8; leave it out"
    ):
        clean_column(table, "text", EVERYTHING)
    for options, name in (({"quarantine": "text"}, "'text'"), ({"quarantine": "article", "record": True}, "'article'")):
        with pytest.raises(InputError, match=f"has a column {name} already, which quarantine= adds; rename it"):
            clean_column(table, "text", EVERYTHING, **options)
