"""JSON lines: the text is replaced, everything else is preserved, and malformed records are reported."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.formats.base import BadRecord, Record
from classifier.formats.jsonl import put_back, read_records
from classifier.formats.names import format_of
from classifier.io.encoding import Decoding


def read(data: bytes, field: str = "text", decoding: Decoding | None = None) -> list[Record | BadRecord]:
    return list(read_records(io.BytesIO(data), "crawl.jsonl", decoding or Decoding(), field))


def test_formats_by_name():
    for name, form in (("a.jsonl", "jsonl"), ("a/b.NDJSON", "jsonl"), ("a.json", "text"), ("jsonl", "text"), ("a.jsonl.txt", "text")):
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
        (b'{"text": null}', "field 'text' is not text"),
        (b'{"text": ["a"]}', "field 'text' is not text"),
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

    def lines():
        for number in range(3):
            read_so_far.append(number)
            yield b'{"text": "a"}\n'

    read_so_far: list[int] = []
    records = read_records(lines(), "x", Decoding(), "text")
    next(records)
    assert read_so_far == [0]
