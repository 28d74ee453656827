"""Memory of a worker of a distributed job: flat, whatever the size of a split, and bounded by the limit of a record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytest.importorskip("pyarrow")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")]

WORKER = """
import re, sys
from classifier.integrations.folder import folder_job
from classifier.integrations.split_job import clean_split
from classifier.integrations.splits import splits_of
from classifier.io.listing import files_below
source, target, limit = sys.argv[1:]
job = folder_job(source, target, form="jsonl", on_error="quarantine", max_record_size=int(limit))
for split in splits_of(files_below(source), job.format, 1 << 40):
    clean_split(job, split)
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) >> 10)
"""
GROWTH = 30  # MB that allocators and larger batches may take


def peak(source: Path, limit: int = 1 << 20) -> int:
    """Clean a folder as one split for each file, in a process of its own; return its peak memory in MB."""
    target = source.with_name(f"{source.name}-out")
    command = [sys.executable, "-c", WORKER, str(source), str(target), str(limit)]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def write(folder: Path, records: list[bytes], copies: int) -> Path:
    folder.mkdir()
    with open(folder / "in.jsonl", "wb") as file:
        for _ in range(copies):
            file.writelines(records)
    return folder


@pytest.fixture
def records(composed_pages) -> list[bytes]:
    return [json.dumps({"text": page}, ensure_ascii=False).encode() + b"\n" for page in composed_pages]


def test_memory_does_not_grow_with_the_split(tmp_path, records):
    copies = (2 << 20) // sum(map(len, records))
    small, large = (peak(write(tmp_path / name, records, copies * times)) for name, times in (("small", 1), ("large", 8)))
    print(f"peak memory of a split of 2 MB: {small} MB, of 16 MB: {large} MB")
    assert large < small + GROWTH


def test_a_record_of_a_gigabyte_among_small_ones_is_named(tmp_path, records):
    small = peak(write(tmp_path / "small", records, 1))
    source = write(tmp_path / "large", records, 1)
    with open(source / "in.jsonl", "ab") as file:
        file.write(b'{"text": "')
        for _ in range(1 << 10):
            file.write(b"d" * (1 << 20))
        file.write(b'"}\n')
        file.writelines(records)
    large = peak(source)
    print(f"peak memory without the record: {small} MB, with it: {large} MB")
    assert large < small + GROWTH
    (entry,) = map(json.loads, (tmp_path / "large-out" / "_quarantine" / "part-00000.jsonl").read_bytes().splitlines())
    size = (1 << 30) + len('{"text": ""}\n')
    assert (entry["record"], entry["reason"]) == (len(records) + 1, f"{size:,} bytes, more than the 1,048,576 of --max-record-size")
    clean = [tmp_path / f"{name}-out" / "part-00000.jsonl" for name in ("small", "large")]
    assert clean[1].read_bytes() == clean[0].read_bytes() * 2
