"""Parquet: schema, metadata and other columns are preserved; memory is bounded by a slice and a row group."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats import parquet as ours
from classifier.formats.base import BadRecord, Options, Record
from classifier.io.encoding import Decoding
from classifier.io.files import Sink

OPTIONS = Options(Decoding(), "\f", "text")


@pytest.fixture(scope="module")
def arrow():
    return pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def parquet(arrow):
    from pyarrow import parquet

    return parquet


@pytest.fixture
def crawl(tmp_path, arrow, parquet, composed_pages):
    """Return a file of two row groups with columns of all kinds, and its table."""
    count = 150
    table = arrow.table(
        {
            "id": arrow.array(range(count), arrow.int16()),
            "text": arrow.array([composed_pages[i % len(composed_pages)] for i in range(count)], arrow.large_string()),
            "date": arrow.array([None, *range(1, count)], arrow.timestamp("ms", tz="Asia/Ho_Chi_Minh")),
            "tags": arrow.array([["a", None]] * count),
            "more": arrow.array([{"x": 1.5, "y": None}] * count),
        }
    ).replace_schema_metadata({"made": "by hand"})
    parquet.write_table(table, tmp_path / "crawl.parquet", row_group_size=100, compression="zstd")
    return SimpleNamespace(path=tmp_path / "crawl.parquet", table=parquet.read_table(tmp_path / "crawl.parquet"))


def test_only_the_text_changes(crawl, parquet, cleaner, tmp_path):
    out = tmp_path / "clean.parquet"
    assert main(["clean", str(crawl.path), "--output", str(out)]) == 0
    got = parquet.read_table(out)
    assert got.schema.equals(crawl.table.schema, check_metadata=True)
    assert got.drop(["text"]).equals(crawl.table.drop(["text"]))
    assert got["text"].to_pylist() == list(cleaner.clean_pages(crawl.table["text"].to_pylist()))
    assert parquet.ParquetFile(out).metadata.num_row_groups == 2
    assert parquet.ParquetFile(out).metadata.row_group(0).column(0).compression == "ZSTD"


def test_large_row_groups_are_split(crawl, parquet, monkeypatch, tmp_path):
    monkeypatch.setattr(ours, "GROUP_BYTES", 100_000)
    assert main(["clean", str(crawl.path), "--threshold", "0", "--output", str(tmp_path / "clean.parquet")]) == 0
    assert parquet.ParquetFile(tmp_path / "clean.parquet").metadata.num_row_groups > 2
    assert parquet.read_table(tmp_path / "clean.parquet").num_rows == 150


def copied(data: bytes, options: Options = OPTIONS, extras=None, new: str | None = None) -> tuple[bytes, list[BadRecord]]:
    """Read rows and write them back; return the bad ones too."""
    out, bad = io.BytesIO(), []
    writer = ours.Writer(Sink(out, "out"), options)
    reader = ours.Reader(io.BytesIO(data), "a.parquet", options)
    writer.follow(reader)
    for record in reader:
        if isinstance(record, Record):
            writer.put(record, new or record.text, extras or {})
        else:
            bad.append(record)
    writer.close()
    return out.getvalue(), bad


def as_parquet(parquet, table) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def test_kinds_of_strings(arrow, parquet):
    for kind in (arrow.string(), arrow.large_string(), arrow.dictionary(arrow.int32(), arrow.string())):
        table = arrow.table({"text": arrow.array(["một", "hai\0", ""]).cast(kind)})
        data, _ = copied(as_parquet(parquet, table))
        assert parquet.read_table(io.BytesIO(data)).equals(table)
    empty = arrow.table({"text": arrow.array([], arrow.string())})
    assert parquet.read_table(io.BytesIO(copied(as_parquet(parquet, empty))[0])).equals(empty)


def test_null_texts_stay_null(arrow, parquet):
    table = arrow.table({"id": [1, 2, 3], "text": ["một", None, "ba"]})
    data, bad = copied(as_parquet(parquet, table))
    assert parquet.read_table(io.BytesIO(data)).equals(table)
    assert not bad
    nothing = arrow.table({"text": arrow.nulls(2)})
    assert parquet.read_table(io.BytesIO(copied(as_parquet(parquet, nothing))[0])).equals(nothing)
    data, bad = copied(as_parquet(parquet, table), OPTIONS._replace(on_null="fail"))
    assert parquet.read_table(io.BytesIO(data))["id"].to_pylist() == [1, 3]
    assert [(one.line, json.loads(one.raw), one.reason) for one in bad] == [(2, {"id": 2, "text": None}, "the text is null")]


@pytest.mark.parametrize("kind", ["string_view", "binary", "large_binary", "binary_view"])
def test_other_types_that_hold_text(arrow, parquet, kind):
    if not hasattr(arrow, kind):
        pytest.skip("newer than this pyarrow")
    wide = arrow.large_string() if kind == "string_view" else arrow.large_binary()
    values = ["một", None, "hai"] if kind == "string_view" else ["một".encode(), None, b"hai"]
    table = arrow.table({"text": arrow.array(values, wide).cast(getattr(arrow, kind)())})
    data, _ = copied(as_parquet(parquet, table))
    assert parquet.read_table(io.BytesIO(data)).equals(table)


def test_bytes_that_are_no_utf8(arrow, parquet):
    data = as_parquet(parquet, arrow.table({"text": [b"a\xff"]}))
    assert [record.text for record in ours.Reader(io.BytesIO(data), "a", OPTIONS)] == ["a\ufffd"]
    (bad,) = ours.Reader(io.BytesIO(data), "a", OPTIONS._replace(decoding=Decoding(errors="strict")))
    assert bad.reason == "the text is not valid UTF-8"


def test_texts_in_structs(arrow, parquet):
    rows = [{"b": {"text": "một", "n": 1}, "id": 7}, None, {"b": None, "id": None}, {"b": {"text": None, "n": 2}, "id": 9}]
    table = arrow.table({"a": rows, "x.y": ["1"] * 4})
    options = OPTIONS._replace(field="a.b.text", id_field="a.id")
    records = list(ours.Reader(io.BytesIO(as_parquet(parquet, table)), "a", options))
    assert [(record.text, record.id, record.missing) for record in records] == [
        ("một", "7", False), ("", "null", True), ("", "null", True), ("", "9", True),
    ]  # fmt: skip
    data, _ = copied(as_parquet(parquet, table), options)
    assert parquet.read_table(io.BytesIO(data)).equals(table)
    data, _ = copied(as_parquet(parquet, table), options, new="hai")
    rows[0]["b"]["text"] = "hai"
    assert parquet.read_table(io.BytesIO(data))["a"].to_pylist() == rows
    assert [one.text for one in ours.Reader(io.BytesIO(data), "a", OPTIONS._replace(field="x.y"))] == ["1"] * 4
    with pytest.raises(InputError, match=r"no column 'a\.b\.body'"):
        copied(data, OPTIONS._replace(field="a.b.body"))


def test_lists_of_lines(arrow, parquet):
    table = arrow.table({"text": [["một", "hai"], None, [], ["ba", ""]]})
    with pytest.raises(InputError, match=r"holds list.*--join-lists reads them as lines"):
        copied(as_parquet(parquet, table))
    options = OPTIONS._replace(join_lists=True)
    assert [one.text for one in ours.Reader(io.BytesIO(as_parquet(parquet, table)), "a", options)] == ["một\nhai", "", "", "ba\n"]
    data, _ = copied(as_parquet(parquet, table), options)
    assert parquet.read_table(io.BytesIO(data)).equals(table)


def test_added_columns(arrow, parquet):
    table = arrow.table({"text": ["một", "hai"]})
    options = OPTIONS._replace(adds=("needs_review", "attributes"))
    data, _ = copied(as_parquet(parquet, table), options, {"needs_review": True, "attributes": {"a": [[0, 1, 0.5]]}})
    got = parquet.read_table(io.BytesIO(data))
    assert got["needs_review"].to_pylist() == [True, True]
    assert json.loads(got["attributes"][1].as_py()) == {"a": [[0, 1, 0.5]]}
    with pytest.raises(InputError, match="has a column 'needs_review' already"):
        copied(data, options)


def test_what_cannot_be_read_is_refused(arrow, parquet, tmp_path, capsys):
    table = arrow.table({"n": [1], "text": [["a"]]})
    data = as_parquet(parquet, table)
    for field, message in (("body", "no column 'body', only n, text"), ("n", "holds int64, not strings"), ("text", "holds list")):
        with pytest.raises(InputError, match=message):
            copied(data, OPTIONS._replace(field=field))
    good = as_parquet(parquet, arrow.table({"text": ["một " * 500]}))
    for damaged in (b"", b"PAR1", good[:-1], b"text"):
        with pytest.raises(InputError, match=r"a.parquet: not a Parquet file, or a damaged one .*download"):
            copied(damaged)
    with pytest.raises(InputError, match="damaged after row 0"):
        copied(good[:20] + b"\xff" * 30 + good[50:])
    with pytest.raises(InputError, match="its schema differs"):
        _follow_two(good, as_parquet(parquet, arrow.table({"text": ["a"], "n": [1]})))
    (tmp_path / "a.parquet.gz").write_bytes(b"")
    assert main(["clean", str(tmp_path / "a.parquet.gz")]) == 2
    assert "name a plain file" in capsys.readouterr().err


def _follow_two(one: bytes, two: bytes) -> None:
    writer = ours.Writer(Sink(io.BytesIO(), "out"), OPTIONS)
    writer.follow(ours.Reader(io.BytesIO(one), "a.parquet", OPTIONS))
    try:
        writer.follow(ours.Reader(io.BytesIO(two), "b.parquet", OPTIONS))
    finally:
        writer.close()


def test_a_missing_pyarrow_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").touch()
    assert main(["clean", str(tmp_path / "a.parquet")]) == 2
    assert "needs pyarrow, which is not installed; run: pip install 'tinsach[parquet]'" in capsys.readouterr().err


def test_another_encoding_is_refused(arrow, parquet, tmp_path, capsys):
    parquet.write_table(arrow.table({"text": [b"L\xe0ng g\xf4\xecm"]}), tmp_path / "page.parquet")
    assert main(["clean", str(tmp_path / "page.parquet"), "--encoding", "cp1258"]) == 2
    assert "strings of Parquet are UTF-8" in capsys.readouterr().err
