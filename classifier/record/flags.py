"""Page flags: reasons for which a page has no article, or one that should be looked at.

What a page's text looks like was inspected before (`io/inspection.py`); its notices are only renamed here. The other flags come from the
labels.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from classifier.core.arrays import flatnonzero
from classifier.io.notices import NO_ACCENTS, NOT_VIETNAMESE, SEVERAL
from classifier.labels import LABELS, Label
from classifier.record.confidence import REVIEW_BELOW
from classifier.results import Labels

__all__ = ["FLAGS", "language", "needs_review", "page_flags"]

FLAGS = {
    "no_article": "no line of an article is kept",
    "list_page": "almost nothing but links to articles",
    "several_pages": "several pages run together",
    "not_vietnamese": "not in Vietnamese, which is all that the model knows",
    "unaccented": "Vietnamese without its accents",
    "truncated": "ends within a sentence of the article",
}
_OF_NOTICES = {SEVERAL: "several_pages", NOT_VIETNAMESE: "not_vietnamese", NO_ACCENTS: "unaccented"}
# The shortest articles of 340 real pages have 222 characters; of 1,600 composed pages, 5 with shorter ones are taken for lists.
LITTLE, MANY = 200, 10  # characters of the article, and links to others
_LISTS = [LABELS.index(label) for label in (Label.RELATED, Label.MOST_READ, Label.MEDIA)]
_BODY = LABELS.index(Label.BODY)
LONG = 60  # characters from which a line is a sentence, and no name or subhead
_OPEN_END = re.compile(r"(?:^|\s)[^\W\d_]+,?\W*$")  # a word or a comma, but no address, number or full stop
_CLOSED = tuple('.!?…:;)]"”’»*|')


def page_flags(page: Labels) -> tuple[str, ...]:
    """Return the flags (keys of FLAGS) of one labelled page."""
    body = flatnonzero(page.kept & (page.codes == _BODY)).tolist()
    chars = sum(len(page.lines[i]) for i in body)
    found = {_OF_NOTICES[notice.kind] for of_page in page.notices for notice in of_page if notice.kind in _OF_NOTICES}
    if not body:
        found.add("no_article")
    if chars < LITTLE and np.isin(page.codes, _LISTS).sum() >= MANY:
        found.add("list_page")
    if body and _is_open(page.lines[body[-1]]) and not (page.codes[body[-1] + 1 :] >= 0).any():
        found.add("truncated")
    return tuple(flag for flag in FLAGS if flag in found)


def _is_open(line: str) -> bool:
    """Return whether a sentence does not end with its line."""
    return len(line) >= LONG and not line.rstrip().endswith(_CLOSED) and _OPEN_END.search(line) is not None


def needs_review(confidence: float, flags: Collection[str]) -> bool:
    """Return whether someone should look at a page: it has a flag, or its confidence is below REVIEW_BELOW.

    >>> needs_review(0.97, ()), needs_review(0.97, ("truncated",)), needs_review(0.85, ())
    (False, True, True)
    """
    return bool(flags) or confidence < REVIEW_BELOW


def language(page: Labels) -> str | None:
    """Return "vi" for a page in Vietnamese, with its accents or without; None for one whose letters show another language."""
    return None if any(notice.kind == NOT_VIETNAMESE for of_page in page.notices for notice in of_page) else "vi"
