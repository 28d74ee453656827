"""Names for the arrays that the other files pass around: they say what is in an array; its shape stands beside it.

And some small helpers that numpy has as Python functions of its own, at several times the cost: with a line or two to label, the
calls are what takes the time.

To a type checker all are arrays of anything: numpy's own element types change with every release, and a checker that trips
over them checks nothing else.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Bools",
    "Float32s",
    "Floats",
    "Hashes",
    "Int8s",
    "Int16s",
    "Ints",
    "append",
    "diff",
    "flatnonzero",
    "lengths_to",
    "log_softmax",
    "sum_in_order",
]

Bools: TypeAlias = npt.NDArray[Any]  # bool
Float32s: TypeAlias = npt.NDArray[Any]  # float32: whole numbers below 2^24, or weights that keep sums of them exact
Floats: TypeAlias = npt.NDArray[Any]  # float64
Hashes: TypeAlias = npt.NDArray[Any]  # uint64
Int8s: TypeAlias = npt.NDArray[Any]  # int8: label codes
Int16s: TypeAlias = npt.NDArray[Any]  # int16: features in sixteenths
Ints: TypeAlias = npt.NDArray[Any]  # int64, or any whole number


def flatnonzero(flags: Bools) -> Ints:
    """Return where one-dimensional flags are set (`np.flatnonzero`)."""
    return flags.nonzero()[0]


def diff(values: Ints) -> Ints:
    """Return the differences between neighbours (`np.diff`)."""
    return values[1:] - values[:-1]


def lengths_to(ends: Ints) -> Ints:
    """Return the lengths of parts that stand end to end, from where the last element of each stands (at least one part)."""
    lengths = ends.copy()
    lengths[0] += 1
    lengths[1:] -= ends[:-1]
    return lengths


def append(values: Ints, end: int) -> Ints:
    """Return the values with one more behind them (`np.append`)."""
    out = np.empty(len(values) + 1, values.dtype)
    out[:-1] = values
    out[-1] = end
    return out


def log_softmax(scores: Floats) -> Floats:
    """Return scores (classes, n) as natural-log probabilities."""
    scores = scores - scores.max(axis=0)
    scores -= np.log(sum_in_order(np.exp(scores)))
    return scores


def sum_in_order(rows: Floats) -> Floats:
    """Return the sum of rows (k, n), added one after the other; `sum` adds in another order where n is 1."""
    return rows.cumsum(axis=0)[-1]
