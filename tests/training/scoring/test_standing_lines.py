"""Evidence curve of the site memory: fitted on made-up lines, and its effect on made-up pages."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.errors import InputError
from classifier.labels import LABELS
from training.scoring.gold import Gold
from training.scoring.standing_lines import NEAR_CERTAIN, PROSE, STRENGTHS, Rows, cautious_curve, effect, fit_curve, read_rows, sites_of

BODY, NAV, PROMO = (LABELS.index(name) for name in ("body", "nav", "promo"))
STANDING = "Loạt bài này được thực hiện với sự hỗ trợ của Quỹ Phát triển Báo chí Miền Trung."
ARTICLES = [
    ("Làng gốm bên sông đỏ lửa trở lại", "Sáng nay, ba lò gốm đầu tiên của làng Vĩnh Hòa đã được nhóm lửa sau hai năm nguội lạnh."),
    ("Cầu treo qua suối Mường Lam thông xe", "Người dân hai bản không còn phải đi vòng mười cây số để đưa con em mình tới lớp học."),
    ("Trường vùng cao có thư viện mới", "Hơn ba nghìn cuốn sách do cựu học sinh quyên góp đã lên tới nơi sau hai ngày đường đèo."),
]


def gold(number: int, publisher: str = "baobaisong") -> Gold:
    title, text = ARTICLES[number]
    lines = ["Trang chủ", title, text, text.replace(",", " cũng vậy,") + " Việc ấy ai cũng mong.", STANDING]
    return Gold(f"{publisher} {number}", publisher, ("nav", "title", "body", "body", "promo"), tuple(lines))


PAGES = [gold(number) for number in range(3)]


def rows(unseen: int, seen: int, one_in: int = 10) -> Rows:
    """Return unseen article lines, and as many lines of one and of two other pages, of which one in so many is article."""
    pages = np.repeat([0, 1, 2], [unseen, seen, seen])
    sizes = np.log2(1 + np.where(np.arange(len(pages)) % 2, 20.0, 150.0))
    article = (pages == 0) | (np.arange(len(pages)) % one_in == 0)
    given = np.zeros((len(pages), len(LABELS)), np.bool_)
    given[~article, PROMO] = True
    return Rows(np.full(len(pages), "a"), pages, sizes, article, np.where(article, BODY, PROMO), given)


def test_lines_that_recur_are_evidence_and_more_so_with_more_data():
    curve = fit_curve(rows(200, 40), 1.0)
    against = curve.against_article(np.array([1, 2]), np.array([50, 50]))
    assert (against > 1).all()
    assert fit_curve(rows(200, 40), 0.01).against_article(np.array([2]), np.array([50])) < against[1]


def test_the_odds_of_another_label_by_hand():
    table = rows(10, 10)  # 18 standing lines, each with its own label given and seven others not
    a, b, c, d = 18.5, 0.5, 0.5, 18 * (len(LABELS) - 4) + 0.5
    assert fit_curve(table, 1.0).other_label == pytest.approx(np.log(a * d / (b * c)), abs=0.006)


def test_the_most_cautious_strength_that_settles_prose():
    table = rows(200, 40, one_in=500)
    strength, curve = cautious_curve(table)
    assert curve.offset[1] + curve.slope[1] * PROSE >= NEAR_CERTAIN
    weaker = fit_curve(table, strength / 10)
    assert strength > min(STRENGTHS)
    assert weaker.offset[1] + weaker.slope[1] * PROSE < NEAR_CERTAIN


def test_too_little_to_fit_is_refused(cleaner):
    with pytest.raises(InputError, match="recurs too often"):
        cautious_curve(rows(2000, 400, one_in=2))
    with pytest.raises(InputError, match="3 pages"):
        read_rows(cleaner, {"crawl": PAGES[:2]})


def test_sites_have_three_pages_or_more():
    styles = {"crawl": [*PAGES, gold(0, "baokhac")], "plain": PAGES[:2]}
    assert [(style, publisher, len(pages)) for style, publisher, pages in sites_of(styles)] == [("crawl", "baobaisong", 3)]


def test_rows_leave_out_headlines_leads_and_short_lines(cleaner):
    found = read_rows(cleaner, {"crawl": PAGES})
    assert sorted(zip(found.pages.tolist(), found.article.tolist())) == [(0, True)] * 3 + [(2, False)] * 3
    assert set(found.codes.tolist()) == {BODY, PROMO}


def test_effect_counts_what_only_the_memory_drops(cleaner):
    found = effect(cleaner, PAGES)
    size = len("".join(STANDING.split()))
    assert found.wrong >= size  # the model alone keeps it
    assert found.wrong_with == 0
    assert (found.lost, found.lost_with, found.titles_lost) == (0, 0, 0)
    assert found + found == tuple(2 * value for value in found)
