"""Count-min sketch with conservative update: approximate counts of 64-bit keys in a fixed amount of memory.

Each key maps to one cell in each of ROWS rows; its count is the smallest of them (Cormode & Muthukrishnan 2005). An update raises
only the cells below the new count (Estan & Varghese 2002). Collisions can make a count too high, never too low. Does not support
deleting single keys.
"""

from __future__ import annotations

import numpy as np

from classifier.core.arrays import Hashes, Ints

__all__ = ["MOST", "ROWS", "CountMin"]

ROWS = 4  # two 64-bit hashes yield four cell indices; a fifth row would need a third hash, for errors that are already rare
MOST = 255  # cells are bytes and saturate at this value
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # constants of MurmurHash3's finaliser
_SHIFT, _HALF = np.uint64(33), np.uint64(32)


class CountMin:
    """Count-min sketch of 64-bit keys: counts up to MOST, in `ROWS << bits` bytes.

    >>> sketch = CountMin(bits=8)
    >>> places = sketch.places(np.array([7, 8], np.uint64))
    >>> sketch.add(places)
    >>> sketch.add(places[:, :1])
    >>> sketch.counts(places).tolist()
    [2, 1]
    """

    def __init__(self, bits: int, cells: Ints | None = None) -> None:
        """Start empty, or from saved cells; a row has 2^bits cells, `bits` at most 32."""
        self.cells = np.zeros(self.shape(bits), np.uint8) if cells is None else cells

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

    def counts(self, places: Ints) -> Ints:
        """Return the counts (n,) of the keys with these cell indices, upper bounds of the true counts."""
        return self.cells.take(places).min(axis=0)

    def add(self, places: Ints) -> None:
        """Count each of these keys once, even if it is among them several times."""
        current = self.cells.take(places)
        raised = np.minimum(current.min(axis=0), MOST - 1) + np.uint8(1)
        order = raised.argsort(kind="stable")  # where two keys share a cell, the larger count is written last and stays
        np.maximum(current, raised, out=current)
        self.cells.reshape(-1)[places[:, order]] = current[:, order]

    def error(self, count: int) -> float:
        """Return the probability that a key never added has a count of `count` or more."""
        return float(np.prod([np.count_nonzero(row >= count) / len(row) for row in self.cells]))


def _mixed(keys: Hashes) -> Hashes:
    """Return keys (n,) through a 64-bit finaliser: every output bit depends on every input bit."""
    keys = (keys ^ (keys >> _SHIFT)) * _FIRST
    keys = (keys ^ (keys >> _SHIFT)) * _SECOND
    return keys ^ (keys >> _SHIFT)
