"""Command line of a distributed job: parsed arguments, with a stub in place of the engine."""

from __future__ import annotations

import pytest

import classifier
from classifier.integrations.job import FolderJob, run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def parsed_job(*argv: object) -> FolderJob:
    jobs: list[FolderJob] = []
    assert run("ray", jobs.append, list(map(str, argv))) == 0
    return jobs[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("1.jsonl", "jsonl"), ("1.jsonl.gz", "jsonl"), ("1.JSON", "jsonl"), ("part/1.ndjson", "jsonl"), ("part-0.snappy.parquet", "parquet")],
)
def test_names_say_the_format(folder, name, kind):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    (folder / "_SUCCESS").write_bytes(b"")
    assert parsed_job(folder, "out") == FolderJob(str(folder), "out", kind, "text", classifier.load().recipe)


def test_options(folder):
    options = ("--format", "parquet", "--text-field", "content", "--keep", "title,caption", "--threshold", "0.25")
    assert parsed_job("s3://pages/in", "s3://pages/out", *options) == FolderJob(
        "s3://pages/in", "s3://pages/out", "parquet", "content", classifier.load(keep="title,caption", threshold=0.25).recipe
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["in", "out"], "holds no .jsonl and no .parquet files; give --format"),
        (["both", "out"], "holds both .jsonl and .parquet files; give --format"),
        (["nowhere", "out"], "nowhere: no such folder"),
        (["s3://pages", "out"], "URLs are not inspected; give --format jsonl or --format parquet"),
        (["in", "in", "--format", "jsonl"], "in: exists already; name a new folder"),
        (["in", "out", "--format", "jsonl", "--keep", "artcle"], "unknown label 'artcle'"),
        (["in", "out", "--format", "jsonl", "--model", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_get_one_line_and_status_2(folder, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "both").mkdir()
    for name in ("1.jsonl", "1.parquet"):
        (folder.parent / "both" / name).write_bytes(b"")
    assert run("ray", lambda job: pytest.fail("was started"), argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("tinsach: ")
    assert error.count("\n") == 1
    assert message in error
