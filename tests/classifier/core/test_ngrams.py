"""Hashes of n-grams: the powers that threads share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from classifier.core import ngrams


def test_threads_share_the_powers(monkeypatch):
    """A thread that finds the powers grown finds their inverses grown too, while another thread is growing both."""
    monkeypatch.setattr(ngrams, "_powers", (np.ones(1, np.uint64), np.ones(1, np.uint64)))
    original = ngrams._powers_of

    def interrupted(base, length):
        if base == ngrams._BASE_INVERSE:
            with ThreadPoolExecutor(1) as pool:
                sizes.append([len(powers) for powers in pool.submit(ngrams._powers_to, 1).result()])
        return original(base, length)

    sizes: list[list[int]] = []
    monkeypatch.setattr(ngrams, "_powers_of", interrupted)
    assert [len(powers) for powers in ngrams._powers_to(5000)] == [5000, 5000]
    assert sizes == [[1, 1]]
    assert (np.multiply(*ngrams._powers_to(5000)) == 1).all()
