"""WARC and WET: URI and date are kept, HTML becomes lines, and FastWARC can read the output."""

from __future__ import annotations

import gzip
import io
import json
import sys

import pytest

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options, Record
from classifier.formats.warc import Reader, Writer
from classifier.io.encoding import Decoding
from classifier.io.files import Sink

OPTIONS = Options(Decoding(), "\f", "text")
HTML = '<meta charset="utf-8"><nav>Trang chủ</nav><h1>Làng gốm đỏ lửa</h1><p>Ba lò gốm đã được nhóm lửa sáng nay.</p>'


def record(kind: str, data: bytes, number: int = 1, **more: str) -> bytes:
    headers = {
        "WARC-Type": kind, "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "WARC-Target-URI": f"http://bai-song.vn/{number}", "WARC-Date": "2025-03-04T07:15:00Z",
        **{key.replace("_", "-"): value for key, value in more.items()}, "Content-Length": str(len(data)),
    }  # fmt: skip
    return b"WARC/1.0\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()).encode() + b"\r\n" + data + b"\r\n\r\n"


def response(body: bytes, media: str = "text/html; charset=utf-8", number: int = 1, **more: str) -> bytes:
    head = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in {"Content_Type": media, **more}.items())
    data = f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body
    return record("response", data, number, Content_Type="application/http; msgtype=response", WARC_Block_Digest="sha1:AAAA")


def read(data: bytes, decoding: Decoding | None = None) -> list[Record | BadRecord]:
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    return list(Reader(io.BytesIO(data), "a.warc", OPTIONS._replace(decoding=decoding or Decoding())))


def written(records: list[Record], texts: list[str] | None = None, extras=None) -> bytes:
    out = io.BytesIO()
    writer = Writer(Sink(out, "out"), OPTIONS)
    for number, one in enumerate(records):
        writer.put(one, texts[number] if texts else one.text, extras or {})
    writer.close()
    return out.getvalue()


WET = (
    record("warcinfo", b"software: x\r\n", 9)
    + record("conversion", "một\nhai\n".encode(), 1, Languages="vie")
    + record("conversion", b"", 2)
)


def test_wet_in_wet_out():
    records = read(WET)
    assert [(one.text, one.id[-5:-2]) for one in records] == [("một\nhai\n", "001"), ("", "002")]
    again = read(written(records, ["một", ""]))
    assert [one.text for one in again] == ["một\n", ""]
    headers = dict(again[0].place.headers)
    assert headers == {
        "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000001>", "WARC-Target-URI": "http://bai-song.vn/1",
        "WARC-Date": "2025-03-04T07:15:00Z", "Languages": "vie",
    }  # fmt: skip


def test_html_responses_become_texts():
    data = (
        response(HTML.encode())
        + response(b"\x89PNG", "image/png", 2)
        + response(gzip.compress(HTML.encode()), number=3, Content_Encoding="gzip")
    )
    records = read(data + record("request", b"GET / HTTP/1.1\r\n\r\n", 4))
    assert [[line for line in one.text.split("\n") if line] for one in records] == [
        ["Trang chủ", "Làng gốm đỏ lửa", "Ba lò gốm đã được nhóm lửa sáng nay."]
    ] * 2
    headers = dict(records[1].place.headers)
    assert headers["WARC-Refers-To"] == "<urn:uuid:00000000-0000-0000-0000-000000000003>"
    assert headers["WARC-Record-ID"] not in (
        "<urn:uuid:00000000-0000-0000-0000-000000000003>",
        dict(records[0].place.headers)["WARC-Record-ID"],
    )
    assert headers["WARC-Target-URI"] == "http://bai-song.vn/3"
    assert "WARC-Block-Digest" not in headers
    assert read(data)[1].place == records[1].place


def test_added_headers():
    assert b"\r\nTinsach-Needs-Review: true\r\n" in written(read(WET), extras={"needs_review": True})


def test_a_body_in_another_encoding_than_its_headers_say():
    body, ok = HTML.encode(), response(HTML.encode(), number=1)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    for data, headers in (
        (gzip.compress(body), {"Content_Encoding": "gzip"}),
        (body, {"Content_Encoding": "gzip"}),  # the crawler has decoded it
        (chunked, {"Transfer_Encoding": "chunked"}),
        (body, {"Transfer_Encoding": "chunked"}),
        (gzip.compress(body), {"Content_Encoding": "gzip", "Transfer_Encoding": "chunked"}),
    ):
        found = read(ok + response(data, number=2, **headers) + ok)
        assert [record.text for record in found] == [found[0].text] * 3
    for encoding in ("gzip", "br"):
        _, bad, last = read(ok + response(b"no such thing", number=2, Content_Encoding=encoding) + ok)
        assert isinstance(bad, BadRecord)
        assert bad.reason.startswith("the body is not encoded as its HTTP headers say")
        assert last.text == found[0].text


def test_bad_records():
    bad, good = read(record("conversion", b"a\xff") + record("conversion", b"b", 2), Decoding(errors="strict"))
    assert isinstance(bad, BadRecord)
    assert (bad.line, bad.raw) == (1, b"a\xff")
    assert bad.reason.startswith("http://bai-song.vn/1: line 1, byte offset 1: not valid utf-8")
    assert good.text == "b"
    (skipped,) = read(record("conversion", b"a\xff"), Decoding(errors="skip"))
    assert (skipped.text, skipped.undecodable) == ("a", 1)
    (cut,) = read(record("conversion", b"a" * 100)[:-50])
    assert isinstance(cut, BadRecord)
    assert cut.reason.startswith("Content-Length is 100, but there are only")
    for data in (b"no such thing\n" * 9, WET + b"garbage\n" * 9):
        with pytest.raises(InputError, match=r"a.warc: not a WARC file, or damaged after record"):
            read(data)
    assert read(b"") == []


@pytest.mark.parametrize("name", ["crawl.warc.gz", "crawl.wet", "crawl.warc.wet.gz"])
def test_archives_are_cleaned(tmp_path, cleaner, composed_pages, name):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    pages = composed_pages[:3]
    records = [record("conversion", page.encode(), number) for number, page in enumerate(pages)]
    data = b"".join(map(gzip.compress, records)) if name.endswith(".gz") else b"".join(records)
    (tmp_path / name).write_bytes(data)
    assert main(["clean", str(tmp_path / name), "--output-dir", str(tmp_path / "out")]) == 0
    (out,) = (tmp_path / "out").glob("[!.]*")
    assert out.name == name.replace("crawl.warc.gz", "crawl.wet.gz")
    text = out.read_bytes()
    found = read(gzip.decompress(text) if name.endswith(".gz") else text)
    assert [one.text.removesuffix("\n") for one in found] == [cleaner.clean_text(page) for page in pages]
    assert [dict(one.place.headers)["WARC-Target-URI"] for one in found] == [f"http://bai-song.vn/{number}" for number in range(3)]


def test_a_missing_fastwarc_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fastwarc", None)
    (tmp_path / "a.wet").touch()
    assert main(["clean", str(tmp_path / "a.wet")]) == 2
    assert "needs fastwarc, which is not installed; run: pip install 'tinsach[warc]'" in capsys.readouterr().err


def complaint(data: bytes) -> str:
    try:
        last = read(data)[-1]
    except InputError as error:
        return str(error)
    return last.reason if isinstance(last, BadRecord) else ""


def test_every_cut_is_noticed():
    """Only a cut between two records leaves no trace."""
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    records = [response(HTML.encode()), record("metadata", b"via: x\r\n\r\n", 2), record("conversion", b"m\n\n", 3)]
    for last in records:
        for cut in range(1, len(last) - 4):
            assert "download it again" in complaint(records[0] + last[:cut]), (last, cut)
        for missing in range(5):  # line ends after the last record are no content
            assert not any(isinstance(one, BadRecord) for one in read((records[0] + records[2])[: -missing or None]))


def test_a_cut_archive_ends_with_a_status(tmp_path, capsys):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    whole = response(HTML.encode()) + response(HTML.encode(), number=2)
    (tmp_path / "a.warc").write_bytes(whole[:-40])
    (tmp_path / "b.warc.gz").write_bytes(gzip.compress(whole, 0)[:-40])
    for name in ("a.warc", "b.warc.gz"):
        assert main(["clean", str(tmp_path / name), "--output", str(tmp_path / "out.wet")]) == 2
        assert "again" in capsys.readouterr().err
        assert main(["clean", str(tmp_path / name), "--on-error", "skip", "--output", str(tmp_path / "out.wet")]) == 1
        assert (tmp_path / "out.wet").read_bytes().count(b"WARC/1.0") == 1
        assert "2 records in, 1 out, 1 skipped" in capsys.readouterr().err


def test_responses_that_are_no_pages_are_counted(tmp_path, capsys):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    gone = response(HTML.encode(), number=2).replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 404 NO")
    data = response(HTML.encode()) + gone + response(b"\x89PNG", "image/png", 3) + response(b"{}", "application/json", 4)
    (tmp_path / "a.warc").write_bytes(data)
    out, stats = str(tmp_path / "out.wet"), tmp_path / "stats.json"
    assert main(["clean", str(tmp_path / "a.warc"), "--summary", "--stats", str(stats), "--output", out]) == 0
    assert "left out 1 response with another HTTP status than 2xx, and 2 that are not HTML" in capsys.readouterr().err
    counts = json.loads(stats.read_text())
    assert (counts["records"], counts["responses_not_ok"], counts["responses_not_html"]) == (1, 1, 2)
    assert len(read((tmp_path / "out.wet").read_bytes())) == 1


def test_an_archive_as_json_lines(tmp_path):
    pytest.importorskip("fastwarc")
    pytest.importorskip("resiliparse")
    (tmp_path / "a.wet").write_bytes(WET)
    assert main(["clean", str(tmp_path / "a.wet"), "--threshold", "0", "--output", str(tmp_path / "out.jsonl")]) == 0
    first, _ = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert first == {
        "id": "<urn:uuid:00000000-0000-0000-0000-000000000001>", "url": "http://bai-song.vn/1", "date": "2025-03-04T07:15:00Z",
        "text": "một\nhai",
    }  # fmt: skip
