"""What is installed: the package with its model, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source")
    wanted = [str(ROOT / name) for name in ("classifier", "models", "pyproject.toml", "README.md", "LICENSE")]
    subprocess.run(["cp", "-RP", *wanted, source], check=True)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_package_and_its_model_only(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "classifier").rglob("*.py")}
    model = {f"classifier/models/{name}" for name in ("vi-news.npz", "vi-news.json", "MODEL_CARD.md")}
    assert names == modules | {"classifier/py.typed"} | model


def test_the_wheel_works_elsewhere(wheel, tmp_path, sample_page, cleaner):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "page.txt").write_text(sample_page, encoding="utf-8")
    command = [sys.executable, "-m", "classifier", "clean", "page.txt"]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}, capture_output=True)
    assert done.stdout.decode() == cleaner.clean_text(sample_page) + "\n", done.stderr.decode()


def test_runtime_needs_numpy_and_joblib_only(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    needs = re.findall(r"^Requires-Dist: (\S+?)[>=]+[\d.]+$", metadata, re.MULTILINE)
    assert sorted(needs) == ["joblib", "numpy"]
    assert "<" not in "".join(re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE))  # lower bounds only


def test_the_runtime_never_imports_training():
    for path in (ROOT / "classifier").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (training|tests|sklearn|scipy)\b", path.read_text(encoding="utf-8"), re.MULTILINE), path
