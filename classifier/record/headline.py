"""Headline and body selection: which of the title lines is the article's, and where its text begins.

Menus, teasers and other stories also hold lines that look like a headline or a paragraph. The article begins with the first group of
paragraphs that is long enough, where groups have many other lines between them; its headline is the nearest above. Where no line was
labelled a title, a heading at the head of the text stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.labels import LABELS, Label
from classifier.record.paragraphs import MOST_OF_SUBHEAD, Passage, ends_as_prose
from classifier.results import Labels

__all__ = ["Headline", "headline_of", "title_rows"]

# Found on the pages of `realpages/dev`: a box inside an article is hardly ever longer; a headline stands this near, and is this long.
MOST_BETWEEN = 12  # lines of other labels between two paragraphs of an article
LEAST_GROUP = 200  # characters of the group that opens the article; a lead between boxes may be a group of its own
LEAST_WORDS, MOST_OF_TAIL = 3, 60  # of a heading that stands in; characters of a headline's second line
_ARTICLE = [LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION, Label.META)]
_TITLE = LABELS.index(Label.TITLE)
_IS_OTHER = np.array([*(code not in _ARTICLE for code in range(len(LABELS))), False])  # by code; blank lines have -1, the last


class Headline(NamedTuple):
    """The headline of an article, and the first row of its text."""

    title: Passage | None
    first: int  # row of the first paragraph of the article's largest part; 0 if it has none


def title_rows(page: Labels) -> list[int]:
    """Return the rows of title lines, and of a line right behind one that goes on in lower case, whatever its label."""
    rows: list[int] = []
    for row in np.flatnonzero(page.codes == _TITLE).tolist():
        rows.append(row)
        after = page.lines[row + 1].strip() if row + 1 < len(page.lines) else ""
        if after[:1].islower() and len(after) <= MOST_OF_TAIL and not ends_as_prose(page.lines[row]) and page.codes[row + 1] != _TITLE:
            rows.append(row + 1)
    return rows


def headline_of(page: Labels, titles: Sequence[Passage], bodies: Sequence[Passage]) -> Headline:
    """Return the headline of a page."""
    first = _first_row(page, bodies)
    above = [title for title in titles if title.row < first]
    if above or titles:
        return Headline(above[-1] if above else titles[0], first)
    opening, following = ([body for body in bodies if body.row >= first and len(body.text) > 1] + [None, None])[:2]
    return Headline(opening if opening and following and _is_heading(opening) else None, first)


def _first_row(page: Labels, bodies: Sequence[Passage]) -> int:
    """Return the first row of the group of paragraphs that opens the article."""
    if not bodies:
        return 0
    others = np.cumsum(_IS_OTHER[page.codes])[[body.row for body in bodies]].tolist()  # so far
    rows, sizes = [bodies[0].row], [0]
    for body, (before, so_far) in zip(bodies, pairwise([others[0], *others])):
        if so_far - before > MOST_BETWEEN:
            rows.append(body.row)
            sizes.append(0)
        sizes[-1] += len(body.text)
    return next(row for row, size in zip(rows, sizes) if size >= min(LEAST_GROUP, max(sizes)))


def _is_heading(body: Passage) -> bool:
    words = body.text.split()
    return len(body.text) <= MOST_OF_SUBHEAD and len(words) >= LEAST_WORDS and not ends_as_prose(body.text) and not body.text[0].islower()
