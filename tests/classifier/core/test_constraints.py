"""Label marks, and masking of probabilities with them."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.core.arrays import log_softmax
from classifier.core.constraints import ANY_LABEL, mark_of, mask_labels
from classifier.labels import EVIDENCE, LABELS, Label


def scores(classes: int, lines: int) -> np.ndarray:
    return log_softmax(np.random.default_rng(1).normal(size=(classes, lines)))


def test_a_mark_has_one_bit_per_label():
    assert [mark_of([label]) for label in LABELS] == [1 << place for place in range(12)]
    assert mark_of([Label.BODY, Label.BODY]) == 2
    assert ANY_LABEL == 0xFFF


@pytest.mark.parametrize("classes", [len(LABELS), len(EVIDENCE)])
def test_forbidden_labels_get_probability_zero_and_the_others_are_renormalised(classes):
    found = scores(classes, 3)
    marks = np.array([ANY_LABEL, mark_of([Label.RELATED]), ANY_LABEL & ~mark_of([Label.BODY, Label.PROMO])], np.uint16)
    p, before = np.exp(mask_labels(found, marks)), np.exp(found)
    assert p.sum(axis=0) == pytest.approx(1)
    assert np.array_equal(p[:, 0], before[:, 0])
    related = [place for place, name in enumerate(EVIDENCE[:classes]) if name.startswith("related")]
    assert np.flatnonzero(p[:, 1]).tolist() == related  # heading classes share the bit of their label
    assert p[related, 1] == pytest.approx(before[related, 1] / before[related, 1].sum())
    gone = [place for place, name in enumerate(EVIDENCE[:classes]) if name.startswith(("body", "promo"))]
    assert np.flatnonzero(p[:, 2] == 0).tolist() == gone


def test_bits_above_the_labels_are_ignored():
    found = scores(12, 2)
    assert mask_labels(found, np.array([ANY_LABEL, ANY_LABEL | 1 << 12], np.uint16)) is found
    nav_only = np.array([mark_of([Label.NAV]) | 1 << 15, ANY_LABEL], np.uint16)
    assert np.exp(mask_labels(found, nav_only))[LABELS.index(Label.NAV), 0] == 1


def test_a_label_with_negligible_probability_can_be_forced():
    found = np.full((12, 1), -900.0)
    found[0] = 0
    assert np.exp(mask_labels(found, np.array([mark_of([Label.WEATHER, Label.PROMO])], np.uint16))).max() == 0.5
