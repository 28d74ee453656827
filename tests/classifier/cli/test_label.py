"""`tinsach label --output-dir`: one labelled file per page; existing files are never overwritten unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.cli import main
from classifier.lines import split_lines
from classifier.review.labelled_page import read_page


@pytest.fixture
def pages(tmp_path, monkeypatch, sample_page, composed_pages) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pages"
    (folder / "plain").mkdir(parents=True)
    (folder / "one.txt").write_text(sample_page, encoding="utf-8")
    (folder / "plain" / "bao.vn__1.txt").write_text(composed_pages[0], encoding="utf-8")
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_becomes_a_tree_of_labelled_pages(pages, tmp_path, cleaner, sample_page):
    assert main(["label", "pages", "--output-dir", "new/labelled"]) == 0
    assert files_in(tmp_path / "new") == ["labelled/one.tsv", "labelled/plain/bao.vn__1.tsv"]
    page = read_page("new/labelled/one.tsv")
    want = list(cleaner.label_lines(split_lines(sample_page)))
    assert page.lines == [line.text for line in want]
    assert page.labels == [str(line.label or "-") for line in want]
    assert [row.probability for row in page.rows] == [float(f"{line.probability:.4f}") for line in want]


def test_it_is_what_standard_output_shows(pages, tmp_path, capfdbinary):
    assert main(["label", "pages/one.txt"]) == 0
    assert main(["label", "pages/one.txt", "--output-dir", "labelled"]) == 0
    assert (tmp_path / "labelled" / "one.tsv").read_bytes() == capfdbinary.readouterr().out


def test_html_is_labelled_as_text(tmp_path, monkeypatch):
    pytest.importorskip("resiliparse")
    monkeypatch.chdir(tmp_path)
    Path("page.html").write_text('<meta charset="utf-8"><p>Trang chủ</p><p>Thời sự</p>', encoding="utf-8")
    assert main(["label", "page.html", "--output-dir", "labelled"]) == 0
    assert read_page("labelled/page.tsv").lines == ["Trang chủ", "", "Thời sự"]


def test_corrections_are_not_overwritten_unless_told_so(pages, tmp_path, capsys):
    corrected = tmp_path / "labelled" / "plain" / "bao.vn__1.tsv"
    corrected.parent.mkdir(parents=True)
    corrected.write_text("nav\tsửa bằng tay\n", encoding="utf-8")
    assert main(["label", "pages", "--output-dir", "labelled"]) == 0
    said = "tinsach: 1 labelled page is in labelled already; it stays as it is (--force overwrites it)\n"
    assert capsys.readouterr().err == said
    assert files_in(tmp_path / "labelled") == ["one.tsv", "plain/bao.vn__1.tsv"]  # the new page was added
    assert main(["label", "pages", "--output-dir", "labelled"]) == 0
    assert "2 labelled pages are in labelled already; they stay as they are" in capsys.readouterr().err
    assert corrected.read_text(encoding="utf-8") == "nav\tsửa bằng tay\n"
    assert main(["label", "pages", "--output-dir", "labelled", "--force"]) == 0
    assert len(read_page(corrected).rows) > 10


def test_what_is_no_page_is_left_out_and_named(pages, tmp_path, capsys):
    (pages / "empty.txt").write_bytes(b"")
    (pages / "two.txt").write_text("một\n\fhai\n", encoding="utf-8")
    (pages / "binary.txt").write_bytes(b"\x00" * 5000)
    assert main(["label", "pages", "--output-dir", "labelled"]) == 1
    error = capsys.readouterr().err
    assert "left out: pages/empty.txt: no lines in it" in error
    assert "left out: pages/two.txt: several pages; put each into a file of its own" in error
    assert "left out: pages/binary.txt" in error
    assert files_in(tmp_path / "labelled") == ["one.tsv", "plain/bao.vn__1.tsv"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["pages", "--output-dir", "x", "--as", "jsonl"], "leave out --as jsonl"),
        (["--output-dir", "x"], "standard input: --output-dir takes files only"),
        (["crawl.jsonl", "--output-dir", "x"], "crawl.jsonl: --output-dir takes pages of text or HTML, not jsonl"),
        (["pages/one.txt", "--output-dir", "crawl.jsonl"], "crawl.jsonl: not a folder; name another --output-dir"),
        (["pages/one.txt", "one.txt", "--output-dir", "x"], "would have the same output as pages/one.txt; name different folders"),
        (["pages/one.txt", "--force"], "--force overwrites what is in --output-dir; name one"),
        (["nowhere.txt", "--output-dir", "x"], "nowhere.txt"),
    ],
)
def test_misuse_is_refused_before_anything_is_written(pages, tmp_path, capsys, args, message):
    (tmp_path / "crawl.jsonl").write_text('{"text": "một"}\n', encoding="utf-8")
    (tmp_path / "one.txt").write_text("một\n", encoding="utf-8")
    before = files_in(tmp_path)
    assert main(["label", *args]) == 2
    assert message in capsys.readouterr().err
    assert files_in(tmp_path) == before
