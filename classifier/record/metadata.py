"""Article metadata: dates, authors and source of a page, from its labelled lines.

Lines labelled meta come first. Where they name no author or no date, lines beside the headline and at the end of the article are read
too, since there a signature is often taken for a paragraph or a button; they have to be a name, or a date with a time, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import compress, pairwise
from typing import NamedTuple

from classifier.core.arrays import Int8s, flatnonzero
from classifier.labels import LABELS, Label
from classifier.record.bylines import find_byline
from classifier.record.datelines import dates_of, without_dates
from classifier.record.names import is_outlet, is_person, is_staff
from classifier.record.plain_text import plain, plain_lines

__all__ = ["Metadata", "find_metadata"]

BESIDE = 6  # non-blank lines before and behind a headline in which its dateline is looked for
UNDER = 2  # ... behind it, for an author
CLOSING, BEHIND = 3, 1  # last lines of the article, and lines behind it, that may sign it
GAP = 2  # lines of other labels behind a part of the article
SHORT = 60  # characters of a line that is a signature
MOST_DATED = 240  # characters of a dateline, with all its dates


class Metadata(NamedTuple):
    """What a page says of its article beside the text; None or () where it does not."""

    published: datetime | None  # aware
    updated: datetime | None
    authors: tuple[str, ...]
    source: str | None
    agency: str | None


class _Page(NamedTuple):
    """The lines of a page that are not blank."""

    lines: list[str]
    codes: Int8s

    def places(self, wanted: Label) -> list[int]:
        """Return the places of the lines with a label."""
        return flatnonzero(self.codes == LABELS.index(wanted)).tolist()


def find_metadata(lines: Sequence[str], codes: Int8s, headline: int | None = None) -> Metadata:
    """Return the metadata of a page from its lines, their labels, given as in `Labels.codes`, and the last row of its headline.

    >>> import numpy as np
    >>> codes = np.array([LABELS.index(label) for label in (Label.TITLE, Label.META, Label.BODY, Label.BODY)])
    >>> find_metadata(["Làng gốm đỏ lửa", "07:15 | 04/03/2025", "Khói bay lên.", "Lam Khê"], codes).authors
    ('Lam Khê',)
    """
    shown = codes >= 0
    page = _Page(list(compress(lines, shown.tolist())), codes[shown])
    signing = _signing(page)
    dates = dates_of(list(signing.values()))
    if dates.published is None and dates.updated is None:
        dates = dates_of(_datelines(page))
    byline = find_byline([page.lines[place] for place in signing])
    if not byline.authors:
        title = page.places(Label.TITLE)[-1:] if headline is None else [int(shown[:headline].sum())]
        byline = byline._replace(authors=find_byline(_signatures(page, title)).authors)
    return Metadata(*dates, byline.authors, byline.source, byline.agency)


_OPENING = ("theo", "nguồn", "tác giả", "by", "bởi")
_OPEN = re.compile(r"(?:.*\W)?(?:theo|nguồn:?|tác giả:?|by|bởi)(?:\s+\S+){0,4}", re.I)


def _signing(page: _Page) -> dict[int, str]:
    """Return places and plain texts, in order, of the meta lines and of an outlet behind one left open ("Theo", "Theo Lam Khê")."""
    places = page.places(Label.META)
    texts = dict(zip(places, plain_lines([page.lines[place] for place in places])))
    so_far, is_open = "", False
    for place, last in zip(places, [-1, *places]):
        so_far = f"{so_far} {texts[place]}" if last == place - 1 and is_open else texts[place]
        is_open = any(word in so_far.lower() for word in _OPENING) and _OPEN.fullmatch(so_far) is not None
        following = place + 1
        if is_open and following < len(page.lines) and following not in texts and is_outlet(text := plain(page.lines[following])):
            texts[following] = text
    return dict(sorted(texts.items()))


_DIGIT = re.compile(r"\d")  # no markup hides all digits of a date


def _datelines(page: _Page) -> list[str]:
    """Return the plain texts of the lines beside a headline that are a date with a time, and a section before it perhaps."""
    titles, count, related = page.places(Label.TITLE), len(page.lines), LABELS.index(Label.RELATED)
    near = {place + step for place in titles for step in range(-BESIDE, BESIDE + 1)} if titles else range(count)
    lines = [page.lines[place] for place in sorted(near) if 0 <= place < count and page.codes[place] != related]
    lines = [line for line in lines if _may_show(line, MOST_DATED) and _DIGIT.search(line)]
    return list(filter(_is_dateline, plain_lines(lines)))


def _is_dateline(text: str) -> bool:
    if ":" not in text and not any(word in text.lower() for word in ("đăng", "posted", "published")):
        return False
    rest, dated = without_dates(text)
    return dated and len(rest) <= SHORT


def _signatures(page: _Page, title: Sequence[int]) -> list[str]:
    """Return the lines under the headline, at `title`, and at the end of the article or a part of it that are a name and nothing else."""
    bodies, body = page.places(Label.BODY), LABELS.index(Label.BODY)
    under = {place + step for place in title for step in range(1, UNDER + 1)}
    closing = {*bodies[-CLOSING:], *(place + step for place in bodies[-1:] for step in range(1, BEHIND + 1))}
    ends = {place for place, following in pairwise(bodies) if following - place > GAP}
    found = []
    places = [place for place in sorted(under | closing | ends) if place < len(page.lines) and _may_show(page.lines[place], 2 * SHORT)]
    for place, text in zip(places, plain_lines([page.lines[place] for place in places])):
        if _is_signature(text):
            of_one_word = " " not in text and "." not in text  # may be a button, unless it is labelled a part of the article
            signs = page.codes[place] == body and (place in closing or (place in under and text.isupper()))
            if signs or not of_one_word:
                found.append(page.lines[place])
    return found


def _may_show(line: str, most: int) -> bool:
    """Return whether a reader may see no more than so many characters of a line: quick, and true for any line with links or HTML."""
    return len(line) <= most or "](" in line or "<" in line or "&" in line


def _is_signature(text: str) -> bool:
    return len(text) <= SHORT and (is_staff(text) or is_person(text))
