"""HTML: a document becomes lines, whatever its encoding; input that is not a document is a bad record."""

from __future__ import annotations

import io
import sys
import unicodedata

import pytest

from classifier.cli import main
from classifier.formats.base import BadRecord, Options
from classifier.formats.html import Reader
from classifier.io.encoding import Decoding

OPTIONS = Options(Decoding(), "\f", "text")
PAGE = """<!DOCTYPE html><html><head><meta charset="{}"><title>Báo Bãi Sông</title><style>p {{ color: red }}</style></head>
<body><nav><ul><li><a href="/">Trang chủ</a></li><li>Thời sự</li></ul></nav>
<h1>Làng gốm bên sông đỏ lửa trở lại</h1><p>Sau hai năm <b>nguội lạnh</b>,<br>ba lò gốm đã nhóm lửa.</p>
<figure><img src="x.jpg" alt="Lò gốm về đêm"><figcaption>Ảnh: Vũ Lâm</figcaption></figure><script>var a = 1;</script></body></html>"""
LINES = [
    "Trang chủ", "Thời sự", "Làng gốm bên sông đỏ lửa trở lại", "Sau hai năm nguội lạnh,", "ba lò gốm đã nhóm lửa.", "Lò gốm về đêm",
    "Ảnh: Vũ Lâm",
]  # fmt: skip


def lines_of(data: bytes, decoding: Decoding | None = None) -> list[str]:
    pytest.importorskip("resiliparse")
    (record,) = Reader(io.BytesIO(data), "page.html", OPTIONS._replace(decoding=decoding or Decoding()))
    return [line for line in record.text.split("\n") if line]


def test_a_document_becomes_lines():
    assert lines_of(PAGE.format("utf-8").encode()) == LINES
    assert lines_of(b"") == []
    assert lines_of("Chỉ có chữ".encode()) == ["Chỉ có chữ"]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1258"])
def test_encodings(codec):
    page = PAGE.format("windows-1258" if codec == "cp1258" else "utf-8")
    if codec == "cp1258":  # has combining marks, and few precomposed letters
        page = page.encode("cp1258", "xmlcharrefreplace").decode("cp1258")
    found = lines_of(page.encode(codec, "strict"))
    assert [unicodedata.normalize("NFC", line) for line in found] == LINES


def test_a_wrong_declaration_is_overruled():
    for decoding in (Decoding("utf-8"), Decoding()):
        assert lines_of(PAGE.format("iso-8859-1").encode(), decoding) == LINES
    assert lines_of("<p>Giá: 5 €</p>".encode("cp1252").replace(b"<p>", b"<meta charset=latin1><p>")) == ["Giá: 5 €"]
    assert lines_of(PAGE.format("klingon").encode()) == lines_of(PAGE.format("utf-16").encode()) == LINES


def test_what_is_no_document_is_a_bad_record():
    pytest.importorskip("resiliparse")
    for data, reason in ((b"%PDF-1.7\n" + bytes(2000), "looks like a PDF"), (PAGE.format("utf-8").encode() + b"\xff", "not valid utf-8")):
        (bad,) = Reader(io.BytesIO(data), "page.html", OPTIONS._replace(decoding=Decoding(errors="strict")))
        assert isinstance(bad, BadRecord)
        assert (bad.line, bad.raw) == (1, data)
        assert reason in bad.reason


def test_documents_are_cleaned_into_pages(tmp_path, capsysbinary):
    pytest.importorskip("resiliparse")
    for name in ("1.html", "2.htm"):
        (tmp_path / name).write_text(PAGE.format("utf-8"), encoding="utf-8")
    (tmp_path / "3.txt").write_text("\n".join(LINES), encoding="utf-8")
    assert main(["clean", "--threshold", "0", *(str(tmp_path / name) for name in ("1.html", "2.htm", "3.txt"))]) == 0
    pages = capsysbinary.readouterr().out.decode().split("\f")
    assert [[line for line in page.split("\n") if line] for page in pages] == [LINES] * 3
    assert main(["clean", f"{tmp_path}/*.htm*", "--output-dir", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["1.txt", "2.txt"]
    assert main(["label", str(tmp_path / "1.html")]) == 0
    assert "\tTrang chủ\n" in capsysbinary.readouterr().out.decode()


def test_a_missing_resiliparse_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "resiliparse.extract.html2text", None)
    (tmp_path / "page.html").touch()
    assert main(["clean", str(tmp_path / "page.html")]) == 2
    assert "needs resiliparse, which is not installed; run: pip install 'tinsach[html]'" in capsys.readouterr().err
