"""docs/SITES.md: its first example shows what happens, and its commands and examples run."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest

from classifier import SiteMemory
from classifier.sites.page_pass import MOST_LINES
from tests.docs.examples import blocks, commands, run_python, run_shell
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "SITES.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, sample_page: str) -> Path:
    """A folder with the page of the first example, as text and as records, and the rules."""
    (gone,) = blocks("text", PAGE)
    lines = sample_page.splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if line.startswith("Sáng 4/3"))
    first, second = gone.splitlines(keepends=True)
    page = "".join([*lines[:place], first, *lines[place : place + 1], second, *lines[place + 1 :]])
    (tmp_path / "page.txt").write_text(page, encoding="utf-8")
    (tmp_path / "sites.toml").write_text(blocks("toml", PAGE)[0], encoding="utf-8")
    url = "https://www.bao-bai-song.vn/1.html"
    (tmp_path / "crawl.jsonl").write_text(json.dumps({"id": 1, "url": url, "text": page}) + "\n", encoding="utf-8")
    (tmp_path / "pages").mkdir()
    for number, craft in enumerate(("gốm", "giấy")):
        (tmp_path / "pages" / f"{number}.txt").write_text(sample_page.replace("gốm", craft), encoding="utf-8")
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(page.encode())}\r\n\r\n"
    (tmp_path / "crawl.warc.wet.gz").write_bytes(gzip.compress(head.encode() + page.encode() + b"\r\n\r\n"))
    return tmp_path


def test_the_first_example_shows_what_happens_and_every_command_runs(folder):
    pytest.importorskip("fastwarc")
    done = run_shell(commands(PAGE), folder)
    assert done.returncode == 0, done.stderr.decode()
    before, after = ((folder / name).read_text(encoding="utf-8") for name in ("without.txt", "with.txt"))
    (gone,) = blocks("text", PAGE)
    assert [line for line in before.splitlines() if line not in after.splitlines()] == gone.splitlines()
    assert [line for line in before.splitlines() if line and line not in gone.splitlines()] == list(filter(None, after.splitlines()))
    cleaned = json.loads((folder / "clean.jsonl").read_text(encoding="utf-8"))["text"] + "\n"
    assert cleaned == after
    assert after.encode() in gzip.decompress((folder / "clean.warc.wet.gz").read_bytes())
    assert (folder / "crawl.attributes.jsonl").stat().st_size
    assert len(list((folder / "clean-by-profile").glob("*.txt"))) == 2
    assert gone in PAGE[:1500]


def test_the_example_of_rules_runs(folder):
    example, _, _ = blocks("python", PAGE)
    done = run_python(example, folder, {"PYTHONWARNINGS": "error"})
    assert done.returncode == 0, done.stderr
    _, general, own = map(int, done.stdout.split())
    assert own < general


def test_the_example_of_a_memory_runs(folder):
    _, example, _ = blocks("python", PAGE)
    done = run_python(example, folder, {"PYTHONWARNINGS": "error"})
    assert done.returncode == 0, done.stderr
    *articles, counts = done.stdout.splitlines()
    assert len(articles) == 2
    assert counts == "2 0 0.000000"
    assert SiteMemory.load(folder / "bai-song.npz.gz").counted == 2


def test_the_example_of_a_profile_runs(folder):
    run_shell([line for line in commands(PAGE) if line.startswith("tinsach profile")], folder)
    done = run_python(blocks("python", PAGE)[2], folder, {"PYTHONWARNINGS": "error"})
    assert done.returncode == 0, done.stderr
    site, counted, characters = done.stdout.split()
    assert (site, counted) == ("bao-bai-song.vn", "2")
    assert int(characters) > 100


def test_the_size_and_error_of_a_memory_are_those_stated():
    assert SiteMemory().sketch.cells.nbytes == 16 << 20
    for lines, error, stated in ((50_000, 0.00007, ".00007 for 50,000"), (100_000, 0.001, ".001\n  for 100,000")):
        assert (1 - math.exp(-lines / 524_288)) ** 4 == pytest.approx(error, rel=0.2)
        assert stated in PAGE
    assert f"the first {MOST_LINES:,} count" in PAGE
