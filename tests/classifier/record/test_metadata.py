import numpy as np
import pytest

from classifier.labels import LABELS
from classifier.record.metadata import find_metadata

TITLE, LEAD, BODY = ("Làng gốm bên sông đỏ lửa trở lại", "title"), ("Khói trắng lại bay lên.", "body"), ("Lò đầu tiên ra sản phẩm.", "body")


def read(*page, headline=None):
    lines, labels = zip(*page)
    return find_metadata(lines, np.array([-1 if label is None else LABELS.index(label) for label in labels]), headline)


def test_meta_lines_say_all():
    found = read(("Trang chủ", "nav"), TITLE, ("", None), ("07:15 | 04/03/2025 GMT+7", "meta"), LEAD, ("Lam Khê (Theo Reuters)", "meta"))
    assert (found.published.isoformat(), found.updated) == ("2025-03-04T07:15:00+07:00", None)
    assert (found.authors, found.source, found.agency) == (("Lam Khê",), "Reuters", "Reuters")


@pytest.mark.parametrize(
    "page",
    [
        (TITLE, LEAD, BODY, ("Lam Khê", "body")),
        (TITLE, LEAD, BODY, ("", None), ("Lam Khê", "nav"), ("Chia sẻ", "nav")),
        (TITLE, ("Lam Khê", "media"), LEAD, BODY, BODY, BODY),
        (TITLE, LEAD, BODY, ("Lam Khê", "body"), *[("Chia sẻ", "nav")] * 3, BODY, BODY, BODY),
    ],
)
def test_a_name_beside_the_headline_or_at_the_end_signs_an_article_that_no_meta_line_signs(page):
    assert read(*page).authors == ("Lam Khê",)
    assert read(*page, ("Tác giả: Phùng Sơn", "meta")).authors == ("Phùng Sơn",)


def test_a_name_under_the_headline_signs_not_one_under_another_title():
    page = (TITLE, ("", None), ("Lam Khê", "nav"), ("Sự kiện:", "nav"), ("Mùa gốm", "title"), ("Phùng Sơn", "nav"), LEAD, BODY, BODY, BODY)
    assert read(*page, headline=0).authors == ("Lam Khê",)


@pytest.mark.parametrize(("line", "label", "found"), [("LK", "body", ("LK",)), ("LK", "nav", ()), ("Khê", "body", ())])
def test_one_word_under_the_headline_signs_if_it_is_initials_in_the_text(line, label, found):
    assert read(TITLE, (line, label), LEAD, BODY, BODY, BODY).authors == found


def test_a_name_elsewhere_does_not():
    assert read(TITLE, LEAD, BODY, ("Lam Khê", "body"), BODY, BODY, BODY, ("Chia sẻ", "nav"), ("Phùng Sơn", "nav")).authors == ()


@pytest.mark.parametrize(("line", "found"), [("Gốm 04/03/2025 | 07:15", True), ("Ra lò sáng 04/03/2025", False)])
def test_a_dateline_beside_the_headline_counts_where_no_meta_line_has_a_date(line, found):
    assert (read(TITLE, (line, "nav"), LEAD).published is not None) == found


def test_a_teaser_beside_the_headline_has_no_date_of_the_article():
    assert read(TITLE, ("07:15 04/03/2025", "related"), LEAD).published is None


def test_the_outlet_behind_an_open_line_is_read_whatever_its_label():
    assert read(TITLE, BODY, ("Theo Lam Khê", "meta"), ("Lao Động", "nav"))[2:4] == (("Lam Khê",), "Lao Động")
