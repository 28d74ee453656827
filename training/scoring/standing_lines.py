"""Evidence curve of the site memory: fitted on gold pages of one publisher and style, evaluated on publishers left out.

A row is a line of a page whose publisher has SITE_PAGES pages or more in a style. The evidence of having been seen on other pages is
the difference of two logistic regressions, of "article" on length alone and on length and pages: what the pages add to what the
length says. Headlines and leads are no rows, as the memory does not doubt them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

import classifier
from classifier.core.arrays import Bools, Floats, Ints
from classifier.core.features import COLUMN, LOG_SCALE, extract_features
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.review.labelled_page import BLANK_LABEL
from classifier.sites.evidence import LEAD_SIZE, LEAST_SIZE, Curve
from training.scoring.gold import Gold
from training.scoring.scores import KEEP, Scores, evaluate

__all__ = ["SITE_PAGES", "Effect", "Rows", "cautious_curve", "effect", "fit_curve", "read_rows", "remembering", "sites_of"]

SITE_PAGES = 3  # fewer pages of a publisher hardly repeat anything
STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # inverse regularisation, see `cautious_curve`
PROSE, NEAR_CERTAIN = np.log2(1 + 100), np.log(1000)  # a line of 100 characters; a thousand to one
_ARTICLE = [LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION)]


class Rows(NamedTuple):
    """Lines of gold pages, with what other pages of the site say of them."""

    publishers: Ints  # (n,) names
    pages: Ints  # (n,) other pages that have the line, 2 for more
    sizes: Floats  # (n,) log2(1 + visible characters)
    article: Bools  # (n,) gold: body or caption
    codes: Ints  # (n,) gold labels
    given: Bools  # (n, len(LABELS)) labels that the model gave to the line on other pages

    def at(self, chosen: Bools) -> Rows:
        """Return the chosen rows."""
        return Rows(*(column[chosen] for column in self))


def sites_of(styles: dict[str, list[Gold]], least: int = SITE_PAGES) -> Iterator[tuple[str, str, list[Gold]]]:
    """Yield style, publisher and pages of each publisher with so many pages in a style."""
    for style, pages in styles.items():
        by_publisher: dict[str, list[Gold]] = defaultdict(list)
        for page in pages:
            by_publisher[page.publisher].append(page)
        yield from ((style, publisher, own) for publisher, own in by_publisher.items() if len(own) >= least)


def read_rows(cleaner: classifier.Cleaner, styles: dict[str, list[Gold]]) -> Rows:
    """Return the rows of all sites among gold pages.

    Raises:
        InputError: no publisher has enough pages in a style.
    """
    parts = [row for _, publisher, pages in sites_of(styles) for row in _rows_of(cleaner, publisher, pages)]
    if not parts:
        raise InputError(f"no publisher has {SITE_PAGES} pages in a style, so no line can recur; add pages of the same site")
    return Rows(*(np.array(column) for column in zip(*parts)))


def _rows_of(cleaner: classifier.Cleaner, publisher: str, pages: Sequence[Gold]) -> Iterator[tuple[object, ...]]:
    labels = list(cleaner.label_pages("\n".join(page.lines) for page in pages).pages())
    features = [extract_features(page.lines) for page in pages]
    seen = Counter(key for each in features for key in set(each.hashes[0].tolist()))
    given: dict[int, list[tuple[int, int]]] = defaultdict(list)  # page and code of each occurrence
    for number, (each, found) in enumerate(zip(features, labels)):
        for key, code in zip(each.hashes[0].tolist(), found.codes.tolist()):
            given[key].append((number, code))
    for number, (page, each, found) in enumerate(zip(pages, features, labels)):
        leads = _leads(found.codes, each.columns[COLUMN["size"]])
        for key, size, want, lead in zip(each.hashes[0].tolist(), each.columns[COLUMN["size"]].tolist(), page.labels, leads.tolist()):
            if key and size >= LOG_SCALE[LEAST_SIZE] and want not in (BLANK_LABEL, Label.TITLE.value) and not lead:
                code = LABELS.index(Label(want))
                elsewhere = np.isin(np.arange(len(LABELS)), [other for place, other in given[key] if place != number])
                yield publisher, min(seen[key] - 1, 2), size / 8, code in _ARTICLE, code, elsewhere


def _leads(codes: Ints, sizes: Ints) -> Bools:
    """Return which lines are the first long body line after each headline."""
    long = np.flatnonzero((codes == LABELS.index(Label.BODY)) & (sizes >= LOG_SCALE[LEAD_SIZE]))
    leads = np.zeros(len(codes), np.bool_)
    leads[long] = np.diff((codes == LABELS.index(Label.TITLE)).cumsum()[long], prepend=0) > 0
    return leads


# -- fitting ---------------------------------------------------------------------------------------------------------------


def fit_curve(rows: Rows, strength: float) -> Curve:
    """Return the curve of these rows; `strength` is the inverse regularisation of the regressions."""
    alone, full = (_regression(table, rows.article, strength) for table in (rows.sizes[:, None], _table(rows)))
    weights = full.coef_[0]
    offset = alone.intercept_[0] - full.intercept_[0] - np.cumsum(weights[[1, 3]])
    slope = alone.coef_[0][0] - weights[0] - np.cumsum(weights[[2, 4]])
    return Curve(_rounded(offset), _rounded(slope), round(_odds_of_other_label(rows), 2))


def _rounded(pair: Floats) -> tuple[float, float]:
    return round(float(pair[0]), 2), round(float(pair[1]), 2)


def _table(rows: Rows) -> Floats:
    """Return the inputs of the full regression: length, seen on one page or more, on two or more, and each times length."""
    seen, twice = rows.pages >= 1, rows.pages >= 2
    return np.stack((rows.sizes, seen, seen * rows.sizes, twice, twice * rows.sizes), axis=1)


def _regression(table: Floats, article: Bools, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=1000).fit(table, article)


def _odds_of_other_label(rows: Rows) -> float:
    """Return the log odds ratio of a label having been given on other pages, between the right label and the wrong ones."""
    others = [code for code in range(len(LABELS)) if code not in _ARTICLE]
    told = ~rows.article & rows.given[:, others].any(axis=1)
    given, right = rows.given[told][:, others], rows.codes[told][:, None] == np.array(others)
    counts = [float((given & right).sum()), float((~given & right).sum()), float((given & ~right).sum()), float((~given & ~right).sum())]
    a, b, c, d = (count + 0.5 for count in counts)
    return float(np.log(a * d / (b * c)))


def cautious_curve(rows: Rows) -> tuple[float, Curve]:
    """Return the smallest strength, and its curve, that makes prose on two other pages near certain to be standing text.

    Hardly any article line recurs, so weaker regularisation makes that evidence as strong as one likes, and publishers left out do
    not tell the strengths apart (training/EXPERIMENTS.md): the most cautious one that settles prose is taken.

    Raises:
        InputError: no strength does.
    """
    for strength in STRENGTHS:
        curve = fit_curve(rows, strength)
        if curve.offset[1] + curve.slope[1] * PROSE >= NEAR_CERTAIN:
            return strength, curve
    raise InputError("prose recurs too often in articles, or hardly anywhere, to count as standing text; check the labels, or add pages")


# -- effect ----------------------------------------------------------------------------------------------------------------


class Effect(NamedTuple):
    """What a memory, learned in a first pass over the same pages, changes in visible characters."""

    article: int  # of gold headlines and bodies
    wrong: int  # kept wrongly without it, captions left out
    wrong_with: int
    lost: int  # of the article, without it
    lost_with: int
    titles_lost: int  # headlines that only the memory loses

    def __add__(self, other: Effect) -> Effect:  # type: ignore[override]
        return Effect(*(a + b for a, b in zip(self, other)))


def remembering(cleaner: classifier.Cleaner, pages: Sequence[Gold], curve: Curve | None = None) -> classifier.Cleaner:
    """Return the cleaner with a memory of these pages of one site, which only judges."""
    memory = classifier.SiteMemory()
    memory.curve = curve or memory.curve
    memory.add(cleaner.learned_pages("\n".join(page.lines) for page in pages))
    return cleaner.remembering(memory, learn=False)


def effect(cleaner: classifier.Cleaner, pages: Sequence[Gold], curve: Curve | None = None) -> Effect:
    """Return the effect of a memory on pages of one site."""
    alone, together = evaluate(cleaner, pages), evaluate(remembering(cleaner, pages, curve), pages)
    size = sum(len("".join(line.split())) for page in pages for label, line in zip(page.labels, page.lines) if label in KEEP)
    (wrong, lost, titles), (wrong_with, lost_with, titles_with) = map(_mistakes, (alone, together))
    return Effect(size, wrong, wrong_with, lost, lost_with, titles_with - titles)


def _mistakes(scores: Scores) -> tuple[int, int, int]:
    """Return the characters kept wrongly and lost, and the number of headlines lost."""
    errors = [error for page in scores.pages for error in page.errors]
    wrong = sum(size for size, want, _, _ in errors if want not in KEEP and want != Label.CAPTION.value)
    lost = [(size, want) for size, want, _, _ in errors if want in KEEP]
    return wrong, sum(size for size, _ in lost), sum(want == Label.TITLE.value for _, want in lost)
