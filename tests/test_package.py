"""Packaging: what a wheel and a source distribution contain, and how `make audit` reads a report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.slow.audit import judged
from tests.support.paths import ROOT

KERNEL = {".pyx", ".pxi", ".h"}  # its sources, in source distributions only
KINDS = {".py", ".typed", ".css", ".js", ".html", *KERNEL}  # file types in the package; a new one must be a deliberate choice
MODEL = {f"classifier/models/{name}" for name in ("vi-news.npz", "vi-news.json", "MODEL_CARD.md")}


@pytest.fixture(scope="module")
def shipped() -> set[str]:
    """Return all files that ship: the tracked files of the package and its alias, and the model."""
    tracked = subprocess.run(
        ["git", "ls-files", "classifier", "tinsach.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return {name for name in tracked if name != "classifier/models" and (ROOT / name).exists()} | MODEL


def test_the_package_holds_known_kinds_of_files_only(shipped):
    assert {Path(name).suffix or Path(name).name for name in shipped - MODEL} == KINDS


def build(folder: Path, kind: str, *made: str) -> Path:
    """Return the folder of what is made with TINSACH_BUILD=kind, from a copy with stray files that must not get in."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    names = (
        "classifier",
        "tinsach.py",
        "models",
        "tests",
        "training",
        "pyproject.toml",
        "setup.py",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "Makefile",
        "CHANGELOG.md",
    )
    subprocess.run(["cp", "-RP", *(str(ROOT / name) for name in names), source], check=True)
    (source / "classifier" / ".env").write_text("SECRET=1")
    (source / "models" / "notes.txt").write_text("not for users")
    command = [sys.executable, "-m", "build", *made, "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, env=os.environ | {"TINSACH_BUILD": kind}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a wheel without the kernel, which takes half a minute to build, and of a source distribution."""
    return build(tmp_path_factory.mktemp("pure"), "pure", "--wheel", "--sdist")


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_wheel_holds_the_package_and_its_model_only(wheel, shipped):
    names = zipfile.ZipFile(wheel).namelist()
    about = {re.sub(r".*\.dist-info/", "", name) for name in names if ".dist-info/" in name}
    assert {name for name in names if ".dist-info/" not in name} == {name for name in shipped if Path(name).suffix not in KERNEL}
    assert wheel.name.endswith("-py3-none-any.whl")  # without the kernel it is for every machine
    assert about == {"licenses/LICENSE", "METADATA", "WHEEL", "entry_points.txt", "top_level.txt", "RECORD"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="the kernel needs a C compiler")
def test_the_wheel_of_one_kind_of_machine_holds_the_kernel(tmp_path, shipped, sample_page, cleaner):
    (wheel,) = build(tmp_path, "fast", "--wheel").glob("*.whl")
    assert wheel.stat().st_size < 3_000_000
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    (kernel,) = names - {name for name in shipped if Path(name).suffix not in KERNEL}
    assert re.fullmatch(r"classifier/core/_kernel\.\S+\.(so|pyd)", kernel)
    assert works_elsewhere(wheel, tmp_path, "tinsach", sample_page, TINSACH_KERNEL="1") == cleaner.clean_text(sample_page) + "\n"


def test_without_a_compiler_the_package_is_built_without_the_kernel(tmp_path):
    places = ["--build-lib", str(tmp_path / "lib"), "--build-temp", str(tmp_path / "temp")]
    command = [sys.executable, "setup.py", "build_ext", *places]
    environment = os.environ | {"CC": "/bin/false", "TINSACH_BUILD": "fast"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, list(tmp_path.rglob("*.so"))) == (0, []), done.stderr
    assert 'building extension "classifier.core._kernel" failed' in done.stdout + done.stderr


def test_the_source_distribution_holds_no_more(built, shipped):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if not member.isdir()}
        assert all(member.isfile() or member.isdir() for member in archive.getmembers())  # no links
    made = {name for name in names if name.startswith("tinsach.egg-info/")}
    assert names - made == shipped | {"LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg", "setup.py"}


def test_the_wheel_starts_one_command_and_nothing_else(wheel):
    archive = zipfile.ZipFile(wheel)
    points = archive.read(next(name for name in archive.namelist() if name.endswith("entry_points.txt"))).decode()
    assert points.split() == ["[console_scripts]", "tinsach", "=", "classifier.cli:main"]


@pytest.mark.parametrize("name", ["tinsach", "classifier"])
def test_the_wheel_works_elsewhere(wheel, tmp_path, sample_page, cleaner, name):
    assert works_elsewhere(wheel, tmp_path, name, sample_page) == cleaner.clean_text(sample_page) + "\n"


def works_elsewhere(wheel: Path, folder: Path, name: str, page: str, **environment: str) -> str:
    """Return what `python -m NAME clean` makes of a page in a folder where there is nothing but the wheel's files."""
    zipfile.ZipFile(wheel).extractall(folder / "site")
    (folder / "page.txt").write_text(page, encoding="utf-8")
    command = [sys.executable, "-m", name, "clean", "page.txt"]
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder / "site"), **environment}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_runtime_needs_numpy_and_joblib_only(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    needs = re.findall(r"^Requires-Dist: (\S+?)[>=]+[\d.]+$", metadata, re.MULTILINE)
    assert sorted(needs) == ["joblib", "numpy"]
    every = [line.partition(";")[0] for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)]
    for need in every:  # extras included: lower bounds only
        assert re.fullmatch(r"tinsach\[[a-z,]+\]|[A-Za-z0-9_-]+(\[[a-z0-9]+\])?>=[\d.]+", need.strip()), need


# -- make audit ----------------------------------------------------------------------------------------------------------------

CLEAN = {"name": "numpy", "version": "2.0", "vulns": []}
HOLE = {"name": "joblib", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "scipy", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "message"),
    [
        ([CLEAN], 0, "0 vulnerabilities in 1 packages"),
        ([CLEAN, UNKNOWN], 0, "1 could not be looked up"),
        ([CLEAN, HOLE, UNKNOWN], 1, "joblib 1.0: PYSEC-1, fixed in 1.1"),
        ([UNKNOWN, UNKNOWN], 0, "NOT DONE"),
    ],
)
def test_the_audit_tells_clean_from_unknown(packages, status, message):
    lines, found = judged({"dependencies": packages})
    assert found == status
    assert message in "\n".join(lines)
