"""Exactness of the model: results that do not depend on the batch, and rejection of weights with inexact sums."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifier.core.features import extract_features
from classifier.core.model import Model
from classifier.errors import ModelError
from tests.support import tiny_model
from tests.support.paths import ROOT


def test_probabilities_do_not_depend_on_the_batch(composed_pages):
    model = Model.load()
    lines = [line for line in "\n".join(composed_pages[:8]).split("\n") if line.strip()]
    whole = model.first_pass(extract_features(lines))
    for start, size in ((0, 1), (3, 7), (100, 64), (0, len(lines) // 2)):
        part = model.first_pass(extract_features(lines[start : start + size]))
        assert np.array_equal(part, whole[:, start : start + size])


def test_import_is_light():
    code = (
        "import sys, classifier; classifier.load(); "
        "bad = {'sklearn', 'scipy', 'joblib', 'training'} & {name.split('.')[0] for name in sys.modules}; sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def loaded(folder: Path, changes: dict[str, np.ndarray] | None = None, **fields: object) -> Model:
    path = tiny_model.tiny(folder, changes)
    tiny_model.seal(path, **fields)
    return Model.load(path)


@pytest.mark.parametrize("grid", [None, "4", True, 4.0, 10**9, -(10**9), 99])
def test_an_invalid_grid_is_refused(tmp_path, grid):
    for name in ("hidden_grid", "stacked_hidden_grid"):
        with pytest.raises(ModelError, match=f": {name}"):
            loaded(tmp_path, **{name: grid})


INEXACT = {
    "a grid too fine": ({}, {"hidden_grid": 30}, "hidden|too large"),
    "hidden weights too large": ({"hidden": 200.0}, {}, "too large"),
    "output weights too large": ({"output": 200.0}, {}, "output weights"),
    "a second grid too fine": ({}, {"stacked_hidden_grid": 30}, "hidden|too large"),
    "second hidden weights too large": ({"stacked_hidden": 200.0}, {}, "too large"),
    "second output weights too large": ({"stacked_output": 200.0}, {}, "output weights"),
    "the second off the grid": ({"stacked_hidden": 1 / 32}, {}, "not multiples of"),
    "text weights too large": ({"text": 1 << 30}, {}, "text weights"),
    "off the grid": ({"hidden": 1 / 32}, {}, "not multiples of"),
}


@pytest.mark.parametrize("name", INEXACT)
def test_weights_whose_sums_could_be_rounded_are_refused(tmp_path, name):
    values, fields, message = INEXACT[name]
    changes = {array: np.full_like(tiny_model.arrays()[array], value) for array, value in values.items()}
    with pytest.raises(ModelError, match=message):
        loaded(tmp_path, changes, **fields)


def test_a_model_of_zeros_loads_and_is_uniform(tmp_path):
    zeros = {name: np.zeros_like(array) for name, array in tiny_model.arrays().items() if name != "vocabulary"}
    assert np.allclose(np.exp(loaded(tmp_path, zeros).first_pass(extract_features(["một dòng"]))), 1 / 18)
