"""Batch cleaning: JSON lines, which need no library, and Arrow tables, which need pyarrow."""

from __future__ import annotations

import json

import pytest

import classifier
from classifier.errors import InputError
from classifier.integrations.columns import clean_column, clean_json_lines

EVERYTHING = classifier.load(threshold=0).recipe


def test_the_rest_of_a_line_stays_as_it_stands(cleaner, composed_pages):
    before, after = '{"id":  1.50, "text": ', ' , "x":{"b":null,"a":"\u2028"}}'
    found = clean_json_lines([f"{before}{json.dumps(page)}{after}".encode() for page in composed_pages], "text", classifier.load().recipe)
    for line, text in zip(found, cleaner.clean_pages(composed_pages)):
        assert line.decode() == f"{before}{json.dumps(text, ensure_ascii=False)}{after}"


def test_blank_lines_are_no_records():
    assert clean_json_lines([b"", b'{"text":"a"}\r', b"  "], "text", EVERYTHING) == [b'{"text":"a"}\r']
    assert clean_json_lines([], "text", EVERYTHING) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"content": "a"}', "no field 'text'; name .* --text-field, in the line that begins '{\"content\": \"a\"}'"),
        (b'{"text": 5}', "field 'text' is not text"),
        (b'{"text": "a"', "not JSON"),
        (b'{"text": "\xff"}', "not valid UTF-8"),
    ],
)
def test_a_bad_line_is_shown_with_its_reason(line, reason):
    with pytest.raises(InputError, match=f"{reason}.*on-error quarantine"):
        clean_json_lines([b'{"text": "a"}', line], "text", EVERYTHING)


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
