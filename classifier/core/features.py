"""Line features: the numeric inputs of the first pass, one row of integers per line, from the line alone.

`LINE_COLUMNS` defines the columns; training and runtime share this code, and the model file pins the names and their order.
Values are small integers in sixteenths (STEP), so that sums are exact in float64 and results do not depend on how lines are
batched. Features of the surrounding lines are in `context.py`, hashed words in `ngrams.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Hashes, Int16s, Ints, append, diff, flatnonzero, lengths_to
from classifier.core.kernel import compiled
from classifier.core.ngrams import NGrams, line_hashes, ngrams
from classifier.core.scan import MAX_CHARS, CharClass, Scan, scan

__all__ = ["LINE_COLUMNS", "LOG_SCALE", "STEP", "LineFeatures", "extract_features"]

STEP = 16  # steps per unit of a feature: values are stored in sixteenths
CEILING = 8 * STEP
KICKER = 30  # characters; long enough for datelines such as "(Báo Bãi Sông) - " and "TP Hồ Chí Minh – "
# Column name: what it measures. The model file pins the order.
LINE_COLUMNS = {
    "size": "visible length, log2 scale",
    "words": "tokens, log2 scale",
    "short": "fewer than 24 visible characters",
    "medium": "24 to 99 visible characters",
    "long": "100 visible characters or more",
    "empty": "no visible letter or digit",
    "upper": "share of letters that are capitals",
    "shouting": "all letters are capitals, and there are at least four",
    "titled": "share of words that start with a capital",
    "digits": "share of characters that are digits",
    "accents": "share of letters outside ASCII: Vietnamese prose has a third, slugs have none",
    "unaccented": "at least twelve letters and none outside ASCII",
    "commas": "commas and semicolons, log2 scale",
    "sentences": "sentence ends before the line's last character, log2 scale",
    "colons": "colons",
    "slashes": "slashes",
    "quotes": "quotation marks",
    "parens": "opening parentheses",
    "bars": "separators such as > and bullets",
    "dashes": "dashes and plus signs",
    "symbols": "copyright, degree, percent, at and ampersand signs",
    "date": "digits around a slash, twice",
    "clock": "digits around a colon",
    "ends_sentence": "last visible character ends a sentence",
    "ends_quote": "last visible character is a quotation mark",
    "ends_colon": "last visible character is a colon",
    "ends_close": "last visible character closes a parenthesis",
    "ends_digit": "last visible character is a digit",
    "ends_comma": "last visible character is a comma or semicolon",
    "ends_ellipsis": "ends in an ellipsis or two full stops",
    "starts_upper": "first visible character is a capital",
    "starts_lower": "first visible character is a lower-case letter",
    "starts_digit": "first visible character is a digit",
    "starts_quote": "first visible character is a quotation mark",
    "starts_open": "first visible character opens a parenthesis",
    "starts_dash": "first visible character is a dash, plus or bullet",
    "bullet": "starts as a markdown list item",
    "heading": "starts as a markdown heading",
    "table": "starts or ends as a markdown table row",
    "emphasis": "markdown emphasis or code marks",
    "links": "link targets, log2 scale",
    "images": "images, log2 scale",
    "linked": "share of letters and digits inside link brackets",
    "hidden": "share of the raw line that is link targets",
    "doubled": "the second half repeats the first",
    "name_like": "two to five words, all capitalised, nothing else",
    "kicker": "a dash between spaces within the first 30 characters, as after an outlet's or a place's name",
    "prose": "a long line that ends like a sentence and is not mostly link",
}
COLUMN = {name: index for index, name in enumerate(LINE_COLUMNS)}

# 8 * log2(1 + count), indexed by count: a doubling adds half a unit. A table of integers, so that every machine rounds alike.
LOG_SCALE = np.minimum(np.rint(8 * np.log2(1 + np.arange(MAX_CHARS + 2))), CEILING).astype(np.int16)

# How `extract_features` derives each column: the logarithm of a count, a share of a total, or a flag.
LOGS = (
    "size", "words", "sentences", "commas", "colons", "slashes", "quotes", "parens", "bars", "dashes", "symbols", "emphasis",
    "links", "images",
)  # fmt: skip
SHARES = ("upper", "titled", "digits", "accents", "linked", "hidden")
FLAGS = tuple(name for name in LINE_COLUMNS if name not in LOGS + SHARES)
_LOG_AT, _SHARE_AT, _FLAG_AT = (np.array([COLUMN[name] for name in names]) for names in (LOGS, SHARES, FLAGS))
CLASS_COUNT = 17
_PUNCTUATION_COUNTED = [getattr(CharClass, name) for name in ("COMMA", "COLON", "SLASH", "QUOTE", "OPEN", "BAR", "DASH", "SYMBOL")]
_ENDINGS = {
    "ends_sentence": CharClass.ENDER,
    "ends_quote": CharClass.QUOTE,
    "ends_colon": CharClass.COLON,
    "ends_close": CharClass.CLOSE,
    "ends_digit": CharClass.DIGIT,
    "ends_comma": CharClass.COMMA,
}
_BEGINNINGS = {
    "starts_upper": CharClass.UPPER,
    "starts_lower": CharClass.LOWER,
    "starts_digit": CharClass.DIGIT,
    "starts_quote": CharClass.QUOTE,
    "starts_open": CharClass.OPEN,
}
_ENDING_CLASSES, _BEGINNING_CLASSES = (np.array(list(kinds.values()), np.uint8)[:, None] for kinds in (_ENDINGS, _BEGINNINGS))


class LineFeatures(NamedTuple):
    """Features of a batch of n lines, each computed from the line alone."""

    columns: Int16s  # (len(LINE_COLUMNS), n) in sixteenths
    hashes: Hashes  # (2, n) of all letters and digits; of the first words without accents (`line_hashes`)
    size: Ints  # (n,) visible characters, excluding white space
    grams: NGrams

    def repeated(self, copies: Ints) -> LineFeatures:
        """Return the features of the lines at indices `copies` (m,); `grams` is left as it is, one entry per distinct line."""
        columns, hashes, size, grams = self
        return LineFeatures(columns.take(copies, axis=1), hashes.take(copies, axis=1), size.take(copies), grams)


def extract_features(lines: Sequence[str]) -> LineFeatures:
    """Return the features of each line; at least one line, none of them blank."""
    return line_features(scan(lines))


@compiled
def line_features(scanned: Scan) -> LineFeatures:
    """Return the features of each scanned line."""
    grams = ngrams(scanned)
    hashes, doubled = line_hashes(scanned, grams.tokens)
    counts = _class_counts(scanned)
    flags: dict[str, Bools] = {"doubled": doubled}
    amounts, shares = _amounts(flags, scanned, grams, counts)
    _edge_flags(flags, scanned)
    _markup_flags(flags, scanned)
    size, linked = amounts[0], shares[SHARES.index("linked")]
    flags["prose"] = ~flags["empty"] & (size >= 60) & (flags["ends_sentence"] | flags["ends_quote"]) & (linked < STEP)
    table = np.empty((len(LINE_COLUMNS), len(size)), np.int16)
    table[_LOG_AT] = LOG_SCALE.take(amounts, mode="clip")
    table[_SHARE_AT] = np.minimum(shares, CEILING)
    for row, name in zip(_FLAG_AT, FLAGS):
        table[row] = flags[name]
    table[_FLAG_AT] *= STEP
    return LineFeatures(table, hashes, size, grams)


def _class_counts(lines: Scan) -> Ints:
    """Return the number of characters of each class per line (classes, n); LOWER, by far the largest, by subtraction."""
    n = len(lines.raw_length)
    kinds = lines.classes.take(flatnonzero(lines.classes != CharClass.LOWER))
    line = np.arange(n).repeat(lengths_to(flatnonzero(kinds == CharClass.NEWLINE)))
    counts = np.bincount(kinds.astype(np.int64) * n + line, minlength=n * CLASS_COUNT).reshape(CLASS_COUNT, n)
    counts[CharClass.LOWER] = diff(lines.starts) - counts.sum(axis=0)
    return counts


def _amounts(flags: dict[str, Bools], lines: Scan, grams: NGrams, counts: Ints) -> tuple[Ints, Ints]:
    """Return the counts behind LOGS and the shares of SHARES, each (names, n), and set the flags that depend on counts."""
    kinds, starts = lines.classes, lines.starts
    lower, upper, digits = counts[CharClass.LOWER], counts[CharClass.UPPER], counts[CharClass.DIGIT]
    letters, total = lower + upper, diff(starts)
    size = total - counts[CharClass.SPACE] - counts[CharClass.MARKUP] - 1
    words = grams.lengths - counts[CharClass.COMMA :].sum(axis=0) - 1
    capitals = _per_line(grams.tokens[kinds.take(grams.tokens) == CharClass.UPPER], starts)
    non_ascii = np.add.reduceat(lines.accented.view(np.uint8), starts[:-1], dtype=np.int64)
    enders = flatnonzero(kinds[:-2] == CharClass.ENDER)
    inner = enders[(kinds[enders + 1] == CharClass.SPACE) & (kinds[enders + 2] != CharClass.NEWLINE)]

    amounts = np.empty((len(LOGS), len(size)), np.int64)
    amounts[0], amounts[1], amounts[2] = size, words, _per_line(inner, starts)
    amounts[3:-3] = counts[_PUNCTUATION_COUNTED]
    amounts[-3], amounts[-2], amounts[-1] = np.maximum(counts[CharClass.MARKUP] - 2 * lines.links, 0), lines.links, lines.images
    parts, wholes = np.empty((2, len(SHARES), len(size)), np.int64)
    parts[0], wholes[0] = upper, letters
    parts[1], wholes[1] = capitals, words
    parts[2], wholes[2] = digits, size
    parts[3], wholes[3] = non_ascii, letters
    parts[4], wholes[4] = lines.link_chars, letters + digits
    parts[5], wholes[5] = lines.raw_length - total, lines.raw_length - 1
    shares = 2 * STEP * parts // np.maximum(wholes, 1)  # a share of 1 is two units

    between = flatnonzero((kinds[1:-1] == CharClass.SLASH) | (kinds[1:-1] == CharClass.COLON)) + 1
    between = between[(kinds[between - 1] == CharClass.DIGIT) & (kinds[between + 1] == CharClass.DIGIT)]
    slash = kinds[between] == CharClass.SLASH
    flags |= {"date": _per_line(between[slash], starts) >= 2, "clock": _per_line(between[~slash], starts) >= 1}
    flags |= {"short": size < 24, "medium": (size >= 24) & (size < 100), "long": size >= 100, "empty": letters + digits == 0}
    flags |= {"shouting": (lower == 0) & (upper >= 4), "unaccented": (letters >= 12) & (non_ascii == 0)}
    plain = (counts[CharClass.COMMA] + counts[CharClass.ENDER] + counts[CharClass.COLON] + digits) == 0
    flags["name_like"] = plain & (words >= 2) & (words <= 5) & (capitals == words)
    return amounts, shares


def _per_line(chars: Ints, starts: Ints) -> Ints:
    """Return how many of the character positions `chars` (ascending) fall into each line (n,)."""
    return diff(chars.searchsorted(starts))


def _edge_flags(flags: dict[str, Bools], lines: Scan) -> None:
    """Set the flags that depend on a line's first and last visible characters, and `kicker`."""
    kinds, starts = lines.classes, lines.starts
    visible = flatnonzero((kinds < CharClass.SPACE) | (kinds > CharClass.MARKUP))
    bounds = visible.searchsorted(starts)
    nonempty = bounds[1:] > bounds[:-1]
    visible = append(visible, len(kinds) - 1)
    first = np.where(nonempty, kinds[visible[bounds[:-1]]], CharClass.NEWLINE)
    last_at = np.where(nonempty, visible[bounds[1:] - 1], starts[1:] - 1)
    last = kinds[last_at]
    flags |= zip(_ENDINGS, last == _ENDING_CLASSES)
    flags |= zip(_BEGINNINGS, first == _BEGINNING_CLASSES)
    double_ender = (last_at > starts[:-1]) & (kinds[last_at - 1] == CharClass.ENDER)
    flags["ends_ellipsis"] = flags["ends_sentence"] & ((lines.chars[last_at] == ord("…")) | double_ender)
    flags["starts_dash"] = (first == CharClass.DASH) | (first == CharClass.BAR)
    dashes = flatnonzero(kinds == CharClass.DASH)  # `dashes - 1` may be -1, the final line end; `dashes + 1` is never out of range
    dashes = dashes[(kinds[dashes - 1] != CharClass.DASH) & (kinds[dashes + 1] == CharClass.SPACE)]
    dashes = append(dashes, len(kinds) + KICKER)
    nearest = dashes[dashes.searchsorted(starts[:-1])] - starts[:-1]
    flags["kicker"] = (nearest > 1) & (nearest < KICKER) & (diff(starts) > 2 * KICKER)


def _markup_flags(flags: dict[str, Bools], lines: Scan) -> None:
    """Set the flags that depend on markdown syntax."""
    kinds = lines.classes
    solid = flatnonzero(kinds != CharClass.SPACE)  # every line has at least its NEWLINE
    bounds = solid.searchsorted(lines.starts)
    opening = solid[bounds[:-1]]
    code = lines.chars[opening]
    spaced = kinds.take(opening + 1, mode="clip") == CharClass.SPACE
    closing = lines.chars[solid[bounds[1:] - 2]]  # belongs to the previous line if there is only a NEWLINE; masked by `multiple`
    multiple = diff(bounds) > 1
    flags["bullet"] = spaced & ((code == ord("*")) | (code == ord("-")) | (code == ord("•")))
    flags["heading"] = code == ord("#")
    flags["table"] = multiple & ((code == ord("|")) | (closing == ord("|")))
