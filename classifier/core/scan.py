"""Character scan: a batch of lines as arrays of code points and their classes, in NFC and with link targets removed.

Tables indexed by code point replace a Python loop over characters: one look-up each for class, case folding and accent
removal. Only lines that may change are normalised. The target and title of a markdown link, `(url "title")` after `]`, are
left out of the code points; links and images are counted per line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Ints, append, diff, flatnonzero
from classifier.lines import ZERO_WIDTH, is_blank

__all__ = ["CharClass", "Scan", "blank_flags", "composed", "is_word", "scan"]

# Only this many characters of a line enter its features. Real lines are shorter (the longest on the pages that the layouts
# were derived from has about 16,000), and a 64 MB line must cost no more than a copy.
MAX_CHARS = 20_000
MOST_MARKS = 30  # combining marks in a row; more than any script needs (Unicode's Stream-Safe Text Format, UAX #15)
TABLE_SIZE = 0x3000  # covers the scripts of Vietnamese pages; higher code points are classed as letters of another script


class CharClass:
    """Code-point classes; `features.py` uses the values as array indices and relies on their order."""

    OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, MARKUP = range(7)
    COMMA, ENDER, COLON, SLASH, QUOTE, OPEN, CLOSE, BAR, DASH, SYMBOL = range(7, 17)


_PUNCTUATION = {
    ",;": CharClass.COMMA,
    ".!?…": CharClass.ENDER,
    ":": CharClass.COLON,
    "/": CharClass.SLASH,
    "\"'“”‘’«»": CharClass.QUOTE,
    "(": CharClass.OPEN,
    ")": CharClass.CLOSE,
    ">›•·→": CharClass.BAR,
    "-–—+": CharClass.DASH,
    "©®°%@&": CharClass.SYMBOL,
    "*_#[]`\\|~": CharClass.MARKUP,
    "\n": CharClass.NEWLINE,
}


# Bits of a code point's properties: a letter outside ASCII, may change in NFC, and the mask of its CharClass.
ACCENTED, UNSETTLED, CLASS = 0x20, 0x40, 0x1F


def _character_tables() -> tuple[Ints, Ints, Ints]:
    """Return three tables by code point: properties, folded form (lower case, digits as 0), and base letter without accents."""
    chars = list(map(chr, range(TABLE_SIZE)))
    category = np.array(list(map(unicodedata.category, chars)))
    major = category.astype("U1")
    upper, digit, letter = category == "Lu", category == "Nd", major == "L"
    invisible = np.isin(category, ("Cc", "Cf", "Zs")) | np.array(list(map(str.isspace, chars)))  # including zero-width and bidi marks
    kinds = [upper, letter | (major == "M"), digit, invisible]  # a combining mark belongs to its letter
    classes = np.select(kinds, [CharClass.UPPER, CharClass.LOWER, CharClass.DIGIT, CharClass.SPACE], CharClass.OTHER).astype(np.uint8)
    for characters, kind in _PUNCTUATION.items():
        classes[list(map(ord, characters))] = kind

    folded = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in np.flatnonzero(upper).tolist():
        lowered = chars[code].lower()
        folded[code] = ord(lowered) if len(lowered) == 1 else code
    folded[digit] = ord("0")

    # Code points that may change in NFC, alone or after another one, including Hangul vowels and finals (U+1160 to U+11FF).
    unsettled = (major == "M") | [not unicodedata.is_normalized("NFC", char) for char in chars]
    unsettled[0x1160:0x1200] = True
    bare = np.arange(TABLE_SIZE, dtype=np.uint32)
    for char in filter(unicodedata.decomposition, chars):
        bare[ord(char)] = ord(unicodedata.normalize("NFD", char)[0])
    bare[ord("đ")] = ord("d")

    accented = letter & (np.arange(TABLE_SIZE) > 0x7F)
    properties = classes | np.where(accented, ACCENTED, 0) | np.where(unsettled, UNSETTLED, 0)
    properties[-1] = CharClass.LOWER | UNSETTLED  # the last entry stands for every code point beyond the table
    return properties.astype(np.uint8), folded, bare


PROPERTIES, FOLDED, BARE = _character_tables()


class Scan(NamedTuple):
    """A batch of n lines as m code points; each line ends with one NEWLINE, so that none is empty."""

    chars: Ints  # (m,) folded code points
    classes: Ints  # (m,) CharClass of each
    accented: Bools  # (m,) letters outside ASCII
    starts: Ints  # (n + 1,) index of each line's first code point, and m
    raw_length: Ints  # (n,) code points before hiding link targets, NEWLINE included
    links: Ints  # (n,) link targets hidden
    images: Ints  # (n,) images among the links
    link_chars: Ints  # (n,) letters and digits inside link brackets


def blank_flags(lines: Iterable[str]) -> Bools:
    """Return `is_blank` of each line (n,), without a Python-level call for most lines."""
    ends = map(str.rstrip, lines)  # a line that ends in a visible character is not blank, which settles nearly all
    return np.array([not end or (end[-1] in ZERO_WIDTH and is_blank(end)) for end in ends], np.bool_)


def scan(lines: Sequence[str]) -> Scan:
    """Return the code-point arrays of lines (n >= 1, none blank), without link targets and their titles."""
    text, codes, table = _normalised(_joined(lines))
    properties = PROPERTIES.take(table)
    starts = np.zeros(len(lines) + 1, np.int64)
    starts[1:] = flatnonzero(codes == ord("\n")) + 1
    raw_length = diff(starts)
    links = images = link_chars = np.zeros(len(lines), np.int64)
    if "](" in text:
        visible, starts, links, images, link_chars = _links(codes, properties, starts)
        codes, table, properties = codes.take(visible), table.take(visible), properties.take(visible)
    folded = FOLDED.take(table)
    if codes.max() >= TABLE_SIZE:
        folded = np.where(codes < TABLE_SIZE, folded, codes)
    return Scan(folded, properties & CLASS, (properties & ACCENTED) != 0, starts, raw_length, links, images, link_chars)


def _joined(lines: Sequence[str]) -> str:
    """Return the lines as one text, each truncated to MAX_CHARS and terminated by a newline."""
    if max(map(len, lines)) > MAX_CHARS:
        lines = [line[:MAX_CHARS] for line in lines]
    text = "\n".join(map(str.rstrip, lines)) + "\n"
    if text.count("\n") != len(lines):  # a caller's line may contain newlines
        text = "\n".join(line.rstrip().replace("\n", " ") for line in lines) + "\n"
    return text


def composed(text: str) -> str:
    """Return text in NFC, in linear time: runs of combining marks are truncated to MOST_MARKS."""
    return _normalised(text)[0]


def _normalised(text: str) -> tuple[str, Ints, Ints]:
    """Return the text in NFC, its code points (uint32), and their indices into the character tables (intp, fastest for `take`)."""
    codes, table = _code_points(text)
    unsettled = PROPERTIES.take(table) >= UNSETTLED
    if not unsettled.any():
        return text, codes, table
    # Normalisation is the slowest step, so only lines that may change are normalised. NFC never composes across a newline and
    # never creates one.
    lines = text.split("\n")
    at = flatnonzero(unsettled)
    may_change = np.unique(flatnonzero(codes == ord("\n")).searchsorted(at)).tolist()
    joined = "\n".join([lines[i] for i in may_change])
    if len(at) > MOST_MARKS and (at[MOST_MARKS:] - at[:-MOST_MARKS] == MOST_MARKS).any():
        joined = _cap_marks(joined)
    normalised = unicodedata.normalize("NFC", joined).split("\n")
    for i, line in zip(may_change, normalised):
        lines[i] = line
    text = "\n".join(lines)
    return text, *_code_points(text)


def _cap_marks(text: str) -> str:
    """Return the text with runs of combining marks truncated to MOST_MARKS, because NFC sorts a run in quadratic time."""
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _code_points(text: str) -> tuple[Ints, Ints]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return codes, np.minimum(codes, np.uint32(TABLE_SIZE - 1)).astype(np.intp)


def _links(codes: Ints, properties: Ints, starts: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Find the target of every markdown link: `(target "title")` after `]`.

    Returns the indices of the code points outside targets, the start of each line among them (n + 1,), and per line (n,) the
    number of links, of images, and of letters and digits inside brackets. Sets the class of the `!` of an image to MARKUP in
    `properties`, so that it does not count as a sentence end.
    """
    n = len(starts) - 1
    brackets = flatnonzero((codes == ord("[")) | (codes == ord("]")))
    opens = brackets[(codes[brackets] == ord("]")) & (codes[brackets + 1] == ord("("))] + 1
    closers = flatnonzero(codes == ord(")"))
    line = starts.searchsorted(opens, side="right") - 1
    ends = append(closers, len(codes))[closers.searchsorted(opens)]  # the first ")" after each "("
    closed = ends < starts[line + 1]  # an unclosed target is ordinary text
    opens, ends, line = opens[closed], ends[closed], line[closed]
    links = np.bincount(line, minlength=n)
    # In lines without links, brackets and exclamation marks are ordinary text. Other lines of the batch must not change that.
    bangs = brackets[(codes[brackets] == ord("[")) & (brackets > 0)] - 1
    bangs = bangs[codes[bangs] == ord("!")]
    image = starts.searchsorted(bangs, side="right") - 1
    linked = links[image] > 0
    properties[bangs[linked]] = CharClass.MARKUP

    outer = np.ones(len(ends), np.bool_)
    outer[1:] = ends[1:] > ends[:-1]  # a target that opens inside another one ends with it
    opens, ends = opens[outer], ends[outer]
    bounds = np.zeros(2 * len(opens) + 2, np.int64)
    bounds[1:-1:2], bounds[2::2], bounds[-1] = opens, ends + 1, len(codes)
    visible = (np.arange(len(bounds) - 1) % 2 == 0).repeat(diff(bounds))
    hidden = np.zeros(len(opens) + 1, np.int64)
    hidden[1:] = (ends + 1 - opens).cumsum()
    new_starts = starts - hidden[opens.searchsorted(starts)]
    inside = np.where(links > 0, _count_inside_brackets(codes, properties, starts, brackets, visible), 0)
    return flatnonzero(visible), new_starts, links, np.bincount(image[linked], minlength=n), inside


def _count_inside_brackets(codes: Ints, properties: Ints, starts: Ints, brackets: Ints, visible: Bools) -> Ints:
    """Return the number of visible letters and digits inside brackets per line (n,); an open bracket ends with its line."""
    line = starts.searchsorted(brackets, side="right") - 1
    depth = np.zeros(len(brackets) + 1, np.int64)
    depth[1:] = np.where(codes[brackets] == ord("["), 1, -1).cumsum()
    inside = depth[1:] > depth[brackets.searchsorted(starts[line])]
    letters = np.zeros(len(codes) + 1, np.int32)
    (visible & is_word(properties & CLASS)).cumsum(dtype=np.int32, out=letters[1:])
    until = np.minimum(append(brackets[1:], len(codes)), starts[line + 1])
    return np.bincount(line, (letters[until] - letters[brackets]) * inside, minlength=len(starts) - 1).astype(np.int64)


def is_word(classes: Ints) -> Bools:
    """Return which character classes are those of letters, combining marks and digits."""
    return (classes >= CharClass.LOWER) & (classes <= CharClass.DIGIT)
