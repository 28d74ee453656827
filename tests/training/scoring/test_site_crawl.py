"""Simulated crawl of one site: the same for a seed, with reprints and standing lines; the command that reports on it."""

from __future__ import annotations

from collections import Counter

from classifier.labels import LABELS
from training import site_memory
from training.scoring.site_crawl import STANDING_LINES, composed_crawl


def body_of(page):
    return [line for label, line in zip(page.labels, page.lines) if label == "body"]


def test_a_crawl_has_reprints_and_standing_lines():
    pages, reprints = composed_crawl(10, 1, "vnexpress")
    assert (len(pages), len(reprints)) == (10, 1)
    assert composed_crawl(10, 1, "vnexpress") == (pages, reprints)
    assert {label for page in pages for label in page.labels} <= {"-", *(label.value for label in LABELS)}
    for number in reprints:
        originals = [page for place, page in enumerate(pages) if place != number and body_of(page) == body_of(pages[number])]
        assert len(originals) == 1
    everywhere = Counter(line for page in pages for line in set(zip(page.labels, page.lines)))
    assert sum(count == 10 and label == "promo" for (label, _), count in everywhere.items()) == STANDING_LINES


def test_pages_that_cannot_be_read(tmp_path, capsys):
    assert site_memory.main([str(tmp_path / "none")]) == 2
    assert "site_memory: " in capsys.readouterr().err
