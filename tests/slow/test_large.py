"""Hostile sizes, with limits on time and memory that allow for a slow machine but not for a wrong algorithm."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LINE = "Sáng nay, đoàn thuyền của xã Vĩnh Lộc đã cập bến an toàn sau bốn ngày. ".encode()
PAGE = "\n".join(["Trang chủ", "Thuyền về bến an toàn", *[LINE.decode() * 3] * 20, "Đọc nhiều", "Giá lúa tăng"])
MEGABYTE = 1 << 20

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")]

# Runs the command line and prints its peak memory in megabytes on standard error (ru_maxrss would include the parent's).
MEASURED = """
import re, sys
from classifier.cli import main
status = main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) // 1024, file=sys.stderr)
sys.exit(status)
"""


def measured(*args: str, status: int = 0) -> int:
    done = subprocess.run([sys.executable, "-c", MEASURED, *args], capture_output=True, cwd=ROOT, timeout=150, text=True)
    assert done.returncode == status, done.stderr
    return int(done.stderr.split()[-1])


def records(size: int) -> Iterator[bytes]:
    line = json.dumps({"id": 1.10, "text": PAGE}, ensure_ascii=False).encode() + b"\n"
    return (line for _ in range(size // len(line)))


# A gigabyte as gzip members of 16 MB, between what is before and after it.
def with_a_gigabyte(before: bytes, after: bytes) -> bytes:
    return gzip.compress(before) + gzip.compress(b"x" * (16 * MEGABYTE), 1) * 64 + gzip.compress(after)


def wet_record(size: int) -> bytes:
    return b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: %d\r\n\r\n" % size


@pytest.mark.parametrize("form", ["jsonl.gz", "wet.gz"])
def test_a_record_of_a_gigabyte_is_left_out(tmp_path, form):
    small = json.dumps({"text": PAGE}, ensure_ascii=False).encode()
    path, out, bad = tmp_path / f"in.{form}", tmp_path / "out.jsonl", tmp_path / "bad"
    if form == "wet.gz":
        end = b"\r\n\r\n"
        record = wet_record(len(PAGE.encode())) + PAGE.encode() + end
        path.write_bytes(with_a_gigabyte(record + wet_record(1024 * MEGABYTE), end + record))
    else:
        path.write_bytes(with_a_gigabyte(small + b'\n{"text": "', b'"}\n' + small + b"\n"))
    words = ["clean", str(path), "--output", str(out), "--max-record-size", "8M", "--on-error"]
    assert measured(*words, "quarantine", str(bad), status=1) < 200
    assert out.read_bytes().count(b"\n") == 2
    (entry,) = map(json.loads, bad.read_text(encoding="utf-8").splitlines())
    assert entry["file"] == str(path)
    assert entry["record"] == 2
    assert "1,073,741,8" in entry["reason"]


def test_a_line_of_a_gigabyte_is_refused_by_number(tmp_path):
    (tmp_path / "in.txt.gz").write_bytes(with_a_gigabyte(b"Trang ch\xe1\xbb\xa7\n", b"\n"))
    assert measured("clean", str(tmp_path / "in.txt.gz"), "--max-record-size", "8M", status=2) < 200


def test_a_line_of_64_mb(tmp_path):
    (tmp_path / "in").write_bytes(LINE * (64 * MEGABYTE // len(LINE)) + b"\n")
    peak = measured("clean", "--threshold", "0", str(tmp_path / "in"), "--output", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    assert peak < 600  # the line, its text, and its bytes again


def test_ten_million_blank_lines(tmp_path):
    (tmp_path / "in").write_bytes(b"\n" * 10_000_000)
    assert measured("clean", str(tmp_path / "in"), "--output", str(tmp_path / "out")) < 150
    assert (tmp_path / "out").read_bytes() == b""


def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for size in (2, 20):
        with (tmp_path / "in.jsonl").open("wb") as file:
            file.writelines(records(size * MEGABYTE))
        peaks.append(measured("clean", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out")))
    assert peaks[1] < peaks[0] + 30


def test_memory_does_not_grow_with_the_records_that_are_extracted(tmp_path):
    peaks = []
    for pages in (200, 1600):
        with (tmp_path / "in.jsonl").open("wb") as file:
            file.writelines(islice(records(20 * MEGABYTE), pages))
        peaks.append(measured("extract", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl")))
        assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == pages
    assert peaks[1] < peaks[0] + 10
