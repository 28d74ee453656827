"""`tinsach extract`, and the steps of `tinsach clean` that make a text whole."""

from __future__ import annotations

import json

import pytest

from classifier.cli import main
from tests.support.paths import CASES

SAMPLE = CASES / "sample_page.txt"
TITLE = "Làng gốm bên sông đỏ lửa trở lại"


@pytest.fixture
def crawl(tmp_path, sample_page):
    path = tmp_path / "crawl.jsonl"
    rows = [{"id": 1, "n": 1.5, "text": sample_page}, {"id": 2, "text": None}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_keeps_its_fields_and_gets_its_article(cleaner, sample_page, crawl, tmp_path):
    assert main(["extract", str(crawl), "--output", str(tmp_path / "out.jsonl")]) == 0
    first, missing = records(tmp_path / "out.jsonl")
    want = cleaner.article(sample_page)
    assert first == {"id": 1, "n": 1.5, "text": want.text, "article": want.to_dict()}
    assert missing == {"id": 2, "text": None, "article": None}


@pytest.mark.usefixtures("started_workers")
def test_several_processes_write_the_same(crawl, tmp_path):
    for jobs in ("1", "2"):
        assert main(["extract", str(crawl), str(SAMPLE), "--output", str(tmp_path / jobs), "--jobs", jobs]) == 0
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_offsets_of_a_file_with_windows_line_ends(sample_page, tmp_path):
    page = sample_page.replace("\n", "\r\n")
    pages = ["\ufeff" + page, page]  # the byte order mark of UTF-8 is a character of the text
    (tmp_path / "page.txt").write_bytes("\f\r\n".join(pages).encode())
    assert main(["extract", str(tmp_path / "page.txt"), "--output", str(tmp_path / "out.jsonl")]) == 0
    assert main(["label", str(tmp_path / "page.txt"), "--as", "jsonl", "--output", str(tmp_path / "lines.jsonl")]) == 0
    for record, page in zip(records(tmp_path / "out.jsonl"), pages):
        for paragraph in record["article"]["paragraphs"]:
            assert page[paragraph["start"] : paragraph["end"]] == paragraph["text"]
    lines = records(tmp_path / "lines.jsonl")
    assert {line["page"] for line in lines} == {1, 2}
    assert all(pages[line["page"] - 1][line["start"] : line["end"]] == line["text"] for line in lines)


def test_text_with_a_header(tmp_path):
    for name, options in (("article.txt", []), ("article", ["--as", "text"])):
        assert main(["extract", str(SAMPLE), "--output", str(tmp_path / name), *options]) == 0
        head, body = (tmp_path / name).read_text(encoding="utf-8").split("\n\n", 1)
        assert head.splitlines() == [f"Title: {TITLE}", "Published: 2025-03-04T07:15:00+07:00", "Authors: Thu Hạnh"]
        assert body.startswith("Sau hai năm nguội lạnh")


def test_parquet_has_a_struct(crawl, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert main(["extract", str(crawl), "--output", str(tmp_path / "out.parquet")]) == 0
    assert main(["extract", str(tmp_path / "out.parquet"), "--output", str(tmp_path / "again.parquet")]) == 2  # has an article already
    articles = parquet.read_table(tmp_path / "out.parquet").column("article").to_pylist()
    assert [article and article["title"] for article in articles] == [TITLE, None]


def test_doubtful_articles_are_flagged_and_named(crawl, tmp_path, capsys):
    assert main(["extract", str(crawl), "--min-confidence", "1", "--output", str(tmp_path / "out.jsonl")]) == 0
    assert [record["needs_review"] for record in records(tmp_path / "out.jsonl")] == [True, False]
    assert "1 page below a confidence of 1.0: " in capsys.readouterr().err


def test_a_folder_goes_into_one_output(tmp_path, capsys):
    pages = tmp_path / "pages"
    (pages / "a.vn").mkdir(parents=True)
    for name in ("1.txt", "a.vn/2.txt"):
        (pages / name).write_bytes(SAMPLE.read_bytes())
    (pages / "3.txt").write_bytes(b"\x00\x01\x02" * 100)
    command = ["extract", str(pages), "--output", str(tmp_path / "out.jsonl")]
    assert main(command) == 2
    assert not (tmp_path / "out.jsonl").exists()
    assert main([*command, "--on-error", "skip"]) == 1
    assert "3.txt: looks like a binary file" in capsys.readouterr().err
    assert [record["article"]["title"] for record in records(tmp_path / "out.jsonl")] == [TITLE, TITLE]


def test_a_page_without_an_article_is_reported(tmp_path, capsys):
    (tmp_path / "menu.txt").write_text("Trang chủ\nThời sự\n", encoding="utf-8")
    assert main(["extract", str(tmp_path / "menu.txt"), "--output", str(tmp_path / "out.jsonl")]) == 0
    assert "has no article" in capsys.readouterr().err
    assert "no_article" in records(tmp_path / "out.jsonl")[0]["article"]["flags"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--keep", "body"], "leave out --keep"),
        (["--threshold", "0.5"], "leave out --keep"),
        (["--min-confidence", "2"], "from 0 to 1"),
        (["--as", "text", "--output", "x.parquet"], "--as text writes text"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, capsys):
    assert main(["extract", str(SAMPLE), *options]) == 2
    assert message in capsys.readouterr().err


def test_clean_joins_and_leaves_out_copies(cleaner, sample_page, tmp_path, capsys):
    broken = sample_page.replace("làng Vĩnh Hòa đã", "\nlàng Vĩnh Hòa\n đã", 1)
    (tmp_path / "page.txt").write_text(f"{broken}\f\n{broken}", encoding="utf-8")
    command = ["clean", str(tmp_path / "page.txt"), "--join", "--normalize", "--output", str(tmp_path / "out.txt")]
    assert main(command) == 0
    first, second = (tmp_path / "out.txt").read_text(encoding="utf-8").split("\f")
    assert first == second
    assert "ba lò gốm đầu tiên của làng Vĩnh Hòa đã được nhóm lửa" in first
    assert main(["clean", str(tmp_path / "page.txt"), "--join", "--labels"]) == 2
    (tmp_path / "twice.txt").write_text(sample_page * 2, encoding="utf-8")
    dropped = tmp_path / "dropped.tsv"
    stats = tmp_path / "stats.json"
    command = ["clean", str(tmp_path / "twice.txt"), "--dedupe", "--dropped", str(dropped), "--stats", str(stats)]
    assert main([*command, "--output", str(tmp_path / "once.txt")]) == 0
    counted = json.loads(stats.read_text())["lines"]
    kept = [line for line in (tmp_path / "once.txt").read_text(encoding="utf-8").split("\n") if line]
    assert counted["kept"] == len(kept)
    assert counted["dropped"] == dropped.read_text(encoding="utf-8").count("\n")
    assert (tmp_path / "once.txt").read_text(encoding="utf-8").count(TITLE) == 1
    assert f"title\t{TITLE}\n" in dropped.read_text(encoding="utf-8")
