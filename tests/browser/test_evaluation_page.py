"""The evaluation page in Chromium: themes, folding, layout."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from training.learning.dataset import make_pages
from training.scoring.gold import gold_pages
from training.scoring.report import WORST, evaluation_page
from training.scoring.scores import evaluate

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory, cleaner) -> Path:
    pages = make_pages(300, 5, folds=(0,))[0]
    styles = defaultdict(list)
    for page, gold in zip(pages, gold_pages(pages)):
        styles[page.style].append(gold)
    path = tmp_path_factory.mktemp("evaluation") / "evaluation.html"
    text = evaluation_page("held-out composed", {style: evaluate(cleaner, gold) for style, gold in sorted(styles.items())})
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_drawn_in_light_and_dark(chromium, report, artifacts):
    pictures = []
    for dark in (False, True):
        chromium.open(report, dark=dark)
        pictures.append(chromium.screenshot(artifacts / f"evaluation-{'dark' if dark else 'light'}.png", whole=True))
        assert chromium.complaints() == []
        assert chromium.requests() == [report.as_uri()]
    assert pictures[0] != pictures[1]
    fills = chromium.run("[...document.querySelectorAll('.bar .fill')].map(e => e.getBoundingClientRect().width)")
    assert max(fills) > 50
    assert chromium.run("document.documentElement.scrollWidth <= window.innerWidth")


def test_worst_pages_open(chromium, report):
    chromium.open(report)
    assert chromium.run("document.querySelectorAll('details').length") == WORST
    chromium.run("document.querySelector('details summary').focus()")
    chromium.click("details summary")
    assert chromium.run("document.querySelector('details').open")
    assert chromium.run("document.querySelector('details td.text').getBoundingClientRect().width") > 300


def test_every_number_fits_its_cell(chromium, report):
    chromium.open(report)
    sizes = chromium.run("[...document.querySelectorAll('.heat td')].map(e => e.scrollWidth <= e.clientWidth + 1)")
    assert len(sizes) == 144
    assert all(sizes)
