"""Array type aliases, and light versions of a few numpy functions.

The aliases name the element type; shapes are given in comments. To a type checker every alias is an array of `Any`, because
numpy's own element types change between releases and would drown real errors in noise.

The helpers do what the numpy functions of the same name do, at a fraction of the call overhead, which dominates when only a
line or two is labelled at a time.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from classifier.core.kernel import compiled

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
Float32s: TypeAlias = npt.NDArray[Any]  # float32: integers below 2^24, or weights on a grid that keeps their sums exact
Floats: TypeAlias = npt.NDArray[Any]  # float64
Hashes: TypeAlias = npt.NDArray[Any]  # uint64
Int8s: TypeAlias = npt.NDArray[Any]  # int8: label codes
Int16s: TypeAlias = npt.NDArray[Any]  # int16: features in sixteenths
Ints: TypeAlias = npt.NDArray[Any]  # int64, or any integer type


def flatnonzero(flags: Bools) -> Ints:
    """Return the indices of the set flags of a one-dimensional array (`np.flatnonzero`)."""
    return flags.nonzero()[0]


def diff(values: Ints) -> Ints:
    """Return the differences between adjacent values (`np.diff`)."""
    return values[1:] - values[:-1]


def lengths_to(ends: Ints) -> Ints:
    """Return the lengths of contiguous segments, given the index of each segment's last element (at least one segment)."""
    lengths = ends.copy()
    lengths[0] += 1
    lengths[1:] -= ends[:-1]
    return lengths


def append(values: Ints, end: int) -> Ints:
    """Return the values followed by one more (`np.append`)."""
    out = np.empty(len(values) + 1, values.dtype)
    out[:-1] = values
    out[-1] = end
    return out


@compiled
def log_softmax(scores: Floats) -> Floats:
    """Return logits (classes, n) as natural-log probabilities."""
    scores = scores - scores.max(axis=0)
    scores -= np.log(sum_in_order(np.exp(scores)))
    return scores


def sum_in_order(rows: Floats) -> Floats:
    """Return the sum of rows (k, n), always added first to last; `np.sum` changes the order of addition when n is 1.

    The result is contiguous, since numpy 1.24 rounds the logarithms of another array differently.
    """
    return np.ascontiguousarray(rows.cumsum(axis=0)[-1])
