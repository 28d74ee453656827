"""Per-line label constraints: a bit mask of the labels that site rules allow.

A *mark* is a 16-bit mask whose low twelve bits, one per entry of LABELS, are set for the allowed labels. `Pipeline` computes
the marks once per distinct text of a block and masks the probabilities of both passes: the first pass's too, so that
neighbouring lines see only allowed labels. Site rules produce the marks (`sites/rule.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from classifier.core.arrays import Floats, Ints, flatnonzero, log_softmax
from classifier.labels import EVIDENCE, LABELS, Label

__all__ = ["ANY_LABEL", "mark_of", "mask_labels"]

ANY_LABEL = (1 << len(LABELS)) - 1

# The mark bit of each first-pass class (classes, 1), LABELS first. A heading class shares the bit of its block's label.
_CLASS_BITS = np.array([1 << [*map(str, LABELS)].index(name.removesuffix(" heading")) for name in EVIDENCE], np.uint16)[:, None]


def mark_of(labels: Iterable[Label]) -> int:
    """Return the mark that allows exactly these labels.

    >>> mark_of([Label.TITLE, Label.BODY]), mark_of(LABELS) == ANY_LABEL
    (3, True)
    """
    return sum(1 << LABELS.index(label) for label in set(labels))


def mask_labels(log_probabilities: Floats, marks: Ints) -> Floats:
    """Return log probabilities (classes, n) with classes that the marks (n,) do not allow set to -inf, renormalised.

    The classes are LABELS or EVIDENCE. Ratios between allowed classes are preserved; unconstrained lines are returned
    bit for bit.
    """
    restricted = flatnonzero((marks & ANY_LABEL) != ANY_LABEL)
    if not len(restricted):
        return log_probabilities
    allowed = marks.take(restricted) & _CLASS_BITS[: len(log_probabilities)]
    masked = log_probabilities.copy()
    masked[:, restricted] = log_softmax(np.where(allowed, log_probabilities.take(restricted, axis=1), -np.inf))
    return masked
