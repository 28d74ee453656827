"""Folder jobs: several processes give the results of one, and leave no files when stopped; progress is shown on terminals only."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.cli import main
from classifier.io.files import SCRATCH
from classifier.jobs.progress import progress
from classifier.jobs.stats import Stats
from tests.support.processes import running, wait_until


@pytest.fixture
def tree(tmp_path, composed_pages) -> Path:
    for number, page in enumerate(composed_pages[:6]):
        path = tmp_path / "in" / str(number % 2) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    records = "".join(json.dumps({"text": page}) + "\n" for page in composed_pages * 5)
    (tmp_path / "in" / "crawl.jsonl").write_text(records + '{"text": 5}\n', encoding="utf-8")
    return tmp_path / "in"


def outputs(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("[!.]*") if path.is_file()}


@pytest.mark.parametrize("more", [(), ("--dropped",)], ids=["files at once", "parts of files"])
@pytest.mark.usefixtures("started_workers")
def test_jobs_change_nothing(tree, tmp_path, more, capsys):
    told = []
    for jobs in ("1", "2"):
        out, stats = tmp_path / f"out{jobs}", tmp_path / f"stats{jobs}"
        extra = [word for option in more for word in (option, str(tmp_path / f"dropped{jobs}"))]
        command = ["clean", str(tree), "--output-dir", str(out), "--jobs", jobs, "--on-error", "skip", "--stats", str(stats), *extra]
        assert main(command) == 1
        told.append({key: value for key, value in json.loads(stats.read_text()).items() if "second" not in key})
    assert outputs(tmp_path / "out1") == outputs(tmp_path / "out2")
    assert len(outputs(tmp_path / "out2")) == 7
    assert told[0] == told[1]
    if more:
        assert (tmp_path / "dropped1").read_bytes() == (tmp_path / "dropped2").read_bytes()
    assert "151 records in, 150 out, 1 skipped" in capsys.readouterr().err
    assert (
        main(["clean", str(tree), "--output-dir", str(tmp_path / "out2"), "--jobs", "2", "--on-error", "skip", "--resume", "--summary"])
        == 1
    )
    assert "cleaned 0 files, found 7 finished" in capsys.readouterr().err


@pytest.mark.usefixtures("started_workers")
def test_one_file_is_cleaned_in_parts(tree, tmp_path):
    for jobs in ("1", "2"):
        command = ["clean", str(tree / "crawl.jsonl"), "--on-error", "skip", "--jobs", jobs, "--output", str(tmp_path / jobs)]
        assert main(command) == 1
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_errors_come_through(tree, tmp_path, capsys):
    assert main(["clean", str(tree), "--output-dir", str(tmp_path / "out"), "--jobs", "2"]) == 2
    assert capsys.readouterr().err.startswith(f"tinsach: {tree / 'crawl.jsonl'}:151: field 'text' is not text; ")
    assert main(["clean", str(tree / "0"), "--output-dir", str(tmp_path / "out"), "--jobs", "0"]) == 2
    assert "jobs" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob(SCRATCH + "*"))


@pytest.fixture
def big_job(tree, tmp_path, composed_pages):
    """A running job of two processes that has begun to write."""
    for name in ("a", "b", "c"):
        (tree / f"{name}.txt").write_text("\f".join(composed_pages * 80), encoding="utf-8")
    where = ["--output-dir", str(tmp_path / "out"), "--jobs", "2"]
    command = [sys.executable, "-m", "classifier", "clean", *map(str, tree.glob("?.txt")), *where]
    with running(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        wait_until(lambda: list((tmp_path / "out").glob(SCRATCH + "*")))
        yield process


def gone(process: subprocess.Popen[bytes]) -> bool:
    """Return whether all processes of a job end within a minute."""
    for _ in range(1200):
        if not subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True).stdout:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_and_leaves_nothing(big_job, tmp_path, number):
    os.killpg(big_job.pid, number) if number == signal.SIGINT else big_job.send_signal(number)  # Ctrl-C reaches all processes
    _, said = big_job.communicate(timeout=60)
    assert (big_job.returncode, said) == (128 + number, b"")
    assert not list((tmp_path / "out").rglob(SCRATCH + "*"))
    assert gone(big_job)


def test_workers_end_with_a_parent_that_is_killed(big_job, tree, tmp_path, composed_pages):
    big_job.kill()
    big_job.communicate(timeout=60)  # returns when the workers, which share its standard error, are gone
    assert gone(big_job)
    for path in tree.glob("?.txt"):  # small, since only names matter from here on
        path.write_text(composed_pages[0], encoding="utf-8")
    assert main(["clean", *map(str, tree.glob("?.txt")), "--output-dir", str(tmp_path / "out"), "--jobs", "2", "--resume"]) == 0
    assert sorted(outputs(tmp_path / "out")) == ["a.txt", "b.txt", "c.txt"]
    assert not list((tmp_path / "out").rglob(SCRATCH + "*"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals(monkeypatch):
    pytest.importorskip("tqdm")
    stats = Stats()
    stats.pages, stats.bytes, stats.chars, stats.dropped_chars = 30, 5_000_000, 100, 40
    for stream, output_on_terminal, shown in ((Terminal(), False, True), (Terminal(), True, False), (io.StringIO(), False, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress(output_on_terminal) as tell:
            time.sleep(0.25)
            tell(stats)
        assert ("30 pages" in stream.getvalue() and "MB/s, 40% dropped" in stream.getvalue()) == shown, stream.getvalue()
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with progress(False) as tell:
        tell(stats)
    assert sys.stderr.getvalue() == ""
