"""Loading a model runs no code: no module turns data into code, a load opens two files, and pickles are never read."""

from __future__ import annotations

import ast
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.errors import ModelError
from tests.support import tiny_model
from tests.support.paths import ROOT


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_model.tiny(tmp_path)


class Payload:
    """Makes a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.target),)


def test_pickles_in_the_file_never_run(tiny, tmp_path):
    trap = tmp_path / "unpickled"
    tiny_model.tiny(tmp_path, {"output": np.array([Payload(trap)], dtype=object)})
    with pytest.raises(ModelError, match="'output' is not"):
        classifier.load(tiny)
    tiny_model.rezip(tiny_model.tiny(tmp_path), {"output.npy": tiny_model.npy("'|O'", (2, 12), pickle.dumps(Payload(trap)))})
    with pytest.raises(ModelError, match="'output' is not"):
        classifier.load(tiny)
    tiny.write_bytes(pickle.dumps(Payload(trap)))
    tiny_model.seal(tiny)
    with pytest.raises(ModelError, match="not an array file"):
        classifier.load(tiny)
    assert not trap.exists()
    with np.load(tiny_model.tiny(tmp_path, {"bias": np.array([Payload(trap)], dtype=object)}), allow_pickle=True) as file:
        file["bias"]
    assert trap.exists()  # the trap works


NO_MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "importlib", "runpy", "code", "codeop", "ctypes",
    "subprocess", "pty", "imp", "pkg_resources", "pkgutil", "yaml",
}  # fmt: skip
NO_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "execv", "execve", "spawnv", "load_module", "entry_points"}


@pytest.mark.parametrize("path", sorted((ROOT / "classifier").rglob("*.py")), ids=lambda path: path.name)
def test_no_module_can_turn_data_into_code(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not {name.split(".")[0] for name in modules} & NO_MODULES, modules
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            of_re = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"
            assert of_re or name not in NO_CALLS, name
            assert not {"allow_pickle", "shell"} & {keyword.arg for keyword in node.keywords}
            numpy_load = isinstance(node.func, ast.Attribute) and (getattr(node.func.value, "id", ""), name) == ("np", "load")
            assert not numpy_load, "read arrays through model_file"


WATCHED = """
import sys, classifier
classifier.load()  # the first load imports the codec of the names in a zip file
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args[0]) if args else "")))
classifier.load(sys.argv[1])
for event in list(seen):
    print(*event)
"""


def test_a_load_opens_two_files_and_does_nothing_else(tiny):
    done = subprocess.run([sys.executable, "-c", WATCHED, str(tiny)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    events = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert sorted(Path(what).name for event, what in events if event == "open") == ["vi-news.json", "vi-news.npz"]
    rooms = {event.split(".")[0] for event, _ in events}
    assert not rooms & {"import", "exec", "compile", "code", "marshal", "pickle", "os", "subprocess", "socket", "ctypes", "shutil"}
