"""`--site-memory` on the command line: learning, saving, bad usage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from classifier import SiteMemory
from classifier.cli import main
from classifier.sites.memory import DEFAULT_PAGES
from tests.classifier.sites.test_memory import PAGES, STANDING
from tests.support.processes import running


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pages").mkdir()
    for number, page in enumerate(PAGES):
        (tmp_path / "pages" / f"{number}.txt").write_text(page, encoding="utf-8")
    return tmp_path


def test_a_folder_is_learned_and_cleaned_with_what_was_learned(folder, cleaner):
    file, out = folder / "site.npz", folder / "out"
    command = ["clean", str(folder / "pages"), "--output-dir", str(out), "--site-memory", str(file)]
    memory = SiteMemory()
    for _ in range(2):
        assert main(command) == 0
        for number, page in enumerate(PAGES):  # sorted by name
            expected = cleaner.remembering(memory).clean_text(page)
            assert (out / f"{number}.txt").read_text(encoding="utf-8") == expected + "\n" * bool(expected)
        saved = SiteMemory.load(file)
        assert (saved.counted, saved.pages) == (memory.counted, memory.pages)
        assert (saved.sketch.cells == memory.sketch.cells).all()
    assert sorted(os.listdir(folder)) == ["out", "pages", "site.npz"]


def test_records_and_pages_of_one_text_count_alike(folder, cleaner):
    records = folder / "crawl.jsonl"
    records.write_text("".join(json.dumps({"text": page}) + "\n" for page in PAGES), encoding="utf-8")
    text = folder / "pages.txt"
    text.write_text("\f".join(PAGES), encoding="utf-8")
    for name, source in (("a", records), ("b", text), ("c", str(folder / "pages" / "*.txt"))):
        assert main(["clean", str(source), "--output", os.devnull, "--site-memory", str(folder / name)]) == 0
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes() == (folder / "c").read_bytes()


@pytest.mark.parametrize("form", ["tsv", "jsonl"])
@pytest.mark.parametrize("name", ["pages.txt", "crawl.jsonl"])
def test_label_remembers_too(folder, capsysbinary, form, name):
    source, file = folder / name, folder / "m.npz.gz"
    for pages, counted in ((PAGES[:4], 4), (PAGES, 9), (PAGES[2:3], 10)):
        as_records = "".join(json.dumps({"text": page}) + "\n" for page in pages)
        source.write_text(as_records if name.endswith("jsonl") else "\f".join(pages), encoding="utf-8")
        assert main(["label", str(source), "--as", form, "--site-memory", str(file)]) == 0
        assert SiteMemory.load(file).counted == counted
        assert capsysbinary.readouterr().out


def test_sites_are_told_apart_without_rules_too(folder, capsys):
    source, file = folder / "crawl.jsonl", folder / "m.npz"
    urls = ["https://a.vn/1.html", "https://www.b.vn/1", "http://a.vn/2", "", "a.vn"]
    source.write_text("".join(json.dumps({"text": page, "url": url}) + "\n" for page, url in zip(PAGES, urls)), encoding="utf-8")
    command = ["clean", str(source), "--output", os.devnull, "--site-memory", str(file), "--site-field", "url"]
    assert main(command) == 0
    assert "1 record has no site in 'url'; it is remembered as a page of no site" in capsys.readouterr().err
    memory = SiteMemory.load(file)
    assert [memory.seen_on(STANDING[0], site) for site in ("a.vn", "b.vn", None, "c.vn")] == [3, 1, 1, 0]
    assert main(["label", *command[1:2], *command[4:], "--site", "c.vn"]) == 0
    assert SiteMemory.load(file).seen_on(STANDING[0], "c.vn") == 1


def test_the_number_of_pages(folder):
    file = folder / "m.npz"
    run = ["clean", str(folder / "pages" / "0.txt"), "--output", os.devnull, "--site-memory", str(file)]
    for more, pages in (([], DEFAULT_PAGES), (["--site-memory-pages", "5"], 5), ([], 5), (["--site-memory-pages", "3"], 3)):
        assert main([*run, *more]) == 0
        assert SiteMemory.load(file).pages == pages


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--site-memory-pages", "3"], "--site-memory"),
        (["--site-memory", "-"], "name a file"),
        (["--site-memory", "m", "--jobs", "2"], "leave out --jobs, or learn first with --site-memory auto"),
        (["--site-memory", "auto", "--site-memory-pages", "0"], "1 to 26"),
        (["--site-memory", "m", "--output-dir", "out", "--resume"], "--resume"),
        (["--site-memory", "m", "--site-memory-pages", "0"], "1 to 26"),
        (["--site-memory", "pages/0.txt"], "the same file as the input"),
        (["--site-memory", "m", "--output", "m"], "the same file"),
        (["--site-memory", "missing/m"], "make it first"),
        (["--site-memory", "pages/1.txt"], "not a site memory"),
        (["--site-memory", "pages"], "not a regular file"),
    ],
)
def test_mistakes(folder, monkeypatch, capsys, more, message):
    monkeypatch.chdir(folder)
    assert main(["clean", "pages/0.txt", *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (folder / "m").exists()
    assert (folder / "pages" / "1.txt").read_text(encoding="utf-8") == PAGES[1]


def test_nothing_is_remembered_of_a_run_that_failed(folder, capsys):
    source, file = folder / "crawl.jsonl", folder / "m.npz"
    source.write_text("".join(json.dumps({"text": page}) + "\n" for page in PAGES) + "{broken\n", encoding="utf-8")
    command = ["clean", str(source), "--output", os.devnull, "--site-memory", str(file)]
    assert main(command) == 2
    assert not file.exists()
    assert main([*command, "--on-error", "skip"]) == 1  # success, with one record left out
    before = file.read_bytes()
    assert main(command) == 2
    assert file.read_bytes() == before
    assert "crawl.jsonl:6" in capsys.readouterr().err


def test_a_stopped_run_saves_no_memory(folder):
    file = folder / "m.npz"
    command = [sys.executable, "-m", "classifier", "clean", "--site-memory", str(file)]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write("\f".join([*PAGES, ""]).encode())
        process.stdin.flush()
        assert process.stdout.readline()  # processing has started
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert not file.exists()


def test_a_later_resume_does_not_take_over_what_a_memory_helped_to_clean(folder, capsys):
    command = ["clean", str(folder / "pages"), "--output-dir", str(folder / "out"), "--summary"]
    assert main([*command, "--site-memory", str(folder / "m")]) == 0
    assert main([*command, "--resume"]) == 0
    assert f"cleaned {len(PAGES)} files, found 0 finished" in capsys.readouterr().err.splitlines()[-1]
