"""Regressions found by fuzzing, each in its smallest form. A row stays after the fix; until then it is marked as failing."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from random import Random

import numpy as np
import pytest

from classifier.core.features import extract_features
from classifier.core.scan import MOST_MARKS
from tests.fuzz.contract import all_calls_agree, labelled
from tests.fuzz.strategies import ordinary
from tests.support.tiny_model import allocates_below

# preceding lines, and a line whose features must not depend on them
BATCHES = [
    # a dash at the start of the batch was missed
    (["6"], "– Mấy nó tui nhiều – ông thừa nhận. – Ngặt cái nó đâu có biết bơi, nước tới là chịu."),
    (["a"], "-  -- - - - - - -- - - - - - - - - - - - - - - - - - - - - - -"),
    (["a"], "[a](b) ![c](d)"),
    (["[a](b"], "c) ![d]"),
    # marks were not cut where nothing else needed a change
    (["1 &amp; 2"], "a" + "\u0315" * 40),
]


@pytest.mark.parametrize(("before", "line"), BATCHES)
def test_a_line_is_the_same_in_any_batch(before, line):
    alone, among = extract_features([line]), extract_features([*before, line])
    for one, many in zip(alone[:3], among[:3]):  # columns, hashes, size: lines run along the last axis
        assert np.array_equal(one[..., 0], many[..., -1])


@pytest.mark.parametrize(("before", "line"), BATCHES)
def test_every_call_says_the_same(cleaner, before, line):
    pages = ["\n".join([*before, line]), line, "\n".join([line, *before]), unicodedata.normalize("NFD", line)]
    for seed in range(4):
        all_calls_agree(cleaner, pages, Random(seed))


def test_many_lines_are_counted_as_few_are():
    """With numpy 1, a uint8 array times an integer stays uint8: the counts of a batch of 16 lines overflowed."""
    lines = [f"Đọc nhiều {number}, (tin) “mới”!" for number in range(100)]
    among = extract_features(lines).columns
    assert np.array_equal(among, np.concatenate([extract_features([line]).columns for line in lines], axis=1))


def test_a_page_of_one_line_is_the_same_among_others(cleaner):
    """Numpy sums a single column in another order than one of several, so the last digit of a sum may differ."""
    pages = [text for lines in ordinary()[:4] for text in lines if text.strip()]
    assert labelled(cleaner, pages) == [labelled(cleaner, [text])[0] for text in pages]


def test_floods_of_marks_are_cut_where_they_are_looked_at(cleaner, monkeypatch):
    """NFC sorts a run of combining marks in quadratic time: a line of 20,000 took a third of a second."""
    flood = "\u0301\u0323" * 10_000
    many, few = (extract_features([f"a{flood[:count]} chợ gốm họp"]) for count in (10_000, 30))
    assert np.array_equal(many.hashes[1], few.hashes[1])
    lines = [f"a{number}{flood}" for number in range(40)]
    sorted_runs, normalize = [], unicodedata.normalize

    def counted(form: str, text: str) -> str:
        sorted_runs.extend(len(run) for run in re.findall("[\u0300-\u036f]+", text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", counted)
    assert [line.text for line in cleaner.label_lines(lines)] == lines
    assert max(sorted_runs) == MOST_MARKS


@pytest.mark.slow  # asserts a memory limit, which other load on the machine may affect
def test_long_lines_take_no_more_memory_than_short_ones(cleaner):
    lines = [f"{number} " + "từ " * 6600 for number in range(200)]
    with allocates_below(120 << 20):
        for _ in cleaner.label_lines(lines):
            pass


OTHERS_JOBLIB = """
import joblib, classifier
if __name__ == "__main__":
    assert list(classifier.load().clean_pages(["a"] * 200, jobs=2)) == [""] * 200
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(number) for number in range(3)) == [0, 1, 2]
"""


def test_processes_leave_joblib_to_others(tmp_path):
    (tmp_path / "theirs.py").write_text(OTHERS_JOBLIB)
    done = subprocess.run([sys.executable, tmp_path / "theirs.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
