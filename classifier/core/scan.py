"""TODO"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Ints, append, diff, flatnonzero
from classifier.lines import ZERO_WIDTH, is_blank

__all__ = ["CharClass", "Scan", "blank_flags", "composed", "is_word", "scan"]

# A line's features read at most this many of its characters: real lines are shorter by far (the longest on the pages the
# layouts were read off is about 16,000), and a 64 MB line must cost no more than copying it.
MAX_CHARS = 20_000
MOST_MARKS = 30  # on one letter; more than any script needs (Unicode's Stream-Safe Text Format, UAX #15)
TABLE_SIZE = 0x3000  # every script Vietnamese pages use; code points above count as letters of another script


class CharClass:
    """Code-point classes; the numbers index the packed counters in `features.py`."""

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


ACCENTED, UNSETTLED, CLASS = 0x20, 0x40, 0x1F  # bits of a code point's properties: CLASS masks its CharClass


def _character_tables() -> tuple[Ints, Ints, Ints]:
    """Return properties, folded form (lower case, digits as 0) and folded form without accents, of every code point in the table."""
    chars = list(map(chr, range(TABLE_SIZE)))
    category = np.array(list(map(unicodedata.category, chars)))
    major = category.astype("U1")
    upper, digit, letter = category == "Lu", category == "Nd", major == "L"
    unseen = np.isin(category, ("Cc", "Cf", "Zs")) | np.array(list(map(str.isspace, chars)))  # zero-width and bidi marks too
    kinds = [upper, letter | (major == "M"), digit, unseen]  # a combining mark belongs to its letter
    classes = np.select(kinds, [CharClass.UPPER, CharClass.LOWER, CharClass.DIGIT, CharClass.SPACE], CharClass.OTHER).astype(np.uint8)
    for characters, kind in _PUNCTUATION.items():
        classes[list(map(ord, characters))] = kind

    folded = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in np.flatnonzero(upper).tolist():
        lowered = chars[code].lower()
        folded[code] = ord(lowered) if len(lowered) == 1 else code
    folded[digit] = ord("0")

    # Code points that may change in NFC, by themselves or behind another (Hangul vowels and finals among them).
    unsettled = (major == "M") | [not unicodedata.is_normalized("NFC", char) for char in chars]
    unsettled[0x1160:0x1200] = True
    bare = np.arange(TABLE_SIZE, dtype=np.uint32)
    for char in filter(unicodedata.decomposition, chars):
        bare[ord(char)] = ord(unicodedata.normalize("NFD", char)[0])
    bare[ord("đ")] = ord("d")

    accented = letter & (np.arange(TABLE_SIZE) > 0x7F)
    properties = classes | np.where(accented, ACCENTED, 0) | np.where(unsettled, UNSETTLED, 0)
    properties[-1] = CharClass.LOWER | UNSETTLED  # stands for every code point beyond the table
    return properties.astype(np.uint8), folded, bare


PROPERTIES, FOLDED, BARE = _character_tables()


class Scan(NamedTuple):
    """A batch of n lines as arrays: m visible code points, each line closed by one NEWLINE so that none is empty."""

    chars: Ints  # (m,) folded code points
    classes: Ints  # (m,) CharClass of each
    accented: Bools  # (m,)
    starts: Ints  # (n + 1,) where each line begins
    raw_length: Ints  # (n,) characters before hiding link targets
    links: Ints  # (n,) link targets hidden
    images: Ints  # (n,) how many of the links are images
    link_chars: Ints  # (n,) letters and digits that stand inside link brackets


def blank_flags(lines: Iterable[str]) -> Bools:
    """Return `is_blank` of each line, without a call of ours for each."""
    ends = map(str.rstrip, lines)  # where something visible ends the line, it is not blank: nearly all are decided by that
    return np.array([not end or (end[-1] in ZERO_WIDTH and is_blank(end)) for end in ends], np.bool_)


def scan(lines: Sequence[str]) -> Scan:
    """Turn lines (not blank, n >= 1) into code-point arrays, with link targets and their titles left out."""
    text, codes, table = _decoded(_joined(lines))
    properties = PROPERTIES.take(table)
    starts = np.zeros(len(lines) + 1, np.int64)
    starts[1:] = flatnonzero(codes == ord("\n")) + 1
    raw_length = diff(starts)
    links = images = link_chars = np.zeros(len(lines), np.int64)
    if "](" in text:
        seen, starts, links, images, link_chars = _links(codes, properties, starts)
        codes, table, properties = codes.take(seen), table.take(seen), properties.take(seen)
    folded = FOLDED.take(table)
    if codes.max() >= TABLE_SIZE:
        folded = np.where(codes < TABLE_SIZE, folded, codes)
    return Scan(folded, properties & CLASS, (properties & ACCENTED) != 0, starts, raw_length, links, images, link_chars)


def _joined(lines: Sequence[str]) -> str:
    """Return the lines as one text, each cut at MAX_CHARS and ended by one newline."""
    if max(map(len, lines)) > MAX_CHARS:
        lines = [line[:MAX_CHARS] for line in lines]
    text = "\n".join(map(str.rstrip, lines)) + "\n"
    if text.count("\n") != len(lines):  # a caller's line may hold line ends of its own
        text = "\n".join(line.rstrip().replace("\n", " ") for line in lines) + "\n"
    return text


def composed(text: str) -> str:
    """Return text in NFC, line by line, runs of marks longer than any script's cut (`MOST_MARKS`); never slow."""
    return _decoded(text)[0]


def _decoded(text: str) -> tuple[str, Ints, Ints]:
    """Return lines of text in NFC, their code points, and their places in the character tables (in the form that gathers fastest)."""
    codes, table = _code_points(text)
    unsettled = PROPERTIES.take(table) >= UNSETTLED
    if not unsettled.any():
        return text, codes, table
    # Normalisation takes longer than all else here, so only lines that may need it get it. It composes nothing across a
    # newline, and makes none.
    lines = text.split("\n")
    at = flatnonzero(unsettled)
    may_change = np.unique(flatnonzero(codes == ord("\n")).searchsorted(at)).tolist()
    joined = "\n".join([lines[i] for i in may_change])
    if len(at) > MOST_MARKS and (at[MOST_MARKS:] - at[:-MOST_MARKS] == MOST_MARKS).any():
        joined = _fewer_marks(joined)
    composed = unicodedata.normalize("NFC", joined).split("\n")
    for i, line in zip(may_change, composed):
        lines[i] = line
    text = "\n".join(lines)
    return text, *_code_points(text)


def _fewer_marks(text: str) -> str:
    """Return the text with runs of combining marks cut at MOST_MARKS: NFC sorts a run, in time that grows with its square."""
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
    """Find every `(target "title")` that follows `]`.

    Returns which code points are visible without them, where each line begins among those, and for each line its links, its
    images, and the letters and digits inside its brackets. Marks `!` before an image as markup, else it would end a sentence.
    """
    n = len(starts) - 1
    brackets = flatnonzero((codes == ord("[")) | (codes == ord("]")))
    opens = brackets[(codes[brackets] == ord("]")) & (codes[brackets + 1] == ord("("))] + 1
    closers = flatnonzero(codes == ord(")"))
    line = starts.searchsorted(opens, side="right") - 1
    ends = append(closers, len(codes))[closers.searchsorted(opens)]  # the first ")" after each "("
    closed = ends < starts[line + 1]  # an unclosed target is text
    opens, ends, line = opens[closed], ends[closed], line[closed]
    links = np.bincount(line, minlength=n)
    # Brackets and exclamation marks of lines without links are text: what a line is must not depend on its batch.
    marks = brackets[(codes[brackets] == ord("[")) & (brackets > 0)] - 1
    marks = marks[codes[marks] == ord("!")]
    image = starts.searchsorted(marks, side="right") - 1
    linked = links[image] > 0
    properties[marks[linked]] = CharClass.MARKUP

    outer = np.ones(len(ends), np.bool_)
    outer[1:] = ends[1:] > ends[:-1]  # targets that open inside another end with it
    opens, ends = opens[outer], ends[outer]
    bounds = np.zeros(2 * len(opens) + 2, np.int64)
    bounds[1:-1:2], bounds[2::2], bounds[-1] = opens, ends + 1, len(codes)
    visible = (np.arange(len(bounds) - 1) % 2 == 0).repeat(diff(bounds))
    hidden = np.zeros(len(opens) + 1, np.int64)
    hidden[1:] = (ends + 1 - opens).cumsum()
    new_starts = starts - hidden[opens.searchsorted(starts)]
    inside = np.where(links > 0, _inside_brackets(codes, properties, starts, brackets, visible), 0)
    return flatnonzero(visible), new_starts, links, np.bincount(image[linked], minlength=n), inside


def _inside_brackets(codes: Ints, properties: Ints, starts: Ints, brackets: Ints, visible: Bools) -> Ints:
    """Return how many visible letters and digits of each line stand inside brackets, those left open by earlier lines forgotten."""
    line = starts.searchsorted(brackets, side="right") - 1
    depth = np.zeros(len(brackets) + 1, np.int64)
    depth[1:] = np.where(codes[brackets] == ord("["), 1, -1).cumsum()
    inside = depth[1:] > depth[brackets.searchsorted(starts[line])]
    letters = np.zeros(len(codes) + 1, np.int32)
    (visible & is_word(properties & CLASS)).cumsum(dtype=np.int32, out=letters[1:])
    until = np.minimum(append(brackets[1:], len(codes)), starts[line + 1])
    return np.bincount(line, (letters[until] - letters[brackets]) * inside, minlength=len(starts) - 1).astype(np.int64)


def is_word(classes: Ints) -> Bools:
    """Return which characters are letters, digits or marks on them."""
    return (classes >= CharClass.LOWER) & (classes <= CharClass.DIGIT)
