"""What a line is, and what a reader sees of it.

One definition of each, used everywhere: `LineSplitter` cuts a stream into lines however it was chunked; `scan` turns
a batch of lines into arrays of code points (NFC, link targets and markdown decoration told apart from visible text).
Only LF, CR and CRLF end a line; U+2028, U+0085, VT and FF are text. This file knows nothing of labels or features.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.arrays import Bools, Ints

__all__ = ["CharClass", "LineSplitter", "Scan", "blank_flags", "is_blank", "scan", "split_lines"]

# A line's features read at most this many of its characters: real lines are shorter by far (the longest on the pages the
# layouts were read off is about 16,000), and a 64 MB line must cost no more than copying it.
MAX_CHARS = 20_000

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


def _character_tables() -> tuple[Ints, Ints, Bools]:
    """Return class, folded form (lower case, digits as 0) and the accented-letter flag of every code point in the table."""
    classes = np.zeros(TABLE_SIZE, np.uint8)
    folded = np.arange(TABLE_SIZE, dtype=np.uint32)
    accented = np.zeros(TABLE_SIZE, np.bool_)
    for code in range(TABLE_SIZE):
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Lu":
            classes[code] = CharClass.UPPER
            lowered = char.lower()
            folded[code] = ord(lowered) if len(lowered) == 1 else code
        elif category[0] in "LM":  # a combining mark belongs to its letter
            classes[code] = CharClass.LOWER
        elif category == "Nd":
            classes[code] = CharClass.DIGIT
            folded[code] = ord("0")
        elif char.isspace() or category in ("Cc", "Cf", "Zs"):  # zero-width and bidi marks are not visible text
            classes[code] = CharClass.SPACE
        accented[code] = code > 0x7F and category[0] == "L"
    for characters, kind in _PUNCTUATION.items():
        for char in characters:
            classes[ord(char)] = kind
    return classes, folded, accented


def _bare_letters() -> Ints:
    """Return each folded code point without its accents."""
    bare = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in range(0x80, TABLE_SIZE):
        first = unicodedata.normalize("NFD", chr(code))[0]
        bare[code] = ord("d") if chr(code) == "đ" else ord(first)
    return bare


def _unsettled() -> Bools:
    """Return which code points may change in NFC, by themselves or behind another; those beyond the table may all."""
    flags = [unicodedata.category(char)[0] == "M" or unicodedata.normalize("NFC", char) != char for char in map(chr, range(TABLE_SIZE))]
    flags[0x1160:0x1200] = [True] * 0xA0  # Hangul vowels and finals
    return np.array([*flags[:-1], True])


CLASSES, FOLDED, ACCENTED = _character_tables()
UNSETTLED = _unsettled()
BARE = _bare_letters()
CLASSES[TABLE_SIZE - 1] = CharClass.LOWER  # stands for every code point beyond the table


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


# White space, zero-width marks and the BOM.
_UNSEEN = "".join(filter(str.isspace, map(chr, range(TABLE_SIZE + 1)))) + "\u200b\u200c\u200d\u2060\ufeff"


def is_blank(line: str) -> bool:
    """Return whether a line holds nothing but white space, zero-width marks or a BOM."""
    return not line.strip(_UNSEEN)


def blank_flags(lines: Sequence[str]) -> Bools:
    """Return `is_blank` of each line, without a call for each."""
    return np.array([not line.strip(_UNSEEN) for line in lines], np.bool_)


def scan(lines: Sequence[str]) -> Scan:
    """Turn lines (not blank, n >= 1) into code-point arrays, with link targets and their titles left out."""
    text, codes, table = _decoded(_joined(lines))
    classes = CLASSES[table]
    breaks = np.flatnonzero(classes == CharClass.NEWLINE)
    starts = np.concatenate((np.zeros(1, np.int64), breaks + 1))
    raw_length = np.diff(starts)
    n = len(raw_length)
    folded = np.where(codes < TABLE_SIZE, FOLDED[table], codes)
    accented = ACCENTED[table]
    none = np.zeros(n, np.int64)
    if "](" not in text:
        return Scan(folded, classes, accented, starts, raw_length, none, none, none)
    return _without_targets(codes, folded, classes, accented, starts)


def _joined(lines: Sequence[str]) -> str:
    """Return the lines as one text, each cut at MAX_CHARS and ended by one newline."""
    if max(map(len, lines)) > MAX_CHARS:
        lines = [line[:MAX_CHARS] for line in lines]
    text = "\n".join(map(str.rstrip, lines)) + "\n"
    if text.count("\n") != len(lines):  # a caller's line may hold line ends of its own
        text = "\n".join(line.rstrip().replace("\n", " ") for line in lines) + "\n"
    return text


def _decoded(text: str) -> tuple[str, Ints, Ints]:
    """Return the text in NFC, its code points, and their places in the character tables."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = np.minimum(codes, np.uint32(TABLE_SIZE - 1))
    if not UNSETTLED[table].any():  # a gather costs a tenth of unicodedata's own look
        return text, codes, table
    composed = unicodedata.normalize("NFC", text)  # composes nothing across a newline, and makes none
    codes = np.frombuffer(composed.encode("utf-32-le", "surrogatepass"), np.uint32)
    return composed, codes, np.minimum(codes, np.uint32(TABLE_SIZE - 1))


def _without_targets(
    codes: Ints,
    folded: Ints,
    classes: Ints,
    accented: Bools,
    starts: Ints,
) -> Scan:
    """Hide every `(target "title")` that follows `]`, count links and images, and measure the text inside brackets."""
    n, size = len(starts) - 1, len(codes)
    opens = np.flatnonzero((codes[:-1] == ord("]")) & (codes[1:] == ord("("))) + 1
    closers = np.flatnonzero(codes == ord(")"))
    line_of = np.searchsorted(starts, opens, side="right") - 1
    nearest = np.searchsorted(closers, opens)
    ends = np.append(closers, size)[nearest]  # (links,) the first ")" after each "("
    closed = ends < starts[line_of + 1]  # an unclosed target is text
    opens, ends = opens[closed], ends[closed]
    links = np.bincount(line_of[closed], minlength=n)
    # Brackets and exclamation marks of lines without links are text: what a line is must not depend on its batch.
    image_open = np.flatnonzero((codes[:-1] == ord("!")) & (codes[1:] == ord("[")))
    image_line = np.searchsorted(starts, image_open, side="right") - 1
    image_open, image_line = image_open[links[image_line] > 0], image_line[links[image_line] > 0]
    classes[image_open] = CharClass.MARKUP  # else an image would end like an exclamation

    marks = np.zeros(size + 1, np.int32)
    np.add.at(marks, opens, 1)
    np.add.at(marks, ends + 1, -1)
    visible = np.cumsum(marks[:-1]) == 0
    visible[starts[1:] - 1] = True

    # Text inside brackets: depth of "[" seen so far in the line, forgetting what earlier lines left open.
    step = (codes == ord("[")).astype(np.int32) - (codes == ord("]"))
    depth = np.cumsum(step)
    before = np.concatenate((np.zeros(1, depth.dtype), depth))[starts[:-1]]
    word = (classes >= CharClass.LOWER) & (classes <= CharClass.DIGIT)
    inside = visible & word & (depth > np.repeat(before, np.diff(starts)))

    counted = np.cumsum(visible)
    new_starts = np.concatenate((np.zeros(1, np.int64), counted[starts[1:] - 1]))
    return Scan(
        folded[visible],
        classes[visible],
        accented[visible],
        new_starts,
        np.diff(starts),
        links,
        np.bincount(image_line, minlength=n),
        np.where(links > 0, np.add.reduceat(inside.astype(np.int64), starts[:-1]), 0),
    )


class LineSplitter:
    """Cuts a stream of text or UTF-8 bytes into lines, the same lines however it was chunked.

    >>> splitter = LineSplitter()
    >>> splitter.feed("một\\r"), splitter.feed(b"\\nhai\\nb"), splitter.flush()
    ([], ['một', 'hai'], ['b'])
    """

    def __init__(self, errors: str = "replace") -> None:
        """Set how invalid UTF-8 is treated (`errors` as in `bytes.decode`)."""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors)
        self._parts: list[str] = []  # the unfinished line; a list, so that a long line costs linear time
        self._carriage_return = False

    def feed(self, chunk: str | bytes) -> list[str]:
        """Return the lines that `chunk` completes."""
        if isinstance(chunk, str):
            text = self._decoder.decode(b"", final=True) + chunk  # text after half a character: the half is over
            self._decoder.reset()
        else:
            text = self._decoder.decode(chunk)
        return self._cut(text)

    def flush(self) -> list[str]:
        """Return what is left as the last line, if anything, and start afresh."""
        lines = self._cut(self._decoder.decode(b"", final=True))
        self._decoder.reset()
        rest = "".join(self._parts)
        if self._carriage_return or rest:
            lines.append(rest)
        self._parts, self._carriage_return = [], False
        return lines

    def _cut(self, text: str) -> list[str]:
        if not text:
            return []
        if self._carriage_return:  # held back: the next chunk may open with the LF that belongs to it
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        if self._carriage_return:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        self._parts.append(first)
        if not others:
            return []
        lines = ["".join(self._parts), *others[:-1]]
        self._parts = [others[-1]]
        return lines


def split_lines(text: str) -> list[str]:
    """Return the lines of a whole text, without their ends; a final line end opens no further line.

    >>> split_lines("một\\r\\n\\nhai\\n")
    ['một', '', 'hai']
    """
    splitter = LineSplitter()
    return splitter.feed(text) + splitter.flush()
