"""Joining: broken paragraphs become whole, whole ones stay, and no input breaks it."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.record.joining import Line, join_texts, joins_previous
from tests.support.paths import CASES

ROWS = [row.split("\t") for row in (CASES / "joining.tsv").read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
PROSE = (
    "Sáng mồng bốn, khói trắng lại bay lên từ cuối bãi. Ông Tấn tự tay xếp mẻ gốm đầu tiên vào lò bầu mà cha ông đắp từ thời trẻ. "
    "Theo Hợp tác xã gốm Vĩnh Hòa, đơn hàng từ các khách sạn ven biển đủ cho làng làm đến hết tháng chín, với giá cao hơn năm ngoái."
)


def parsed(case: str) -> tuple[list[Line], list[bool]]:
    """Return the lines of a case, and which of them continue the line before."""
    lines, joins, before = [], [], ""
    for paragraph in case.split("||"):
        for place, text in enumerate(paragraph.split("|")):
            lines.append(Line(text.removesuffix("//"), blanks=before.endswith("//")))
            joins.append(place > 0)
            before = text
    return lines, joins


@pytest.mark.parametrize(("name", "case"), ROWS, ids=[name for name, _ in ROWS])
def test_cases(name, case):
    lines, joins = parsed(case)
    assert joins_previous(lines) == joins


def test_rows_of_a_table_stay():
    for rows in (["| Lò | Bình |", "| một | 120 |"], ["Lò\t\tBình", "một\t\t120"]):
        assert joins_previous([Line(row) for row in rows]) == [False, False]


@pytest.mark.parametrize("width", [60, 72, 78])
def test_wrapped_text_becomes_whole_again(width):
    lines = textwrap.wrap(PROSE, width)
    assert len(lines) >= 3
    assert joins_previous([Line(line) for line in lines]) == [False] + [True] * (len(lines) - 1)
    assert join_texts(lines) == PROSE


def test_lines_of_one_length_are_not_wrapped_text():
    names = [f"Ông Lường Văn Tấn, trưởng lò số {number}, tổ gốm Vĩnh Hòa, xã Bãi Giữa" for number in range(6)]
    assert not any(joins_previous([Line(name) for name in names]))


def test_nothing_is_joined_across_other_lines():
    assert joins_previous([Line("Theo báo"), Line("bãi sông", others=True)]) == [False, False]


TEXTS = st.text("aĐ1 .,:“”-|#*(", max_size=9).map(lambda text: text + "*")


@given(st.lists(st.builds(Line, TEXTS, st.booleans(), st.booleans()), max_size=8))
def test_any_lines_get_a_decision(lines):
    joins = joins_previous(lines)
    assert len(joins) == len(lines)
    assert not joins[:1] or not joins[0]
