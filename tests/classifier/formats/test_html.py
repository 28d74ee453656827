"""HTML: a document becomes lines, whatever its encoding; input that is not a document is a bad record."""

from __future__ import annotations

import io
import json
import sys
import unicodedata

import pytest

from classifier.cli import main
from classifier.formats.base import BadRecord, Options
from classifier.formats.html import Reader, html_to_lines
from classifier.io.encoding import Decoding
from tests.support.paths import ROOT

OPTIONS = Options(Decoding(), "\f", "text")
PAGE = """<!DOCTYPE html><html><head><meta charset="{}"><title>Báo Bãi Sông</title><style>p {{ color: red }}</style></head>
<body><nav><ul><li><a href="/">Trang chủ</a></li><li>Thời sự</li></ul></nav>
<h1>Làng gốm bên sông đỏ lửa trở lại</h1><p>Sau hai năm <b>nguội lạnh</b>,<br>ba lò gốm đã nhóm lửa.</p>
<figure><img src="x.jpg" alt="Lò gốm về đêm"><figcaption>Ảnh: Vũ Lâm</figcaption></figure><script>var a = 1;</script></body></html>"""
LINES = [
    "Trang chủ", "Thời sự", "Làng gốm bên sông đỏ lửa trở lại", "Sau hai năm nguội lạnh,", "ba lò gốm đã nhóm lửa.", "![]()",
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


def text_of(source: str, **options: bool) -> list[str]:
    pytest.importorskip("resiliparse")
    return [line for line in html_to_lines(source, OPTIONS._replace(**options)).split("\n") if line]


HIDDEN = [
    "<div hidden>ẩn</div>", "<p style='color: red; DISPLAY : none !important'>ẩn</p>", "<span aria-hidden='true'>ẩn</span>",
    "<p aria-hidden=TRUE><b>ẩn</b></p>", "<dialog>ẩn</dialog>", "<div hidden><div style='display:none'>ẩn</div></div>",
]  # fmt: skip


@pytest.mark.parametrize("element", HIDDEN)
def test_hidden_elements_are_left_out_unless_asked_for(element):
    source = f"<p>Lò gốm đỏ lửa</p>{element}<p>Khói bay lên từ cuối bãi</p>"
    assert text_of(source) == ["Lò gốm đỏ lửa", "Khói bay lên từ cuối bãi"]
    assert "ẩn" in text_of(source, html_hidden=True)


@pytest.mark.parametrize("element", ["<p aria-hidden=false>hiện</p>", "<p style='display:block'>hiện</p>", "<dialog open>hiện</dialog>"])
def test_shown_elements_stay(element):
    assert text_of(element) == ["hiện"]


def test_a_page_that_hides_all_its_text_keeps_it():
    """Scripts reveal such pages."""
    assert text_of("<body style='display:none'><p>Lò gốm đỏ lửa</p>") == ["Lò gốm đỏ lửa"]
    assert text_of("<main hidden><p>Lò gốm đỏ lửa</p></main>") == ["Lò gốm đỏ lửa"]


def test_alternative_texts_are_left_out_unless_asked_for():
    source = "<p>Lò gốm<img src=x alt='Khói lò'></p><img alt='Bãi sông'><video>Trình duyệt quá cũ</video><svg><title>mũi tên</title></svg>"
    assert text_of(source) == ["Lò gốm"]
    assert [word in " ".join(text_of(source, html_alt=True)) for word in ("Khói lò", "Bãi sông", "quá cũ", "mũi tên")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_a_caption_is_one_line_behind_its_picture():
    source = (
        "<p>Trước</p><figure><img src=x alt='Bình gốm'><figcaption><p>Bình gốm men tro.</p><em>Ảnh: Vũ Lâm</em></figcaption></figure>Sau"
    )
    assert text_of(source) == ["Trước", "![]()", "Bình gốm men tro. Ảnh: Vũ Lâm", "Sau"]
    assert text_of("<p>Trước</p><figure><img src=x><figcaption> </figcaption></figure>") == ["Trước"]


def test_rows_of_data_are_lines_and_layout_tables_are_not():
    rows = "<tr><th>Bậc</th><th><p>Giá</p></th></tr><tr><td><div>1</div></td><td><p>1.984<br>đồng</p></td></tr>"
    assert text_of(f"<table>{rows}</table>") == ["Bậc\t\tGiá", "1\t\t1.984 đồng"]
    paragraphs = [f"Đoạn {number}: khói trắng lại bay lên từ cuối bãi, nơi ba lò gốm vừa được nhóm lửa." for number in range(3)]
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    assert text_of(f"<table><tr><td>Trang chủ</td><td>{body}</td></tr></table>")[-3:] == paragraphs
    assert text_of(f"<table><tr><td>{body}</td></tr></table>") == paragraphs


def test_lists_preformatted_text_and_breaks():
    assert text_of("<ol><li>một<li>hai</ol><pre>ba\n  bốn</pre><p>năm<br>sáu<br/><br>bảy</p>") == [
        "một", "hai", "ba", "bốn", "năm", "sáu", "bảy",
    ]  # fmt: skip
    assert text_of("<p>nư<wbr>ớc Đồ&shy;ng</p>") == ["nước Đồ\u00adng"]
    assert text_of("<p><a href=x><b>Cả đoạn</b> là liên kết.</a></p>") == ["Cả đoạn là liên kết."]


@pytest.mark.parametrize(
    "head",
    [
        "<html></html><head><title></title></head>", "<head><title>Làng gốm</head>", "<head><style>p {}</head>",
        "<head><script>var a = '<b>';</head>", "<head><!-- thiếu dấu đóng </head>", "<head><template></head>",
        "<head><noscript><p>Bật JavaScript</p></noscript><title>Làng gốm</title></head>",
        "<head><script>a = '</head><body>'</script></head>",
        "<noscript><iframe></iframe></noscript>",
    ],
)  # fmt: skip
def test_a_broken_head_does_not_cost_the_body(head):
    assert text_of(f"<!doctype html>{head}<body><p>Lò gốm đỏ lửa</p><script>x</script><p>Khói bay lên</p></body>") == [
        "Lò gốm đỏ lửa", "Khói bay lên",
    ]  # fmt: skip


CASES = sorted((ROOT / "tests/cases/html").glob("*.html"))


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_reported_pages(path):
    """Each page has its lines next to it."""
    lines = [row.partition("\t")[2] for row in path.with_suffix(".tsv").read_text(encoding="utf-8").split("\n")[:-1]]
    assert text_of(path.read_text(encoding="utf-8")) == [line for line in lines if line]


def test_an_article_that_is_in_a_script_only_is_reported(tmp_path, capsys):
    pytest.importorskip("resiliparse")
    path = ROOT / "tests/cases/html/html-ldjson-only.html"
    assert main(["clean", str(path), "--stats", str(tmp_path / "stats.json")]) == 0
    assert "1 HTML page with the article only in a script (JSON-LD articleBody)" in capsys.readouterr().err
    assert json.loads((tmp_path / "stats.json").read_text())["only_in_script"] == 1
    body = "Trạm bơm Đồng Cống chạy lại sau hai tuần hỏng, cứu lúa khỏi nứt nẻ."
    both = f'<script type="application/ld+json">{{"articleBody": "&lt;p&gt;{body} {body}"}}</script><p>{body}</p>'
    (tmp_path / "page.html").write_text(both, encoding="utf-8")
    assert main(["clean", str(tmp_path / "page.html")]) == 0
    assert "JSON-LD" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json"])
def test_html_in_the_text_of_records(tmp_path, capsys, name):
    pytest.importorskip("resiliparse")
    source = "<nav>Trang chủ</nav><h1>Lò gốm đỏ lửa</h1><p hidden>ẩn</p>"
    records = {"jsonl": json.dumps({"text": source}) + "\n", "json": json.dumps([source]), "csv": f'text\n"{source}"\n'}
    (tmp_path / name).write_text(records[name[2:]], encoding="utf-8")
    options = ["--text-format", "html", "--threshold", "0", "--output", str(tmp_path / "out.txt")]
    assert main(["clean", str(tmp_path / name), *options]) == 0
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").split() == ["Trang", "chủ", "Lò", "gốm", "đỏ", "lửa"]
    assert main(["clean", str(tmp_path / name), *options, "--html-hidden"]) == 0
    assert "ẩn" in (tmp_path / "out.txt").read_text(encoding="utf-8")
