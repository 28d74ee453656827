"""`tinsach clean --site-memory auto`: two passes over files, records and archives, the same in any order and number of processes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier import InputError, SiteMemory
from classifier.cleaner import Cleaner
from classifier.cli import main
from classifier.formats.sources import Source
from classifier.jobs.site_pass import site_field_of, with_folder_sites
from tests.classifier.sites.test_memory import ARTICLES, PAGES

NOTICE = "Loạt bài này được thực hiện với sự hỗ trợ của Quỹ Phát triển Báo chí Miền Trung."
MARKED = [page.replace(f"\n{text}\n", f"\n{text}\n{NOTICE}\n") for page, (_, text) in zip(PAGES, ARTICLES)]


@pytest.fixture
def expected(cleaner: Cleaner) -> Callable[..., list[str]]:
    """Return a function that cleans pages as two passes should, each group of pages being a site."""

    def clean(*sites: list[str]) -> list[str]:
        memory = SiteMemory()
        for number, pages in enumerate(sites):
            memory.add(cleaner.at(f"s{number}").learned_pages(pages))
        judges = [cleaner.at(f"s{number}").remembering(memory, learn=False) for number in range(len(sites))]
        return [text for judge, pages in zip(judges, sites) for text in judge.clean_pages(pages)]

    return clean


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one folder of pages for each of two sites."""
    monkeypatch.chdir(tmp_path)
    for number, page in enumerate(MARKED):
        place = tmp_path / "pages" / ("a.vn" if number < 3 else "b.vn")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(page, encoding="utf-8")
    return tmp_path


def texts_in(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8").removesuffix("\n") for path in sorted(folder.rglob("*.txt"))]


def write_records(path: Path, pages: list[str], sites: list[str]) -> None:
    rows = [{"id": number, "url": f"https://{site}/{number}.html" if site else None, "text": page}
            for number, (page, site) in enumerate(zip(pages, sites))]  # fmt: skip
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def cleaned_records(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.usefixtures("started_workers")
def test_folders_are_sites(folder, expected, jobs):
    assert main(["clean", "pages", "--output-dir", "out", "--site-memory", "auto", "--jobs", jobs]) == 0
    texts = texts_in(folder / "out")
    assert texts == expected(MARKED[:3], MARKED[3:])
    assert not any(NOTICE in text for text in texts[:3])
    for text, (title, paragraph) in zip(texts, ARTICLES):
        assert title in text
        assert paragraph in text


def test_pages_of_one_text_and_a_named_site(folder, expected):
    Path("pages.txt").write_text("\f".join(MARKED), encoding="utf-8")
    for more in ([], ["--site", "c.vn"]):
        assert main(["clean", "pages.txt", "--output", "out.txt", "--site-memory", "auto", *more]) == 0
        assert Path("out.txt").read_text(encoding="utf-8").split("\f") == [text + "\n" for text in expected(MARKED)]
    assert main(["clean", "pages", "--output-dir", "out", "--site", "c.vn", "--site-memory", "auto"]) == 0
    assert texts_in(folder / "out") == expected(MARKED)


def test_records_are_grouped_by_the_host_of_their_url_in_any_order(folder, expected):
    first, second = expected(MARKED[:3], MARKED[3:])[:3], expected(MARKED[:3], MARKED[3:])[3:]
    sites = ["a.vn"] * 3 + ["www.B.vn"] * 2
    for order in (range(5), [4, 1, 3, 0, 2]):
        write_records(Path("crawl.jsonl"), [MARKED[number] for number in order], [sites[number] for number in order])
        assert main(["clean", "crawl.jsonl", "--output", "out.jsonl", "--site-memory", "auto"]) == 0
        assert cleaned_records(Path("out.jsonl")) == [[*first, *second][number] for number in order]


def test_records_without_a_url_belong_to_the_site_of_their_folder(folder, expected, capsys):
    write_records(Path("crawl.jsonl"), MARKED, [""] * 5)
    assert main(["clean", "crawl.jsonl", "--output", "out.jsonl", "--site-memory", "auto", "--summary"]) == 0
    assert cleaned_records(Path("out.jsonl")) == expected(MARKED)
    error = capsys.readouterr().err
    assert "5 records have no site in 'url'; they are remembered as pages of the site of their folder" in error
    assert "learned 5 pages for the site memory" in error


def test_parquet_and_archives(folder, expected):
    pa, _ = pytest.importorskip("pyarrow"), pytest.importorskip("fastwarc")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"url": ["https://a.vn/1"] * 5, "text": MARKED}), "crawl.parquet")
    assert main(["clean", "crawl.parquet", "--output", "out.parquet", "--site-memory", "auto"]) == 0
    assert pq.read_table("out.parquet")["text"].to_pylist() == expected(MARKED)
    head = "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://a.vn/1\r\nContent-Length: {}\r\n\r\n"
    records = [f"{head.format(len(page.encode()))}{page}\r\n\r\n" for page in MARKED]
    Path("crawl.wet").write_bytes("".join(records).encode())
    assert main(["clean", "crawl.wet", "--output", "out.wet", "--site-memory", "auto"]) == 0
    content = Path("out.wet").read_bytes().decode()
    assert all(text in content for text in expected(MARKED))
    assert NOTICE not in content


def test_a_crawl_that_holds_each_page_twice(folder, cleaner):
    """The second copy is no evidence: with one article on its site, nothing changes."""
    write_records(Path("crawl.jsonl"), [MARKED[0], MARKED[1]] * 2, ["a.vn", "b.vn"] * 2)
    assert main(["clean", "crawl.jsonl", "--output", "out.jsonl", "--site-memory", "auto"]) == 0
    assert cleaned_records(Path("out.jsonl")) == [cleaner.clean_text(page) for page in [MARKED[0], MARKED[1]] * 2]


@pytest.mark.usefixtures("started_workers")
def test_resume_takes_over_what_the_same_pages_taught(folder, capsys):
    command = ["clean", "pages", "--output-dir", "out", "--site-memory", "auto", "--resume", "--summary"]
    assert main(command) == 0
    before = texts_in(folder / "out")
    (folder / "out" / "a.vn" / "0.txt").unlink()
    for jobs, found in (("1", 4), ("2", 5)):
        assert main([*command, "--jobs", jobs]) == 0
        assert f"found {found} finished" in capsys.readouterr().err
        assert texts_in(folder / "out") == before
    (folder / "pages" / "a.vn" / "9.txt").write_text(MARKED[4], encoding="utf-8")  # another page, so another memory
    assert main(command) == 0
    assert "found 0 finished" in capsys.readouterr().err


def test_stats_and_dropped_lines_are_those_of_the_second_pass(folder):
    command = ["clean", "pages", "--output-dir", "out", "--site-memory", "auto", "--stats", "stats.json", "--dropped", "dropped.tsv"]
    assert main(command) == 0
    stats = json.loads(Path("stats.json").read_text(encoding="utf-8"))
    assert (stats["files"], stats["pages"]) == (5, 5)
    assert stats["lines"]["kept"] == sum(len([line for line in text.splitlines() if line]) for text in texts_in(folder / "out"))
    assert Path("dropped.tsv").read_text(encoding="utf-8").count(NOTICE) >= 3


@pytest.mark.parametrize("policy", [["fail"], ["skip"], ["quarantine", "bad.jsonl"]])
def test_bad_records_and_files(folder, expected, capsys, policy):
    Path("in").mkdir()
    write_records(Path("in/crawl.jsonl"), MARKED, ["a.vn"] * 5)
    with open("in/crawl.jsonl", "a", encoding="utf-8") as file:
        file.write("{broken\n")
    Path("in/other.jsonl").write_bytes(b"\0\1\2" * 100)
    command = ["clean", "in", "--output-dir", "out", "--site-memory", "auto", "--on-error", *policy]
    assert main(command) == (2 if policy == ["fail"] else 1)
    error = capsys.readouterr().err
    assert error.count("crawl.jsonl:6" if policy == ["fail"] else "1 left out") == 1
    if policy == ["fail"]:
        assert not Path("out/crawl.jsonl").exists()
        return
    assert cleaned_records(Path("out/crawl.jsonl")) == expected(MARKED)
    if policy[0] == "quarantine":
        assert Path("bad.jsonl").read_text(encoding="utf-8").splitlines()[0] == "{broken"


def test_what_can_be_read_only_once_is_refused(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(MARKED[0].encode())))
    os.mkfifo("pipe.txt")
    for source in ("-", "pipe.txt"):
        assert main(["clean", source, "--output", "out.txt", "--site-memory", "auto"]) == 2
        error = capsys.readouterr().err
        assert "can be read only once; save it to a file" in error
        assert "--site-memory FILE" in error
        assert not Path("out.txt").exists()
    assert main(["label", "pages/a.vn/0.txt", "--site-memory", "auto"]) == 2
    assert "an option of tinsach clean" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_made_is_reported_before_the_first_pass(folder, capsys):
    Path("file").touch()
    for target, message in (("no/such", "No such file"), ("file", "not a folder")):
        assert main(["clean", "pages", "--output-dir", target, "--site-memory", "auto", "--summary"]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert "learned" not in error


def test_where_a_site_is_named():
    sources = [
        Source("/x/in/a.vn/2024/1.txt", "text", "a.vn/2024/1.txt"),
        Source("/x/in/1.txt", "text", "1.txt"),
        Source("/x/b/1.html", "html"),
    ]
    assert [source.site for source in with_folder_sites(sources)] == ["a.vn", "in", "b"]
    assert [site_field_of([Source("x", form)]) for form in ("text", "html", "jsonl", "parquet", "warc")] == [
        None, None, "url", "url", "WARC-Target-URI",
    ]  # fmt: skip
    with pytest.raises(InputError, match="a run of its own"):
        site_field_of([Source("a.jsonl", "jsonl"), Source("a.warc", "warc")])
