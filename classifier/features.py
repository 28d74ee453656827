"""What a line shows by itself: the numeric half of the first pass, one row of integers per line.

`LINE_COLUMNS` is the table; training and runtime read the same rows, and the model file pins their names. Values are
sixteenths (STEP) in small integers: sums over them are exact in float64, so results never depend on how lines were
batched. What surrounds a line is the business of `context.py`; its words are hashed in `ngrams.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.arrays import Hashes, Int16s, Ints
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

# How each column is made of what `describe` counts: as a logarithm, as a share of a whole, or as a flag.
LOGS = (
    "size", "words", "commas", "sentences", "colons", "slashes", "quotes", "parens", "bars", "dashes", "symbols", "emphasis",
    "links", "images",
)  # fmt: skip
SHARES = ("upper", "titled", "digits", "accents", "linked", "hidden")
FLAGS = tuple(name for name in LINE_COLUMNS if name not in LOGS + SHARES)
_LOG_AT, _SHARE_AT, _FLAG_AT = (np.array([COLUMN[name] for name in names]) for names in (LOGS, SHARES, FLAGS))
CLASS_COUNT = 17


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
    line = np.repeat(np.arange(len(lines)), np.diff(scanned.starts))  # of each character
    counts = np.bincount(line * CLASS_COUNT + scanned.classes, minlength=len(lines) * CLASS_COUNT).reshape(-1, CLASS_COUNT).T
    found: dict[str, Ints] = {"doubled": hashes.doubled}
    _amounts(found, scanned, grams, counts, line)
    _edges(found, scanned)
    _markup(found, scanned, counts)
    found["prose"] = ~found["empty"] & (found["size"] >= 60) & (found["ends_sentence"] | found["ends_quote"]) & (found["linked"] < STEP)
    table = np.empty((len(lines), len(LINE_COLUMNS)), np.int16)
    table[:, _LOG_AT] = _LOG[np.minimum(np.stack([found[name] for name in LOGS], axis=1), MAX_CHARS)]
    table[:, _SHARE_AT] = np.minimum(np.stack([found[name] for name in SHARES], axis=1), CEILING)
    table[:, _FLAG_AT] = np.stack([found[name] for name in FLAGS], axis=1) * np.int16(STEP)
    return Described(table, hashes.whole, hashes.opening, grams, found["size"])


def _share(part: Ints, whole: Ints) -> Ints:
    """Return part / whole in sixteenths of two units, 0 where whole is 0."""
    return 2 * STEP * part // np.maximum(whole, 1)


def _amounts(found: dict[str, Ints], lines: Scan, grams: NGrams, counts: Ints, line: Ints) -> None:
    """Find lengths, shares and counts; `counts` (classes, n) has the characters of each class, `line` each character's line."""
    kinds, n = lines.classes, len(lines.raw_length)
    lower, upper, digits = counts[CharClass.LOWER], counts[CharClass.UPPER], counts[CharClass.DIGIT]
    letters, total = lower + upper, counts.sum(axis=0)
    size = total - counts[CharClass.SPACE] - counts[CharClass.MARKUP] - counts[CharClass.NEWLINE]
    opening = kinds[grams.tokens]
    words = np.bincount(line[grams.tokens[opening <= CharClass.DIGIT]], minlength=n)
    capitals = np.bincount(line[grams.tokens[opening == CharClass.UPPER]], minlength=n)
    foreign = np.bincount(line[lines.accented], minlength=n)
    ends = np.flatnonzero(kinds[:-2] == CharClass.ENDER)
    inner = ends[(kinds[ends + 1] == CharClass.SPACE) & (kinds[ends + 2] != CharClass.NEWLINE)]
    dates, clocks = (_between_digits(kinds, kind, line, n) for kind in (CharClass.SLASH, CharClass.COLON))

    found |= {"size": size, "words": words, "sentences": np.bincount(line[inner], minlength=n)}
    found |= {"commas": counts[CharClass.COMMA], "colons": counts[CharClass.COLON], "slashes": counts[CharClass.SLASH]}
    found |= {"quotes": counts[CharClass.QUOTE], "parens": counts[CharClass.OPEN], "bars": counts[CharClass.BAR]}
    found |= {"dashes": counts[CharClass.DASH], "symbols": counts[CharClass.SYMBOL]}
    found |= {"short": size < 24, "medium": (size >= 24) & (size < 100), "long": size >= 100, "empty": letters + digits == 0}
    found |= {"upper": _share(upper, letters), "titled": _share(capitals, words), "digits": _share(digits, size)}
    found |= {"accents": _share(foreign, letters), "linked": _share(lines.link_chars, letters + digits)}
    found["hidden"] = _share(lines.raw_length + 1 - total, np.maximum(lines.raw_length, 1))
    found |= {"shouting": (lower == 0) & (upper >= 4), "unaccented": (letters >= 12) & (foreign == 0)}
    found |= {"date": dates >= 2, "clock": clocks >= 1}
    plain = (counts[CharClass.COMMA] + counts[CharClass.ENDER] + counts[CharClass.COLON] + digits) == 0
    found["name_like"] = plain & (words >= 2) & (words <= 5) & (capitals == words)


def _between_digits(kinds: Ints, kind: int, line: Ints, n: int) -> Ints:
    """Count, per line, characters of a class that stand between two digits."""
    at = np.flatnonzero(kinds[1:-1] == kind) + 1
    return np.bincount(line[at[(kinds[at - 1] == CharClass.DIGIT) & (kinds[at + 1] == CharClass.DIGIT)]], minlength=n)


def _edges(found: dict[str, Ints], lines: Scan) -> None:
    """Find what the first and the last visible character say."""
    kinds, starts = lines.classes, lines.starts
    seen = np.flatnonzero((kinds < CharClass.SPACE) | (kinds > CharClass.MARKUP))
    bounds = np.searchsorted(seen, starts)
    some = bounds[1:] > bounds[:-1]
    seen = np.append(seen, len(kinds) - 1)
    first = np.where(some, kinds[seen[bounds[:-1]]], CharClass.NEWLINE)
    last_at = np.where(some, seen[bounds[1:] - 1], starts[1:] - 1)
    last = kinds[last_at]
    twice = (last_at > starts[:-1]) & (kinds[np.maximum(last_at - 1, 0)] == CharClass.ENDER)
    found["ends_sentence"] = last == CharClass.ENDER
    found["ends_ellipsis"] = found["ends_sentence"] & ((lines.chars[last_at] == ord("…")) | twice)
    found |= {"ends_quote": last == CharClass.QUOTE, "ends_colon": last == CharClass.COLON, "ends_close": last == CharClass.CLOSE}
    found |= {"ends_digit": last == CharClass.DIGIT, "ends_comma": last == CharClass.COMMA}
    found |= {"starts_upper": first == CharClass.UPPER, "starts_lower": first == CharClass.LOWER, "starts_digit": first == CharClass.DIGIT}
    found |= {"starts_quote": first == CharClass.QUOTE, "starts_open": first == CharClass.OPEN}
    found["starts_dash"] = (first == CharClass.DASH) | (first == CharClass.BAR)
    dashes = np.flatnonzero(kinds[1:-1] == CharClass.DASH) + 1
    dashes = dashes[(kinds[dashes - 1] != CharClass.DASH) & (kinds[dashes + 1] == CharClass.SPACE)]
    dashes = np.append(dashes, len(kinds) + KICKER)
    nearest = dashes[np.searchsorted(dashes, starts[:-1])] - starts[:-1]
    found["kicker"] = (nearest > 1) & (nearest < KICKER) & (starts[1:] - starts[:-1] > 2 * KICKER)


def _markup(found: dict[str, Ints], lines: Scan, counts: Ints) -> None:
    """Find what markdown decoration says."""
    kinds = lines.classes
    solid = np.flatnonzero(kinds != CharClass.SPACE)  # each line has at least its NEWLINE
    bounds = np.searchsorted(solid, lines.starts)
    opening = solid[bounds[:-1]]
    code = lines.chars[opening]
    spaced = kinds[np.minimum(opening + 1, len(kinds) - 1)] == CharClass.SPACE
    closing = lines.chars[solid[bounds[1:] - 2]]  # wraps to the line before where only NEWLINE stands: guarded below
    several = bounds[1:] - bounds[:-1] > 1
    found["indent"] = kinds[lines.starts[:-1]] == CharClass.SPACE
    found["bullet"] = spaced & ((code == ord("*")) | (code == ord("-")) | (code == ord("•")))
    found["heading"] = code == ord("#")
    found["table"] = several & ((code == ord("|")) | (closing == ord("|")))
    found |= {"emphasis": np.maximum(counts[CharClass.MARKUP] - 2 * lines.links, 0), "links": lines.links, "images": lines.images}
