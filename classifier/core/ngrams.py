"""Hashed syllable unigrams and bigrams of a batch of lines, vectorised over tokens.

A token is a run of letters and digits (lower case, digits folded to 0) or one punctuation mark. Its 64-bit hash is a polynomial
rolling hash taken from one wrapping prefix sum over the batch, H = (P[end] - P[start]) * B^-start with B odd, so equal tokens
hash alike at any position. Line ends are tokens too: a bigram with one marks the start or the end of a line.

Does not use the middle of long lines (a sentence's topic says nothing about its role; its first and last words do), character
n-grams (slower, and worse on held-out publishers), or n-grams across lines.
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
# Tokens used at the start and at the end of a line. Using whole lines costs .01 article F1 on unseen publishers
# (training/EXPERIMENTS.md) and twice the time: the words of the training corpus are not those of the press.
HEAD, TAIL = 8, 6
OPENING = 5  # words
_powers = (np.ones(1, np.uint64), np.ones(1, np.uint64))  # B^i and B^-i (mod 2^64), grown on demand


class NGrams(NamedTuple):
    """The n-grams of n lines, k of each order; entry j of `bigrams` and of `unigrams` are at the same position."""

    bigrams: Hashes  # (k,)
    unigrams: Hashes  # (k,) the second token of each bigram; 0 for the line end
    starts: Ints  # (n,) index of each line's first entry; every line has at least one
    tokens: Ints  # (t,) start of each token in the scan's code points
    lengths: Ints  # (n,) number of tokens per line, its line end included


def _powers_to(size: int) -> tuple[Hashes, Hashes]:
    global _powers
    powers, inverses = found = _powers
    if len(powers) < size:
        length = max(size, 2 * len(powers), 4096)
        powers, inverses = found = _powers_of(_BASE, length), _powers_of(_BASE_INVERSE, length)
        _powers = found  # both at once, since threads share them
    return powers[:size], inverses[:size]


def _powers_of(base: int, length: int) -> Hashes:
    powers = np.full(length, np.uint64(base))
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _span_hashes(codes: Ints, starts: Ints, ends: Ints) -> Hashes:
    """Return the hash of each span of code points; equal spans have equal hashes."""
    return _between(_prefix(codes), starts, ends)


def _prefix(codes: Ints) -> Hashes:
    """Return the prefix sums (m + 1,) of the code points (m,) times powers of the base, modulo 2^64."""
    powers, _ = _powers_to(len(codes) + 1)
    prefix = np.zeros(len(codes) + 1, np.uint64)
    ((codes + np.uint32(1)) * powers[:-1]).cumsum(out=prefix[1:])
    return prefix


def _between(prefix: Hashes, starts: Ints, ends: Ints) -> Hashes:
    """Return the hash of each span, from the prefix sums."""
    _, inverses = _powers_to(len(prefix))
    return _scramble((prefix.take(ends) - prefix.take(starts)) * inverses.take(starts))


def _scramble(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> _SHIFT)) * _MIX
    return hashes ^ (hashes >> _SHIFT)


def ngrams(lines: Scan) -> NGrams:
    """Return the hashed 1-2-grams of the scanned lines."""
    word = is_word(lines.classes)
    punctuation = (lines.classes >= CharClass.COMMA) | (lines.classes == CharClass.NEWLINE)
    outside = np.empty(len(word) + 2, np.bool_)
    outside[0] = outside[-1] = True
    np.logical_not(word, out=outside[1:-1])
    starts = flatnonzero(punctuation | (word & outside[:-2]))
    ends = flatnonzero(punctuation | (word & outside[2:])) + 1
    hashes = _span_hashes(lines.chars, starts, ends)
    lengths = lengths_to(flatnonzero(lines.classes.take(starts) == CharClass.NEWLINE))
    edge, begins = edges(lengths)
    second = hashes.take(edge)
    first = hashes[edge - 1]  # index -1 is the last line's end, so every line, the first too, follows a line end
    unigrams = second.copy()
    unigrams[append(begins[1:], len(edge)) - 1] = 0
    return NGrams(_scramble(first * _SECOND + second), unigrams, begins, starts, lengths)


def edges(lengths: Ints) -> tuple[Ints, Ints]:
    """Return the indices (k,) of the tokens used, at the ends of lines of `lengths` tokens (n,), and each line's first among them (n,)."""
    kept = np.minimum(lengths, HEAD + TAIL + 1)
    begins = kept.cumsum() - kept
    within = np.arange(int(begins[-1] + kept[-1])) - begins.repeat(kept)
    firsts = lengths.cumsum() - lengths
    return within + firsts.repeat(kept) + (within >= HEAD) * (lengths - kept).repeat(kept), begins


def line_hashes(lines: Scan, tokens: Ints) -> tuple[Hashes, Bools]:
    """Return two hashes per line (2, n), and whether the second half of each line repeats the first (n,).

    The first hash covers all letters and digits, folded: a headline matches its repetition in capitals or in quotes. The
    second covers the first OPENING words without accents: an unaccented alt text matches its headline. `tokens` are the token
    starts from `ngrams`.
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
    after_opening = words.searchsorted(lines.starts[:-1]) + OPENING
    ends = np.minimum(counted[words.take(after_opening, mode="clip")], last)
    size = ends - first
    begins = size.cumsum() - size
    opening = BARE.take(chars.take(np.arange(int(size.sum())) + (first - begins).repeat(size)), mode="clip")
    return np.array((whole, _span_hashes(opening, begins, begins + size))), doubled


class Vocabulary:
    """Hash table from n-gram hashes to column indices: one slot per bucket, full hashes compared."""

    BITS = 16  # bucket = low bits; `bucket` casts to uint16

    def __init__(self, hashes: Hashes) -> None:
        """Build the table from the hash of each column; no two may share a bucket (`training.learning.first_pass.select_vocabulary`)."""
        self.size = len(hashes)
        self.hashes = hashes
        buckets = self.bucket(hashes)
        self._hash = np.zeros(1 << self.BITS, np.uint64)
        self._column = np.full(1 << self.BITS, self.size, np.intp)
        self._hash[buckets] = hashes
        self._column[buckets] = np.arange(self.size)
        self.packed: object | None = None
        """The same for the kernel, made when it is first needed."""

    @classmethod
    def bucket(cls, hashes: Hashes) -> Ints:
        """Return the bucket of each hash."""
        return hashes.astype(np.uint16)

    def known(self, hashes: Hashes) -> Bools:
        """Return which hashes are in the vocabulary."""
        return self._hash.take(self.bucket(hashes)) == hashes

    def columns(self, hashes: Hashes) -> Ints:
        """Return the column indices of known hashes."""
        return self._column.take(self.bucket(hashes))
