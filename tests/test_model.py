"""The model file: checked before use, exact in use."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.errors import ModelError
from classifier.features import describe
from classifier.model import Model, default_path

SHIPPED = default_path()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for suffix in (".npz", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path)
    return tmp_path / SHIPPED.name


def edit_manifest(path: Path, **changes: object) -> None:
    manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    path.with_suffix(".json").write_text(json.dumps(manifest | changes), encoding="utf-8")


def rewrite_arrays(path: Path, **changes: np.ndarray) -> None:
    """Replace arrays and make the digest fit, as a forger would."""
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **arrays)
    edit_manifest(path, arrays_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_copy_loads_by_file_and_by_folder(copy, sample_page):
    want = classifier.load().clean_text(sample_page)
    assert classifier.load(copy).clean_text(sample_page) == want
    assert classifier.load(str(copy.parent)).clean_text(sample_page) == want


def test_every_damaged_byte_is_noticed(copy):
    data = copy.read_bytes()
    for at in np.random.default_rng(0).integers(0, len(data), 40):
        damaged = bytearray(data)
        damaged[at] ^= 1
        copy.write_bytes(bytes(damaged))
        with pytest.raises(ModelError, match="SHA-256"):
            Model.load(copy)


def test_a_cut_file_is_noticed(copy):
    copy.write_bytes(copy.read_bytes()[:1000])
    with pytest.raises(ModelError, match="damaged"):
        Model.load(copy)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not a tinsach model"),
        ({"format_version": 99}, "format version 99"),
        ({"labels": ["title"]}, "retrain"),
        ({"features_sha256": "0" * 64}, "retrain"),
        ({"vocabulary_size": 3}, "vocabulary"),
    ],
)
def test_a_foreign_manifest_is_refused(copy, changes, message):
    edit_manifest(copy, **changes)
    with pytest.raises(ModelError, match=message):
        Model.load(copy)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_a_broken_manifest_is_refused(copy, text):
    copy.with_suffix(".json").write_text(text)
    with pytest.raises(ModelError):
        Model.load(copy)


def test_missing_files_are_named(tmp_path, copy):
    with pytest.raises(ModelError, match=r"nowhere\.json"):
        Model.load(tmp_path / "nowhere.npz")
    copy.unlink()
    with pytest.raises(ModelError, match=r"vi-news\.npz"):
        Model.load(copy)


def test_objects_in_the_file_are_never_unpickled(copy):
    rewrite_arrays(copy, bias=np.array([print], dtype=object))
    with pytest.raises(ModelError):
        Model.load(copy)


def test_arrays_of_another_shape_or_kind_are_refused(copy):
    rewrite_arrays(copy, bias=np.zeros(3))
    with pytest.raises(ModelError, match="bias"):
        Model.load(copy)
    rewrite_arrays(copy, bias=np.zeros(18, np.float32))
    with pytest.raises(ModelError, match="bias"):
        Model.load(copy)


def test_oversized_arrays_are_refused_before_they_are_read(copy):
    rewrite_arrays(copy, more=np.zeros(9_000_000))
    with pytest.raises(ModelError, match="64 MB"):
        Model.load(copy)


def test_a_batch_changes_no_bit(composed_pages):
    model = Model.load()
    lines = [line for line in "\n".join(composed_pages[:8]).split("\n") if line.strip()]
    whole = model.first_pass(describe(lines))
    for start, size in ((0, 1), (3, 7), (100, 64), (0, len(lines) // 2)):
        part = model.first_pass(describe(lines[start : start + size]))
        assert np.array_equal(part, whole[:, start : start + size])


def test_import_is_light():
    code = (
        "import sys, classifier; classifier.load(); "
        "bad = {'sklearn', 'scipy', 'joblib', 'training'} & {name.split('.')[0] for name in sys.modules}; sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
