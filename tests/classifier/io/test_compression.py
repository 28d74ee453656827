"""gzip and zstd by suffix, reading and writing; a truncated or damaged file is an error, never a shorter text."""

from __future__ import annotations

import gzip
import io
import json
import sys

import pytest

from classifier.cli import main
from classifier.errors import InputError
from classifier.io.compression import open_decompressed
from classifier.io.files import atomic_write

DATA = "Sáng nay trời nắng.\n".encode() * 20_000


def compressed(suffix: str, data: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    return pytest.importorskip("zstandard").compress(data)


SUFFIXES = pytest.mark.parametrize("suffix", [".gz", ".zst", ".GZ"])


@SUFFIXES
def test_reading_and_writing(tmp_path, suffix):
    path = tmp_path / f"page.txt{suffix}"
    path.write_bytes(compressed(suffix.lower(), DATA[:99]) + compressed(suffix.lower(), DATA[99:]))  # two members, as in crawls
    with open_decompressed(str(path)) as file:
        assert b"".join(file) == DATA
    with atomic_write(path) as out:
        for start in range(0, len(DATA), 70_000):
            out.write(DATA[start : start + 70_000])
    assert path.stat().st_size < len(DATA) / 10
    with open_decompressed(str(path)) as file:
        assert file.read() == DATA
    first = path.read_bytes()
    with atomic_write(path) as out:
        out.write(DATA)
    assert path.read_bytes() == first  # no timestamp


@SUFFIXES
def test_cut_or_damaged(tmp_path, suffix):
    path = tmp_path / f"page.txt{suffix}"
    whole = compressed(suffix.lower(), DATA)
    for data in (whole[:-1], whole[: len(whole) // 2], whole[:3], b"", whole + b"more", b"no such thing", whole[:-9] + b"\xff" * 9):
        path.write_bytes(data)
        with open_decompressed(str(path)) as file, pytest.raises(InputError, match=r"page.txt.*: damaged or cut"):
            file.read()


@SUFFIXES
def test_a_failure_leaves_no_file(tmp_path, suffix):
    compressed(suffix.lower(), b"")
    with pytest.raises(TypeError), atomic_write(tmp_path / f"out{suffix}") as out:
        out.write([*DATA])
    assert list(tmp_path.iterdir()) == []


def test_a_decompression_bomb_is_read_in_pieces(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "bomb.zst"
    path.write_bytes(zstandard.compress(bytes(300 << 20), 19))
    largest = 0
    with open_decompressed(str(path)) as file:
        raw = file.raw
        while piece := raw._decompress() if raw._input else raw.read(1):
            largest = max(largest, len(piece), len(raw._output))
            raw._output = raw._output[:0]
            raw._input = raw._input or raw._file.read(1 << 10)
    assert largest <= 32 << 20


def test_a_missing_zstandard_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "a.txt.zst").touch()
    assert main(["clean", str(tmp_path / "a.txt.zst")]) == 2
    assert "needs zstandard, which is not installed; run: pip install 'tinsach[zstd]'" in capsys.readouterr().err


@SUFFIXES
def test_the_command_line_reads_and_writes_compressed_files(tmp_path, cleaner, sample_page, suffix, capsysbinary):
    path = tmp_path / f"crawl.jsonl{suffix}"
    record = json.dumps({"text": sample_page}).encode() + b"\n"
    path.write_bytes(compressed(suffix.lower(), record * 3))
    out, dropped = tmp_path / f"clean.jsonl{suffix}", tmp_path / f"dropped{suffix}"
    assert main(["clean", str(path), "--output", str(out), "--dropped", str(dropped)]) == 0
    with open_decompressed(str(out)) as file:
        assert [json.loads(line)["text"] for line in file] == [cleaner.clean_text(sample_page)] * 3
    with open_decompressed(str(dropped)) as file:
        assert file.readline() == "nav\tTrang chủ\n".encode()
    capsysbinary.readouterr()
    assert main(["label", str(path)]) == 0
    assert capsysbinary.readouterr().out.startswith(b"nav\t")


def test_files_without_the_suffix_are_not_compressed(tmp_path):
    with atomic_write(tmp_path / "out.txt") as out:
        out.write(DATA)
    with open_decompressed(str(tmp_path / "out.txt")) as file:
        assert file.read() == DATA
        assert isinstance(file, io.BufferedReader)
