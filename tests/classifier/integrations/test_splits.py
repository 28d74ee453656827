"""Input splits: every line belongs to one of them, whatever their size."""

from __future__ import annotations

import pytest

pytest.importorskip("pyarrow")
from pyarrow import fs

from classifier.errors import InputError
from classifier.formats.size_limit import lines_within
from classifier.integrations.splits import Split, SplitSource, splits_of
from classifier.integrations.storage import FileEntry, compression_of, file_system, folder_at

LINES = [b"a", b"", b"b" * 9, b"\r", b"c" * 70_000, "d\u2028\x85".encode(), b"e" * 10, b"last"]


def lines_in(splits: list[Split], limit: int = 1 << 20) -> list[tuple[bytes, int]]:
    """Return the lines of splits and their sizes, as readers read them; of those beyond the limit, the beginning."""
    lines = []
    for split in splits:
        with SplitSource.of(split, "jsonl", fs.LocalFileSystem()).open() as file:
            lines += lines_within(file, limit)
    return lines


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 11, 12, 65_536, 70_013, 70_014, 10**6])
def test_every_line_is_in_one_split(tmp_path, size, end):
    content = b"\n".join(LINES) + end
    (tmp_path / "in.jsonl").write_bytes(content)
    splits = splits_of(folder_at(str(tmp_path)).files(), "jsonl", size)
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
    assert [compression_of(name) for name in ("a.ZST", "b.bz2", "c")] == ["zstd", "bz2", None]


def test_addresses_that_no_library_knows_are_refused():
    with pytest.raises(InputError, match=r"^gopher://a/b: neither pyarrow \(.*\) nor fsspec \(.*\) opens it; correct the address"):
        file_system("gopher://a/b")


def test_an_output_that_fails_leaves_nothing_and_the_old_one_stays(tmp_path):
    folder = folder_at(str(tmp_path / "out"))
    folder.write("part", b"old")
    with pytest.raises(TypeError), folder.output("part") as out:
        out.write("no bytes")
    assert folder.read("part") == b"old"
    with folder.output("nothing", always=False):
        pass
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["part"]
