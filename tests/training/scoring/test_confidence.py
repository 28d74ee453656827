import numpy as np
import pytest

from classifier.record.confidence import SIGNS
from training.scoring.confidence import agreement, fit_confidence
from training.scoring.scores import PageScore


def score(confidence: float, article: float, wrong: int = 0) -> PageScore:
    return PageScore("a__1", "a", article, article, article, [(wrong, "body", "nav", "x")] if wrong else [], confidence)


def test_a_known_regression_is_found():
    random = np.random.default_rng(3)
    signs = np.exp(random.uniform(-6, 0, (len(SIGNS), 4000)))
    real = 1 - 1 / (1 + np.exp(-(np.array([0.9, 0.0]) @ np.log(signs) - 0.5)))
    found = fit_confidence(signs, real)
    assert found.weights == pytest.approx((0.9, 0), abs=0.05)
    assert found.expected(signs) == pytest.approx(real, abs=0.02)


def test_pages_of_which_nothing_is_kept_do_not_count():
    random = np.random.default_rng(3)
    signs, real = random.uniform(0.01, 1, (len(SIGNS), 50)), random.uniform(0.5, 1, 50)
    empty = np.full((len(SIGNS), 9), np.nan)
    assert fit_confidence(np.concatenate((signs, empty), axis=1), np.append(real, np.zeros(9))) == fit_confidence(signs, real)


def test_agreement_worked_out_by_hand():
    found = agreement([score(0.5, 0.4, 30), *[score(0.995, 1.0, 5)] * 8, score(0.96, 0.9, 30)])
    assert found.caught == pytest.approx(30 / 100)  # one page is a tenth
    assert found.bins == [(0.0, 0.5, 0.4, 1), (0.95, 0.96, 0.9, 1), (0.99, pytest.approx(0.995), 1.0, 8)]
    assert found.rank_correlation == pytest.approx(1)
