"""Site rules: which lines they match, what they do, and that all guarantees of the API hold with them."""

from __future__ import annotations

import pickle
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifier
from classifier.cleaner import Cleaner
from classifier.core.constraints import ANY_LABEL, mark_of
from classifier.labels import LABELS, Label
from classifier.lines import is_blank, split_lines
from classifier.sites.regex_cost import SEEN_CHARS
from classifier.sites.rule import EVERY_SITE, LineRules, Rule, site_name
from classifier.sites.rules import SiteRules
from tests.fuzz import contract, strategies
from tests.fuzz.test_contract import slowly

SITE = "bao-bai-song.vn"


def force(what: str, *labels: Label, regex: bool = False) -> Rule:
    return Rule(None if regex else what.casefold(), what if regex else None, mark_of(labels), True)


def forbid(what: str, *labels: Label, regex: bool = False) -> Rule:
    return force(what, *labels, regex=regex)._replace(mark=ANY_LABEL & ~mark_of(labels), forces=False)


def marks(rules: list[Rule], *texts: str) -> list[int]:
    return LineRules(rules).marks(texts).tolist()


PROMO = force("Tải ứng dụng", Label.PROMO)

# -- matching --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Tải ứng dụng để đọc báo nhanh hơn", True),
        ("  MỜI BẠN TẢI ỨNG DỤNG\t", True),
        (unicodedata.normalize("NFD", "Tải ứng dụng"), True),
        ("\ufeff\u200bTải ứng dụng", True),
        ("Tải ứng\ndụng", True),  # a caller's line may contain a line end; rules treat it as white space
        ("Tai ung dung", False),
        ("Tải  ứng dụng", False),
        ("x" * (SEEN_CHARS - 12) + "Tải ứng dụng", True),
        ("x" * (SEEN_CHARS - 11) + "Tải ứng dụng", False),  # beyond what rules see
        (" " * 5000 + "Tải ứng dụng", True),
        (unicodedata.normalize("NFD", "ể" * (SEEN_CHARS - 12) + "Tải ứng dụng"), True),
    ],
)
def test_a_phrase_stands_anywhere_in_what_rules_see(line, found):
    assert marks([PROMO], "một", line, "hai") == [ANY_LABEL, mark_of([Label.PROMO]) if found else ANY_LABEL, ANY_LABEL]


def test_a_phrase_is_found_in_every_line_it_stands_in_and_in_no_two_together():
    texts = ["abc", "c", "abcabc", "ab", "c", "xabc"]
    assert [mark != ANY_LABEL for mark in marks([force("abc", Label.NAV)], *texts)] == [True, False, True, False, False, True]


def test_a_regex_sees_the_trimmed_line_and_case_as_it_is():
    rule = force("^Ảnh: .*[^.]$", Label.CAPTION, regex=True)
    caption = mark_of([Label.CAPTION])
    assert marks([rule], " Ảnh: Vũ Lâm ", "ảnh: Vũ Lâm", "Ảnh: một câu.", "x Ảnh: y") == [caption, ANY_LABEL, ANY_LABEL, ANY_LABEL]
    assert marks([force("(?i)^ẢNH:", Label.CAPTION, regex=True)], "ảnh: Vũ Lâm") == [caption]
    assert marks([rule], unicodedata.normalize("NFD", "Ảnh: Vũ Lâm")) == [caption]


# -- labels left -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ([force("a", Label.NAV), force("a", Label.PROMO)], [Label.NAV]),  # the first that forces wins
        ([force("b", Label.NAV), force("a", Label.PROMO)], [Label.PROMO]),  # the first that matches
        ([force("a", Label.NAV, Label.PROMO), force("a", Label.PROMO)], [Label.NAV, Label.PROMO]),
        ([forbid("a", Label.NAV), forbid("a", Label.PROMO)], [label for label in LABELS if label not in ("nav", "promo")]),
        ([force("a", Label.NAV), forbid("a", Label.NAV)], [Label.NAV]),  # skipped: it would leave no label
        ([forbid("a", Label.NAV), force("a", Label.NAV)], [label for label in LABELS if label != "nav"]),  # likewise
        ([force("a", Label.NAV, Label.PROMO), forbid("a", Label.PROMO)], [Label.NAV]),
        ([forbid("a", *LABELS[:6]), forbid("a", *LABELS[6:]), forbid("a", LABELS[6])], LABELS[7:]),
        ([forbid("a", Label.NAV), force("a", Label.NAV), force("a", Label.PROMO)], [Label.PROMO]),
    ],
)
def test_rules_narrow_what_those_before_them_left(rules, left):
    assert marks(rules, "a") == [mark_of(left)]


def test_a_sites_own_rules_come_first_and_only_there():
    rules = SiteRules({EVERY_SITE: [PROMO], SITE: [force("ứng dụng", Label.BODY)], "b.vn": []})
    line = "Tải ứng dụng"
    assert [rules.at(site).marks([line]).tolist() for site in (None, "x.vn", "b.vn")] == [[mark_of([Label.PROMO])]] * 3
    for name in (SITE, "WWW.Bao-Bai-Song.VN", f"https://www.{SITE}/thoi-su/1.html?x=//y"):
        assert rules.at(name).marks([line]).tolist() == [mark_of([Label.BODY])]
    assert SiteRules({SITE: [PROMO]}).at("x.vn") is None is SiteRules({}).at(None)


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        (" Bao-Bai-Song.vn ", SITE),
        (f"www.{SITE}", SITE),
        (f"//{SITE}/x", SITE),
        (f"http://tên:khóa@{SITE}:8080", SITE),
        (f"m.{SITE}", f"m.{SITE}"),
        ("http://[::1]:8000/x", "[::1]"),
        ("http://[::1", ""),
        ("http://", ""),
        ("Báo Bãi Sông", "báo bãi sông"),
        (unicodedata.normalize("NFD", "báo.vn"), "báo.vn"),
        ("", ""),
    ],
)
def test_names_of_sites(given_name, name):
    assert site_name(given_name) == name


# -- with a cleaner -----------------------------------------------------------------------------------------------------------

RULES = SiteRules(
    {
        EVERY_SITE: [force("tin", Label.PROMO), forbid(r"\d", Label.BODY, Label.TITLE, regex=True)],
        SITE: [force("video", Label.MEDIA, Label.RELATED), forbid("^[A-ZĐ]", Label.NAV, regex=True)],
    }
)


@pytest.fixture(scope="module")
def ruled(cleaner: Cleaner) -> Cleaner:
    return Cleaner(cleaner.model, rules=RULES)


def test_lines_get_what_rules_leave(ruled, composed_pages):
    for bound in (ruled, ruled.at(SITE)):
        found = bound.label_pages(composed_pages)
        solid = [place for place, line in enumerate(found.lines) if not is_blank(line)]
        left = RULES.at(bound.site).marks([found.lines[place] for place in solid])
        for codes in (found.codes, found.first_guesses):
            assert (left >> codes[solid].astype(np.uint16) & 1).all()
        only = np.isin(left, [1 << code for code in range(12)])
        assert only.sum() > 50
        assert (found.probabilities[solid][only] == 1).all()


def test_lines_without_a_rule_see_what_their_neighbours_became(cleaner):
    page = ["Làng gốm bên sông đỏ lửa trở lại", "Góc nhỏ bên đường", "Chợ gốm cuối tuần hút khách phố", "Giá vàng nhẫn sáng nay tăng"]
    ruled = Cleaner(cleaner.model, rules=SiteRules({EVERY_SITE: [force("Góc nhỏ", Label.MOST_READ)]}))
    plain, found = (list(one.label_lines(page)) for one in (cleaner, ruled))
    at = LABELS.index(Label.MOST_READ)
    assert [line.label for line in found][1] == LABELS[at]
    assert found[2].probability != plain[2].probability


def test_without_rules_nothing_changes(cleaner, composed_pages):
    want = cleaner.label_pages(composed_pages)
    others = [SiteRules({}), SiteRules({SITE: [PROMO]}), SiteRules({EVERY_SITE: [force("no line holds this", Label.NAV)]})]
    for rules in others:
        found = Cleaner(cleaner.model, rules=rules).label_pages(composed_pages)
        for one, other in zip(found[:5], want[:5]):
            assert np.array_equal(one, other)


@slowly
@given(strategies.randoms, st.integers(1, 4), st.sampled_from([None, SITE]), st.data())
def test_every_promise_holds_with_rules_on_hostile_pages(cleaner, random, count, site, data):
    pages = strategies.pages(random, count)
    words = sorted({word for page in pages for word in page.split()[:40] if len(word) < SEEN_CHARS}) or ["a"]
    label = st.sampled_from(LABELS)
    rule = st.builds(force, st.sampled_from(words), label) | st.builds(forbid, st.sampled_from(words), label, label)
    rules = SiteRules({EVERY_SITE: data.draw(st.lists(rule, min_size=1, max_size=4)), SITE: data.draw(st.lists(rule, max_size=3))})
    contract.all_calls_agree(Cleaner(cleaner.model, rules=rules, site=site), pages, random)


@slowly
@given(strategies.randoms)
def test_lines_with_line_ends_inside_come_back_with_rules(ruled, random):
    lines = [strategies.line(random) + random.choice(("", "\n", "\r\n1", "\ra", "\n\n tin")) for _ in range(random.randrange(12))]
    contract.any_lines_come_back(ruled, lines)


@given(st.lists(st.text(max_size=30).filter(lambda text: not is_blank(text)), min_size=1, max_size=12))
def test_a_mark_depends_on_its_line_alone(texts):
    rules = RULES.at(SITE)
    assert rules.marks(texts).tolist() == [rules.marks([text]).item() for text in texts]


@pytest.mark.usefixtures("started_workers")
def test_processes_use_the_rules_of_the_cleaner(ruled, composed_pages):
    for bound in (ruled, ruled.at(SITE)):
        assert list(bound.clean_pages(composed_pages, jobs=2)) == list(bound.clean_pages(composed_pages))
    assert list(ruled.clean_pages(composed_pages)) != list(ruled.at(SITE).clean_pages(composed_pages))


def test_a_bound_cleaner_is_the_same_but_for_its_site(cleaner):
    ruled = Cleaner(cleaner.model, keep="caption", threshold=0.3, rules=RULES)
    bound = ruled.at("www." + SITE)
    assert (bound.model, bound.keep, bound.threshold, bound.rules) == (ruled.model, ruled.keep, 0.3, RULES)
    assert (ruled.site, bound.site, bound.at(None).site) == (None, SITE, None)
    assert cleaner.at(SITE).rules is None


def test_rules_travel_and_compare():
    copy = pickle.loads(pickle.dumps(RULES))
    assert copy == RULES
    assert hash(copy) == hash(RULES)
    assert SiteRules({EVERY_SITE: [PROMO]}) != RULES != "rules"


def test_a_path_for_rules_is_refused_with_the_call_that_reads_it(cleaner):
    with pytest.raises(classifier.InputError, match=r"SiteRules\.read"):
        classifier.load(rules="sites.toml")


def test_hostile_lines_are_no_trouble(ruled):
    page = ["a" + "\u0323\u0301" * 200_000, "tin " * 500_000, " " * 100_000 + "\ud800tin", "1\x00"]
    found = list(ruled.label_lines(page))
    assert [line.text for line in found] == page
    assert [line.label for line in found][1:3] == ["promo", "promo"]


def test_explained_lines_are_the_labelled_ones(ruled, sample_page):
    from tests.support.explaining import explain_lines

    lines, bound = split_lines(sample_page), ruled.at(SITE)
    explained = explain_lines(bound, lines)
    assert [why.line for why in explained] == list(bound.label_lines(lines))
    odds = [why.context_pass.odds for why in explained if why.context_pass]
    assert min(odds) < 0  # a rule overrode the model
    for why in explained:
        for reasons in filter(None, (why.first_pass, why.context_pass)):
            assert reasons.rest + sum(feature.weight for feature in reasons.features) == pytest.approx(reasons.odds, abs=1e-7)
        assert why.runner_up is None or why.runner_up != why.line.label
