"""Input splits: every line belongs to one of them, whatever their size."""

from __future__ import annotations

import pytest

from classifier.formats.size_limit import lines_within
from classifier.integrations.splits import Split, SplitSource, splits_of
from classifier.io.listing import FileEntry, files_below

LINES = [b"a", b"", b"b" * 9, b"\r", b"c" * 70_000, "d\u2028\x85".encode(), b"e" * 10, b"last"]


def lines_in(splits: list[Split], limit: int = 1 << 20) -> list[tuple[bytes, int]]:
    """Return the lines of splits and their sizes, as readers read them; of those beyond the limit, the beginning."""
    lines = []
    for split in splits:
        with SplitSource.of(split, "jsonl").open() as file:
            lines += lines_within(file, limit)
    return lines


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 11, 12, 65_536, 70_013, 70_014, 10**6])
def test_every_line_is_in_one_split(tmp_path, size, end):
    content = b"\n".join(LINES) + end
    (tmp_path / "in.jsonl").write_bytes(content)
    splits = splits_of(files_below(str(tmp_path)), "jsonl", size)
    assert [split.number for split in splits] == list(range(len(splits)))
    for limit in (9, 1 << 20):
        whole = [line + b"\n" for line in LINES[:-1]] + [LINES[-1] + end]
        assert lines_in(splits, limit) == [(line[: limit + 1], len(line)) for line in whole]


def test_compressed_and_parquet_files_stay_whole():
    files = [FileEntry("a.jsonl.gz", 100, 0), FileEntry("b.jsonl", 20, 0), FileEntry("c.jsonl", 0, 0)]
    assert [split[1:] for split in splits_of(files, "jsonl", 10)] == [
        ("a.jsonl.gz", 0, 100), ("b.jsonl", 0, 10), ("b.jsonl", 10, 20), ("c.jsonl", 0, 0),
    ]  # fmt: skip
    assert len(splits_of([FileEntry("a.parquet", 100, 0)], "parquet", 10)) == 1
    assert len(splits_of([FileEntry("https://example.vn/a.jsonl", 100, "")], "jsonl", 10)) == 1
