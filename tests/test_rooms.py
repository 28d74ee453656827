"""Rooms: which part of the code may import which, read off the source, so imports inside functions count too.

CONTRIBUTING.md says what belongs into each room. The tables are written from the ground up, so there can be no circle.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.paths import ROOT

EVERY = "*"
# Room: the rooms that it may import. A module that lies directly in the package is a room of its own.
CLASSIFIER = {
    "version": "",
    "errors": "",
    "html_page": "",
    "labels": "errors",
    "visible": "",
    "lines": "errors visible",
    "parallel": "errors",
    "core": "errors visible labels lines",
    "io": "errors lines",
    "results": "labels core io",
    "formats": "errors lines io",
    "sites": "errors labels lines core io",
    "stream": "errors labels lines core io results",
    "record": "errors labels visible lines core io results",
    "cleaner": "version errors labels lines parallel core io sites results stream record",
    "jobs": "errors labels lines parallel core io formats sites results stream record cleaner",
    "explain": "errors labels core html_page results cleaner",
    "review": "errors labels lines core io html_page results cleaner",
    "asking": "errors labels lines io review",
    "monitoring": "errors labels core io results cleaner",
    "integrations": "errors labels lines parallel io formats sites results record cleaner jobs",
    "cli": EVERY,
}
TRAINING = {
    "composer": "",
    "learning": "composer",
    "scoring": "composer learning",
    "retraining": "composer learning scoring",
    "measure": "composer learning scoring",
    "train": "learning scoring",
    "evaluate": "scoring",
    "gate": "learning scoring",
    "leave_out": "composer learning scoring",
    "site_memory": "learning scoring",
    "retrain": "composer learning scoring retraining",
}
TABLES = [("classifier", CLASSIFIER), ("training", TRAINING)]
DOORS = {"__init__", "__main__"}  # the public face of the package, and `python -m`


def files(package: str) -> list[Path]:
    return [path for path in sorted((ROOT / package).rglob("*.py")) if "models" not in path.parts]


def room_of(path: Path, package: str) -> str:
    return path.relative_to(ROOT / package).with_suffix("").parts[0]


def imported(path: Path) -> list[str]:
    """Return every module that a file imports, at any depth, `TYPE_CHECKING` blocks included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize(("package", "rooms"), TABLES)
def test_a_room_imports_only_what_it_may(package, rooms):
    for path in files(package):
        room = room_of(path, package)
        if room in DOORS:
            continue
        allowed = {room, *rooms[room].split()}  # KeyError: a new room is a decision, and gets its row above
        for module in imported(path):
            head, _, rest = module.partition(".")
            if head == package and (other := rest.split(".")[0]) in rooms:
                assert rooms[room] == EVERY or other in allowed, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize(("package", "rooms"), TABLES)
def test_every_room_of_the_tables_is_there(package, rooms):
    assert {room_of(path, package) for path in files(package)} - DOORS == set(rooms)


@pytest.mark.parametrize(("package", "rooms"), TABLES)
def test_no_room_imports_a_later_one(package, rooms):
    names = list(rooms)
    for place, name in enumerate(names):
        assert rooms[name] == EVERY or set(rooms[name].split()) <= set(names[:place]), name


@pytest.mark.parametrize(("package", "rooms"), TABLES)
def test_no_circle_of_modules(package, rooms):
    """Within a room modules import each other in one direction too; imports inside functions count."""
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files(package)}
    arrows = {}
    for name, path in known.items():
        targets = {module if module in known else module.rpartition(".")[0] for module in imported(path)}
        arrows[name] = {target for target in targets if target in known and target != name}
    while arrows:
        free = {name for name, targets in arrows.items() if not targets & set(arrows)}
        assert free, f"a circle among {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in free}


def test_the_top_of_the_package_stays_small():
    top = [path for path in (ROOT / "classifier").iterdir() if not path.is_symlink() and path.name != "__pycache__"]
    assert len([path for path in top if path.suffix == ".py"]) <= 12
    assert len([path for path in top if path.is_dir()]) <= 13


def test_tests_mirror_the_rooms():
    """Each test file of the package lies in the room of what it tests, and carries the name of a module or a public subject."""
    for package, rooms in TABLES:
        for path in (ROOT / "tests" / package).rglob("test_*.py"):
            folder = path.relative_to(ROOT / "tests" / package).parts[0]
            assert folder.startswith("test_") or folder in rooms, path


def test_training_code_never_reaches_the_runtime():
    """The runtime imports neither training nor tests; scikit-learn and scipy stay outside but for the integrations."""
    for path in files("classifier"):
        heads = {module.split(".")[0] for module in imported(path)}
        assert not heads & {"training", "tests"}, path
        assert room_of(path, "classifier") == "integrations" or not heads & {"sklearn", "scipy"}, path
