"""Hashed syllable 1-2-grams of a batch of lines, without a Python loop over tokens.

A token is a run of letters and digits (lower case, digits folded to 0) or one punctuation mark. Its 64-bit hash is a
polynomial read off one wrapping prefix sum over the batch, H = (P[end] - P[start]) * B^-start with B odd, so that a token
hashes alike wherever it stands. Line ends are tokens too: a bigram with one is a line-start or line-end marker.
What this leaves out: the middle of long lines (what a sentence is about says nothing of its role; how it opens and ends
does), character n-grams (slower, and worse on held-out publishers), and n-grams across lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Hashes, Ints
from classifier.lines import BARE, CharClass, Scan

__all__ = ["LineHashes", "NGrams", "Vocabulary", "line_hashes", "ngrams"]


_BASE = 0x9E3779B97F4A7C15 | 1
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SECOND = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(32)
# Tokens that count at either end of a line. Reading whole lines instead costs .01 article F1 on unseen publishers
# (training/EXPERIMENTS.md) and twice the time: the words of the corpus are not those of the press.
HEAD, TAIL = 8, 6
OPENING = 5
_powers: list[Hashes] = [np.ones(1, np.uint64), np.ones(1, np.uint64)]  # grown on demand: B^i and B^-i


class NGrams(NamedTuple):
    """The n-grams of n lines, k of each order: entry j of `bigrams` and `unigrams` belong to the same line."""

    bigrams: Hashes  # (k,)
    unigrams: Hashes  # (k,) the bigram's second token; 0 where that is the line end
    starts: Ints  # (n,) a line's first entry; every line has at least one
    tokens: Ints  # (t,) where each token starts, in code points of the scan


def _powers_to(size: int) -> tuple[Hashes, Hashes]:
    if len(_powers[0]) < size:
        length = max(size, 2 * len(_powers[0]), 4096)
        for slot, base in enumerate((_BASE, _BASE_INVERSE)):
            powers = np.full(length, np.uint64(base))
            powers[0] = 1
            _powers[slot] = np.multiply.accumulate(powers)
    return _powers[0][:size], _powers[1][:size]


def _span_hashes(codes: Ints, starts: Ints, ends: Ints) -> Hashes:
    """Return the hash of each span of code points; the same code points give the same hash anywhere."""
    powers, inverses = _powers_to(len(codes) + 1)
    prefix = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes + np.uint32(1)).astype(np.uint64) * powers[:-1], out=prefix[1:])
    return _scramble((prefix[ends] - prefix[starts]) * inverses[starts])


def _scramble(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> _SHIFT)) * _MIX
    return hashes ^ (hashes >> _SHIFT)


def ngrams(lines: Scan) -> NGrams:
    """Return the hashed 1-2-grams of the scanned lines."""
    word = (lines.classes >= CharClass.LOWER) & (lines.classes <= CharClass.DIGIT)
    begins = word.copy()
    begins[1:] &= ~word[:-1]
    mark = (lines.classes >= CharClass.COMMA) | (lines.classes == CharClass.NEWLINE)
    starts = np.flatnonzero(begins | mark)
    closes = word.copy()
    closes[:-1] &= ~word[1:]
    ends = np.flatnonzero(closes | mark) + 1
    hashes = _span_hashes(lines.chars, starts, ends)
    newline = lines.classes[starts] == CharClass.NEWLINE
    before = np.concatenate((hashes[newline][:1], hashes[:-1]))  # the first line opens behind a line end as well
    bigrams = _scramble(before * _SECOND + hashes)
    unigrams = np.where(newline, np.uint64(0), hashes)
    line_ends = np.flatnonzero(newline)
    first = np.concatenate((np.zeros(1, np.int64), line_ends[:-1] + 1))
    length = line_ends + 1 - first
    at = np.arange(len(hashes))
    edge = (at - np.repeat(first, length) < HEAD) | (np.repeat(line_ends, length) - at <= TAIL)
    kept = np.minimum(length, HEAD + TAIL + 1)
    return NGrams(bigrams[edge], unigrams[edge], np.cumsum(kept) - kept, starts)


class LineHashes(NamedTuple):
    """Hashes of n lines' letters and digits: a headline equals its own repetition in capitals or in quotes."""

    whole: Hashes  # (n,)
    opening: Hashes  # (n,) of the first OPENING words, accents left out: an unaccented alt text opens like its headline
    doubled: Bools  # (n,) the second half repeats the first


def line_hashes(lines: Scan, tokens: Ints) -> LineHashes:
    """Return the hashes of the scanned lines; `tokens` are the token starts of `ngrams`."""
    word = (lines.classes >= CharClass.LOWER) & (lines.classes <= CharClass.DIGIT)
    counted: Ints = np.concatenate((np.zeros(1, np.int64), np.cumsum(word)))
    starts = counted[lines.starts]
    chars = lines.chars[word]
    first, last = starts[:-1], starts[1:]
    middle = (first + last) // 2
    whole = _span_hashes(chars, first, last)
    doubled = (_span_hashes(chars, first, middle) == _span_hashes(chars, middle, last)) & (last - first >= 16)
    words = np.append(tokens[word[tokens]], len(word))
    sixth = np.searchsorted(words, lines.starts[:-1]) + OPENING
    ends = np.minimum(counted[words[np.minimum(sixth, len(words) - 1)]], last)
    opening = _span_hashes(BARE[np.minimum(chars, len(BARE) - 1)], first, ends)
    return LineHashes(whole, opening, doubled & ((last - first) % 2 == 0))


class Vocabulary:
    """Maps n-gram hashes to columns: one bucket per low bits, the full hash compared; unknown n-grams give `size`."""

    BITS = 16

    def __init__(self, hashes: Hashes) -> None:
        """Take the hash of each column; all must fall into buckets of their own (see `training.train.select`)."""
        self.size = len(hashes)
        self.hashes = hashes
        buckets = self.bucket(hashes)
        self._hash = np.zeros(1 << self.BITS, np.uint64)
        self._column = np.full(1 << self.BITS, self.size, np.int32)
        self._hash[buckets] = hashes
        self._column[buckets] = np.arange(self.size, dtype=np.int32)

    @classmethod
    def bucket(cls, hashes: Hashes) -> Ints:
        """Return the bucket of each hash."""
        return (hashes & np.uint64((1 << cls.BITS) - 1)).astype(np.int64)

    def columns(self, hashes: Hashes) -> Ints:
        """Return the column of each n-gram."""
        buckets = self.bucket(hashes)
        return np.where(self._hash[buckets] == hashes, self._column[buckets], np.int32(self.size))
