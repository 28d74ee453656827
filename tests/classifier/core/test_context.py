"""Context rows, checked against values worked out by hand on pages of a few lines."""

from __future__ import annotations

import numpy as np

from classifier.core.context import AHEAD, CEILINGS, context_rows
from classifier.core.features import STEP
from tests.support.line_buffers import PROSE, ran, seen, stretch


def test_an_alt_text_opens_like_its_headline():
    lines = stretch([["Làng gốm bên sông đỏ lửa trở lại", "Tin mới", "lang gom ben song do - anh 3", "Làng gốm bên sông cạn"]])
    assert ran(lines, "repeats an earlier line") == [0, 0, 0, 0]
    assert ran(lines, "opens like the line two before") == [0, 0, STEP, 0]
    assert seen(lines, "same opening at +2") == [STEP, 0, 0, 0]


def test_neighbours_stop_at_the_page():
    lines = stretch([["Một", PROSE], [PROSE, "Hai"]])
    assert seen(lines, "prose at +1") == [STEP, 0, 0, 0]
    assert seen(lines, "prose at -1") == [0, 0, 0, STEP]
    assert seen(lines, "there at +1") == [STEP, 0, STEP, 0]


def test_windows_are_means():
    lines = stretch([[PROSE, "Một", PROSE, "Hai", "Ba"]])
    assert seen(lines, "prose over -4") == [0, STEP, STEP // 2, 2 * STEP // 3, STEP // 2]
    assert seen(lines, "prose over +4") == [STEP // 4, STEP // 3, 0, 0, 0]


def test_nothing_beyond_the_lookahead_is_used():
    lines = stretch([["Một", PROSE, PROSE]])
    near, far = (lines._replace(position=np.array([0, gap, gap + 1])) for gap in (AHEAD, AHEAD + 1))
    assert seen(near, "prose at +1")[0] == STEP
    assert seen(near, "prose at +2")[0] == 0
    assert seen(far, "there at +1")[0] == 0
    assert seen(far, "prose over +10")[0] == 0


def test_rows_do_not_depend_on_page_number_or_position():
    lines = stretch([["Một", PROSE, "Hai", PROSE], ["Ba", PROSE]])
    late = lines._replace(position=lines.position * 20 + 3_000_000, page=lines.page + 5_000_000)
    early = lines._replace(position=lines.position * 20)
    assert np.array_equal(context_rows(late, 0, 6), context_rows(early, 0, 6))


def test_no_value_is_above_its_ceiling(composed_pages):
    """The context pass is exact in float32 only while this holds."""
    pages = [[line for line in page.split("\n") if line.strip()] for page in composed_pages[:10]]
    lines = stretch(pages)
    rows = context_rows(lines, 0, len(lines.page))
    assert (rows.max(axis=1) <= CEILINGS).all()
    assert (rows >= 0).all()
    assert np.array_equal(rows, np.rint(rows))
