"""What a line shows by itself: the numeric half of the first pass, one row of integers per line.

`LINE_COLUMNS` is the table; training and runtime read the same rows, and the model file pins their names. Values are
sixteenths (STEP) in small integers: sums over them are exact in float64, so results never depend on how lines were
batched. What surrounds a line is the business of `context.py`; its words are hashed in `ngrams.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Hashes, Int16s, Ints
from classifier.lines import MAX_CHARS, CharClass, Scan, scan
from classifier.ngrams import NGrams, line_hashes, ngrams

__all__ = ["LINE_COLUMNS", "STEP", "Described", "describe"]

STEP = 16  # one unit of a feature is 16 steps
CEILING = 8 * STEP
KICKER = 30  # characters: "(Báo Bãi Sông) - ", "TP Hồ Chí Minh – "


# name: what it measures. The order is the model's.
LINE_COLUMNS = {
    "size": "visible length, log2 scale",
    "words": "tokens, log2 scale",
    "short": "fewer than 24 visible characters",
    "medium": "24 to 99 visible characters",
    "long": "100 visible characters or more",
    "empty": "no visible letter or digit",
    "upper": "share of letters that are capitals",
    "shouting": "all letters are capitals, and there are at least four",
    "titled": "share of words that open with a capital",
    "digits": "share of characters that are digits",
    "accents": "share of letters outside ASCII: Vietnamese prose has a third, slugs have none",
    "unaccented": "at least twelve letters and not one outside ASCII",
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
    "starts_lower": "first visible character is a small letter",
    "starts_digit": "first visible character is a digit",
    "starts_quote": "first visible character is a quotation mark",
    "starts_open": "first visible character opens a parenthesis",
    "starts_dash": "first visible character is a dash, plus or bullet",
    "indent": "opens with white space",
    "bullet": "opens as a markdown list item",
    "heading": "opens as a markdown heading",
    "table": "opens as a markdown table row or ends as one",
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

# 8 * log2(1 + count): a doubling is half a unit. One table, so that every machine rounds alike.
_LOG = np.minimum(np.rint(8 * np.log2(1 + np.arange(MAX_CHARS + 2))), CEILING).astype(np.int64)

_PACKED = (
    (CharClass.LOWER, CharClass.UPPER, CharClass.DIGIT, CharClass.MARKUP),
    (CharClass.COMMA, CharClass.ENDER, CharClass.COLON, CharClass.SLASH),
    (CharClass.QUOTE, CharClass.OPEN, CharClass.BAR, CharClass.DASH),
    (CharClass.SYMBOL, CharClass.SPACE, CharClass.NEWLINE, CharClass.CLOSE),
)


def _packing_tables() -> list[Hashes]:
    tables = []
    for kinds in _PACKED:
        table = np.zeros(17, np.uint64)
        for field, kind in enumerate(kinds):
            table[kind] = np.uint64(1 << (16 * field))  # 16 bits hold a count up to 65,535 > MAX_CHARS
        tables.append(table)
    return tables


_PACKING = _packing_tables()


class Described(NamedTuple):
    """A batch of n lines, each seen by itself."""

    columns: Int16s  # (n, len(LINE_COLUMNS)) in sixteenths
    hashes: Hashes  # (n,) equal where letters and digits are equal
    openings: Hashes  # (n,) equal where the first words are, accents left out
    grams: NGrams
    size: Ints  # (n,) visible characters, white space left out


def describe(lines: Sequence[str]) -> Described:
    """Return what each line (not blank, at least one) shows by itself."""
    scanned = scan(lines)
    grams = ngrams(scanned)
    hashes = line_hashes(scanned, grams.tokens)
    counts = _class_counts(scanned)
    columns: dict[str, Ints] = {"doubled": hashes.doubled}
    size = _amounts(columns, scanned, grams, counts)
    _edges(columns, scanned, grams)
    _markup(columns, scanned, counts)
    letters = counts[CharClass.LOWER] + counts[CharClass.UPPER] + counts[CharClass.DIGIT]
    prose = (size >= 60) & (columns["ends_sentence"] | columns["ends_quote"]) & (2 * scanned.link_chars < letters)
    columns["prose"] = prose
    table = np.empty((len(size), len(LINE_COLUMNS)), np.int16)
    for index, name in enumerate(LINE_COLUMNS):
        column = columns[name]
        table[:, index] = column * np.int64(STEP) if column.dtype == np.bool_ else np.minimum(column, CEILING)
    return Described(table, hashes.whole, hashes.opening, grams, size)


def _class_counts(lines: Scan) -> list[Ints]:
    """Return how many characters of each class every line has, indexed by CharClass."""
    counts: list[Ints] = [np.zeros(0, np.int64)] * 17
    for kinds, table in zip(_PACKED, _PACKING):
        packed = np.add.reduceat(table[lines.classes], lines.starts[:-1])
        for field, kind in enumerate(kinds):
            counts[kind] = ((packed >> np.uint64(16 * field)) & np.uint64(0xFFFF)).astype(np.int64)
    return counts


def _share(part: Ints, whole: Ints) -> Ints:
    """Return part / whole in sixteenths of two units, 0 where whole is 0."""
    return 2 * STEP * part // np.maximum(whole, 1)


def _per_line(flags: Bools, lines: Scan) -> Ints:
    """Count flagged characters per line."""
    positions = np.flatnonzero(flags)
    return np.diff(np.searchsorted(positions, lines.starts)).astype(np.int64)


def _amounts(columns: dict[str, Ints], lines: Scan, grams: NGrams, counts: list[Ints]) -> Ints:
    """Fill lengths, shares and counts; return the visible length."""
    kinds = lines.classes
    lower, upper, digits = counts[CharClass.LOWER], counts[CharClass.UPPER], counts[CharClass.DIGIT]
    letters = lower + upper
    total = np.diff(lines.starts)
    size = total - counts[CharClass.SPACE] - counts[CharClass.MARKUP] - counts[CharClass.NEWLINE]
    first_class = kinds[grams.tokens]
    token_line = np.searchsorted(grams.tokens, lines.starts)
    is_word = first_class <= CharClass.DIGIT
    words = np.diff(np.append(0, np.cumsum(is_word))[token_line])
    capitals = np.diff(np.append(0, np.cumsum(first_class == CharClass.UPPER))[token_line])
    foreign = _per_line(lines.accented, lines)
    inner_end = np.zeros(len(kinds), np.bool_)
    inner_end[:-2] = (kinds[:-2] == CharClass.ENDER) & (kinds[1:-1] == CharClass.SPACE) & (kinds[2:] != CharClass.NEWLINE)
    digit = kinds == CharClass.DIGIT
    between = np.zeros(len(kinds), np.bool_)
    between[1:-1] = digit[:-2] & digit[2:]
    marks = letters + digits

    columns["size"], columns["words"] = _LOG[size], _LOG[words]
    columns["short"], columns["long"] = size < 24, size >= 100
    columns["medium"] = (size >= 24) & (size < 100)
    columns["empty"] = marks == 0
    columns["upper"] = _share(upper, letters)
    columns["shouting"] = (lower == 0) & (upper >= 4)
    columns["titled"] = _share(capitals, words)
    columns["digits"] = _share(digits, size)
    columns["accents"] = _share(foreign, letters)
    columns["unaccented"] = (letters >= 12) & (foreign == 0)
    columns["commas"] = _LOG[counts[CharClass.COMMA]]
    columns["sentences"] = _LOG[_per_line(inner_end, lines)]
    for name, kind in (("colons", CharClass.COLON), ("slashes", CharClass.SLASH), ("quotes", CharClass.QUOTE)):
        columns[name] = _LOG[counts[kind]]
    for name, kind in (("parens", CharClass.OPEN), ("bars", CharClass.BAR), ("dashes", CharClass.DASH)):
        columns[name] = _LOG[counts[kind]]
    columns["symbols"] = _LOG[counts[CharClass.SYMBOL]]
    columns["date"] = _per_line(between & (kinds == CharClass.SLASH), lines) >= 2
    columns["clock"] = _per_line(between & (kinds == CharClass.COLON), lines) >= 1
    columns["linked"] = _share(lines.link_chars, marks)
    columns["hidden"] = _share(lines.raw_length + 1 - total, np.maximum(lines.raw_length, 1))
    plain = (counts[CharClass.COMMA] + counts[CharClass.ENDER] + counts[CharClass.COLON] + digits) == 0
    columns["name_like"] = plain & (words >= 2) & (words <= 5) & (capitals == words)
    return size


def _edges(columns: dict[str, Ints], lines: Scan, grams: NGrams) -> None:
    """Fill what the first and the last visible character say."""
    kinds = lines.classes
    seen = np.flatnonzero((kinds < CharClass.SPACE) | (kinds > CharClass.MARKUP))
    bounds = np.searchsorted(seen, lines.starts)
    some = bounds[1:] > bounds[:-1]
    seen = np.append(seen, len(kinds) - 1)
    first = np.where(some, kinds[seen[bounds[:-1]]], CharClass.NEWLINE)
    last_at = np.where(some, seen[bounds[1:] - 1], lines.starts[1:] - 1)
    last = kinds[last_at]
    twice = (last_at > lines.starts[:-1]) & (kinds[np.maximum(last_at - 1, 0)] == CharClass.ENDER)
    columns["ends_ellipsis"] = (last == CharClass.ENDER) & ((lines.chars[last_at] == ord("…")) | twice)
    columns["ends_sentence"] = last == CharClass.ENDER
    for name, kind in (
        ("ends_quote", CharClass.QUOTE),
        ("ends_colon", CharClass.COLON),
        ("ends_close", CharClass.CLOSE),
        ("ends_digit", CharClass.DIGIT),
        ("ends_comma", CharClass.COMMA),
    ):
        columns[name] = last == kind
    for name, kind in (
        ("starts_upper", CharClass.UPPER),
        ("starts_lower", CharClass.LOWER),
        ("starts_digit", CharClass.DIGIT),
        ("starts_quote", CharClass.QUOTE),
        ("starts_open", CharClass.OPEN),
    ):
        columns[name] = first == kind
    spaced = np.zeros(len(kinds), np.bool_)
    spaced[1:-1] = (kinds[1:-1] == CharClass.DASH) & (kinds[:-2] != CharClass.DASH) & (kinds[2:] == CharClass.SPACE)
    dashes = np.append(np.flatnonzero(spaced), len(kinds) + KICKER)
    nearest = dashes[np.searchsorted(dashes, lines.starts[:-1])] - lines.starts[:-1]
    columns["kicker"] = (nearest > 1) & (nearest < KICKER) & (np.diff(lines.starts) > 2 * KICKER)
    columns["starts_dash"] = (first == CharClass.DASH) | (first == CharClass.BAR)


def _markup(columns: dict[str, Ints], lines: Scan, counts: list[Ints]) -> None:
    """Fill what markdown decoration says."""
    kinds = lines.classes
    columns["indent"] = kinds[lines.starts[:-1]] == CharClass.SPACE
    solid = np.flatnonzero(kinds != CharClass.SPACE)  # each line has at least its NEWLINE
    bounds = np.searchsorted(solid, lines.starts)
    opening = solid[bounds[:-1]]
    code = lines.chars[opening]
    spaced = kinds[np.minimum(opening + 1, len(kinds) - 1)] == CharClass.SPACE
    closing = lines.chars[solid[bounds[1:] - 2]]  # wraps to the line before where only NEWLINE stands: guarded below
    several = bounds[1:] - bounds[:-1] > 1
    columns["bullet"] = spaced & ((code == ord("*")) | (code == ord("-")) | (code == ord("•")))
    columns["heading"] = code == ord("#")
    columns["table"] = several & ((code == ord("|")) | (closing == ord("|")))
    columns["emphasis"] = _LOG[np.maximum(counts[CharClass.MARKUP] - 2 * lines.links, 0)]
    columns["links"] = _LOG[np.minimum(lines.links, MAX_CHARS)]
    columns["images"] = _LOG[np.minimum(lines.images, MAX_CHARS)]
