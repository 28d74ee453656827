"""Quality floor of the shipped model: what it must get right whatever else changes. The gate checks figures on composed pages."""

from __future__ import annotations

from collections import defaultdict

import pytest

from training.composer.compose import article_page
from training.composer.corpus import Article, load_articles
from training.learning.dataset import fold_of_article

HELD_OUT = [article for article in load_articles() if fold_of_article(article) == 0]


def kept_share(cleaner, articles: list[Article], gap: str) -> float:
    """Return the share of the characters of title, lead and body that survive cleaning the article alone."""
    pages = ["\n".join(line.text + gap for line in article_page(article) if line.label != "caption") for article in articles]
    kept = sum(len("".join(page.split())) for page in cleaner.clean_pages(pages))
    return kept / sum(len("".join(page.split())) for page in pages)


@pytest.mark.parametrize("gap", ["", "\n"], ids=["no blank lines", "blank lines"])
def test_clean_articles_pass_untouched(cleaner, gap):
    assert len(HELD_OUT) >= 200
    assert kept_share(cleaner, HELD_OUT, gap) >= 0.99


@pytest.fixture(scope="module")
def shares(cleaner) -> dict[str, float]:
    """Return the kept share of each form of article, with or without blank lines, whichever is worse."""
    by_form = defaultdict(list)
    for article in HELD_OUT:
        by_form[article.form].append(article)
    return {form: min(kept_share(cleaner, articles, gap) for gap in ("", "\n")) for form, articles in by_form.items()}


@pytest.mark.parametrize(
    "form",
    ["recipe", "lineup", "legal", "interview", "qa", "market", "news", "list", "steps", "letter", "match", "live", "court", "notice"],
)
def test_articles_of_every_form_pass(shares, form):
    assert shares[form] >= 0.99


def test_no_form_of_article_loses_much(shares):
    assert min(shares.values()) >= 0.96, shares


def test_real_headings_of_a_sidebar_are_dropped(cleaner, sample_page):
    kept = cleaner.clean_text(sample_page)
    for text in ("Đọc nhiều", "Tin cùng chuyên mục", "Thời tiết hôm nay", "Trang chủ", "Giấy phép"):
        assert text not in kept


def test_everything_of_the_sample_article_is_kept(cleaner, sample_page):
    kept = cleaner.clean_text(sample_page)
    for opening in ("Làng gốm bên sông", "Sau hai năm", "Sáng 4/3", '"Lửa còn', "Theo Hợp tác xã", "Cái khó nằm ở đất"):
        assert opening in kept
