"""`--resume` under kill -9: at any moment files are whole or absent, no work is repeated, and the result is the same.

The short run is part of `make test`, the long one of `make test-slow`.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.io.files import SCRATCH
from classifier.jobs.journal import JOURNAL
from tests.support.paths import ROOT

FILES = 10
BROKEN = b'{"text": 5}\n'


@pytest.fixture
def job(tmp_path, composed_pages) -> list[str]:
    """Return the command of a job on files of two formats, some with bad records."""
    (tmp_path / "in").mkdir()
    for number in range(FILES):
        pages = (composed_pages[number:] + composed_pages[:number])[:6]
        name, data = f"{number}.txt", "\f".join(pages).encode()
        if number % 2:
            name, data = f"{number}.jsonl", b"".join(json.dumps({"id": i, "text": page}).encode() + b"\n" for i, page in enumerate(pages))
            data += BROKEN * (number % 3)
        (tmp_path / "in" / name).write_bytes(data)
    inputs = sorted(str(path) for path in (tmp_path / "in").iterdir())
    return [sys.executable, "-m", "classifier", "clean", *inputs, "--on-error", "quarantine", str(tmp_path / "bad")]


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*") if not path.name.startswith(".tinsach-")}


def finished(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and modification time of the outputs that the journal lists as done."""
    if not (folder / JOURNAL).exists():
        return {}
    names = [json.loads(line)["name"] for line in (folder / JOURNAL).read_bytes().splitlines() if line.endswith(b"}")]
    return {name: ((folder / name).stat().st_ino, (folder / name).stat().st_mtime_ns) for name in names}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 1  # some records are bad
    return time.perf_counter() - start


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_any_moment(job, tmp_path, kills):
    seed = random.Random(kills)
    command = [*job, "--output-dir", tmp_path / "whole"]
    _, whole, nothing = seconds(command), seconds(command), seconds([*command, "--resume"])
    want, want_bad = outputs(tmp_path / "whole"), (tmp_path / "bad").read_bytes()
    assert len(want) == FILES
    assert want_bad == BROKEN * 4

    killed = rounds = amid = 0
    while killed < kills:
        rounds += 1
        folder = tmp_path / f"round{rounds}"
        (tmp_path / "bad").unlink()
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            before = finished(folder)
            process = subprocess.Popen([*job, "--output-dir", folder, "--resume"], cwd=ROOT, stderr=subprocess.PIPE)
            time.sleep(seed.uniform(0.7 * nothing, nothing + 0.4 * (whole - nothing)))
            if killed < kills:
                process.kill()
            message = process.communicate(timeout=60)[1].decode()
            status = process.returncode
            killed += status == -signal.SIGKILL
            assert all(want[name] == data for name, data in outputs(folder).items())
            assert before.items() <= finished(folder).items()
            amid += any(folder.glob(SCRATCH + "*"))
        assert status == 1, message
        *reasons, counts = message.splitlines()
        assert counts == f"tinsach: 34 records in, 30 out, 4 put into {tmp_path / 'bad'}"
        assert [reason.startswith("tinsach: put aside: ") for reason in reasons] == [True] * 4
        assert outputs(folder) == want
        assert (tmp_path / "bad").read_bytes() == want_bad
        assert not list(tmp_path.rglob(SCRATCH + "*"))
    print(f"{killed} kills, {amid} of them in the middle of a file, {rounds} jobs")
