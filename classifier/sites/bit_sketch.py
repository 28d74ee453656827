"""Sketch of bit sets: a set of up to 64 bits for each 64-bit key, approximate, in a fixed amount of memory.

A count-min sketch (Cormode & Muthukrishnan 2005) with bit sets in place of counters. Each key maps to one cell in each of ROWS
rows. Adding a set ORs it into these cells; the set of a key is the AND of its cells. Collisions can add bits to a set, never remove
one. Since OR is associative, commutative and idempotent, the cells depend on what was added, not on order, repetition or grouping:
sketches of parts merge into the sketch of the whole, bit for bit.
"""

from __future__ import annotations

import numpy as np

from classifier.core.arrays import Hashes, Ints

__all__ = ["ROWS", "BitSketch", "popcounts"]

ROWS = 4  # two 64-bit hashes yield four cell indices; a fifth row would need a third hash, for errors that are already rare
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # constants of MurmurHash3's finaliser
_SHIFT, _HALF = np.uint64(33), np.uint64(32)


class BitSketch:
    """Bit sets by 64-bit key, in `8 * ROWS << bits` bytes.

    >>> sketch = BitSketch(bits=8)
    >>> places = sketch.places(np.array([7, 8], np.uint64))
    >>> sketch.add(places, np.array([1, 1], np.uint64))
    >>> sketch.add(places[:, :1], np.array([4], np.uint64))
    >>> sketch.sets(places).tolist()
    [5, 1]
    """

    def __init__(self, bits: int, cells: Ints | None = None) -> None:
        """Start empty, or from saved cells; a row has 2^bits cells, `bits` at most 32."""
        self.cells = np.zeros(self.shape(bits), np.uint64) if cells is None else cells

    @staticmethod
    def shape(bits: int) -> tuple[int, int]:
        """Return the shape of the cells: (ROWS, 2^bits)."""
        return ROWS, 1 << bits

    def places(self, keys: Hashes) -> Ints:
        """Return the flat cell indices (ROWS, n) of keys (n,)."""
        width = self.cells.shape[1]
        first = _mixed(keys)
        second = _mixed(first + _SECOND)
        places = np.array((first, first >> _HALF, second, second >> _HALF))
        places &= np.uint64(width - 1)
        return places.astype(np.int64) + np.arange(0, ROWS * width, width)[:, None]

    def sets(self, places: Ints) -> Hashes:
        """Return the bit sets (n,) of the keys with these cell indices, which include every bit that was added."""
        return np.bitwise_and.reduce(self.cells.take(places), axis=0)

    def add(self, places: Ints, sets: Hashes) -> None:
        """Add bit sets (n,) to the keys with these cell indices (ROWS, n)."""
        flat = self.cells.reshape(-1)
        while places.size:
            flat[places] |= sets  # of two keys in one cell, one is written; the other is still missing, and goes again
            missing = ((flat[places] & sets) != sets).any(axis=0)
            places, sets = places[:, missing], sets[missing]

    def merge(self, other: BitSketch) -> None:
        """Add all that another sketch of the same size has."""
        self.cells |= other.cells

    def error(self, count: int, among: int) -> float:
        """Return the probability that a key never added has `count` or more of the bits in the mask `among`.

        Estimated from 2^bits keys that have the same index in each row.
        """
        return float(np.mean(popcounts(np.bitwise_and.reduce(self.cells, axis=0) & np.uint64(among)) >= count))


def popcounts(sets: Hashes) -> Ints:
    """Return how many bits each of these 64-bit sets (n,) has; `np.bitwise_count` of numpy 2.

    >>> popcounts(np.array([0, 5, 2**64 - 1], np.uint64)).tolist()
    [0, 2, 64]
    """
    return _BYTE_COUNTS.take(sets.reshape(-1, 1).view(np.uint8)).sum(axis=1)


_BYTE_COUNTS = np.array([bin(byte).count("1") for byte in range(256)])


def _mixed(keys: Hashes) -> Hashes:
    """Return keys (n,) through a 64-bit finaliser: every output bit depends on every input bit."""
    keys = (keys ^ (keys >> _SHIFT)) * _FIRST
    keys = (keys ^ (keys >> _SHIFT)) * _SECOND
    return keys ^ (keys >> _SHIFT)
