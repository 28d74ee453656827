"""Page-history features, checked against values worked out by hand on pages of a few lines."""

from __future__ import annotations

import numpy as np

from classifier.core.features import STEP, extract_features
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.labels import EVIDENCE
from tests.support.line_buffers import PROSE, ran, stretch


def log2(value: int) -> int:
    """Return a count on the scale of `LOG_SCALE`, in sixteenths."""
    return round(8 * float(np.log2(1 + value)))


def test_counts_restart_on_each_page():
    lines = stretch([["Trang chủ", PROSE, PROSE], ["Tin mới", PROSE]])
    assert ran(lines, "lines so far") == [log2(1), log2(2), log2(3), log2(1), log2(2)]
    assert ran(lines, "prose lines so far") == [0, log2(1), log2(2), 0, log2(1)]
    assert ran(lines, "lines since prose")[:3] == [log2(8191), 0, 0]  # no prose yet: the maximum distance


def test_lines_belong_to_the_last_heading():
    lines = stretch([["Đọc nhiều", PROSE, "Tin khác", PROSE, PROSE]], {0: "most_read heading", 2: "related heading"})
    assert ran(lines, "under most_read heading") == [STEP, STEP, 0, 0, 0]
    assert ran(lines, "under related heading") == [0, 0, STEP, STEP, STEP]
    assert ran(lines, "lines since most_read heading") == [0, log2(1), log2(2), log2(3), log2(4)]
    assert ran(lines, "prose since heading") == [0, log2(1), 0, log2(1), log2(2)]


def test_a_long_line_is_no_heading():
    lines = stretch([[PROSE, "Tin khác"]], {0: "related heading"})
    assert ran(lines, "under related heading") == [0, 0]


def test_repetitions():
    lines = stretch([["Chợ gốm", "CHỢ GỐM!", "Tin mới", "chợ gốm"], ["Chợ gốm"]])
    assert ran(lines, "repeats the line before") == [0, STEP, 0, 0, 0]
    assert ran(lines, "repeats the line two before") == [0, 0, 0, STEP, 0]
    assert ran(lines, "repeats an earlier line") == [0, STEP, 0, STEP, 0]


def test_history_columns_do_not_depend_on_blocks():
    lines = [["Đọc nhiều", PROSE, "Tin khác", "Đọc nhiều", PROSE, "Một", "Một", PROSE][i % 8] + str(i // 16) for i in range(60)]
    line_features = extract_features(lines)
    evidence = scaled_evidence(np.log(np.random.default_rng(1).dirichlet(np.full(len(EVIDENCE), 0.2), 60).T + 1e-9))
    starts, blanks = np.zeros(60, np.bool_), np.arange(60) % 3
    starts[[0, 37]] = True
    whole, _ = extract_history(line_features, evidence, blanks, starts, PageState.fresh())
    for size in (1, 7, 37, 59):
        carry, parts = PageState.fresh(), []
        for low in range(0, 60, size):
            part = slice(low, low + size)
            rows, carry = extract_history(extract_features(lines[part]), evidence[:, part], blanks[part], starts[part], carry)
            parts.append(rows)
        assert np.array_equal(np.concatenate(parts, axis=1), whole)
