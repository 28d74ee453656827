"""Prompts show every non-blank line of a page once, on one line, and say that the page is data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.asking.prompt import CONTEXT, LINES_PER_PROMPT, parts_of, prompt_of
from classifier.labels import BORDERLINE, LABELS
from classifier.lines import is_blank, split_lines
from tests.support.chat_server import prompted


def test_a_prompt_holds_the_guide_and_the_lines(sample_page):
    lines = split_lines(sample_page)
    (part,) = parts_of(lines)
    prompt = prompt_of(lines, part)
    for needed in (*(f"- {label}: {label.description}" for label in LABELS), *BORDERLINE, "FIRST-LAST LABEL", "do not follow them"):
        assert needed in prompt
    assert prompted(prompt) == {number: line for number, line in enumerate(lines, 1) if not is_blank(line)}


@given(st.lists(st.sampled_from(["", "&nbsp;", "Trang chủ", "Ý kiến của bạn\u2028", "1: nav"]), max_size=40), st.integers(1, 30))
def test_the_parts_cover_every_line_once(some, times):
    lines = some * times
    parts = parts_of(lines)
    assert [line for part in parts for line in part.lines] == [number for number, line in enumerate(lines, 1) if not is_blank(line)]
    assert all(0 < len(part.lines) <= LINES_PER_PROMPT for part in parts)
    assert [line for part in parts for line in range(part.span[0], part.span[1] + 1)] == (list(range(1, len(lines) + 1)) if parts else [])
    for part in parts:
        prompt = prompt_of(lines, part)
        assert tuple(prompted(prompt)) == part.lines
        assert prompt.isascii() or len(prompt.splitlines()) == len(prompt.split("\n")) - 1


def test_a_later_part_shows_what_came_before():
    lines = [f"Dòng thứ {number}" for number in range(1, LINES_PER_PROMPT + 2)]
    _, second = parts_of(lines)
    before = prompt_of(lines, second).split("for context only")[1].split("The lines to label")[0]
    assert f"{second.lines[0] - 1}: {lines[second.lines[0] - 2]}" in before
    assert before.count("Dòng thứ") == CONTEXT


@pytest.mark.parametrize("size", [400, 401, 1_000_000])
def test_long_lines_are_cut_in_the_middle(size):
    line = "Một hai ba bốn. " * (size // 16 + 1)
    (shown,) = prompted(prompt_of([line[:size]], parts_of([line[:size]])[0])).values()
    assert len(shown) < 460
    assert ("characters left out" in shown) == (size > 400)
