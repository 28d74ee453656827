"""The commands of docs/RETRAINING.md from first to last, in a separate checkout, with answers of a model in between."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chat_server import chat_server, labelled_as, prompted
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
    for name in ("classifier", "training", "models", "tests", "Makefile", "pyproject.toml", "setup.py", "README.md"):
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


def answer(asked: Path) -> int:
    """Answer every prompt as a language model would in a chat window, with the right labels; return the number of answers."""
    prompts = list(asked.glob("*.prompt*.txt"))
    for prompt in prompts:
        lines = site()[int(prompt.name.partition("__")[2].partition(".")[0])].lines
        rows = [f"{number} {lines[number - 1].label}\n" for number in prompted(prompt.read_text(encoding="utf-8"))]
        answer = prompt.with_name(prompt.name.replace("prompt", "answer"))
        answer.write_text(f"Here are the labels:\n```\n{''.join(rows)}```\n", encoding="utf-8")
    return len(prompts)


def answering() -> Callable[[str], str]:
    """Return a model on a server that knows the right label of most lines by their text."""
    labels = {line.text.strip(): line.label for page in site() for line in page.lines}
    return labelled_as(lambda text: labels.get(text, "body"))


@pytest.mark.slow
def test_the_whole_cycle(checkout):
    commands = [line for block in re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL) for line in block.splitlines() if line]
    assert len(commands) >= 9
    pytest.importorskip("openai")
    before = (checkout / "models" / "vi-news.npz").read_bytes()
    with chat_server(answering()) as server:
        run_all(
            [command.replace("http://127.0.0.1:8000/v1 --model", f"{server.url} --yes --model") for command in commands], checkout, before
        )
    assert len(list((checkout / "asked").glob("*.tsv"))) == 10
    for folder in ("answered", "labelled"):
        assert len(list((checkout / folder).glob("*.tsv"))) == 12, folder
    for folder in ("clean", "clean-by-profile"):
        assert len(list((checkout / folder).glob("*.txt"))) == 12, folder


def run_all(commands: list[str], checkout: Path, before: bytes) -> None:
    environment = os.environ | {"OPTIONS": "--composed 400", "PYTHONPATH": str(checkout)}
    for command in commands:
        done = subprocess.run(["bash", "-c", SHELL + command], cwd=checkout, capture_output=True, env=environment, text=True)
        output = f"{command}\n{done.stdout}\n{done.stderr}"
        if command.startswith("tinsach ask $("):
            assert done.returncode == 0, output
            assert answer(checkout / "asked") >= 10
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
