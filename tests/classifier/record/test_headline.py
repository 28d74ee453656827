"""Headlines: which line is the article's, from labels and from the probability of being a title."""

from __future__ import annotations

import numpy as np
import pytest

import classifier
from classifier.labels import LABELS
from classifier.record.article import record_of

HEADLINE, SUBHEAD = "Làng gốm bên sông đỏ lửa trở lại", "Ba lò đầu tiên đã nhóm lửa"
LEAD = "Sau hai năm nguội lạnh, ba lò gốm đầu tiên của làng Vĩnh Hòa đã được nhóm lửa, mang theo hy vọng của cả xóm bãi sông."
BODY = "Từ sáng sớm, mấy chục thợ đã chuyển đất từ bãi giữa về sân lò, nhào lại từng mẻ rồi xếp thành hàng dưới mái hiên."
TEXT = [(LEAD, "body", 0.0), (BODY, "body", 0.0)]


def read(*page: tuple[str, str, float]) -> classifier.Article:
    """Return the record of a page from its lines, their labels and their probabilities of being a title."""
    lines, names, titles = zip(*page)
    codes = np.array([LABELS.index(name) if name else -1 for name in names], np.int8)
    ones, starts = np.ones(len(lines)), np.cumsum([0, *(len(line) + 1 for line in lines)])[:-1]
    ends = starts + [len(line) for line in lines]
    places = np.array([0, len(lines)])
    labels = classifier.Labels(codes, ones, ones > 0, ones, codes, places, list(lines), starts, ends, title_probabilities=np.array(titles))
    return record_of(labels)


@pytest.mark.parametrize(
    "above",
    [
        pytest.param([("Trang chủ", "nav", 0.0), (HEADLINE, "nav", 0.2)], id="a likely line where none is a title"),
        pytest.param([(HEADLINE, "title", 0.7), ("07:15 | 04/03/2025", "meta", 0.0), (SUBHEAD, "title", 0.8)], id="above the dateline"),
        pytest.param(
            [(HEADLINE, "title", 0.6), ("Sự kiện:", "nav", 0.0), (SUBHEAD, "title", 0.4)], id="a likelier title near an unlikely one"
        ),
        pytest.param([("Đời sống", "title", 0.9), ("07:15", "meta", 0.0), (HEADLINE, "body", 0.4)], id="in place of a single word"),
        pytest.param([("Làng gốm bên sông", "title", 0.9), ("đỏ lửa trở lại", "meta", 0.1)], id="on two lines with different labels"),
        pytest.param(
            [(SUBHEAD, "title", 0.9), ("04/03/2025", "meta", 0.0), (HEADLINE, "title", 0.9), ("07:15", "meta", 0.0)], id="nearest"
        ),
    ],
)
def test_the_headline_is_found_among_likely_lines(above):
    article = read(*above, *TEXT)
    assert (article.title, article.lead) == (HEADLINE, LEAD)


@pytest.mark.parametrize(("line", "probability"), [(HEADLINE, 0.1), ("Tin nóng", 0.4), (BODY, 0.4)])
def test_an_unlikely_line_is_no_headline(line, probability):
    assert read((line, "nav", probability), *TEXT).title == ""


def test_a_line_of_nothing_but_markdown_is_no_headline():
    assert read(('[ ](/anh "Lò gốm đỏ lửa")', "nav", 0.4), *TEXT).title == ""


def test_the_lead_comes_behind_a_headline_with_the_text():
    others = [("Giới thiệu về trang tin của làng nghề và những người thợ giữ lửa qua bao mùa nước nổi ở ven sông. " * 3, "body", 0.0)]
    assert read(*others, (HEADLINE, "title", 0.9), *TEXT).lead == LEAD
