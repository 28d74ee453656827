"""Headline and body selection: which of the title lines is the article's, and where its text begins.

Menus, teasers and other stories also hold lines that look like a headline or a paragraph. The article begins with the first group of
paragraphs that is long enough, where groups have many other lines between them; its headline is the nearest above. Where no line was
labelled a title, a heading at the head of the text stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import flatnonzero
from classifier.labels import LABELS, Label
from classifier.record.paragraphs import MOST_OF_SUBHEAD, Passage, ends_as_prose, passages
from classifier.results import Labels

__all__ = ["Headline", "headline_of", "title_passages", "title_rows"]

# Found on the pages of `realpages/dev`: a box inside an article is hardly ever longer; a headline stands this near, and is this long.
MOST_BETWEEN = 12  # lines of other labels between two paragraphs of an article
LEAST_GROUP = 200  # characters of the group that opens the article; a lead between boxes may be a group of its own
LEAST_WORDS, MOST_OF_TAIL = 3, 60  # of a heading that stands in; characters of a headline's second line
LEAST_PROBABILITY = 0.15  # of being a title, for a line that got another label
UP_TO_DATELINE, MOST_TO_SUBHEAD = 3, 12  # lines behind a headline: one of them is its dateline; as many are above a subhead
_ARTICLE = [LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION, Label.META)]
_TITLE, _META, _CAPTION = (LABELS.index(label) for label in (Label.TITLE, Label.META, Label.CAPTION))
_IS_OTHER = np.array([*(code not in _ARTICLE for code in range(len(LABELS))), False])  # by code; blank lines have -1, the last


class Headline(NamedTuple):
    """The headline of an article, and the first row of its text."""

    title: Passage | None
    first: int  # row from which on its text begins


def title_passages(page: Labels, rows: Sequence[int], clean: Callable[[str], str] = str) -> list[Passage]:
    """Return the headlines that the `title_rows` of a page form."""
    codes = page.codes.copy()
    codes[rows] = _TITLE
    return passages(page._replace(codes=codes), rows, clean)


def title_rows(page: Labels) -> list[int]:
    """Return the rows of title lines, and of a line right behind one that goes on in lower case, whatever its label."""
    rows: list[int] = []
    for row in flatnonzero(page.codes == _TITLE).tolist():
        rows.append(row)
        after = page.lines[row + 1].strip() if row + 1 < len(page.lines) else ""
        if after[:1].islower() and len(after) <= MOST_OF_TAIL and not ends_as_prose(page.lines[row]) and page.codes[row + 1] != _TITLE:
            rows.append(row + 1)
    return rows


def headline_of(page: Labels, titles: Sequence[Passage], bodies: Sequence[Passage], clean: Callable[[str], str] = str) -> Headline:
    """Return the headline of a page, from its `title_passages` and its paragraphs."""
    first = _first_row(page, bodies)
    above = [title for title in titles if title.row < first]
    if above and len(above[-1].text.split()) >= LEAST_WORDS:
        return Headline(_best(page, above, first), first)
    row = _likely_row(page, above[-1].row + 1 if above else 0, first + 1 if above else first)
    if row is not None and (likely := passages(page, [row], clean)):  # none if all of the line is Markdown
        return Headline(likely[0], first)
    if above:
        return Headline(above[-1], first)
    if titles:
        behind = sum(len(body.text) for body in bodies if body.row > titles[0].row)
        return Headline(titles[0], titles[0].row + 1 if behind >= LEAST_GROUP else first)
    opening, following = ([body for body in bodies if body.row >= first and len(body.text) > 1] + [None, None])[:2]
    return Headline(opening if opening and following and _is_heading(opening) else None, first)


def _best(page: Labels, above: Sequence[Passage], first: int) -> Passage:
    """Return the nearest of the titles above the text, or another near it that is more of a headline.

    That is one with a dateline behind it if there is none behind the nearest, as behind a subhead; or a likelier one, if the nearest
    is unlikely.
    """
    *others, nearest = above
    if not others:
        return nearest
    dated = (page.codes[nearest.row : first] == _META).any()
    for title in reversed(others):
        between = page.codes[title.row + 1 : nearest.row]
        between = between[between >= 0]
        if len(between) > MOST_TO_SUBHEAD:
            break
        heads_dateline = not dated and (between[:UP_TO_DATELINE] == _META).any()
        if len(title.text.split()) >= LEAST_WORDS and (heads_dateline or _is_likelier(page, title.row, nearest.row)):
            return title
    return nearest


def _is_likelier(page: Labels, row: int, other: int) -> bool:
    return len(page.title_probabilities) > 0 and bool(page.title_probabilities[other] < min(0.5, page.title_probabilities[row]))


def _likely_row(page: Labels, start: int, stop: int) -> int | None:
    """Return the row between two that is most likely a headline though it got another label; None if none is likely enough."""
    rows = (start + flatnonzero(page.title_probabilities[start:stop] >= LEAST_PROBABILITY)).tolist()
    likely = [row for row in rows if page.codes[row] not in (_TITLE, _CAPTION) and _may_be_headline(page.lines[row])]
    return max(likely, key=lambda row: float(page.title_probabilities[row]), default=None)


def _may_be_headline(line: str) -> bool:
    return len(line.split()) >= LEAST_WORDS and not ends_as_prose(line.rstrip())


def _first_row(page: Labels, bodies: Sequence[Passage]) -> int:
    """Return the first row of the group of paragraphs that opens the article."""
    if not bodies:
        return 0
    others = _IS_OTHER[page.codes].cumsum()[[body.row for body in bodies]].tolist()  # so far
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
