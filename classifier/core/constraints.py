"""What is known of a line from elsewhere than its page, as 16 bits: the labels that it may have, and flags.

The low twelve bits of a *mark* stand for LABELS: those set are allowed. The bits from FLAGS on are free for what else is to be
known of a line when it is decided. `Pipeline` asks for the marks of each distinct text of a block once, narrows the first pass's
probabilities by them, so that neighbours see what is allowed, and carries them along to narrow the context pass's as well.
What it leaves out: where marks come from (`site_rules`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from classifier.core.arrays import Floats, Ints, flatnonzero, log_softmax
from classifier.labels import EVIDENCE, LABELS, Label

__all__ = ["ANY_LABEL", "FLAGS", "mark_of", "mask_labels"]

FLAGS = len(LABELS)  # the number of the first bit that stands for no label
ANY_LABEL = (1 << FLAGS) - 1

# The bit of each class of the first pass: a block's heading is allowed where its block's label is. The labels themselves come first.
_BITS = np.array([1 << [*map(str, LABELS)].index(name.removesuffix(" heading")) for name in EVIDENCE], np.uint16)[:, None]


def mark_of(labels: Iterable[Label]) -> int:
    """Return the mark that allows these labels.

    >>> mark_of([Label.TITLE, Label.BODY]), mark_of(LABELS) == ANY_LABEL
    (3, True)
    """
    return sum(1 << LABELS.index(label) for label in set(labels))


def mask_labels(log_probabilities: Floats, marks: Ints) -> Floats:
    """Return log probabilities (classes, n) with nothing for labels that the marks (n,) do not allow, and 1 in all.

    The classes are LABELS or EVIDENCE. Among those allowed the ratios stay; lines that may have any label stay to the bit.
    """
    lines = flatnonzero((marks & ANY_LABEL) != ANY_LABEL)
    if not len(lines):
        return log_probabilities
    allowed = marks.take(lines) & _BITS[: len(log_probabilities)]
    found = log_probabilities.copy()
    found[:, lines] = log_softmax(np.where(allowed, log_probabilities.take(lines, axis=1), -np.inf))
    return found
