"""Resume journal: an interrupted job continues, and trusts only outputs that it can verify."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.cli import main
from classifier.io.files import SCRATCH
from classifier.jobs.journal import JOURNAL

RECORDS = b'{"text": "m\xe1\xbb\x99t"}\n{"no": 1}\n{"text": "hai", "id": 7}\n'


@pytest.fixture
def inputs(tmp_path, composed_pages) -> list[str]:
    (tmp_path / "in").mkdir()
    for number, page in enumerate(composed_pages[:3]):
        (tmp_path / "in" / f"{number}.txt").write_text(page, encoding="utf-8")
    (tmp_path / "in" / "r.jsonl").write_bytes(RECORDS)
    return sorted(str(path) for path in (tmp_path / "in").iterdir())


@pytest.fixture
def go_on(inputs, tmp_path, capsys):
    """Return a function that runs the job and returns how many files it found finished."""

    def run(*more: str, resume: bool = True) -> int:
        command = ["clean", *inputs, "--output-dir", str(tmp_path / "out"), "--on-error", "skip", "--summary", *more]
        assert main([*command, "--resume"] if resume else command) == 1
        said = capsys.readouterr().err.splitlines()
        assert said[-1] == "tinsach: 3 records in, 2 out, 1 skipped"  # counted even for files finished before
        cleaned, found = (int(word) for word in said[-3].split() if word.isdigit())
        assert cleaned + found == 4
        return found

    return run


def test_an_output_for_each_input(inputs, go_on, tmp_path, cleaner, composed_pages):
    assert go_on(resume=False) == 0
    for number, page in enumerate(composed_pages[:3]):
        assert (tmp_path / "out" / f"{number}.txt").read_text(encoding="utf-8").rstrip("\n") == cleaner.clean_text(page)
    assert [json.loads(line).get("id") for line in (tmp_path / "out" / "r.jsonl").read_bytes().splitlines()] == [None, 7]
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_what_is_finished_is_left_alone(go_on, tmp_path):
    assert go_on() == 0
    before = {path.name: path.stat().st_ino for path in (tmp_path / "out").iterdir()}
    assert go_on() == 4
    assert {path.name: path.stat().st_ino for path in (tmp_path / "out").iterdir()} == before
    assert go_on(resume=False) == 0  # without --resume, everything is done again
    assert go_on() == 4


@pytest.mark.parametrize("option", [["--keep", "body"], ["--threshold", "0.9"], ["--page-separator", "=="], ["--encoding-errors", "skip"]])
def test_other_options_are_another_job(go_on, option):
    assert go_on() == 0
    assert go_on(*option) == 0
    assert go_on(*option) == 4
    assert go_on() == 0


def test_another_format_is_another_job(inputs, tmp_path, capsys):
    for form in ("text", "jsonl", "text"):
        command = ["clean", inputs[-1], "--output-dir", str(tmp_path / "out"), "--on-error", "skip", "--resume", "--summary"]
        main([*command, "--format", form])
        assert "cleaned 1 file, found 0 finished" in capsys.readouterr().err


def test_changed_missing_and_foreign_files_are_done_again(go_on, inputs, tmp_path):
    go_on()
    out = tmp_path / "out"
    want = (out / "1.txt").read_bytes()
    (out / "1.txt").unlink()
    assert go_on() == 3
    (out / "1.txt").write_bytes(b"x" * len(want))
    assert go_on() == 3
    assert (out / "1.txt").read_bytes() == want
    status = os.stat(inputs[1])
    data = Path(inputs[1]).read_bytes()
    Path(inputs[1]).write_bytes(data[:-1] + b"!")
    os.utime(inputs[1], ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same time, other content
    assert go_on() == 3


def test_a_journal_torn_or_scribbled_on_costs_one_file(go_on, tmp_path):
    go_on()
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    for torn, found in ((b"".join(lines)[:-9], 3), (b"".join([b"\xff\0[1]\n{}\n7\n", *lines[1:]]), 3), (b"", 0)):
        journal.write_bytes(torn)
        assert go_on() == found
        assert go_on() == 4


def test_leftovers_are_cleared_away(go_on, tmp_path):
    go_on()
    (tmp_path / "out" / f"{SCRATCH}1-0123").touch()
    (tmp_path / "out" / "mine.txt").touch()
    go_on()
    assert not list((tmp_path / "out").glob(SCRATCH + "*"))
    assert (tmp_path / "out" / "mine.txt").exists()


def test_quarantine_is_whole_after_resuming(inputs, tmp_path, capsys):
    done = subprocess.run([sys.executable, "-c", ""])  # a process that has ended
    dead, alive = (tmp_path / f"{SCRATCH}{number}-00" for number in (2**22 + 1, os.getpid()))
    assert done.returncode == 0
    for _ in range(2):
        dead.touch()
        alive.touch()
        bad = tmp_path / "bad.jsonl"
        assert main(["clean", *inputs, "--output-dir", str(tmp_path / "out"), "--on-error", "quarantine", str(bad), "--resume"]) == 1
        assert capsys.readouterr().err.splitlines()[-1] == f"tinsach: 3 records in, 2 out, 1 put into {bad}"
        assert bad.read_bytes() == RECORDS.splitlines(keepends=True)[1]
        assert (dead.exists(), alive.exists()) == (False, True)
        bad.unlink()


def test_a_failure_keeps_what_was_done(inputs, tmp_path, capsys):
    command = ["clean", *inputs, "--output-dir", str(tmp_path / "out"), "--resume", "--summary"]
    assert main(command) == 2
    assert "r.jsonl:2: no field 'text'" in capsys.readouterr().err
    Path(inputs[3]).write_bytes(RECORDS.replace(b'"no"', b'"text": "a", "no"'))
    assert main(command) == 0
    assert "cleaned 1 file, found 3 finished" in capsys.readouterr().err


def test_two_jobs_do_not_share_a_folder(go_on, inputs, tmp_path, capsys):
    go_on()
    with open(tmp_path / "out" / JOURNAL, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert main(["clean", *inputs, "--output-dir", str(tmp_path / "out"), "--resume"]) == 2
    assert "in use by another tinsach process" in capsys.readouterr().err


def test_an_interrupted_first_run_can_be_resumed(inputs, tmp_path, capsys):
    """The journal is written without --resume too: users ask to resume only after something has failed."""
    assert main(["clean", *inputs, "--output-dir", str(tmp_path / "out")]) == 2
    capsys.readouterr()
    assert main(["clean", *inputs[:3], "--output-dir", str(tmp_path / "out"), "--resume", "--summary"]) == 0
    assert "found 3 finished" in capsys.readouterr().err
