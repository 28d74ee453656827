"""How often keys were seen, in memory of a fixed size: a count-min sketch with conservative update.

Each key has one cell in each of ROWS rows, and counts as often as its smallest cell says (Cormode & Muthukrishnan 2005); only cells
that say less than the new count are raised (Estan & Varghese 2002). Keys that share cells can make a count too high, never
too low. What it leaves out: forgetting single keys, and what the keys stand for (`site_memory`).
"""

from __future__ import annotations

import numpy as np

from classifier.core.arrays import Hashes, Ints

__all__ = ["MOST", "ROWS", "CountMin"]

ROWS = 4  # two 64-bit hashes yield four places; a fifth row would cost a third hash for errors that are rare already
MOST = 255  # a cell is a byte, and stays at its largest value
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # MurmurHash3's finaliser
_SHIFT, _HALF = np.uint64(33), np.uint64(32)


class CountMin:
    """Counts of 64-bit keys up to MOST, in `ROWS << bits` bytes.

    >>> sketch = CountMin(bits=8)
    >>> places = sketch.places(np.array([7, 8], np.uint64))
    >>> sketch.add(places)
    >>> sketch.add(places[:, :1])
    >>> sketch.counts(places).tolist()
    [2, 1]
    """

    def __init__(self, bits: int, cells: Ints | None = None) -> None:
        """Start with every count at 0, or with cells from before; a row has 2^bits cells, `bits` at most 32."""
        self.cells = np.zeros(self.shape(bits), np.uint8) if cells is None else cells

    @staticmethod
    def shape(bits: int) -> tuple[int, int]:
        """Return the shape of the cells."""
        return ROWS, 1 << bits

    def places(self, keys: Hashes) -> Ints:
        """Return where the cells of keys (n,) are, counted through all rows (ROWS, n)."""
        width = self.cells.shape[1]
        first = _mixed(keys)
        second = _mixed(first + _SECOND)
        places = np.array((first, first >> _HALF, second, second >> _HALF))
        places &= np.uint64(width - 1)
        return places.astype(np.int64) + np.arange(0, ROWS * width, width)[:, None]

    def counts(self, places: Ints) -> Ints:
        """Return how often the keys with these places were added (n,), or more."""
        return self.cells.take(places).min(axis=0)

    def add(self, places: Ints) -> None:
        """Count each of these keys once, however often it stands among them."""
        found = self.cells.take(places)
        raised = np.minimum(found.min(axis=0), MOST - 1) + np.uint8(1)
        order = raised.argsort(kind="stable")  # where two keys share a cell the larger count is written last, and stays
        np.maximum(found, raised, out=found)
        self.cells.reshape(-1)[places[:, order]] = found[:, order]

    def error(self, count: int) -> float:
        """Return the probability that a key never added seems to have been added `count` times or more."""
        return float(np.prod([np.count_nonzero(row >= count) / len(row) for row in self.cells]))


def _mixed(keys: Hashes) -> Hashes:
    """Return keys (n,) with every bit depending on all of theirs."""
    keys = (keys ^ (keys >> _SHIFT)) * _FIRST
    keys = (keys ^ (keys >> _SHIFT)) * _SECOND
    return keys ^ (keys >> _SHIFT)
