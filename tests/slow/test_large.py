"""Hostile sizes, with limits on time and memory that allow for a slow machine but not for a wrong algorithm."""

from __future__ import annotations

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


def measured(*args: str) -> int:
    done = subprocess.run([sys.executable, "-c", MEASURED, *args], capture_output=True, cwd=ROOT, timeout=150, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1])


def records(size: int) -> Iterator[bytes]:
    line = json.dumps({"id": 1.10, "text": PAGE}, ensure_ascii=False).encode() + b"\n"
    return (line for _ in range(size // len(line)))


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
