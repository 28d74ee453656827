"""Batches of pages from several sites: same results as one page at a time, in order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from classifier.cleaner import Cleaner
from classifier.core.constraints import mark_of
from classifier.jobs.batches import at_site, label_by_site
from classifier.labels import Label
from classifier.sites.memory import SiteMemory
from classifier.sites.rule import EVERY_SITE, Rule
from classifier.sites.rules import SiteRules

RULES = SiteRules(
    {
        EVERY_SITE: [Rule("tin", None, mark_of([Label.PROMO]), True)],
        "a.vn": [Rule("tin", None, mark_of([Label.MEDIA]), True)],
        "b.vn": [Rule("tin", None, mark_of([Label.NAV]), True)],
    }
)
SITES = ["a.vn", "", "https://www.b.vn/1.html", "c.vn", "A.VN", "", "d.vn", "b.vn"]


@pytest.mark.parametrize("own", [None, "b.vn"])
@pytest.mark.parametrize("sites", [SITES, ["a.vn"] * 8, [""] * 8, ["x.vn", "y.vn"] * 4, []])
def test_each_page_is_labelled_as_if_it_had_come_alone(cleaner, composed_pages, own, sites):
    ruled = Cleaner(cleaner.model, rules=RULES, site=own)
    pages = [*composed_pages[:6], "", composed_pages[7]]
    found = label_by_site(ruled, pages, sites)
    assert len(found.offsets) == len(pages) + 1
    for page, site, (start, stop) in zip(pages, sites or [""] * 8, pairwise(found.offsets.tolist())):
        alone = at_site(ruled, site).label_pages([page])
        assert found.lines[start:stop] == alone.lines
        for one, other in zip(found[:5], alone[:5]):
            assert np.array_equal(one[start:stop], other)


def test_without_rules_sites_mean_nothing(cleaner, composed_pages):
    found, want = label_by_site(cleaner, composed_pages[:2], ["a.vn", "b.vn"]), cleaner.label_pages(composed_pages[:2])
    assert np.array_equal(found.probabilities, want.probabilities)


def test_sites_with_the_same_rules_are_labelled_together(cleaner, composed_pages, monkeypatch):
    calls, label_pages = [], Cleaner.label_pages
    monkeypatch.setattr(Cleaner, "label_pages", lambda self, pages: calls.append(self.site) or label_pages(self, pages))
    label_by_site(Cleaner(cleaner.model, rules=RULES), composed_pages[:8], SITES)
    assert calls == ["a.vn", None, "b.vn", None]  # one for pages that name no site, one for sites without rules of their own


@pytest.mark.parametrize("rules", [None, RULES])
def test_with_a_memory_each_site_has_its_own(cleaner, composed_pages, rules):
    pages, sites = composed_pages[:4] * 2, ["a.vn", "www.A.vn", "x.vn", "", "x.vn", "a.vn", "", "y.vn"]
    memory = _same_as_one_by_one(Cleaner(cleaner.model, rules=rules, site="b.vn"), pages, sites)
    for line in composed_pages[3].splitlines():
        assert memory.seen_on(line) == 0


@pytest.mark.parametrize(("own", "sites"), [("b.vn", ["", "https://www.b.vn/1.html", ""]), (None, ["a.vn", "https:///", ""])])
@pytest.mark.parametrize("rules", [None, RULES])
def test_with_a_memory_pages_that_name_the_site_of_all_others_keep_their_place(cleaner, composed_pages, monkeypatch, rules, own, sites):
    calls, label_pages = [], Cleaner.label_pages
    monkeypatch.setattr(Cleaner, "label_pages", lambda self, pages: calls.append((self.site, len(pages))) or label_pages(self, pages))
    label_by_site(Cleaner(cleaner.model, rules=rules, site=own, memory=SiteMemory(2)), composed_pages[:3], sites)
    assert calls == ([("b.vn", 3)] if own else [("a.vn", 1), (None, 2)])


def _same_as_one_by_one(plain: Cleaner, pages: list[str], sites: list[str]) -> SiteMemory:
    together, alone = SiteMemory(2), SiteMemory(2)
    found = label_by_site(plain.remembering(together), pages, sites)
    parts = [at_site(plain.remembering(alone), site).label_pages([page]) for page, site in zip(pages, sites)]
    assert np.array_equal(found.probabilities, np.concatenate([part.probabilities for part in parts]))
    assert np.array_equal(together.sketch.cells, alone.sketch.cells)
    return together
