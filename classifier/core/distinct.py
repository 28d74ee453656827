"""Deduplication of a block of lines, and which of them are blank.

Each distinct text is processed once: menus repeat many times in a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, count
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Ints
from classifier.core.kernel import compiled
from classifier.lines import BEYOND, MAY_END_BLANK, is_blank

__all__ = ["DistinctLines", "blank_flags", "distinct_lines"]


class DistinctLines(NamedTuple):
    """The n lines of a block, of which k are not blank."""

    texts: list[str]  # of the lines that are not blank, each once, in the order of the first of each
    copies: Ints  # (k,) index into `texts` of each of these lines
    blank: Bools  # (n,)
    markup: Bools  # (n,) blank, and there is markup


@compiled
def distinct_lines(lines: Sequence[str]) -> DistinctLines:
    """Return the distinct texts among lines, and which line has which."""
    index_of = dict(zip(dict.fromkeys(lines), count()))
    blank = blank_flags(index_of)
    markup = np.zeros(len(blank), np.bool_)
    if blank.any():
        markup[blank] = ["<" in text or "&" in text for text in compress(index_of, blank)]
    places = np.fromiter(map(index_of.__getitem__, lines), np.int64, len(lines))
    every_blank = blank.take(places)
    copies = (np.cumsum(~blank) - 1).take(places[~every_blank])
    return DistinctLines(list(compress(index_of, ~blank)), copies, every_blank, markup.take(places))


def blank_flags(lines: Iterable[str]) -> Bools:
    """Return `is_blank` of each line; its last visible character decides for nearly all."""
    ends = map(str.rstrip, lines)
    return np.array([not end or ((end[-1] in MAY_END_BLANK or end[-1] >= BEYOND) and is_blank(end)) for end in ends], np.bool_)
