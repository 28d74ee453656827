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

from classifier.core.arrays import Bools, Hashes, Ints, append, flatnonzero, lengths_to
from classifier.core.scan import BARE, CharClass, Scan, is_word

__all__ = ["NGrams", "Vocabulary", "edges", "line_hashes", "ngrams"]

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
    lengths: Ints  # (n,) tokens of each line, its end among them


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
    return _between(_prefix(codes), starts, ends)


def _prefix(codes: Ints) -> Hashes:
    """Return the wrapping sums of the code points (m,) times powers of the base, as (m + 1,)."""
    powers, _ = _powers_to(len(codes) + 1)
    prefix = np.zeros(len(codes) + 1, np.uint64)
    ((codes + np.uint32(1)) * powers[:-1]).cumsum(out=prefix[1:])
    return prefix


def _between(prefix: Hashes, starts: Ints, ends: Ints) -> Hashes:
    """Return the hash of each span of a prefix sum."""
    _, inverses = _powers_to(len(prefix))
    return _scramble((prefix.take(ends) - prefix.take(starts)) * inverses.take(starts))


def _scramble(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> _SHIFT)) * _MIX
    return hashes ^ (hashes >> _SHIFT)


def ngrams(lines: Scan) -> NGrams:
    """Return the hashed 1-2-grams of the scanned lines."""
    word = is_word(lines.classes)
    mark = (lines.classes >= CharClass.COMMA) | (lines.classes == CharClass.NEWLINE)
    outside = np.empty(len(word) + 2, np.bool_)
    outside[0] = outside[-1] = True
    np.logical_not(word, out=outside[1:-1])
    starts = flatnonzero(mark | (word & outside[:-2]))
    ends = flatnonzero(mark | (word & outside[2:])) + 1
    hashes = _span_hashes(lines.chars, starts, ends)
    lengths = lengths_to(flatnonzero(lines.classes.take(starts) == CharClass.NEWLINE))
    edge, begins = edges(lengths)
    second = hashes.take(edge)
    first = hashes[edge - 1]  # before the first line stands the last one's end: each line opens behind a line end
    unigrams = second.copy()
    unigrams[append(begins[1:], len(edge)) - 1] = 0
    return NGrams(_scramble(first * _SECOND + second), unigrams, begins, starts, lengths)


def edges(lengths: Ints) -> tuple[Ints, Ints]:
    """Return which tokens stand at either end of lines of so many tokens (n,), and where each line's begin among those."""
    kept = np.minimum(lengths, HEAD + TAIL + 1)
    begins = kept.cumsum() - kept
    within = np.arange(int(begins[-1] + kept[-1])) - begins.repeat(kept)
    firsts = lengths.cumsum() - lengths
    return within + firsts.repeat(kept) + (within >= HEAD) * (lengths - kept).repeat(kept), begins


def line_hashes(lines: Scan, tokens: Ints) -> tuple[Hashes, Bools]:
    """Return hashes (2, n) of each line's letters and digits, and whether its second half repeats the first (n,).

    A headline equals its own repetition in capitals or in quotes. The second hash is of the first OPENING words only, accents
    left out: an unaccented alt text opens like its headline. `tokens` are the token starts of `ngrams`.
    """
    word = is_word(lines.classes)
    letters = flatnonzero(word)
    counted = np.zeros(len(word) + 1, np.int32)
    word.cumsum(dtype=np.int32, out=counted[1:])
    starts = counted[lines.starts]
    chars = lines.chars.take(letters)
    first, last = starts[:-1], starts[1:]
    length = last - first
    middle = (first + last) // 2
    whole, half, other = _between(_prefix(chars), np.array((first, first, middle)), np.array((last, middle, last)))
    doubled = (half == other) & (length >= 16) & (length % 2 == 0)
    words = append(tokens[word.take(tokens)], len(word))
    sixth = words.searchsorted(lines.starts[:-1]) + OPENING
    ends = np.minimum(counted[words.take(sixth, mode="clip")], last)
    return np.array((whole, _span_hashes(BARE.take(chars, mode="clip"), first, ends))), doubled


class Vocabulary:
    """Maps n-gram hashes to columns: one bucket per low bits, the full hash compared."""

    BITS = 16  # the low bits are those of a uint16

    def __init__(self, hashes: Hashes) -> None:
        """Take the hash of each column; all must fall into buckets of their own (see `training.learning.first_pass.select_vocabulary`)."""
        self.size = len(hashes)
        self.hashes = hashes
        buckets = self.bucket(hashes)
        self._hash = np.zeros(1 << self.BITS, np.uint64)
        self._column = np.full(1 << self.BITS, self.size, np.intp)
        self._hash[buckets] = hashes
        self._column[buckets] = np.arange(self.size)

    @classmethod
    def bucket(cls, hashes: Hashes) -> Ints:
        """Return the bucket of each hash."""
        return hashes.astype(np.uint16)

    def known(self, hashes: Hashes) -> Bools:
        """Return which n-grams have a column."""
        return self._hash.take(self.bucket(hashes)) == hashes

    def columns(self, hashes: Hashes) -> Ints:
        """Return the columns of n-grams that have one."""
        return self._column.take(self.bucket(hashes))
