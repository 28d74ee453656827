"""Count-min sketch against exact counts: never too low, and exact without collisions."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.sites.count_min import MOST, ROWS, CountMin

BATCHES = st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 30), min_size=1, max_size=40), max_size=25)


def filled(bits: int, batches: list[list[int]]) -> tuple[CountMin, Counter[int]]:
    """Return a sketch and exact counts of the same batches; a key counts once per batch."""
    sketch, exact = CountMin(bits), Counter[int]()
    for batch in batches:
        sketch.add(sketch.places(np.array(batch, np.uint64)))
        exact.update(set(batch))
    return sketch, exact


def counts(sketch: CountMin, keys: list[int]) -> list[int]:
    return sketch.counts(sketch.places(np.array(keys, np.uint64))).tolist()


@given(BATCHES)
def test_never_too_low_however_crowded(batches):
    sketch, exact = filled(3, batches)  # 8 cells a row
    assert all(found >= exact[key] for key, found in zip(exact, counts(sketch, list(exact))))


@given(BATCHES)
def test_exact_where_there_is_room(batches):
    sketch, exact = filled(16, batches)  # at most 1000 keys among 65536 cells in each of four rows
    assert counts(sketch, list(exact)) == list(exact.values())


@given(BATCHES, st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(batches, random):
    shuffled = [random.sample(batch, len(batch)) for batch in batches]
    assert np.array_equal(filled(3, batches)[0].cells, filled(3, shuffled)[0].cells)


@given(BATCHES)
def test_no_cell_says_more_than_there_were_batches(batches):
    """Conservative update: a batch raises no cell by more than one."""
    assert filled(3, batches)[0].cells.max() <= len(batches)


def test_counts_stay_at_the_most():
    sketch = CountMin(4)
    places = sketch.places(np.array([7], np.uint64))
    for _ in range(MOST + 5):
        sketch.add(places)
    assert sketch.counts(places).tolist() == [MOST]


def test_each_key_has_one_cell_in_every_row():
    places = CountMin(6).places(np.arange(1000, dtype=np.uint64))
    assert (places // 64 == np.arange(ROWS)[:, None]).all()
    assert (np.bincount(places.ravel(), minlength=4 * 64) > 0).all()  # 1000 keys reach all 64 cells


def test_nothing_added():
    sketch = CountMin(6)
    sketch.add(sketch.places(np.zeros(0, np.uint64)))
    assert not sketch.cells.any()
    assert sketch.error(1) == 0


def test_error_is_the_share_of_full_cells_in_every_row():
    sketch = CountMin(2)
    sketch.cells[:] = [[1, 0, 0, 0], [2, 2, 0, 0], [1, 1, 1, 0], [3, 3, 3, 3]]
    assert sketch.error(1) == pytest.approx(1 / 4 * 2 / 4 * 3 / 4)
    assert sketch.error(2) == 0


def test_error_is_what_new_keys_find():
    random = np.random.default_rng(3)
    sketch = CountMin(10)
    for _ in range(3):
        sketch.add(sketch.places(np.arange(1500, dtype=np.uint64)))
    new = sketch.places(random.integers(1 << 32, 1 << 62, 100_000, dtype=np.uint64))
    assert (sketch.counts(new) >= 3).mean() == pytest.approx(sketch.error(3), rel=0.03)
    assert sketch.error(3) == pytest.approx((1 - np.exp(-1500 / 1024)) ** ROWS, rel=0.1)  # derived in training/EXPERIMENTS.md
