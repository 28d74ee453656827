"""CSV and TSV: only the text changes, whatever the other columns hold; malformed rows are reported as bad records."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options, Record
from classifier.formats.delimited import Reader, Writer, tab_reader
from classifier.io.encoding import Decoding
from classifier.io.files import Sink

OPTIONS = Options(Decoding(), "\f", "text")


def copied(data: bytes, options: Options = OPTIONS, new: str | None = None, reader=Reader, extras=None) -> bytes:
    """Read rows and write them back, the texts as they were or all `new`."""
    out = io.BytesIO()
    writer = Writer(Sink(out, "out"), options)
    rows = reader(io.BytesIO(data), "a.csv", options)
    writer.follow(rows)
    for record in rows:
        assert isinstance(record, Record), record
        writer.put(record, record.text if new is None else new, extras or {})
    writer.close()
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "id,text\n1,một\n",
        "id,text\r\n1,một\r\n",
        'id,text,note\n1,"một\nhai","a, b"\n2,"nói ""vâng""",\n',
        '"id","text"\n"1","một"\n',
        "\ufeffid,text\n007,một\n",
        "text\nmột\n",
        "id,text\n",
        "",
        'text\n""\n',
    ],
)
def test_rows_come_back_as_they_were(text):
    assert copied(text.encode()).decode() == text


def test_only_the_text_is_exchanged():
    assert copied(b'id,text,n\n1,"a\nb",007\n', new='x"y\nz') == b'id,text,n\n1,"x""y\nz",007\n'
    assert copied(b"id\ttext\n1\ta, b\n", new="c\td", reader=tab_reader) == b'id\ttext\n1\t"c\td"\n'
    assert copied(b"id,body\n1,a\n", OPTIONS._replace(field="body"), "b") == b"id,body\n1,b\n"


def test_added_columns_are_the_last():
    extras = {"review": True, "spans": {"a": [1]}}
    out = copied(b"text,id\na,1\n", OPTIONS._replace(adds=("review", "spans")), extras=extras)
    assert out == b'text,id,review,spans\na,1,true,"{""a"": [1]}"\n'


def test_bad_rows_have_a_reason_and_their_raw_text():
    data = b'id,text\n1,a\n\n2\n3,"b" c\n4,a,b\n5,"x\ny"\n6,"open\n'
    found = list(Reader(io.BytesIO(data), "a.csv", OPTIONS))
    assert [(type(row), row.line, row.raw) for row in found if isinstance(row, BadRecord)] == [
        (BadRecord, 4, b"2"), (BadRecord, 5, b'3,"b" c'), (BadRecord, 6, b"4,a,b"), (BadRecord, 9, b'6,"open'),
    ]  # fmt: skip
    assert [row.text for row in found if isinstance(row, Record)] == ["a", "x\ny"]
    assert [row.id for row in found if isinstance(row, Record)] == ['"1"', '"5"']
    assert found[1].reason == "1 values, but the header has 2"
    assert found[2].reason.startswith("not CSV: ")


def test_wrong_headers_are_refused():
    for data, message in ((b"id,body\n", "no column 'text', only id, body; .*--text-field"), (b"text,text\n", "2 columns 'text'")):
        with pytest.raises(InputError, match=message):
            Reader(io.BytesIO(data), "a.csv", OPTIONS)
    with pytest.raises(InputError, match="1: the header is damaged"):
        Reader(io.BytesIO(b'"a" b,text\n'), "a.csv", OPTIONS)
    writer = Writer(Sink(io.BytesIO(), "out"), OPTIONS)
    writer.follow(Reader(io.BytesIO(b"id,text\n"), "a.csv", OPTIONS))
    writer.follow(Reader(io.BytesIO(b""), "empty.csv", OPTIONS))
    with pytest.raises(InputError, match=r"b.csv: its header differs .*--output-dir"):
        writer.follow(Reader(io.BytesIO(b"text,id\n"), "b.csv", OPTIONS))


def test_undecodable_bytes_are_counted():
    rows = list(Reader(io.BytesIO(b"id,text\n1,a\xff\n2,b"), "a.csv", OPTIONS._replace(decoding=Decoding(errors="skip"))))
    assert [row.text for row in rows] == ["a", "b"]
    assert sum(row.undecodable for row in rows) == 1


VALUE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=8)


@given(st.lists(st.tuples(VALUE, VALUE, VALUE), max_size=5), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.integers(1, 9))
def test_any_values_survive(rows, quoting, piece):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([("a", "text", "b"), *rows])

    class Pieces(io.BytesIO):
        def read1(self, size: int = -1) -> bytes:
            return self.read(piece)

    source = Pieces(text.getvalue().encode())
    found = list(Reader(source, "a.csv", OPTIONS._replace(decoding=Decoding("utf-8"))))
    assert [record.place.row for record in found] == [list(row) for row in rows]
    assert copied(text.getvalue().encode(), OPTIONS._replace(decoding=Decoding("utf-8"))) == text.getvalue().encode()


def test_a_table_is_cleaned(tmp_path, cleaner, composed_pages):
    pages = composed_pages[:3]
    with open(tmp_path / "crawl.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("url", "page"), *(("http://a.vn/", page) for page in pages)])
    assert main(["clean", str(tmp_path / "crawl.csv"), "--text-field", "page", "--output", str(tmp_path / "clean.csv")]) == 0
    with open(tmp_path / "clean.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["url", "page"], *(["http://a.vn/", cleaner.clean_text(page)] for page in pages)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_kept(delimiter):
    data = f'id{delimiter}text{delimiter}note\n1{delimiter}"a{delimiter}b;,|"{delimiter}x\n'.encode()
    assert copied(data) == data
    assert copied(data, reader=tab_reader) == data
    assert copied(data, new="c", reader=tab_reader) == f"id{delimiter}text{delimiter}note\n1{delimiter}c{delimiter}x\n".encode()


def test_a_named_delimiter_is_used():
    assert copied(b"id:text\n1:a,b\n", OPTIONS._replace(delimiter=":"), "c") == b"id:text\n1:c\n"
    with pytest.raises(InputError, match="no column 'text', only id;text"):
        copied(b"id;text\n1;a\n", OPTIONS._replace(delimiter=","))
    with pytest.raises(InputError, match="no column 'text', only id, body;"):
        copied(b"id;body\n1;a\n")


def test_an_empty_cell_is_a_missing_text(tmp_path, capsys):
    data = b'id,text\n1,\n2,a\n3,""\n'
    assert [record.missing for record in Reader(io.BytesIO(data), "a.csv", OPTIONS)] == [True, False, True]
    assert copied(data, new="b") == b"id,text\n1,\n2,b\n3,\n"
    bad = [one for one in Reader(io.BytesIO(data), "a.csv", OPTIONS._replace(on_null="fail")) if isinstance(one, BadRecord)]
    assert [(one.line, one.raw, one.reason) for one in bad] == [(2, b"1,", "the text is empty"), (4, b'3,""', "the text is empty")]
    (tmp_path / "a.csv").write_bytes(data)
    assert main(["clean", str(tmp_path / "a.csv"), "--threshold", "0", "--on-null", "skip", "--summary"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "id,text\n2,a\n"
    assert "2 records without a text: left out" in captured.err
    assert "3 records in, 1 out" in captured.err
