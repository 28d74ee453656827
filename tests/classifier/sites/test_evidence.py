"""Evidence of other pages: what makes a line standing text, and what never does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.features import LOG_SCALE
from classifier.labels import LABELS
from classifier.sites.evidence import FITTED, LEAST_SIZE, PageLines, remembered_sets
from classifier.sites.memory import LearnedPages, SiteMemory
from classifier.sites.page_pass import PagePass

TITLE, BODY, CAPTION, NAV, RELATED, PROMO = (LABELS.index(name) for name in ("title", "body", "caption", "nav", "related", "promo"))
SURE = 0.8
STANDING = (7, BODY, 90)  # hash, label, visible characters


def found_for(codes, surety=SURE):
    """Return log probabilities with `surety` for each code and the rest spread evenly."""
    table = np.full((len(LABELS), len(codes)), (1 - surety) / (len(LABELS) - 1))
    table[codes, np.arange(len(codes))] = surety
    return np.log(table)


def columns(page):
    hashes, codes, sizes = (np.array(column) for column in zip(*page))
    return hashes.astype(np.uint64), codes, LOG_SCALE[sizes]


def learned(*pages):
    """Return a memory of pages, lists of (hash, code, visible characters) per line."""
    memory = SiteMemory(pages=1)  # the strictest: one other page is evidence
    for page in pages:
        hashes, codes, sizes = columns(page)
        memory.add(LearnedPages(None, *remembered_sets(PageLines(hashes, codes, sizes)), 1))
    return memory


def judged(memory, page, surety=SURE):
    """Return the probabilities of a page's lines after the memory has judged it."""
    hashes, codes, sizes = columns(page)
    judge = PagePass(memory, None, learn=False)
    judge.add(np.zeros(len(page), int), hashes, sizes, found_for(codes, surety))
    return np.exp(judge.settled(1))


def labels_of(memory, page, surety=SURE):
    return judged(memory, page, surety).argmax(axis=0).tolist()


def article(number, paragraphs=6):
    """Return the lines of an article of its own: a headline, a lead and paragraphs."""
    first = 1000 * number
    return [(first, TITLE, 50), *((first + line, BODY, 200) for line in range(1, paragraphs + 1))]


def untouched(memory, page):
    return labels_of(memory, page, 0.999) == [code for _, code, _ in page]


# -- standing text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [1, 2])
def test_the_curve_worked_out_by_hand(others):
    memory = learned(*([STANDING, *article(number)] for number in range(2, 2 + others)))
    nats = FITTED.offset[others - 1] + FITTED.slope[others - 1] * LOG_SCALE[90] / 8
    low, rest = np.exp(-nats), (1 - SURE) / 11
    total = SURE * low + 2 * rest * low + 9 * rest
    found = judged(memory, [STANDING, *article(9)])
    assert found[BODY, 0] == pytest.approx(SURE * low / total)
    assert found[[TITLE, CAPTION], 0] == pytest.approx([rest * low / total] * 2)
    assert found[NAV, 0] == pytest.approx(rest / total)
    assert np.allclose(found[:, 1:], np.exp(found_for([code for _, code, _ in article(9)])))


def test_the_label_of_other_pages_is_preferred():
    memory = learned(*([(7, code, 90), *article(number)] for number, code in ((2, BODY), (3, PROMO))))
    found = judged(memory, [STANDING, *article(9)])
    assert found[:, 0].argmax() == PROMO
    assert found[PROMO, 0] / found[NAV, 0] == pytest.approx(np.exp(FITTED.other_label))


def test_evidence_grows_with_pages_and_length_and_short_lines_are_no_evidence():
    def doubt(size, others):
        memory = learned(*([(7, BODY, size), *article(number)] for number in range(2, 2 + others)))
        return SURE - judged(memory, [(7, BODY, size), *article(9)])[BODY, 0]

    assert 0 < doubt(20, 1) < doubt(20, 2) < doubt(200, 2)
    assert doubt(20, 1) < doubt(200, 1)
    assert doubt(LEAST_SIZE - 1, 5) == 0


def test_a_short_line_that_the_model_is_sure_of_stays_and_prose_does_not():
    pages = [[(7, BODY, 14), (8, BODY, 250), *article(number)] for number in range(2, 4)]
    assert labels_of(learned(pages[0]), [*pages[1][:1], *article(9)], 0.999)[0] == BODY
    assert labels_of(learned(*pages), [*pages[1][:2], *article(9)], 0.999)[1] != BODY


# -- what is no evidence -------------------------------------------------------------------------------------------------------


def test_a_page_is_no_evidence_against_itself_nor_is_its_copy():
    page = article(1)
    assert untouched(learned(page), page)
    assert untouched(learned(page, page, [(5, NAV, 30), *page], [*page, (6, RELATED, 80)]), page)


def test_a_reprint_under_another_headline_is_a_version_and_standing_text_still_goes():
    crawl = [[*article(number), STANDING] for number in range(2, 9)]
    reprint = [(1, TITLE, 44), *article(2)[1:], STANDING]
    memory = learned(*crawl, reprint)
    for page in (crawl[0], reprint):
        found = labels_of(memory, page, 0.99)
        assert found[:-1] == [code for _, code, _ in page[:-1]]
        assert found[-1] not in (TITLE, BODY, CAPTION)


@pytest.mark.parametrize("growth", [1, 2, 3])
def test_a_page_that_grows_through_the_day_under_changing_headlines(growth):
    """The first state is a small part of the last, so it is a version only by the states between."""
    states = [[(number, TITLE, 50), *article(1, growth * number)[1:]] for number in range(1, 12)]
    memory = learned(*states)
    assert all(untouched(memory, state) for state in states)


def test_a_press_release_on_many_pages():
    pages = [[(10 + number, TITLE, 50), *article(1)[1:], (100 + number, BODY, 120)] for number in range(40)]
    memory = learned(*pages)
    assert all(untouched(memory, page) for page in pages)


def test_a_series_keeps_its_parts():
    """The parts share a lead that introduces the series, and link to one another by headline."""
    parts = [article(number) for number in range(1, 6)]
    intro = (77, BODY, 220)
    pages = []
    for part in parts:
        links = [(other[0][0], RELATED, 50) for other in parts if other is not part]
        pages.append([part[0], intro, *part[1:], *links])
    memory = learned(*pages)
    assert all(untouched(memory, page) for page in pages)


def test_headlines_and_leads_that_other_pages_print_as_links_are_not_doubted():
    page = article(1)
    links = [(line[0], RELATED, line[2]) for line in page[:2]]
    memory = learned(page, *([*article(number), *links] for number in range(2, 9)))
    assert untouched(memory, page)


def test_headlines_that_the_model_missed_below_a_standing_line_that_it_took_for_one():
    headline, short, lead, paragraph = (1, BODY, 50), (2, BODY, LEAST_SIZE - 1), (3, BODY, 40), (4, BODY, 200)
    others = [[(9, TITLE, 90), *article(number), (1, RELATED, 50), (3, BODY, 40)] for number in range(2, 6)]
    memory = learned(*others)
    for page in ([headline, short, paragraph], [headline, lead, paragraph], [headline, short, lead, short, paragraph]):
        assert labels_of(memory, [(9, TITLE, 90), *page, (5, BODY, 200)], 0.9)[1] == BODY
    inside = [(9, TITLE, 90), (5, BODY, 200), headline, lead, paragraph]  # a teaser and its lead between paragraphs
    assert labels_of(memory, inside, 0.9)[2] == RELATED


def test_a_lead_that_other_pages_tease_below_a_headline_that_the_model_missed():
    headline, lead, paragraph = (1, BODY, 70), (3, BODY, 160), (4, BODY, 200)
    memory = learned(*[[*article(number), (9, PROMO, 90), (3, RELATED, 160)] for number in range(2, 5)])
    assert labels_of(memory, [(9, PROMO, 90), headline, lead, paragraph, (5, BODY, 200)])[2] == BODY
    for page in ([headline, paragraph, lead, (5, BODY, 200)], [headline, lead, (9, BODY, 90), paragraph]):  # a teaser, then
        found = labels_of(memory, [*page, (6, BODY, 200)])
        assert found[page.index(lead)] == RELATED


def test_pages_that_end_together_are_judged_as_one_by_one():
    crawl = [[*article(number), STANDING, (number + 1, BODY, 40)] for number in range(1, 5)]
    pages = [*crawl, [(7, CAPTION, 90)], article(1, 3), [STANDING], [(2001, RELATED, 50), *article(2), STANDING]]
    memory = learned(*crawl)
    for learn in (False, True):
        judge = PagePass(SiteMemory.from_bytes(memory.to_bytes(), "copy"), None, learn)
        for number, page in enumerate(pages):
            hashes, codes, sizes = columns(page)
            judge.add(np.full(len(page), number), hashes, sizes, found_for(codes))
        one_by_one = PagePass(memory, None, learn)
        found = []
        for number, page in enumerate(pages):
            hashes, codes, sizes = columns(page)
            one_by_one.add(np.full(len(page), number), hashes, sizes, found_for(codes))
            found.append(one_by_one.settled(number + 1))
        assert np.array_equal(judge.settled(len(pages)), np.concatenate(found, axis=1))


def test_a_line_in_the_place_of_a_lead_that_pages_take_for_a_notice_is_standing_text():
    pages = [[article(number)[0], (7, code, 90), *article(number)[1:]] for number, code in zip(range(2, 6), (BODY, BODY, NAV, BODY))]
    found = labels_of(learned(*pages), pages[0])
    assert found[1] != BODY
    assert found[2:] == [BODY] * 6


def test_pages_without_an_article_are_left_alone():
    page = [(7, CAPTION, 90), (8, NAV, 90)]
    assert untouched(learned(page, page, [STANDING, *article(3)], [STANDING, *article(4)]), page)


@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from([TITLE, BODY, NAV, RELATED]), st.sampled_from([9, 30, 90, 300])), min_size=1))
def test_a_page_and_its_copies_alone_change_nothing(page):
    found = judged(learned(page, page), page)
    codes = [code for _, code, _ in page]
    assert np.array_equal(found, np.exp(found_for(codes)))
