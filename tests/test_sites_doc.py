"""docs/SITES.md: its first screen is what happens, and its commands and examples run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks, shell

PAGE = (ROOT / "docs" / "SITES.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, sample_page: str) -> Path:
    """Return a folder with the page of the first screen, as text and as records, and the rules."""
    (gone,) = blocks("text", PAGE)
    lines = sample_page.splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if line.startswith("Sáng 4/3"))
    first, second = gone.splitlines(keepends=True)
    page = "".join([*lines[:place], first, *lines[place : place + 1], second, *lines[place + 1 :]])
    (tmp_path / "page.txt").write_text(page, encoding="utf-8")
    (tmp_path / "sites.toml").write_text(blocks("toml", PAGE)[0], encoding="utf-8")
    url = "https://www.bao-bai-song.vn/1.html"
    (tmp_path / "crawl.jsonl").write_text(json.dumps({"id": 1, "url": url, "text": page}) + "\n", encoding="utf-8")
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(page.encode())}\r\n\r\n"
    (tmp_path / "crawl.warc.wet.gz").write_bytes(gzip.compress(head.encode() + page.encode() + b"\r\n\r\n"))
    return tmp_path


def test_the_first_screen_is_what_happens_and_every_command_runs(folder):
    pytest.importorskip("fastwarc")
    done = shell([line for block in blocks("sh", PAGE) for line in block.splitlines()], folder)
    assert done.returncode == 0, done.stderr.decode()
    before, after = ((folder / name).read_text(encoding="utf-8") for name in ("without.txt", "with.txt"))
    (gone,) = blocks("text", PAGE)
    assert [line for line in before.splitlines() if line not in after.splitlines()] == gone.splitlines()
    assert [line for line in before.splitlines() if line and line not in gone.splitlines()] == list(filter(None, after.splitlines()))
    cleaned = json.loads((folder / "clean.jsonl").read_text(encoding="utf-8"))["text"] + "\n"
    assert cleaned == after
    assert after.encode() in gzip.decompress((folder / "clean.warc.wet.gz").read_bytes())
    assert (folder / "crawl.attributes.jsonl").stat().st_size
    assert gone in PAGE[:1500]


def test_the_python_example_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (example,) = blocks("python", PAGE)
    exec(compile(example, "SITES.md", "exec"), {})  # the example is the code under test
    _, general, own = map(int, capsys.readouterr().out.split())
    assert own < general
