"""Labelled pages and their names, from text and records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.cleaner import Cleaner
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.sources import find_inputs
from classifier.io.encoding import Decoding
from classifier.jobs.job import ErrorPolicy, Job
from classifier.jobs.labelling import label_by_page, label_named_pages


def pages_in(cleaner: Cleaner, *paths: Path, **options: object) -> list[tuple[str, list[str]]]:
    """Return the name and the lines of every page."""
    job = Job(cleaner, Options(Decoding(), "\f", "text")._replace(**options), ErrorPolicy())
    found = []
    for names, labels in label_named_pages(job, find_inputs([str(path) for path in paths], None)):
        assert len(labels.offsets) == len(names) + 1
        found += [(name, labels.lines[low:high]) for name, low, high in zip(names, labels.offsets, labels.offsets[1:])]
    return found


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("một\nhai\n", [("", ["một", "hai"])]),
        ("\ufeffmột\r\n\thai\r\n", [("", ["\ufeffmột", "\thai"])]),
        ("", [("", [])]),
        ("\n\n", [("", ["", ""])]),
        ("một\n\fhai\n", [(", page 1", ["một"]), (", page 2", ["hai"])]),
        ("một\fhai\f", [(", page 1", ["một"]), (", page 2", ["hai"])]),
        ("một\f\fba", [(", page 1", ["một"]), (", page 2", []), (", page 3", ["ba"])]),
    ],
)
def test_pages_of_text(cleaner, tmp_path, text, pages):
    path = tmp_path / "trang.txt"
    path.write_bytes(text.encode())
    assert pages_in(cleaner, path) == [(f"{path}{suffix}", lines) for suffix, lines in pages]


def test_other_separators(cleaner, tmp_path):
    path = tmp_path / "trang.txt"
    path.write_text("một\n====\nhai\n\n\nba\n", encoding="utf-8")
    assert [lines for _, lines in pages_in(cleaner, path, separator="====")] == [["một"], ["hai", "", "", "ba"]]
    assert [lines for _, lines in pages_in(cleaner, path, blank_lines=2)] == [["một", "====", "hai", "", ""], ["ba"]]


def test_pages_larger_than_a_chunk_and_batches_of_many(cleaner, tmp_path, composed_pages):
    long = "\n".join(composed_pages) * 2
    (tmp_path / "a.txt").write_text(long, encoding="utf-8")
    (tmp_path / "b.txt").write_text("\f".join(["Trang chủ\n"] * 150), encoding="utf-8")
    found = pages_in(cleaner, tmp_path)
    assert found[0] == (str(tmp_path / "a.txt"), long.split("\n"))
    assert [name for name, _ in found[1:]] == [f"{tmp_path / 'b.txt'}, page {number}" for number in range(1, 151)]


def test_records_are_named_by_number_and_id(cleaner, tmp_path):
    path = tmp_path / "crawl.jsonl"
    records = [{"id": "a1", "text": "một\nhai"}, {"text": ""}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert pages_in(cleaner, path) == [(f'{path}, record 1 (id "a1")', ["một", "hai"]), (f"{path}, record 2", [])]


def test_a_broken_record_is_named(cleaner, tmp_path):
    path = tmp_path / "crawl.jsonl"
    path.write_text('{"text": "một"}\n{broken\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"crawl\.jsonl:2: .*repair"):
        pages_in(cleaner, path)


def test_a_file_that_vanishes_is_named(cleaner, tmp_path):
    path = tmp_path / "trang.txt"
    path.write_text("một\n", encoding="utf-8")
    sources = find_inputs([str(path)], None)
    path.unlink()
    with pytest.raises(FileNotFoundError) as missing:
        list(label_named_pages(Job(cleaner, Options(Decoding(), "\f", "text"), ErrorPolicy()), sources))
    assert missing.value.filename == str(path)


def test_blocks_of_lines_have_the_name_of_their_page(cleaner, tmp_path):
    pytest.importorskip("resiliparse")
    (tmp_path / "a.txt").write_text("một\n\f\fhai\nba\n\f", encoding="utf-8")
    (tmp_path / "b.txt").write_text("", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text('{"text": "bốn"}\n{"text": ""}\n', encoding="utf-8")
    (tmp_path / "d.html").write_text("<p>năm</p>", encoding="utf-8")
    (tmp_path / "e.jsonl").write_text('{"text": "sáu"}\n', encoding="utf-8")
    job = Job(cleaner, Options(Decoding(), "\f", "text"), ErrorPolicy())
    found: dict[str, list[str]] = {}
    for name, lines in label_by_page(job, find_inputs([str(tmp_path)], None)):
        found.setdefault(name.removeprefix(f"{tmp_path}/"), []).extend(line.text for line in lines)
    assert found == {
        "a.txt": ["một"],
        "a.txt, page 3": ["hai", "ba"],
        "b.txt": [],
        "c.jsonl, record 1": ["bốn"],
        "c.jsonl, record 2": [],
        "d.html": ["năm"],
        "e.jsonl, record 1": ["sáu"],
    }
