"""Stacked rows, checked against values worked out by hand on pages of a few lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from classifier.core.context import AHEAD, SHARE, LineBuffer
from classifier.core.features import LOG_SCALE, STEP
from classifier.core.history import EVIDENCE_CEILING, FAR
from classifier.core.stacked import (
    PAGE_COLUMNS,
    STACKED_AHEAD,
    STACKED_CEILINGS,
    STACKED_COLUMNS,
    StackedBuffer,
    StackedState,
    extract_stacked,
    stacked_rows,
)
from classifier.labels import LABELS
from tests.support.line_buffers import PROSE, stretch

NAMES = [label.value for label in LABELS]
SURE, NONE = EVIDENCE_CEILING, 0  # evidence of p = 1 and of p near 0


def evidence_of(labels: list[str]) -> np.ndarray:
    """Return evidence (labels, n) of a first context pass that is sure of these labels."""
    found = np.full((len(NAMES), len(labels)), NONE, np.int16)
    found[[NAMES.index(label) for label in labels], range(len(labels))] = SURE
    return found


def buffer_of(lines: LineBuffer, labels: list[str]) -> StackedBuffer:
    found = evidence_of(labels)
    starts = np.array([True, *(before != here for before, here in pairwise(lines.page))])
    columns, _ = extract_stacked(lines.own, found, starts, StackedState.fresh())
    return StackedBuffer.of(lines, columns, found)


def column(buffer: StackedBuffer, name: str) -> list[int]:
    return stacked_rows(buffer, 0, len(buffer.lines.page))[STACKED_COLUMNS.index(name)].tolist()


def page_columns(labels: list[str], name: str) -> list[int]:
    lines = stretch([[PROSE] * len(labels)])
    return column(buffer_of(lines, labels), name)


def test_a_page_is_counted_line_by_line():
    labels = ["nav", "body", "body", "footer"]
    assert page_columns(labels, "found body so far") == LOG_SCALE[[0, 1, 2, 2]].tolist()
    assert page_columns(labels, "found prose body so far") == LOG_SCALE[[0, 1, 2, 2]].tolist()
    far = LOG_SCALE[(1 << 13) - 1]
    assert page_columns(labels, "lines since found body") == [far, *LOG_SCALE[[0, 0, 1]].tolist()]


def test_a_gap_with_an_imprint_in_it_is_told_from_one_without():
    assert page_columns(["body", "footer", "related", "body"], "found footer since body") == [0, STEP, STEP, 0]
    assert page_columns(["footer", "body", "related"], "found footer since body") == [STEP, 0, 0]


def test_a_gap_is_remembered_beyond_every_window():
    labels = ["body", *["related"] * 300, "body"]
    since = page_columns(labels, "lines since found body")
    assert since[300] == LOG_SCALE[300] < LOG_SCALE[FAR if len(LOG_SCALE) > FAR else -1]
    assert page_columns(labels, "found body so far")[300] == LOG_SCALE[1]


def test_neighbours_and_windows_stop_at_the_page():
    buffer = buffer_of(stretch([["Một", PROSE], [PROSE, "Hai"]]), ["nav", "body", "title", "nav"])
    assert column(buffer, "found body at +0") == [NONE, SURE, NONE, NONE]
    assert column(buffer, "found body at +1") == [SURE, NONE, NONE, NONE]
    assert column(buffer, "found title at -1") == [NONE, NONE, NONE, SURE]
    least = int(SHARE[0])  # of a label that is hardly possible
    assert column(buffer, "found body over +8") == [4 * STEP, 0, least, 0]
    assert column(buffer, "found title over -8") == [0, least, 0, 4 * STEP]


def test_nothing_beyond_the_lookahead_is_used():
    lines = stretch([["Một", PROSE]])
    near, far = (lines._replace(position=np.array([0, gap])) for gap in (STACKED_AHEAD, STACKED_AHEAD + 1))
    assert column(buffer_of(near, ["nav", "body"]), "found body at +1")[0] == SURE
    assert column(buffer_of(far, ["nav", "body"]), "found body at +1")[0] == NONE
    assert AHEAD + STACKED_AHEAD <= 32


def test_blocks_give_what_whole_pages_give():
    labels = ["nav", "title", "body", "related", "body", "footer", "nav", "body"]
    lines, found = stretch([["Một", PROSE, PROSE, "Hai"], [PROSE, "Ba", "Bốn", PROSE]]), evidence_of(labels)
    starts = np.array([True, False, False, False, True, False, False, False])
    whole, _ = extract_stacked(lines.own, found, starts, StackedState.fresh())
    for cut in range(1, len(labels)):
        one, state = extract_stacked(lines.own[:, :cut], found[:, :cut], starts[:cut], StackedState.fresh())
        two, _ = extract_stacked(lines.own[:, cut:], found[:, cut:], starts[cut:], state)
        assert np.array_equal(np.concatenate((one, two), axis=1), whole)


def test_no_value_is_above_its_ceiling(composed_pages):
    """The second context pass is exact in float32 only while this holds."""
    pages = [[line for line in page.split("\n") if line.strip()] for page in composed_pages[:10]]
    lines = stretch(pages)
    labels = [NAMES[number % len(NAMES)] for number in range(len(lines.page))]
    rows = stacked_rows(buffer_of(lines, labels), 0, len(labels))
    assert len(rows) == len(STACKED_COLUMNS) == len(set(STACKED_COLUMNS))
    assert len(PAGE_COLUMNS) == 2 * len(LABELS) + 2
    assert (rows.max(axis=1) <= STACKED_CEILINGS).all()
    assert (rows >= 0).all()
    assert np.array_equal(rows, np.rint(rows))
