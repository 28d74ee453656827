"""JSON files: arrays, objects and JSON lines are read record by record, and come back in their own shape."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats import json_file
from classifier.formats.base import BadRecord, Options, Record
from classifier.formats.json_file import Reader, Writer
from classifier.io.encoding import Decoding
from classifier.io.files import Sink

OPTIONS = Options(Decoding(), "\f", "text")


def read(data: bytes, **options) -> list[Record | BadRecord]:
    return list(Reader(io.BytesIO(data), "a.json", OPTIONS._replace(**options)))


def copied(*inputs: bytes, new: str | None = None) -> bytes:
    out = io.BytesIO()
    writer = Writer(Sink(out, "out"), OPTIONS)
    for data in inputs:
        reader = Reader(io.BytesIO(data), "a.json", OPTIONS)
        writer.follow(reader)
        for record in reader:
            writer.put(record, record.text if new is None else new)
    writer.close()
    return out.getvalue()


def test_the_output_has_the_shape_of_the_input():
    assert copied(b' [ {"text": "a", "n": 1.10},"b" ] ', new="c") == b'[\n{"text": "c", "n": 1.10},\n"c"\n]\n'
    assert copied(b'{\n  "n": 1.10,\n  "text": "a"\n}\n', new="c") == b'{\n  "n": 1.10,\n  "text": "c"\n}\n'
    assert copied(b'{"text": "a"}\n\n{"text": "b"} {"text":\n"d"}', new="c") == b'{"text": "c"}\n{"text": "c"}\n{"text": "c"}\n'
    assert copied(b'{"text": "a"}', b'{"text": "b"}') == b'[\n{"text": "a"},\n{"text": "b"}\n]\n'
    assert copied(b"[]") == copied(b" [ ] ") == b"[]\n"
    assert copied(b"") == copied(b"\xef\xbb\xbf \n") == b""
    assert copied(b'\xef\xbb\xbf[{"text": null}]') == b'[\n{"text": null}\n]\n'


JSON_TEXT = st.text(alphabet=st.sampled_from('a"\\\\[]{},:ộ\n'), max_size=8)


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "text", "{"]), JSON_TEXT | st.lists(JSON_TEXT)), max_size=5),
    st.integers(1, 7),
    st.sampled_from([None, 1]),
)
def test_any_array_is_cut_into_its_records(records, size, indent):
    class Slow(io.BytesIO):
        def read1(self, _=-1):
            return self.read(size)

    data = json.dumps(records, indent=indent, ensure_ascii=False).encode()
    found = list(Reader(Slow(data), "a.json", OPTIONS))
    assert len(found) == len(records)
    for record, wanted in zip(found, records):
        good = isinstance(wanted.get("text"), str)
        assert isinstance(record, Record if good else BadRecord)
        assert not good or record.text == wanted["text"]
        assert good or json.loads(record.raw) == wanted


def test_bad_records_have_numbers():
    records = read(b'[{"text": "a"}, 7, [1], {"text": 1}, {"x": "}"}, {"text" 1}, null, "b"]')
    assert [type(record) for record in records] == [Record, *[BadRecord] * 6, Record]
    assert [record.line for record in records[1:7]] == [2, 3, 4, 5, 6, 7]
    assert records[4].raw == b'{"x": "}"}'
    (bad,) = read(b'["a"]', adds=("attributes",))
    assert "has no fields" in bad.reason


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'[{"text": "a"}', "ends inside its array; it is cut"), (b'[{"text": "a', "ends inside a record; it is cut"),
        (b'[{"text": "a"},', "expecting a value|ends inside"), (b'[{"text": "a"} {"text": "b"}]', "not JSON: expecting ]"),
        (b'[{"text": "a"}]\n[]', "goes on after the end of its array"), (b"[,]", "expecting a value"), (b"}", "expecting a value"),
        (b'{"text": "a\\', "ends inside a record"), ('[{"text": "một"}]'.encode("utf-16"), "UTF-16"), (b"%PDF-1.7", "a PDF file"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        read(data)


def test_records_are_read_one_at_a_time(monkeypatch):
    read_so_far = []

    class Slow(io.BytesIO):
        def read1(self, _=-1):
            read_so_far.append(1)
            return self.read(20)

    records = iter(Reader(Slow(b'[{"text": "a"}, ' + b'{"text": "b"}, ' * 50 + b'"c"]'), "a.json", OPTIONS))
    next(records)
    assert len(read_so_far) < 5
    assert len(list(records)) == 51


def test_json_files_are_cleaned(tmp_path, cleaner, composed_pages):
    pages = composed_pages[:3]
    (tmp_path / "crawl.json").write_text(json.dumps([{"id": n, "text": page} for n, page in enumerate(pages)]), encoding="utf-8")
    for out in ("clean.json", "clean.jsonl"):
        assert main(["clean", str(tmp_path / "crawl.json"), "--output", str(tmp_path / out)]) == 0
    wanted = [{"id": n, "text": text} for n, text in enumerate(cleaner.clean_pages(pages))]
    assert json.loads((tmp_path / "clean.json").read_text(encoding="utf-8")) == wanted
    assert list(map(json.loads, (tmp_path / "clean.jsonl").read_text(encoding="utf-8").splitlines())) == wanted
    assert json_file.ARRAY == "array"
