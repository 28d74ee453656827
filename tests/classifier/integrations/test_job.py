"""Command line of a distributed job: arguments and exit status, with a loop in place of the engine."""

from __future__ import annotations

import json
import sys

import pytest

from classifier.integrations.job import run
from classifier.sites.memory import SiteMemory

PAGE = {"text": "Trang chủ\nĐọc nhiều"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


def run_job(*argv: object) -> int:
    """Run the command in the folder's parent, its tasks one by one."""
    return run("ray", lambda task, splits: [task(split) for split in splits] and None, list(map(str, argv)))


@pytest.mark.parametrize("name", ["1.jsonl", "1.JSON", "part/1.ndjson"])
def test_names_say_the_format(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(PAGE) + "\n")
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / ".1.jsonl.crc").write_bytes(b"x")
    assert run_job("in", "out") == 0
    assert (folder.parent / "out" / "part-00000.jsonl").read_bytes() == b'{"text": ""}\n'
    assert run_job("in", "out", "--resume") == 0


def test_options(folder, capsys, tmp_path):
    SiteMemory().save(tmp_path / "memory.npz")
    rows = [{"page": "Trang chủ", "site": "a.vn"}, {"page": 1}, {"page": "dài" * 400}]
    (folder / "1.txt").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    options = ("--text-field", "page", "--keep", "nav", "--threshold", 0, "--site-memory", "memory.npz", "--site-field", "site")
    argv = ("in", "out", "--format", "jsonl", *options, "--max-record-size", "1K", "--split-size", "30", "--on-error", "quarantine")
    assert run_job(*argv) == 1
    assert capsys.readouterr().err == f"tinsach: 3 records in, 1 out, 2 put into {tmp_path}/out/_quarantine\n"
    assert b'"page": "Trang ch' in (tmp_path / "out" / "part-00000.jsonl").read_bytes()
    assert run_job("in", "skipped", *argv[2:-1], "skip") == 1
    assert capsys.readouterr().err == "tinsach: 3 records in, 1 out, 2 skipped\n"
    assert run_job(*argv, "--resume") == 1


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["in", "out"], "holds no .jsonl and no .parquet files; give --format"),
        (["both", "out"], "holds both .jsonl and .parquet files; give --format"),
        (["nowhere", "out"], "nowhere: no such folder"),
        (["nowhere", "out", "--format", "jsonl"], "nowhere: no such folder"),
        (["gopher://pages", "out"], "gopher://pages: "),
        (["packed", "out"], "packed/1.jsonl.bz2: compressed in a way that is not read; compress it with gzip or zstd"),
        (["both", "https://bao.vn/out", "--format", "jsonl"], "https://bao.vn/out: HTTP is read only"),
        (["both", "in", "--format", "jsonl"], "in: exists already; name a new folder, remove it, or continue its job with --resume"),
        (["both", "in", "--format", "jsonl", "--resume"], "in: holds no job of this command to resume"),
        (["in", "out", "--format", "jsonl", "--site-memory", "nowhere.npz"], "nowhere.npz"),
        (["in", "out", "--format", "jsonl", "--keep", "artcle"], "unknown label 'artcle'"),
        (["in", "out", "--format", "jsonl", "--model", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_get_one_line_and_status_2(folder, capsys, argv, message):
    (folder / "notes.txt").write_bytes(b"")
    (folder.parent / "both").mkdir()
    (folder.parent / "packed").mkdir()
    (folder.parent / "packed" / "1.jsonl.bz2").write_bytes(b"")
    for name in ("1.jsonl", "1.parquet"):
        (folder.parent / "both" / name).write_bytes(b"")
    assert run("ray", lambda *_: pytest.fail("was started"), argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("tinsach: ")
    assert error.count("\n") == 1
    assert message in error


def test_paths_do_without_fsspec_and_urls_name_the_extra(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    (folder / "1.jsonl").write_text(json.dumps(PAGE) + "\n")
    assert run_job("in", "out") == 0
    for argv in (("s3://minh:bimat@b/in", "new"), ("in", "s3://minh:bimat@b/new")):
        assert run_job(*argv) == 2
        assert "needs fsspec, which is not installed; run: pip install 'tinsach[remote]'" in (said := capsys.readouterr().err)
        assert "bimat" not in said


@pytest.mark.parametrize("option", ["--split-size", "--max-record-size"])
def test_sizes(folder, capsys, option):
    (folder / "1.jsonl").write_text(json.dumps(PAGE) + "\n")
    assert run_job("in", "out", f"{option}=10T") == 2
    assert capsys.readouterr().err == f"tinsach: {option} 10T: give a number of bytes, perhaps with K, M or G, as in 64M\n"
