"""Line joining: which lines continue the line before them, because an extractor broke a paragraph.

Extractors break paragraphs at links and bold words (every text node a line), at `<br>`, and where the source was wrapped at a
width. The decision about a line rests on its first and the last characters, blank lines between, the next line, and on whether the
lines around are wrapped. Lines that an extractor glued are not cut. The rules and their order were found on the 95 pages of
`realpages/dev` that exist both with broken and with whole paragraphs; `tests/benchmarks/articles.py` measures them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from classifier.lines import trimmed

__all__ = ["Line", "is_list_item", "is_table_row", "join_texts", "joins_previous", "separator"]


class Line(NamedTuple):
    """A line of an article that is not blank, and what stands between it and the article's line before."""

    text: str
    blanks: bool = False  # blank lines
    others: bool = False  # lines that do not belong to the article, or that have another label


_SENTENCE_ENDS, _BEHIND_SENTENCE = tuple(".!?…"), '"”’»)]'
_INNER_SENTENCE_END = re.compile(r"[^\W\d_]{3}[.!?…][\"”’»)\]]* +\S")  # not after an abbreviation or a number
_CLOSING = tuple(",.;:!?…)]}”’»%")  # begins no paragraph
_OPENING = tuple(",([{“‘«–-/&")  # ends none
_LIST_ITEM = re.compile(
    r"(?:[-–—•●▪■◆♦✓✔*+|#>]|\d{1,3}[.)/]|\d{1,2}\.\d{1,2}\.?(?=\s+[^\W\d_])|[a-zđ][.)]|\(\d{1,3}\))(?=\s|[^\W\d]|\[|\d*$)|!\[|>>|[-–•|#]",
    re.I,
)
_ASIDE = re.compile(r"[-–—]\s+[^\W\d_]")  # after a link, a dash is no list mark
_HEADING = re.compile(r"#{1,6}\s|\*\*[^*]+\*\*$|__[^_]+__$|[-_*=~\s]+$")  # Markdown: a heading, a line in bold, a rule
_TABLE_ROW = re.compile(r"\|.*\|.*\||.*(?:[^|]\|.*\|$|---\||\t\t| \| .* \| )")
# Words of closed classes that need something after them: prepositions, conjunctions, auxiliaries, and titles in front of names.
_WORDS = (
    "của là và với trên dưới tại ở cho từ theo do bởi về đến tới trong ngoài như khi mà thì để vì nên các những một mọi mỗi bằng giữa gồm "
    "hay hoặc nhưng rằng đã đang sẽ sắp vừa được bị qua cùng cả tờ báo trang ông bà anh chị cô chú em hãng đài tên"
)
_OPEN_WORDS = frozenset(_WORDS.split())
# A subhead, which needs no full stop, is hardly longer; nor is a name inside a sentence longer than the second.
MOST_OF_SUBHEAD, MOST_OF_NAME, MOST_OF_KICKER = 150, 60, 24
# Wrapped text: at least LEAST_WRAPPED lines in a row, none longer than MOST_WIDTH, most of them with no room for the next word, and
# half of those going on in lower case. Headings and lists of equal length have capitals.
LEAST_WRAPPED, LEAST_WIDTH, MOST_WIDTH, FULL_SHARE, LOWER_SHARE = 3, 40, 132, 0.6, 0.5


def joins_previous(lines: Sequence[Line]) -> list[bool]:
    """Return for each line whether it continues the line before it; false for the first.

    >>> joins_previous([Line("Theo báo"), Line("Bãi Sông"), Line(", nước đã rút."), Line("Chợ họp lại.", blanks=True)])
    [False, True, True, False]
    """
    full = _full_lines(lines)
    bare = [_bare(line.text) for line in lines]
    joins = [False] * len(lines)
    paragraph = ""  # so far, as far as `_is_open` reads it
    for number, (previous, line) in enumerate(pairwise(lines), 1):
        if not joins[number - 1]:
            paragraph = trimmed(previous.text)
        elif len(paragraph) <= MOST_OF_SUBHEAD:
            paragraph += " " + trimmed(previous.text)
        if not line.others:
            joins[number] = _joins(lines, bare, number, paragraph, full[number - 1])
    return joins


def join_texts(texts: Sequence[str]) -> str:
    """Return the lines of a paragraph as one, with a space between them where a reader expects one.

    >>> join_texts(["Theo báo", "Bãi Sông", ", nước đã rút ("])
    'Theo báo Bãi Sông, nước đã rút ('
    """
    parts = [trimmed(texts[0])]
    for before, after in pairwise(texts):
        parts += [separator(before, after), trimmed(after)]
    return "".join(parts)


def separator(before: str, after: str) -> str:
    """Return what stands between two lines of a paragraph: a space, or nothing beside a punctuation mark without one."""
    if before != before.rstrip() or after != after.lstrip():
        return " "
    return "" if after.startswith(_CLOSING) or before.endswith(tuple("([{“‘«/")) else " "


def _joins(lines: Sequence[Line], bare: Sequence[str], number: int, paragraph: str, full: bool) -> bool:
    """Return whether a line continues the one before, the end of `paragraph`; `full`: no further word fitted into that line.

    `bare` are the texts of the lines without emphasis. The check that settles most lines comes first.
    """
    last, first = bare[number - 1], bare[number]
    ends = _ends_sentence(last)
    if ends and not full and not first.startswith(_CLOSING):
        return False
    before, line = lines[number - 1].text, lines[number]
    if line.blanks and not first[0].islower():
        return False
    indented = line.text[0].isspace() and not before[0].isspace()  # a text node after a link keeps its space
    if first == last or (is_list_item(trimmed(line.text)) and not (indented and _ASIDE.match(first))):
        return False
    if _stands_alone(before) or _stands_alone(line.text):
        return False
    if line.blanks:
        return last[-1].isalnum() or last[-1] == ","
    if full or first.startswith(_CLOSING) or last.endswith(_OPENING):
        return True
    if ends or last[-1] == ";":
        return False
    if indented or not first[0].isupper():
        return last[-1] != ":" or indented or first[0].islower() or first[0] in "\"“'‘"
    if last[-1] == ":":
        return False
    following = lines[number + 1] if number + 1 < len(lines) else Line("", others=True)
    return _is_open(last, first, following, paragraph) or (number == 1 and _is_kicker(last, first))


def _bare(text: str) -> str:
    """Return a line without the Markdown emphasis at its ends."""
    return trimmed(text).strip("*_`") or text


def _ends_sentence(text: str) -> bool:
    return text.rstrip(_BEHIND_SENTENCE).endswith(_SENTENCE_ENDS)


def is_list_item(text: str) -> bool:
    """Return whether a line begins with a list mark or a number."""
    return _LIST_ITEM.match(text) is not None


def is_table_row(text: str) -> bool:
    """Return whether a line is a row of a table: Markdown, or cells separated by two tabs."""
    return (text.count("|") > 1 or "---|" in text or "\t\t" in text) and _TABLE_ROW.match(text) is not None


def _stands_alone(text: str) -> bool:
    """Return whether a line is a heading, a rule or a row of a table, which neither goes on nor continues another line."""
    text = trimmed(text)
    return _HEADING.match(text) is not None or is_table_row(text)


def _is_open(last: str, first: str, following: Line, paragraph: str) -> bool:
    """Return whether a line without a full stop goes on with a capital letter, so that it is no subhead."""
    word = last.rpartition(" ")[2]
    if (word if " " in last else word.lower()) in _OPEN_WORDS:  # with a capital letter, it is part of a name
        return True
    if len(paragraph) > MOST_OF_SUBHEAD or _INNER_SENTENCE_END.search(paragraph):
        return True
    return len(first) <= MOST_OF_NAME and _goes_on(first, following)


def _goes_on(first: str, following: Line) -> bool:
    """Return whether a short line that begins with a capital letter is a name inside a sentence, by the line after it."""
    if following.others or following.blanks or _ends_sentence(first):
        return False
    after = trimmed(following.text)
    if after.startswith((*_CLOSING, "(")):
        return True
    return after[:1].islower() and first.rpartition(" ")[2].lower() not in _OPEN_WORDS


def _is_kicker(last: str, first: str) -> bool:
    """Return whether the first line of an article is the place that its lead begins with."""
    return len(last) <= MOST_OF_KICKER and len(first) > MOST_OF_NAME and all(word[0].isupper() for word in last.split())


def _full_lines(lines: Sequence[Line]) -> list[bool]:
    """Return for each line whether it belongs to wrapped text and has no room for the first word of the next line."""
    full = [False] * len(lines)
    start = 0
    for stop in range(1, len(lines) + 1):
        if stop == len(lines) or lines[stop].blanks or lines[stop].others:
            if stop - start >= LEAST_WRAPPED:
                full[start:stop] = _full_in_run([line.text.rstrip() for line in lines[start:stop]])
            start = stop
    return full


def _full_in_run(texts: Sequence[str]) -> list[bool]:
    """Return which lines of a run without blank lines are full, if it is wrapped text."""
    none, width = [False] * len(texts), max(map(len, texts))
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        return none
    full = [len(before) + 1 + len(after.split(None, 1)[0]) > width for before, after in pairwise(texts)]
    lower = sum(after.lstrip()[0].islower() for after, is_full in zip(texts[1:], full) if is_full)
    wrapped = sum(full) >= FULL_SHARE * len(full) and lower >= LOWER_SHARE * sum(full)
    return [*full, False] if wrapped else none
