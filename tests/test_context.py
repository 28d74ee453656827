"""What surrounds a line, worked out by hand on pages of a few lines."""

from __future__ import annotations

import numpy as np

from classifier import context
from classifier.context import (
    AHEAD,
    CONTEXT_COLUMNS,
    EVIDENCE,
    ROW_ORDER,
    RUNNING,
    Carry,
    Stretch,
    context_rows,
    running,
    scaled_evidence,
)
from classifier.features import STEP, describe

PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên vào chiếc lò bầu."


def stretch_of(pages: list[list[str]], sure: dict[int, str] | None = None) -> Stretch:
    """A stretch of whole pages; `sure` names lines whose first-pass class is certain, all others are nav."""
    lines = [line for page in pages for line in page]
    described = describe(lines)
    p = np.full((len(EVIDENCE), len(lines)), 1e-6)
    for number in range(len(lines)):
        p[EVIDENCE.index((sure or {}).get(number, "nav")), number] = 1
    evidence = scaled_evidence(np.log(p))
    page = np.concatenate([np.full(len(page), number) for number, page in enumerate(pages)])
    position = np.concatenate([np.arange(len(page)) for page in pages])
    starts = position == 0
    columns, _ = running(described, evidence, np.zeros(len(lines), np.int64), starts, Carry.fresh())
    return context.stretch_of(described, evidence, columns, page, position)


def log2(value: int) -> int:
    return round(8 * float(np.log2(1 + value)))


def ran(stretch: Stretch, name: str) -> list[int]:
    return stretch.own[-len(RUNNING) + RUNNING.index(name)].tolist()


def seen(stretch: Stretch, name: str) -> list[int]:
    return context_rows(stretch, 0, len(stretch.page))[ROW_ORDER.tolist().index(CONTEXT_COLUMNS.index(name))].tolist()


def test_counts_start_anew_on_each_page():
    stretch = stretch_of([["Trang chủ", PROSE, PROSE], ["Tin mới", PROSE]])
    assert ran(stretch, "lines so far") == [log2(1), log2(2), log2(3), log2(1), log2(2)]
    assert ran(stretch, "prose lines so far") == [0, log2(1), log2(2), 0, log2(1)]
    assert ran(stretch, "lines since prose")[:3] == [log2(8191), 0, 0]  # none yet: the longest distance there is


def test_the_last_heading_rules_what_follows():
    stretch = stretch_of([["Đọc nhiều", PROSE, "Tin khác", PROSE, PROSE]], {0: "most_read heading", 2: "related heading"})
    assert ran(stretch, "under most_read heading") == [STEP, STEP, 0, 0, 0]
    assert ran(stretch, "under related heading") == [0, 0, STEP, STEP, STEP]
    assert ran(stretch, "lines since most_read heading") == [0, log2(1), log2(2), log2(3), log2(4)]
    assert ran(stretch, "prose since heading") == [0, log2(1), 0, log2(1), log2(2)]


def test_a_long_line_is_no_heading():
    stretch = stretch_of([[PROSE, "Tin khác"]], {0: "related heading"})
    assert ran(stretch, "under related heading") == [0, 0]


def test_repetitions():
    stretch = stretch_of([["Chợ gốm", "CHỢ GỐM!", "Tin mới", "chợ gốm"], ["Chợ gốm"]])
    assert ran(stretch, "repeats the line before") == [0, STEP, 0, 0, 0]
    assert ran(stretch, "repeats the line two before") == [0, 0, 0, STEP, 0]
    assert ran(stretch, "repeats an earlier line") == [0, STEP, 0, STEP, 0]


def test_an_alt_text_opens_like_its_headline():
    stretch = stretch_of([["Làng gốm bên sông đỏ lửa trở lại", "Tin mới", "lang gom ben song do - anh 3", "Làng gốm bên sông cạn"]])
    assert ran(stretch, "repeats an earlier line") == [0, 0, 0, 0]
    assert ran(stretch, "opens like the line two before") == [0, 0, STEP, 0]
    assert seen(stretch, "same opening at +2") == [STEP, 0, 0, 0]


def test_neighbours_stop_at_the_page():
    stretch = stretch_of([["Một", PROSE], [PROSE, "Hai"]])
    assert seen(stretch, "prose at +1") == [STEP, 0, 0, 0]
    assert seen(stretch, "prose at -1") == [0, 0, 0, STEP]
    assert seen(stretch, "there at +1") == [STEP, 0, STEP, 0]


def test_windows_are_means():
    stretch = stretch_of([[PROSE, "Một", PROSE, "Hai", "Ba"]])
    assert seen(stretch, "prose over -4") == [0, STEP, STEP // 2, 2 * STEP // 3, STEP // 2]
    assert seen(stretch, "prose over +4") == [STEP // 4, STEP // 3, 0, 0, 0]


def test_nothing_beyond_the_lookahead_is_seen():
    stretch = stretch_of([["Một", PROSE, PROSE]])
    near, far = (stretch._replace(position=np.array([0, gap, gap + 1])) for gap in (AHEAD, AHEAD + 1))
    assert seen(near, "prose at +1")[0] == STEP
    assert seen(near, "prose at +2")[0] == 0
    assert seen(far, "there at +1")[0] == 0
    assert seen(far, "prose over +10")[0] == 0


def test_line_three_million_is_like_any_other():
    stretch = stretch_of([["Một", PROSE, "Hai", PROSE], ["Ba", PROSE]])
    late = stretch._replace(position=stretch.position * 20 + 3_000_000, page=stretch.page + 5_000_000)
    early = stretch._replace(position=stretch.position * 20)
    assert np.array_equal(context_rows(late, 0, 6), context_rows(early, 0, 6))


def test_running_columns_do_not_depend_on_blocks():
    lines = [["Đọc nhiều", PROSE, "Tin khác", "Đọc nhiều", PROSE, "Một", "Một", PROSE][i % 8] + str(i // 16) for i in range(60)]
    described = describe(lines)
    evidence = scaled_evidence(np.log(np.random.default_rng(1).dirichlet(np.full(len(EVIDENCE), 0.2), 60).T + 1e-9))
    starts, blanks = np.zeros(60, np.bool_), np.arange(60) % 3
    starts[[0, 37]] = True
    whole, _ = running(described, evidence, blanks, starts, Carry.fresh())
    for size in (1, 7, 37, 59):
        carry, parts = Carry.fresh(), []
        for low in range(0, 60, size):
            part = slice(low, low + size)
            rows, carry = running(describe(lines[part]), evidence[:, part], blanks[part], starts[part], carry)
            parts.append(rows)
        assert np.array_equal(np.concatenate(parts, axis=1), whole)
