"""Character scan: a batch of lines as arrays of visible code points and their classes.

What a reader cannot see does not exist here: HTML entities are read as their characters; tags, invisible characters and link targets
are left out; white space counts once between words and not at the ends of a line; escaped markdown signs are the signs. Characters
that look alike get one code point: letter case, digits, quotation marks, dashes, `…` and `...`, full-width forms, `Ð` and `Đ`, and the two
places of a tone mark (`hoà`, `hòa`). Symbols that carry no text (emoji, icons) count as white space.

Classes come from the Unicode data of Python. Those of code points below TABLED are tabulated on import; others are looked up one by
one, and cached.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Ints, append, diff, flatnonzero, lengths_to
from classifier.core.kernel import compiled
from classifier.visible import CATEGORIES, INVISIBLE, TABLED, is_invisible, without_html

__all__ = ["LINK_TARGET", "CharClass", "Scan", "composed", "is_word", "readable", "scan"]

# A line's features read at most this many of its characters: real lines are shorter by far (the longest on the pages the
# layouts were read off is about 16,000), and a 64 MB line must cost no more than copying it.
MAX_CHARS = 20_000
LONGEST_ENTITY = 34  # characters
MOST_MARKS = 30  # on one letter; more than any script needs (Unicode's Stream-Safe Text Format, UAX #15)


class CharClass:
    """Code-point classes; the numbers index the packed counters in `features.py`."""

    OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, MARKUP = range(7)
    COMMA, ENDER, COLON, SLASH, QUOTE, OPEN, CLOSE, BAR, DASH, SYMBOL = range(7, 17)
    INVISIBLE, MARKED = (
        17,
        18,
    )  # never in a `Scan`: left out; what may begin markup: ampersands, angle brackets, backslashes, full-width forms


_PUNCTUATION = {
    ",;": CharClass.COMMA,
    ".!?…": CharClass.ENDER,
    ":": CharClass.COLON,
    "/": CharClass.SLASH,
    "\"'": CharClass.QUOTE,
    "(": CharClass.OPEN,
    ")": CharClass.CLOSE,
    ">›•·→": CharClass.BAR,
    "-+": CharClass.DASH,
    "©®°%@": CharClass.SYMBOL,
    "*_#[]`|~": CharClass.MARKUP,
    "&<\\": CharClass.MARKED,
    "\n": CharClass.NEWLINE,
}
_WITHOUT_MARKUP = {ord("&"): CharClass.SYMBOL, ord("<"): CharClass.OTHER, ord("\\"): CharClass.MARKUP}  # what MARKED ones are else
_CLASS_OF = {char: kind for chars, kind in _PUNCTUATION.items() for char in chars}
_BY_CATEGORY = {
    **dict.fromkeys(("Lu", "Lt"), CharClass.UPPER),
    **dict.fromkeys(("Ll", "Lm", "Lo", "Mn", "Mc", "Me"), CharClass.LOWER),  # a combining mark belongs to its letter
    "Nd": CharClass.DIGIT,
    **dict.fromkeys(("Zs", "Zl", "Zp", "So", "Co", "Cn", "Cs"), CharClass.SPACE),
    "Pd": CharClass.DASH,
    **dict.fromkeys(("Pi", "Pf"), CharClass.QUOTE),
    "Ps": CharClass.OPEN,
    "Pe": CharClass.CLOSE,
}
# One code point for all that look alike; dashes, quotation marks and compatibility forms follow from Unicode data.
_LOOK_ALIKE = {"‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "´": "'", "″": '"', "Ð": "Đ", "ð": "đ", "−": "-", "∙": "·", "‧": "·"}
_BY_NAME = (("FULL STOP", "."), ("QUESTION MARK", "?"), ("EXCLAMATION MARK", "!"), ("SEMICOLON", ";"), ("COMMA", ","), ("COLON", ":"))

ACCENTED, UNSETTLED, TONED, CLASS = 0x20, 0x40, 0x80, 0x1F  # bits of a code point's properties: CLASS masks its CharClass
_TONED = "àáảãạèéẻẽẹỳýỷỹỵ"  # the vowel that a tone mark may move to: hoà, hoè, huỳ
_MOVED = {"o": "òóỏõọ", "u": "ùúủũụ"}  # ... and the one that it moves to


def _canonical(char: str, category: str) -> str:
    """Return the character that stands for all that look like this one; letters of any case become small, digits 0."""
    char = _LOOK_ALIKE.get(char, char)
    if category == "Nd":
        return "0"
    if category == "Pd":
        return "-"
    if category in ("Pi", "Pf") and char not in "'›":
        return '"'
    return char


def _class_of(char: str, category: str) -> int:
    """Return the CharClass of a canonical character."""
    if char in _CLASS_OF:
        return _CLASS_OF[char]
    if char.isspace():
        return CharClass.SPACE
    return CharClass.INVISIBLE if is_invisible(char) else _BY_CATEGORY.get(category, CharClass.OTHER)


def _character_tables() -> tuple[Ints, Ints, Ints]:
    """Return properties, canonical form and canonical form without accents of every code point below TABLED."""
    chars = list(map(chr, range(TABLED)))
    canonical = list(map(_canonical, chars, CATEGORIES))
    classes = np.fromiter(map(_class_of, canonical, CATEGORIES), np.uint8, TABLED)
    small = [lowered if len(lowered := char.lower()) == 1 else char for char in canonical]
    folded = np.where(classes == CharClass.SPACE, ord(" "), np.fromiter(map(ord, small), np.uint32, TABLED)).astype(np.uint32)
    letters = np.fromiter((category[0] == "L" for category in CATEGORIES), np.bool_, TABLED)
    marks = np.fromiter((category[0] == "M" for category in CATEGORIES), np.bool_, TABLED)

    # Code points that may change in NFC, by themselves or behind another (Hangul vowels and finals among them).
    unsettled = marks | np.fromiter((not unicodedata.is_normalized("NFC", char) for char in chars), np.bool_, TABLED)
    unsettled[0x1160:0x1200] = True
    bare = np.arange(TABLED, dtype=np.uint32)
    for char in filter(unicodedata.decomposition, chars):
        bare[ord(char)] = ord(unicodedata.normalize("NFD", char)[0])
    bare[ord("đ")] = ord("d")

    accented = letters & (np.arange(TABLED) > 0x7F)
    toned = np.isin(folded, list(map(ord, _TONED)))
    properties = classes | np.where(accented, ACCENTED, 0) | np.where(unsettled, UNSETTLED, 0) | np.where(toned, TONED, 0)
    properties[-1] = CharClass.LOWER | UNSETTLED  # stands for every code point beyond the table, until it is looked up
    return properties.astype(np.uint8), folded, bare


PROPERTIES, FOLDED, BARE = _character_tables()
_MOVED_TONES = {
    (ord(first), ord(vowel)): (ord(toned), ord(unicodedata.normalize("NFD", vowel)[0]))
    for first, vowels in (("o", _TONED[:10]), ("u", _TONED[10:]))
    for vowel, toned in zip(vowels, _MOVED[first] * 2)
}


@lru_cache(maxsize=1 << 14)
def _beyond(code: int) -> tuple[int, int]:
    """Return properties and canonical form of a code point that is not tabulated."""
    char = chr(code)
    if _COMPATIBLE.match(char) and not unicodedata.is_normalized("NFKC", char):
        return CharClass.MARKED, code
    compatible = unicodedata.normalize("NFKC", char) if code not in range(0xD800, 0xE000) else char
    if len(compatible) == 1 and ord(compatible) < TABLED:  # full-width forms, mathematical letters
        kind = int(PROPERTIES[ord(compatible)])
        if kind & CLASS == CharClass.MARKED:  # a small form, such as U+FE60: the sign, which begins no markup
            kind = _WITHOUT_MARKUP[ord(compatible)]
        return kind & ~UNSETTLED, int(FOLDED[ord(compatible)])
    category, name = unicodedata.category(char), unicodedata.name(char, "")
    char = next((mark for words, mark in _BY_NAME if category == "Po" and words in name), _canonical(char, category))
    kind = _class_of(char, category)
    settled = unicodedata.is_normalized("NFC", char) and not unicodedata.combining(char)
    properties = kind | (ACCENTED if category[0] == "L" else 0) | (0 if settled else UNSETTLED)
    lowered = " " if kind == CharClass.SPACE else char.lower()
    return properties, ord(lowered if len(lowered) == 1 else char)


class Scan(NamedTuple):
    """A batch of n lines as arrays: m visible code points, each line closed by one NEWLINE so that none is empty."""

    chars: Ints  # (m,) canonical code points
    classes: Ints  # (m,) CharClass of each
    accented: Bools  # (m,)
    starts: Ints  # (n + 1,) where each line begins
    raw_length: Ints  # (n,) characters before hiding link targets
    links: Ints  # (n,) link targets hidden
    images: Ints  # (n,) how many of the links are images
    link_chars: Ints  # (n,) letters and digits that stand inside link brackets


@compiled
def scan(lines: Sequence[str]) -> Scan:
    """Turn lines (not blank, n >= 1) into arrays of visible code points.

    Most lines are as they should be. The others, which arrays tell apart, are rewritten as text, and spliced into the arrays.
    """
    text = _joined(lines)
    code_points = _code_points(text)
    starts = _line_starts(code_points.codes)
    linked = "](" in text
    irregular, odd = _lines_to_rewrite(code_points, starts, linked)
    rewritten, visible = flatnonzero(irregular), ""
    if len(rewritten):
        texts = text.split("\n")
        visible = _visible([texts[i] for i in rewritten.tolist()], flatnonzero(odd[rewritten]).tolist())
        linked = linked or "](" in visible
    spaces = _repeated_spaces(code_points, starts, irregular)
    if len(rewritten) or len(spaces):
        code_points = _spliced(code_points, starts, rewritten, visible, spaces)
        starts = _line_starts(code_points.codes)
    codes, properties, folded = code_points
    raw_length = diff(starts)
    links = images = link_chars = np.zeros(len(lines), np.int64)
    if linked:
        seen, starts, links, images, link_chars = _links(codes, properties, starts)
        properties, folded = properties.take(seen), folded.take(seen)
    classes = properties & CLASS
    _move_tones(folded, classes, properties)
    return Scan(folded, classes, (properties & ACCENTED) != 0, starts, raw_length, links, images, link_chars)


def _joined(lines: Sequence[str]) -> str:
    """Return the lines as one text, each cut at MAX_CHARS, without white space at its ends, and closed by one newline."""
    if max(map(len, lines)) > MAX_CHARS:
        lines = [line[:MAX_CHARS] for line in lines]
    text = "\n".join(map(str.strip, lines)) + "\n"
    if text.count("\n") != len(lines):  # a caller's line may hold line ends of its own
        text = "\n".join([" ".join(line.split()) for line in lines]) + "\n"
    return text


class _CodePoints(NamedTuple):
    """Code points of a text, each with its properties and canonical form (m,)."""

    codes: Ints
    properties: Ints
    folded: Ints


def _code_points(text: str) -> _CodePoints:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    index = codes.astype(np.intp)
    found = _CodePoints(codes, PROPERTIES.take(index, mode="clip"), FOLDED.take(index, mode="clip"))
    if codes.max() >= TABLED:
        _look_up(*found)
    return found


def _look_up(codes: Ints, properties: Ints, folded: Ints) -> None:
    """Fill in properties and canonical form of the code points that are not tabulated."""
    at = flatnonzero(codes >= TABLED)
    found, inverse = np.unique(codes.take(at), return_inverse=True)
    table = np.array([_beyond(code) for code in found.tolist()], np.uint32)
    properties[at], folded[at] = table.take(inverse, axis=0).T


def _line_starts(codes: Ints) -> Ints:
    """Return where each line begins (n + 1,)."""
    ends = flatnonzero(codes == ord("\n"))
    starts = np.zeros(len(ends) + 1, np.int64)
    starts[1:] = ends + 1
    return starts


def _lines_with(places: Ints, starts: Ints) -> Bools:
    """Return which lines have one of the places in them (n,)."""
    found = np.zeros(len(starts) - 1, np.bool_)
    found[starts.searchsorted(places, side="right") - 1] = True
    return found


def _lines_to_rewrite(code_points: _CodePoints, starts: Ints, linked: bool) -> tuple[Bools, Bools]:
    """Return which lines hold what a reader does not see, or sees in another form, and those of them where characters are such (n,)."""
    codes, properties, _ = code_points
    kinds = properties & CLASS
    marked = flatnonzero(kinds >= CharClass.INVISIBLE)
    characters = (
        marked[(codes[marked] > ord("\\")) | (codes[marked] < ord("&"))],
        flatnonzero((properties & UNSETTLED) != 0),
        _beginning_markup(codes, marked),
    )
    enders = flatnonzero(kinds == CharClass.ENDER)
    brackets = flatnonzero(codes == ord("]"))
    first, last = starts[:-1], np.maximum(starts[1:] - 2, starts[:-1])
    markdown = (
        enders[:-1][(diff(enders) == 1) & (codes[enders[:-1]] == ord("."))],
        first[(codes[first] == ord(">")) | (kinds[first] == CharClass.SPACE)],
        last[(codes[last] == ord("*")) | (kinds[last] == CharClass.SPACE)],
        brackets[(codes[brackets + 1] == ord("[")) | (codes[brackets + 1] == ord(":"))],
        _irregular_targets(codes) if linked else brackets[:0],
    )
    odd = _lines_with(np.concatenate(characters), starts)
    irregular = odd | _lines_with(np.concatenate(markdown), starts)
    _settle_marked(code_points, marked)
    return irregular, odd


def _beginning_markup(codes: Ints, marked: Ints) -> Ints:
    """Return those of the code points at `marked` that may begin an entity, a tag or an escape."""
    following = codes[marked + 1]
    candidates = marked[(following != ord(" ")) & (following != ord("\n"))]  # else "Q & A", "a < b"
    ampersand = codes[candidates] == ord("&")
    if not ampersand.any():
        return candidates
    semicolons = append(flatnonzero(codes == ord(";")), len(codes) + LONGEST_ENTITY)  # few "&" of a URL have one behind them
    return candidates[~ampersand | (semicolons[semicolons.searchsorted(candidates)] - candidates < LONGEST_ENTITY)]


def _settle_marked(code_points: _CodePoints, marked: Ints) -> None:
    """Give the code points at `marked` the class that they have where they begin no markup."""
    for code, kind in _WITHOUT_MARKUP.items():
        code_points.properties[marked[code_points.codes[marked] == code]] = kind


def _irregular_targets(codes: Ints) -> Ints:
    """Return where links begin whose target has a parenthesis in it."""
    opening = flatnonzero(codes == ord("("))
    links = opening[codes.take(opening - 1, mode="clip") == ord("]")]
    closing = append(flatnonzero(codes == ord(")")), len(codes))
    following = append(opening, len(codes))[opening.searchsorted(links) + 1]
    return links[following < closing[closing.searchsorted(links)]]


def _repeated_spaces(code_points: _CodePoints, starts: Ints, irregular: Bools) -> Ints:
    """Return where white space follows white space, in lines that are not rewritten (ascending)."""
    space = (code_points.properties & CLASS) == CharClass.SPACE
    found = flatnonzero(space[1:] & space[:-1]) + 1
    return found[~irregular[starts.searchsorted(found, side="right") - 1]]


def _spliced(old: _CodePoints, starts: Ints, lines: Ints, visible: str, spaces: Ints) -> _CodePoints:
    """Return code points with some lines (ascending) replaced by those of `visible`, and without those at `spaces`.

    Copies what lies between, which is most of the text.
    """
    cuts = [(at, at + 1, 0, 0) for at in spaces.tolist()]
    new = old
    if len(lines):
        new = _squeezed(_code_points(visible))
        new_starts = _line_starts(new.codes)
        ends = append(flatnonzero(diff(lines) > 1) + 1, len(lines))  # of runs of neighbouring lines
        begins = ends - lengths_to(ends - 1)
        bounds = starts[lines[begins]], starts[lines[ends - 1] + 1], new_starts[begins], new_starts[ends]
        cuts += zip(*(bound.tolist() for bound in bounds))
    parts: list[tuple[_CodePoints, slice]] = []
    kept = 0
    for start, stop, new_start, new_stop in sorted(cuts):
        parts.append((old, slice(kept, start)))
        if new_start < new_stop:
            parts.append((new, slice(new_start, new_stop)))
        kept = stop
    parts.append((old, slice(kept, None)))
    return _CodePoints(*(np.concatenate([part[column][where] for part, where in parts]) for column in range(3)))


# -- lines rewritten as text ---------------------------------------------------------------------------------------------------

# Characters that may stand inside markup, and hide it.
_LEFT_OUT = re.compile(f"[{re.escape(INVISIBLE)}\ufe00-\ufe0f]")
_COMPATIBLE = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff]+")  # full-width forms, mathematical letters


def _visible(lines: list[str], odd: list[int]) -> str:
    """Return lines as text with plain markdown, and `readable` where characters in them are `odd`."""
    if odd:
        for i, line in zip(odd, readable("\n".join([lines[i] for i in odd])).split("\n")):
            lines[i] = line
    text = "".join([(_trimmed(line) if _may_need_trimming(line) else line) + "\n" for line in lines])
    text = _plain_markdown(text)
    if "](" not in text:
        return text
    return "\n".join(line if line.count("(") == line.count("](") else LINK_TARGET.sub(_regular_target, line) for line in text.split("\n"))


def _may_need_trimming(line: str) -> bool:
    """Return whether a line has runs of spaces, or at its ends white space or what may be a symbol that counts as such."""
    return "  " in line or _may_be_space(line[:1]) or _may_be_space(line[-1:])


def _may_be_space(char: str) -> bool:
    return not char.isalnum() and (char <= " " or char > "~")


def _trimmed(line: str) -> str:
    """Return a line with single spaces, and no white space or symbol that counts as such at its ends."""
    line = " ".join(line.split())
    start, stop = 0, len(line)
    while start < stop and _is_space(line[start]):
        start += 1
    while start < stop and _is_space(line[stop - 1]):
        stop -= 1
    return line[start:stop]


def _is_space(char: str) -> bool:
    code = ord(char)
    return (PROPERTIES[code] if code < TABLED else _beyond(code)[0]) & CLASS == CharClass.SPACE


def readable(text: str) -> str:
    """Return lines of text in NFC without HTML and invisible characters, compatibility forms as plain ones."""
    text = _LEFT_OUT.sub("", text)
    if "&" not in text and "<" not in text and not _may_have_long_runs(text) and unicodedata.is_normalized("NFKC", text):
        return text
    text = _compatible(text)
    if "&" in text:
        text = _compatible(without_html(text))  # an entity may name any character
    elif "<" in text:
        text = without_html(text)
    return composed(text)


def _may_have_long_runs(text: str) -> bool:
    """Return whether a text may have runs of more than MOST_MARKS combining marks: each of them has one at a multiple of that and one."""
    return any(map(unicodedata.combining, text[:: MOST_MARKS + 1]))


def _compatible(text: str) -> str:
    return _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def composed(text: str) -> str:
    """Return lines of text in NFC, runs of combining marks longer than any script's cut (`MOST_MARKS`); linear time."""
    codes, properties, _ = _code_points(text + "\n")
    at = flatnonzero((properties & UNSETTLED) != 0)
    if not len(at):
        return text
    # Normalisation takes longer than all else here, so only lines that may need it get it. It composes nothing across a
    # newline, and makes none.
    lines = text.split("\n")
    may_change = flatnonzero(_lines_with(at, _line_starts(codes))).tolist()
    joined = "\n".join([lines[i] for i in may_change])
    if len(at) > MOST_MARKS and (at[MOST_MARKS:] - at[:-MOST_MARKS] == MOST_MARKS).any():
        joined = _cap_marks(joined)
    for i, line in zip(may_change, unicodedata.normalize("NFC", joined).split("\n")):
        lines[i] = line
    return "\n".join(lines)


def _cap_marks(text: str) -> str:
    """Return the text with runs of combining marks cut at MOST_MARKS: NFC sorts a run in quadratic time."""
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


# -- markdown ------------------------------------------------------------------------------------------------------------------

# Markup around prose says nothing of its role, in contrast to that of short lines: so a paragraph is what has as many characters.
_PARAGRAPH = 40
_DOTS = re.compile(r"\.\.+")
_REFERENCE = re.compile(r"\]\[([^\[\]\n]{0,200})\]")
_DEFINITION = re.compile(r"\n(\[[^\[\]\n]{1,200}\]): +((?:<|https?://|www\.|mailto:|[/#])[^\n]*)")
# What an escaped sign becomes; an escaped bracket makes no link, and an escaped parenthesis does not end a link's target.
_ESCAPED = {sign: sign for sign in "!\"#$%&'*+,-./:;<=>?@^_`{|}~"} | {"[": "`", "]": "`", "(": "_", ")": "_", "\\": "`"}


def _plain_markdown(text: str) -> str:
    """Return lines of text without escapes and with inline links only; runs of full stops become `…`.

    Quote marks before a paragraph and bold marks around it are left out. Works by splitting the text where a mark stands: several
    times faster than a regular expression where marks are few.
    """
    if "]" in text:
        if "][" in text:
            text = _REFERENCE.sub(r"](\1)", text)
        if "]: " in text:
            text = _DEFINITION.sub(r"\n\1(\2)", "\n" + text)[1:]
    if "\\" in text:
        first, *others = text.split("\\")
        text = first + "".join([_ESCAPED.get(part[:1], "\\" + part[:1]) + part[1:] for part in others])
    if ".." in text:
        text = _DOTS.sub("…", text)
    if "\n>" in text or text[0] == ">":
        first, *others = ("\n" + text).split("\n>")
        text = (first + "".join(map(_unquoted, others)))[1:]
    if "**\n" in text:
        *others, last = text.split("**\n")
        text = "".join(map(_unbolded, others)) + last
    return text


def _unquoted(part: str) -> str:
    """Return text behind a quote mark without it, if its first line is a paragraph or goes on with one."""
    text = part
    while text.startswith((" >", " ")):  # "> > text"; but ">> text" marks a link to another article
        text = text[2:] if text.startswith(" >") else text[1:]
    line = text.partition("\n")[0]
    quoted = part.startswith(" ") and (len(line) >= _PARAGRAPH or line[:1].islower())
    return ("\n" if quoted else "\n>") + (text if quoted else part)


def _unbolded(part: str) -> str:
    """Return text before two asterisks that end a line without them and their counterpart, if they enclose a paragraph."""
    begin = part.rfind("\n") + 1
    enclosed = part.startswith("**", begin) and len(part) - begin - 2 >= _PARAGRAPH and "*" not in part[begin + 2 :]
    return part[:begin] + part[begin + 2 :] + "\n" if enclosed else part + "**\n"


# A link's target: escapes, parentheses balanced to a depth of two, a title in quotes. No alternative begins like another, so the
# pattern fails in linear time.
_NESTED = r"\((?:\\.|[^()\\\n]|\((?:\\.|[^()\\\n])*\))*\)"
LINK_TARGET = re.compile(rf"\]\(((?:[^()\\\n\"]|\\.|{_NESTED})*(?:\"(?:[^\"\\\n]|\\.)*\"[^()\\\n\"]*)?)\)")
_BRACKETS = str.maketrans("()[]\\", "_____")


def _regular_target(link: re.Match[str]) -> str:
    return f"]({link[1].translate(_BRACKETS)})"


# -- white space and tone marks ------------------------------------------------------------------------------------------------


def _squeezed(code_points: _CodePoints) -> _CodePoints:
    """Leave out invisible characters, and white space but for one between two visible characters of a line."""
    for left_out in (_invisible, _repeated_space, _trailing_space):
        gone = left_out(code_points.properties & CLASS)
        if gone.any():
            code_points = _CodePoints(*(array[~gone] for array in code_points))
    _settle_marked(code_points, flatnonzero((code_points.properties & CLASS) == CharClass.MARKED))
    return code_points


def _invisible(kinds: Ints) -> Bools:
    return kinds == CharClass.INVISIBLE


def _repeated_space(kinds: Ints) -> Bools:
    space = kinds == CharClass.SPACE
    space[1:] &= (kinds[:-1] == CharClass.SPACE) | (kinds[:-1] == CharClass.NEWLINE)  # a line opens the text
    return space


def _trailing_space(kinds: Ints) -> Bools:
    space = kinds == CharClass.SPACE
    space[:-1] &= kinds[1:] == CharClass.NEWLINE
    return space


def _move_tones(folded: Ints, classes: Ints, properties: Ints) -> None:
    """Put tone marks of open syllables where older spelling has them: `hoà` becomes `hòa`, `thuý` `thúy`, but not `quý`."""
    at = flatnonzero((properties & TONED) != 0)
    if not len(at):
        return
    before = folded.take(at - 1, mode="wrap")
    at = at[((before == ord("o")) | (before == ord("u"))) & ~is_word(classes.take(at + 1))]  # a NEWLINE closes the batch
    for place, first, vowel in zip(at.tolist(), folded[at - 1].tolist(), folded[at].tolist()):
        moved = _MOVED_TONES.get((first, vowel))
        if moved and not (first == ord("u") and place > 1 and folded[place - 2] == ord("q")):
            folded[place - 1], folded[place] = moved


def is_word(classes: Ints) -> Bools:
    """Return which characters are letters, digits or marks on them."""
    return (classes >= CharClass.LOWER) & (classes <= CharClass.DIGIT)


# -- links ---------------------------------------------------------------------------------------------------------------------


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
