"""The model's numbers: exact, and the same in every batch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from classifier.features import describe
from classifier.model import Model


def test_a_batch_changes_no_bit(composed_pages):
    model = Model.load()
    lines = [line for line in "\n".join(composed_pages[:8]).split("\n") if line.strip()]
    whole = model.first_pass(describe(lines))
    for start, size in ((0, 1), (3, 7), (100, 64), (0, len(lines) // 2)):
        part = model.first_pass(describe(lines[start : start + size]))
        assert np.array_equal(part, whole[start : start + size])


def test_import_is_light():
    code = (
        "import sys, classifier; classifier.load(); "
        "bad = {'sklearn', 'scipy', 'joblib', 'training'} & {name.split('.')[0] for name in sys.modules}; sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
