"""Records above `--max-record-size`: left out by number in every format, and the records around them stay."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from classifier.cli import main
from classifier.formats.size_limit import lines_within
from tests.support.paths import CASES

PAGE = (CASES / "sample_page.txt").read_text(encoding="utf-8")
SMALL, LARGE = json.dumps({"text": PAGE}, ensure_ascii=False), json.dumps({"text": PAGE * 3, "more": [{"a": '\\"]}'}]}, ensure_ascii=False)
LIMIT = len(PAGE.encode()) * 2


def wet(text: str) -> bytes:
    data = text.encode()
    return b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n" % (len(data), data)


def warc(text: str) -> bytes:
    """Return a response that is small as it lies in the archive, and has the length of its text when it is unpacked."""
    body = gzip.compress(b"<p>" + text.encode())
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http;msgtype=response\r\n"
    return head + b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(http), http)


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"\n'


def table(*texts: str) -> bytes:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": texts}), file)
    return file.getvalue()


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "wet", "warc", "parquet"])
def test_a_large_record_is_left_out_by_number(tmp_path, capsys, form):
    if form in ("wet", "warc"):
        pytest.importorskip("fastwarc")
    data = {
        "jsonl": lambda: f"{SMALL}\n{LARGE}\n{SMALL}".encode(),
        "json": lambda: f"[{SMALL}, {LARGE},\n{SMALL}]".encode(),
        "csv": lambda: ("text\n" + cell(PAGE) + cell(PAGE * 3) + cell(PAGE)).encode(),
        "wet": lambda: wet(PAGE) + wet(PAGE * 3) + wet(PAGE),
        "warc": lambda: warc(PAGE) + warc(PAGE * 3) + warc(PAGE),
        "parquet": lambda: table(PAGE, PAGE * 3, PAGE),
    }[form]()
    path, out, bad = tmp_path / f"in.{form}", tmp_path / "out.jsonl", tmp_path / "bad"
    path.write_bytes(data)
    words = ["clean", str(path), "--output", str(out), "--max-record-size", str(LIMIT)]
    assert main([*words, "--on-error", "quarantine", str(bad)]) == 1
    assert out.read_bytes().count(b"\n") == 2
    assert json.loads(bad.read_text(encoding="utf-8"))["file"] == str(path)
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"{path}:" in said
    assert "--max-record-size" in said
    assert main([*words[:-1], "1M"]) == 0


@pytest.mark.parametrize("name", ["page.txt", "page.html", "page.csv"])
def test_a_long_line_or_page_is_refused_with_its_file(tmp_path, capsys, name):
    pytest.importorskip("resiliparse")
    (tmp_path / name).write_text("text\n" + "dài " * 30_000, encoding="utf-8")
    assert main(["clean", str(tmp_path / name), "--max-record-size", "100k"]) == 2
    said = capsys.readouterr().err
    assert f"tinsach: {tmp_path / name}" in said
    assert "102,400 of --max-record-size" in said
    assert main(["clean", str(tmp_path / name)]) == 0


@pytest.mark.parametrize("name", ["page.txt", "page.csv"])
def test_a_limit_counts_bytes_wherever_the_chunks_end(tmp_path, name):
    line = "à" * 300
    (tmp_path / name).write_text(f"text\n{line}\n", encoding="utf-8")
    assert [main(["clean", str(tmp_path / name), "--max-record-size", size]) for size in ("602", "500")] == [0, 2]


def test_the_limit_of_a_csv_cell_is_that_of_the_record(tmp_path, monkeypatch):
    monkeypatch.setattr("classifier.formats.delimited._CSV_LIMIT", 1 << 17)
    (tmp_path / "page.csv").write_text("text\n" + "dài " * 60_000, encoding="utf-8")
    before = csv.field_size_limit(1 << 17)
    assert main(["clean", str(tmp_path / "page.csv"), "--max-record-size", "1M"]) == 0
    csv.field_size_limit(before)


@pytest.mark.parametrize("size", ["0", "64MB", "-1", "1.5G", "M", "many"])
def test_a_size_is_a_number_of_bytes(size, capsys):
    assert main(["clean", str(CASES / "sample_page.txt"), f"--max-record-size={size}"]) == 2
    assert "--max-record-size" in capsys.readouterr().err


def test_lines_are_cut_at_the_limit_and_counted_whole():
    data = b"abc\n" + b"x" * 3_000_000 + b"\nabcd\nabcde\nend"
    assert [(line[:5], size) for line, size in lines_within(io.BytesIO(data), 4)] == [
        (b"abc\n", 4), (b"xxxxx", 3_000_001), (b"abcd\n", 5), (b"abcde", 6), (b"end", 3),
    ]  # fmt: skip
