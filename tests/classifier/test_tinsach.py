"""`import tinsach`: the same modules, classes and commands as `import classifier`, under the name of the distribution."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

import classifier
import tinsach
from tests.support.paths import CASES, ROOT
from tests.test_rooms import imported


def python(*args: str, folder: object = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-W", "error", *args], cwd=folder, env=environment, capture_output=True, text=True)


def test_it_is_the_same_module():
    assert tinsach is classifier
    assert {name: getattr(tinsach, name) for name in classifier.__all__} == {name: getattr(classifier, name) for name in classifier.__all__}


@pytest.mark.parametrize("first", ["tinsach", "classifier"])
def test_there_is_one_copy_of_each_module_whichever_name_comes_first(first):
    code = (
        f"import {first}\n"
        "import tinsach.errors, tinsach.cli.main, tinsach.integrations.datasets as d, tinsach.sites.memory\n"
        "import sys, classifier.errors, classifier.integrations.columns, classifier.integrations.datasets\n"
        "from classifier.cli import main\n"
        "from tinsach.integrations import columns\n"
        "assert callable(main)\n"
        "assert columns is classifier.integrations.columns and d is classifier.integrations.datasets\n"
        "assert tinsach.errors.InputError is classifier.InputError and tinsach.sites.memory.SiteMemory is tinsach.SiteMemory\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if name.startswith('tinsach.'):\n"
        "        assert module is sys.modules[name.replace('tinsach', 'classifier', 1)], name\n"
        "        assert module.__spec__.name == module.__name__, name\n"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_it_runs_as_a_command_and_so_do_its_jobs():
    page = str(CASES / "sample_page.txt")
    assert python("-m", "tinsach", "clean", page).stdout == python("-m", "classifier", "clean", page).stdout != ""
    assert "usage: python -m tinsach.integrations.spark" in python("-m", "tinsach.integrations.spark", "--help").stdout


def test_a_job_knows_its_own_file_and_processes_work():
    assert find_spec("tinsach.integrations.spark").origin == find_spec("classifier.integrations.spark").origin
    page = str(CASES / "sample_page.txt")
    assert python("-m", "tinsach", "clean", page, page, "--jobs", "2").returncode == 0


def test_a_module_that_does_not_exist_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"tinsach\.nothing"):
        __import__("tinsach.nothing")


def test_another_module_named_classifier_is_named(tmp_path):
    (tmp_path / "classifier.py").write_text("")
    (tmp_path / "script.py").write_text("import tinsach\n")
    error = python("script.py", folder=tmp_path).stderr.splitlines()[-1]
    assert error.startswith("ImportError: ")
    assert f"{tmp_path / 'classifier.py'} is another module named classifier" in error
    assert "rename" in error


def test_it_imports_no_more_than_the_package():
    heads = {module.split(".")[0] for module in imported(ROOT / "tinsach" / "__init__.py")}
    assert heads - set(sys.stdlib_module_names) == {"classifier"}
