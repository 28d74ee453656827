"""The commands of docs/RETRAINING.md from first to last, in a separate checkout, with simulated corrections in between."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from training.learning.dataset import make_pages

DOC = (ROOT / "docs" / "RETRAINING.md").read_text(encoding="utf-8")
RULES = '[[sites."bao-bai-song.vn"]]\nphrase = "tải ứng dụng"\nforce = "promo"\n'
# `tinsach review` serves until it is interrupted, as by Ctrl-C. Retraining composes fewer pages than usual, to take about a minute.
SHELL = f"""
tinsach() {{
  if [ "$1" = review ]; then
    timeout --signal=INT 4 {shlex.quote(sys.executable)} -m classifier "$@" || case $? in 124|130) return 0 ;; *) return 1 ;; esac
  fi
  {shlex.quote(sys.executable)} -m classifier "$@"
}}
set -o pipefail
"""


@pytest.fixture
def checkout(tmp_path) -> Path:
    if not (ROOT / ".venv" / ".installed").exists():
        pytest.skip("needs the environment that `make test` installs")
    for name in ("classifier", "training", "models", "tests", "Makefile", "pyproject.toml", "README.md"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2  # both keep modification times, or make would install the copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for folder, first in (("pages", 0), ("new_pages", 12)):
        (tmp_path / folder).mkdir()
        for number, page in enumerate(site()[first : first + 12]):
            text = "\n".join(line.text for line in page.lines) + "\n"
            (tmp_path / folder / f"bao-bai-song__{number}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "sites.toml").write_text(RULES, encoding="utf-8")
    return tmp_path


def site():
    """Return pages of one layout, which stand in for a site."""
    pages = make_pages(900, 77, folds=(0,))[0]
    return [page for page in pages if page.layout == "anhp"][:24]


def correct(labelled: Path) -> int:
    """Correct the drafts as a person would; return the number of changed lines."""
    changed = 0
    for number, page in enumerate(site()[:12]):
        path = labelled / f"bao-bai-song__{number}.tsv"
        rows = path.read_text(encoding="utf-8").split("\n")
        for at, line in enumerate(page.lines):
            label, _, text = rows[at].split("\t", 2)
            if label != "-" and label != line.label:
                rows[at] = f"{line.label}\t1.0000\t{text}"
                changed += 1
        path.write_text("\n".join(rows), encoding="utf-8")
    return changed


@pytest.mark.slow
def test_the_whole_cycle(checkout):
    commands = [line for block in re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL) for line in block.splitlines() if line]
    assert len(commands) >= 9
    before = (checkout / "models" / "vi-news.npz").read_bytes()
    environment = os.environ | {"OPTIONS": "--composed 400", "PYTHONPATH": str(checkout)}
    for command in commands:
        done = subprocess.run(["bash", "-c", SHELL + command], cwd=checkout, capture_output=True, env=environment, text=True)
        output = f"{command}\n{done.stdout}\n{done.stderr}"
        if command.startswith("make label"):
            assert done.returncode == 0, output
            assert correct(checkout / "labelled") > 0
        elif command.startswith("make retrain"):
            # With a twelfth of the composed pages the gate may decide either way; the test is that it decides.
            assert "gate:" in done.stdout, output
            assert done.returncode in (0, 2), output
            report = (checkout / "build" / "retrain" / "report.html").read_text(encoding="utf-8")
            assert "Learning curve" in report
            assert "<title>5 pages" in report
            replaced = (checkout / "models" / "vi-news.npz").read_bytes() != before
            assert replaced == (done.returncode == 0)
            assert ("retrained" in json.loads((checkout / "models" / "vi-news.json").read_text(encoding="utf-8"))) == replaced
        elif command.startswith("tinsach drift new_pages"):
            assert done.returncode in (0, 1), output
        elif not command.startswith("make gate"):  # the floors are those of a full training
            assert done.returncode == 0, output
    assert len(list((checkout / "clean").glob("*.txt"))) == 12
