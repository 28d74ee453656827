"""Answers are read as the rows of tests/cases/answers.txt say, and any answer gives complete labels or complaints."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.asking.answer import read_answer
from classifier.labels import LABELS
from tests.support.paths import CASES

WANTED, SPAN = [1, 2, 4, 5, 6], (1, 6)
RIGHT = {1: "nav", 2: "nav", 4: "title", 5: "body", 6: "body"}


def cases():
    for case in re.split("^== ", (CASES / "answers.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = case.partition("\n")
        answer, _, complaints = f"\n{rest}".partition("\n--\n")
        yield pytest.param(answer.removeprefix("\n"), complaints.splitlines(), id=name)


@pytest.mark.parametrize(("answer", "complaints"), list(cases()))
def test_the_cases(answer, complaints):
    found = read_answer([("a", answer)], WANTED, SPAN)
    assert len(found.complaints) == len(complaints), found.complaints
    for complaint, said in zip(found.complaints, complaints):
        assert complaint.startswith(said)
    assert complaints or found.labels == RIGHT


def test_an_answer_may_come_in_several_files():
    assert read_answer([("a", "1-2 nav"), ("b", "4 title\n5-6 body")], WANTED, SPAN) == (RIGHT, [])
    complaints = read_answer([("a", "1-4 nav"), ("b", "4 title\n5-6 body")], WANTED, SPAN).complaints
    assert complaints == ["b:1: line 4 already nav by a:1; keep one row for each line"]


@given(st.text("0123456789-–\n nav title*`|", max_size=40) | st.text(max_size=20))
def test_any_answer_is_complete_or_complained_about(text):
    labels, complaints = read_answer([("a", text)], WANTED, SPAN)
    assert labels.keys() <= set(WANTED)
    assert set(labels.values()) <= {label.value for label in LABELS}
    assert complaints or list(labels) == WANTED
    assert all(complaint.startswith("a:") for complaint in complaints)
