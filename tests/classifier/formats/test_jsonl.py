"""JSON lines: the text is replaced, everything else is preserved, and malformed records are reported."""

from __future__ import annotations

import gzip
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options, Record
from classifier.formats.jsonl import Reader, put_back
from classifier.formats.names import format_of
from classifier.io.encoding import Decoding


def read(data: bytes, field: str = "text", decoding: Decoding | None = None) -> list[Record | BadRecord]:
    return list(Reader(io.BytesIO(data), "crawl.jsonl", Options(decoding or Decoding(), "\f", field)))


def test_formats_by_name():
    for name, form in (("a.jsonl", "jsonl"), ("a/b.NDJSON", "jsonl"), ("a.json", "json"), ("jsonl", "text"), ("a.jsonl.txt", "text")):
        assert format_of(name) == form


@pytest.mark.parametrize(
    ("line", "text", "replaced"),
    [
        ('{"text": "một"}', "một", '{"text": "hai"}'),
        (
            ' { "id" : 1.10 , "text":"một\\n\\u0062a" , "z":[1e400, -0] } \r',
            "một\nba",
            ' { "id" : 1.10 , "text":"hai" , "z":[1e400, -0] } \r',
        ),
        ('{"n": ' + "9" * 5000 + ', "text": ""}', "", '{"n": ' + "9" * 5000 + ', "text": "hai"}'),
        ('{"a": {"text": 5}, "text": "một", "b": "\\u00e9\\/"}', "một", '{"a": {"text": 5}, "text": "hai", "b": "\\u00e9\\/"}'),
        ('{"\\u0074ext": "một", "b": 1, "b": 2}', "một", '{"\\u0074ext": "hai", "b": 1, "b": 2}'),
        ('\ufeff{"text": "một"}', "một", '\ufeff{"text": "hai"}'),
        ('{"text": "\\ud83d\\ude42 \\ud800"}', "🙂 \ud800", '{"text": "hai"}'),
        ('{"b": "}\\",{", "text": "{\\"text\\": 1}"}', '{"text": 1}', '{"b": "}\\",{", "text": "hai"}'),
    ],
)
def test_only_the_text_is_exchanged(line, text, replaced):
    (record,) = read(line.encode())
    assert record.text == text
    assert put_back(record, "hai") == replaced.encode() + b"\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"m\xe1\xbb\x99t", "not JSON: Expecting value at character 1"),
        (b'{"text": "a"', "not JSON"),
        (b'{"text": "a",}', "not JSON"),
        (b'{"text": "a"} {}', "not JSON: Extra data at character 1"),
        (b'{"text" "a"}', "not JSON: Expecting :"),
        (b"{'text': 'a'}", 'not JSON: Expecting "'),
        (b'{"text": "a\tb"}', "not JSON: Invalid control character"),
        (b'{"text": "a", "n": 01}', "not JSON"),
        (b'{"text": "a", "n": NaN}', "NaN is not JSON"),
        (b'{"text": "a", "n": [-Infinity]}', "-Infinity is not JSON"),
        (b'{"a": "text"}', "no field 'text'.*--text-field"),
        (b"{}", "no field 'text'"),
        (b'{"text": 5}', "field 'text' is not text"),
        (b'{"text": ["a"]}', "field 'text' is not text, but a list of strings; --join-lists"),
        (b'{"text": ["a", null]}', "field 'text' is not text$"),
        (b'{"text": "a", "n": NaN, "m": 1}', "NaN is not JSON"),
        (b'{"text": "a", "\\u0074ext": "b"}', "field 'text' occurs 2 times"),
        (b'["text"]', "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"[[1}", "not JSON"),
        (b'{"a": ' + b"[" * 200_000, "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_bad_records_say_why(line, reason):
    for ending in (b"", b"\n", b"\r\n"):
        (bad,) = read(line + ending)
        assert isinstance(bad, BadRecord)
        assert (bad.line, bad.raw) == (1, (line + ending).removesuffix(b"\n"))
        assert re.match(reason, bad.reason), bad.reason


def test_blank_lines_are_no_records():
    records = read(b'\n {"text": "a"}\n \r\n\t\n{}\n')
    assert [type(record) for record in records] == [Record, BadRecord]
    assert records[1].line == 5
    assert read(b"") == read(b"\xef\xbb\xbf\n") == []


def test_bad_bytes_follow_the_policy():
    data = b'{"text": "ok"}\n{"text": "n\xff", "b": "\xff\xfe"}\n'
    (_, replaced) = read(data)
    assert put_back(replaced, replaced.text).decode() == '{"text": "n\ufffd", "b": "\ufffd\ufffd"}\n'
    (_, skipped) = read(data, decoding=Decoding(errors="skip"))
    assert (put_back(skipped, skipped.text), skipped.undecodable) == (b'{"text": "n", "b": ""}\n', 3)
    (_, bad) = read(data, decoding=Decoding(errors="strict"))
    assert isinstance(bad, BadRecord)
    assert bad.reason == f"byte offset {data.index(0xFF)} of the file is not valid UTF-8"


def test_json_lines_are_utf8():
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        with pytest.raises(InputError, match=r"UTF-16.*iconv -f UTF-16.* -t UTF-8"):
            read((json.dumps({"text": "một hai ba bốn"}, ensure_ascii=False) + "\n").encode(encoding))
    with pytest.raises(InputError, match=r"JSON lines are UTF-8; .*cp1258"):
        read(b"{}", decoding=Decoding("cp1258"))
    assert read(b"%PDF-1.7", decoding=Decoding("UTF8"))[0].line == 1  # a named encoding turns sniffing off
    with pytest.raises(InputError, match="PDF"):
        read(b"%PDF-1.7")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ANY_TEXT = st.text(alphabet=st.characters(), max_size=12)  # lone surrogates too


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), ANY_TEXT, ANY_TEXT, st.booleans(), st.integers(0, 4))
def test_any_object_keeps_what_is_not_its_text(others, text, other_text, ascii_only, place):
    fields = [(name, value) for name, value in others.items() if name != "text"]
    fields.insert(place, ("text", text))
    line = json.dumps(dict(fields), ensure_ascii=ascii_only).encode("utf-8", "backslashreplace")
    (record,) = read(line)
    assert record.text == text
    assert json.loads(put_back(record, text)) == json.loads(line)
    assert json.loads(put_back(record, other_text)) == {**json.loads(line), "text": other_text}
    assert list(json.loads(put_back(record, other_text))) == list(json.loads(line))


@given(st.lists(st.binary(max_size=10) | st.sampled_from([b'{"text": "a"}', b'{"text": 1}', b"{}", b"\xef\xbb\xbf", b"\0"]), max_size=8))
def test_every_line_is_a_record_bad_or_blank(lines):
    data = b"\n".join(lines)
    records = read(data, decoding=Decoding("utf-8"))
    assert len(records) == sum(bool(line.strip(b" \t\r\n")) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    for record in records:
        assert isinstance(record, (Record, BadRecord))


def test_a_source_is_read_a_line_at_a_time():
    """Each record is yielded before the next line is read, so one line is in memory."""

    source = io.BytesIO(b'{"text": "a"}\n' * 3)
    records = iter(Reader(source, "x", Options(Decoding(), "\f", "text")))
    next(records)
    assert source.tell() == len(b'{"text": "a"}\n')


def with_options(data: bytes, **options) -> list[Record | BadRecord]:
    return list(Reader(io.BytesIO(data), "a.jsonl", Options(Decoding(), "\f", "text")._replace(**options)))


@pytest.mark.parametrize("line", [b'{"n": 1.10, "text": null}\n', b'{"text": NaN , "n": 1}\n'])
def test_missing_texts_stay_missing(line):
    (record,) = read(line)
    assert (record.missing, record.text) == (True, "")
    assert put_back(record, "") == line
    assert put_back(record, "", {"needs_review": False}) == line.replace(b"}", b', "needs_review": false}')
    (bad,) = with_options(line, on_null="fail")
    assert (bad.raw + b"\n", bad.reason) == (line, "field 'text' is null")


def test_a_field_in_an_object():
    line = b'{"a": {"b": {"text": "m\\u1ed9t", "n": 1.10}, "id": 7}, "text": "x"}\n'
    (record,) = with_options(line, field="a.b.text", id_field="a.id", site_field="a.b.text")
    assert (record.text, record.id, record.site) == ("một", "7", "một")
    assert put_back(record, "hai") == line.replace(b"m\\u1ed9t", b"hai")
    for data, text in ((b'{"a.b": "1", "a": {"b": "2"}}', "1"), (b'{"a": {"b": "2"}}', "2"), (b'{"a": {"b.c": "3"}}', "3"),
                       (b'{"a.b": {"c": "4"}}', "4"), (b'{"a": {"b": {"c": "5"}}}', "5")):  # fmt: skip
        (found,) = with_options(data, field="a.b.c" if text > "2" else "a.b")
        assert found.text == text
    for data, reason in (
        (b'{"a": {"x": 1}}', "no field 'a.b'"),
        (b'{"a": {"b": 1, "b": 2}}', "occurs 2 times"),
        (b'{"a": [1]}', "no field"),
    ):
        (bad,) = with_options(data, field="a.b")
        assert reason in bad.reason


def test_a_list_of_lines():
    line = b'{"text": ["Trang ch\\u1ee7", "", "b"], "n": 1.10}\n'
    (record,) = with_options(line, join_lists=True)
    assert record.text == "Trang chủ\n\nb"
    assert put_back(record, "b\nc") == b'{"text": ["b", "c"], "n": 1.10}\n'
    assert put_back(record, "") == b'{"text": [], "n": 1.10}\n'
    (text,) = with_options(b'{"text": "a"}', join_lists=True)
    assert put_back(text, "b") == b'{"text": "b"}\n'


@pytest.mark.parametrize("form", ["jsonl", "json"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b'{"text": "a"}\n', mtime=0), "looks like gzip-compressed data; unpack it first"),
        ('[{"text": "một"}]'.encode("utf-16"), "UTF-16, but JSON is UTF-8; convert it"),
    ],
    ids=["gzip", "UTF-16"],
)
def test_what_is_no_json_is_named_before_its_first_record_is_judged(tmp_path, capsys, form, data, message):
    (tmp_path / "page").write_bytes(data)
    assert main(["clean", str(tmp_path / "page"), "--format", form]) == 2
    assert f"page: {message}" in capsys.readouterr().err
