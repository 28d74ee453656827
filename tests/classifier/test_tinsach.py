"""`import tinsach`: what `import classifier` gives, under the name of the distribution."""

from __future__ import annotations

import subprocess
import sys

import classifier
import tinsach
from tests.support.paths import CASES, ROOT


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True)


def test_every_public_name_is_the_same_object():
    assert tinsach.__all__ == classifier.__all__
    assert all(getattr(tinsach, name) is getattr(classifier, name) for name in classifier.__all__)
    assert tinsach.__version__ == classifier.__version__


def test_it_runs_as_a_command():
    page = str(CASES / "sample_page.txt")
    assert run("-m", "tinsach", "clean", page).stdout == run("-m", "classifier", "clean", page).stdout != ""


def test_it_imports_nothing_but_the_package():
    code = "import sys, classifier; before = set(sys.modules); import tinsach; print(set(sys.modules) - before)"
    assert run("-c", code).stdout == "{'tinsach'}\n"
