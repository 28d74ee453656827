"""The API reference builds without a warning and holds every public name; its command is that of `make docs`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

import classifier
from tests.support.paths import ROOT


def test_the_reference_builds_and_holds_every_public_name(tmp_path):
    pytest.importorskip("pdoc")
    recipe = re.search(r"^\t(.* -m pdoc .*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    words = shlex.split(recipe.replace("$(BIN)/python", shlex.quote(sys.executable)).replace("build/api", shlex.quote(str(tmp_path))))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "classifier.html").read_text(encoding="utf-8")
    for name in classifier.__all__:
        assert f'id="{name}"' in page, name
