"""Bit-set sketch against exact sets: never a bit too few, exact without collisions, and the same however it was filled."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.sites.bit_sketch import ROWS, BitSketch, popcounts

KEYS = st.integers(0, 2**64 - 1) | st.integers(0, 30)
SETS = st.integers(0, 2**64 - 1)
BATCHES = st.lists(st.lists(st.tuples(KEYS, SETS), min_size=1, max_size=40), max_size=25)


def filled(bits: int, batches: list[list[tuple[int, int]]]) -> BitSketch:
    sketch = BitSketch(bits)
    for batch in batches:
        keys, sets = np.array(batch, np.uint64).reshape(-1, 2).T
        sketch.add(sketch.places(keys), sets)
    return sketch


def exact(batches: list[list[tuple[int, int]]]) -> dict[int, int]:
    sets: dict[int, int] = defaultdict(int)
    for batch in batches:
        for key, bits in batch:
            sets[key] |= bits
    return sets


def sets_of(sketch: BitSketch, keys) -> list[int]:
    return sketch.sets(sketch.places(np.array(list(keys), np.uint64))).tolist()


@given(BATCHES)
def test_no_bit_is_lost_however_crowded(batches):
    expected = exact(batches)
    assert all(found & want == want for want, found in zip(expected.values(), sets_of(filled(3, batches), expected)))  # 8 cells a row


@given(BATCHES)
def test_exact_where_there_is_room(batches):
    expected = exact(batches)
    assert sets_of(filled(16, batches), expected) == list(expected.values())


@given(BATCHES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_repetition_and_grouping_do_not_matter(batches, random, parts):
    whole = filled(3, batches)
    pairs = [pair for batch in batches for pair in batch] * 2
    random.shuffle(pairs)
    merged = BitSketch(3)
    for part in range(parts):
        merged.merge(filled(3, [pairs[part::parts]]))
    assert np.array_equal(merged.cells, whole.cells)


def test_each_key_has_one_cell_in_every_row():
    places = BitSketch(6).places(np.arange(1000, dtype=np.uint64))
    assert (places // 64 == np.arange(ROWS)[:, None]).all()
    assert (np.bincount(places.ravel(), minlength=4 * 64) > 0).all()  # 1000 keys reach all 64 cells


def test_nothing_added():
    sketch = BitSketch(6)
    sketch.add(sketch.places(np.zeros(0, np.uint64)), np.zeros(0, np.uint64))
    assert not sketch.cells.any()
    assert sketch.error(1, 7) == 0


def test_error_is_what_new_keys_find():
    random = np.random.default_rng(3)
    sketch = BitSketch(12)
    sketch.add(sketch.places(np.arange(6000, dtype=np.uint64)), np.full(6000, 0b1101, np.uint64))
    new = sketch.sets(sketch.places(random.integers(1 << 32, 1 << 62, 100_000, dtype=np.uint64)))
    assert (popcounts(new & np.uint64(0b1100)) >= 2).mean() == pytest.approx(sketch.error(2, 0b1100), rel=0.05)
    assert sketch.error(2, 0b1100) == pytest.approx((1 - np.exp(-6000 / 4096)) ** ROWS, rel=0.05)  # derived in training/EXPERIMENTS.md
    assert sketch.error(3, 0b1100) == 0
