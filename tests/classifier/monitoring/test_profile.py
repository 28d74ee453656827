"""Page profiles: measures worked out by hand on small pages, and their guarantees on composed and random ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cleaner import Cleaner
from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.lines import is_blank
from classifier.monitoring.profile import BINS, NOISE_PAGES, SIGNALS, Measures, Profile, distance, mean_share, measure, profile_of
from classifier.results import Labels

NAV, BODY = ([label.value for label in LABELS].index(name) for name in ("nav", "body"))


def labelled(*pages: list[tuple[str, int, float, float]]) -> Labels:
    """Return pages of (text, code, probability, keep probability) as the cleaner would; body lines are kept."""
    rows = [row for page in pages for row in page]
    texts, codes, probabilities, keep = map(list, zip(*rows)) if rows else ([], [], [], [])
    codes = np.array(codes, np.int8)
    offsets = np.cumsum([0, *map(len, pages)])
    return Labels(codes, np.array(probabilities), codes == BODY, np.array(keep), codes, offsets, texts, codes, codes)


def measures_of(cleaner: Cleaner, pages: list[str]) -> Measures:
    return measure(cleaner, cleaner.label_pages(pages))


def test_measures_worked_out_by_hand(cleaner):
    page = [
        ("Trang chủ", NAV, 0.97, 0.01),
        ("Gốm sông", BODY, 0.5, 0.5),
        ("", -1, 0.0, 0.0),
        ("TRANG CHỦ", NAV, 0.7, 0.2),
        ("Lửa", NAV, 0.95, 0.1),
    ]
    found = measure(cleaner, labelled(page, [("", -1, 0.0, 0.0)], []))
    assert found.labels[0, [NAV, BODY]].tolist() == [0.75, 0.25]
    assert found.confidence[0].tolist() == [0, 0.25, 0.25, 0, 0.5]
    assert found.keeping[0].tolist() == [0.25, 0.5, 0.25, 0, 0]  # a border belongs to the bin above it
    assert found.repetition.tolist() == [0.25, 0, 0]  # letter case is ignored
    assert found.length.tolist() == [4, 0, 0]
    assert found.article.tolist() == [8, 0, 0]
    assert not found.labels[1:].any()
    assert not found.words[1:].any()


def test_words_are_unseen_if_the_vocabulary_does_not_hold_them(cleaner):
    seen, unseen, half = measures_of(cleaner, ["Trang chủ", "qqxyzzq wvwkq", "Trang chủ\nqqxyzzq wvwkq\n"]).words
    assert (seen, unseen, half) == (0, 1, 0.5)


def test_pages_count_alike_however_long():
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])  # the last has no line
    assert mean_share(rows).tolist() == [0.5, 0.5]


def test_distance_is_the_population_stability_index():
    one, other = np.array([0.5, 0.5]), np.array([0.8, 0.2])
    want = sum((p - q) * np.log(p / q) for p, q in ((0.51 / 1.02, 0.81 / 1.02), (0.51 / 1.02, 0.21 / 1.02)))
    assert distance(one, other) == pytest.approx(want)
    assert distance(one, one) == 0
    assert distance(one, other) == pytest.approx(float(distance(other, one)))


def test_a_profile_goes_through_json_unchanged(cleaner, composed_pages):
    for of_sites in (False, True):
        profile = profile_of(measures_of(cleaner, composed_pages), of_sites)
        spelled = json.dumps(profile.as_json())
        again = Profile.from_json(json.loads(spelled))
        assert json.dumps(again.as_json()) == spelled
        assert len(spelled) < 4000
        for values in profile.shares.values():
            assert values.sum() == pytest.approx(1, abs=0.01)


def test_the_same_pages_give_the_same_profile_in_any_order_of_batches(cleaner, composed_pages):
    whole = measures_of(cleaner, composed_pages)
    parts = Measures.joined([measures_of(cleaner, composed_pages[:7]), measures_of(cleaner, composed_pages[7:])])
    assert json.dumps(profile_of(whole).as_json()) == json.dumps(profile_of(parts).as_json())


def test_noise_falls_with_pages_and_is_that_of_one_draw_among_sites(cleaner, composed_pages):
    measures = measures_of(cleaner, composed_pages)
    profile, sites = profile_of(measures), profile_of(measures, of_sites=True)
    for signal in SIGNALS:
        few, more, many = (profile.allowance(signal, pages) for pages in (5, 20, 10_000))
        assert few > more > many
        assert sites.allowance(signal, 5) == sites.allowance(signal, 500) == pytest.approx(sites.noise[signal][0])
    # The 30 pages of the baseline are a sample too: 10,000 similar pages may differ from them as much as any number.
    assert profile.allowance("labels", 10_000) == pytest.approx(profile.allowance("labels", 10**9), rel=0.05)


def test_noise_beyond_the_drawn_sizes_goes_on_falling(cleaner, composed_pages):
    profile = profile_of(measures_of(cleaner, composed_pages))._replace(pages=10**9)
    drawn = NOISE_PAGES[-1]
    assert profile.allowance("words", 4 * drawn) == pytest.approx(profile.allowance("words", drawn) / 4, rel=0.01)


@pytest.mark.parametrize("of_sites", [False, True])
def test_sets_of_the_baselines_own_pages_stay_within_the_noise(cleaner, composed_pages, of_sites):
    measures = measures_of(cleaner, composed_pages)
    profile = profile_of(measures, of_sites)
    random = np.random.default_rng(1)
    over = 0
    for _ in range(100):
        picks = random.integers(len(composed_pages), size=12)
        rows = profile.rows(Measures(*(column[picks] for column in measures)))
        over += any(distance(mean_share(rows[name]), profile.shares[name]) > profile.allowance(name, 12) for name in SIGNALS)
    assert over <= 3


def test_pages_without_a_line_say_nothing_of_lines_but_of_length(cleaner, composed_pages):
    profile = profile_of(measures_of(cleaner, composed_pages))
    rows = profile.rows(measures_of(cleaner, ["", "\n\n"]))
    assert not rows["labels"].any()
    assert not rows["words"].any()
    assert rows["length"][:, 0].tolist() == [1, 1]
    with pytest.raises(InputError, match="no page has a line"):
        profile_of(measures_of(cleaner, ["", "\n"]))


def test_one_page_repeated_has_a_profile(cleaner, sample_page):
    profile = profile_of(measures_of(cleaner, [sample_page] * 3))
    assert all(np.isfinite(values).all() for values in profile.noise.values())
    assert distance(mean_share(profile.rows(measures_of(cleaner, [sample_page]))["length"]), profile.shares["length"]) < 1e-6


DAMAGES: dict[str, Any] = {
    "no object": lambda found: [1],
    "nothing": lambda found: None,
    "pages as text": lambda found: found | {"pages": "960"},
    "no pages": lambda found: found | {"pages": 0},
    "pages as truth": lambda found: found | {"pages": True},
    "units unknown": lambda found: found | {"of_sites": 1},
    "a signal missing": lambda found: found | {"shares": {name: v for name, v in found["shares"].items() if name != "words"}},
    "a bin missing": lambda found: found | {"shares": found["shares"] | {"labels": [0.5] * 11}},
    "a word for a number": lambda found: found | {"noise": found["noise"] | {"labels": ["a"] * len(NOISE_PAGES)}},
    "a list for a number": lambda found: found | {"noise": found["noise"] | {"labels": [[1]] * len(NOISE_PAGES)}},
    "infinite": lambda found: found | {"borders": found["borders"] | {"words": [1e999] * (BINS - 1)}},
    "negative": lambda found: found | {"borders": found["borders"] | {"words": [-1.0] * (BINS - 1)}},
    "falling borders": lambda found: found | {"borders": found["borders"] | {"words": [0.9 - 0.1 * i for i in range(BINS - 1)]}},
    "tables as lists": lambda found: found | {"borders": []},
    "beyond all floats": lambda found: found | {"borders": found["borders"] | {"words": [10**400] * (BINS - 1)}},
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_no_profile_is_refused(cleaner, sample_page, name):
    found = profile_of(measures_of(cleaner, [sample_page])).as_json()
    with pytest.raises(InputError, match="not a profile"):
        Profile.from_json(DAMAGES[name](found))


LINES = st.lists(
    st.sampled_from(["Trang chủ", "", "Đọc nhiều", "Sáng 4/3, khói trắng lại bay lên từ cuối bãi sông.", "\t", "*** ", "1"]), max_size=9
)


@given(st.lists(LINES, min_size=1, max_size=4))
def test_shares_are_shares_whatever_the_pages(cleaner, pages):
    found = measures_of(cleaner, ["".join(line + "\n" for line in page) for page in pages])
    for page, table in enumerate(pages):
        lines = [line for line in table if not is_blank(line)]
        assert found.length[page] == len(lines)
        for shares in (found.labels, found.confidence, found.keeping):
            assert shares[page].sum() == pytest.approx(float(bool(lines)))
        assert 0 <= found.words[page] <= 1
        assert 0 <= found.repetition[page] < 1
