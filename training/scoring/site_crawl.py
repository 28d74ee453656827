"""Simulated crawl of one site in one season: composed pages with the site's own furniture, a tenth of them reprints.

The pages share one publisher's layouts, each around an article of its own. Menus, footers and advertisements are those of the site's
first page, standing appeals stand in every article, and a most-read list is that of the season. A reprint is another page around an
article that was already printed, every second one under a headline of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from classifier.core.features import extract_features
from classifier.labels import Label
from training.composer.augment import Line
from training.composer.compose import article_page, compose
from training.composer.library import Library
from training.composer.skeleton import Skeleton, load_skeletons
from training.learning.dataset import fold_libraries
from training.scoring.gold import Gold
from training.scoring.scores import visible

__all__ = ["composed_crawl"]

FURNITURE = frozenset(label.value for label in (Label.NAV, Label.FOOTER, Label.PROMO, Label.WEATHER, Label.MOST_READ))
ARTICLE = frozenset(label.value for label in (Label.TITLE, Label.BODY, Label.CAPTION, Label.META))
STANDING_SIZE, STANDING_LINES = 80, 3


def composed_crawl(pages: int, seed: int, publisher: str, reprints: float = 0.1) -> tuple[list[Gold], list[int]]:
    """Return the pages of a crawl, and which of them are reprints."""
    skeletons = [skeleton for skeleton in load_skeletons() if skeleton.publisher == publisher]
    rng = random.Random(f"crawl {seed}")
    library = fold_libraries()[0]  # articles that training holds out
    copies = int(pages * reprints)
    articles = [article_page(article) for article in rng.sample(library.articles, pages - copies)]
    articles += [_retitled(article, number) for number, article in enumerate(rng.sample(articles, copies))]
    order = rng.sample(range(pages), pages)
    hosts = _hosts(library, skeletons, rng, pages)
    crawl = _without_borrowed([_placed(articles[number], host) for number, host in zip(order, hosts)])
    standing = _standing(library, skeletons, rng)
    lines = [_with_standing(page, standing, rng) for page in crawl]
    golds = [Gold(f"crawl {number}", publisher, *zip(*page)) for number, page in enumerate(lines)]
    return golds, [place for place, number in enumerate(order) if number >= pages - copies]


def _retitled(article: list[Line], number: int) -> list[Line]:
    """Return an article, every second one under another headline."""
    if not number % 2:
        return article
    return [line._replace(text=f"Đọc lại: {line.text}") if line.label == Label.TITLE.value else line for line in article]


def _hosts(library: Library, skeletons: list[Skeleton], rng: random.Random, count: int) -> Iterator[list[Line]]:
    """Yield composed pages with the furniture of the first of them."""
    furniture: dict[str, list[Line]] = {}
    for _ in range(count):
        page = compose(library, skeletons, f"{rng.random()}", free_share=0, bare_share=0)
        furniture = furniture or {label: [line for line in page.lines if line.label == label] for label in FURNITURE}
        yield [*_furnished(page.lines, furniture)]


def _placed(article: list[Line], host: list[Line]) -> list[Line]:
    """Return a page with another article in place of its own."""
    first = next((place for place, line in enumerate(host) if line.label in ARTICLE), len(host))
    before, after = host[:first], [line for line in host[first:] if line.label not in ARTICLE]
    return [*before, *article, *after]


def _without_borrowed(pages: list[list[Line]]) -> list[list[Line]]:
    """Return pages without block lines that are paragraphs of another page's article, leads excepted.

    The composer fills comments and advertisements with paragraphs of other articles, so that content alone does not tell a label. Other
    pages of a site print headlines and leads only.
    """
    hashes = [extract_features([line.text for line in page]).hashes[0].tolist() for page in pages]
    paragraphs: set[int] = set()
    for page, keys in zip(pages, hashes):
        body = [key for line, key in zip(page, keys) if line.label == Label.BODY.value]
        paragraphs.update(body[1:])
    return [[line for line, key in zip(page, keys) if line.label in ARTICLE or key not in paragraphs] for page, keys in zip(pages, hashes)]


def _furnished(lines: tuple[Line, ...], furniture: dict[str, list[Line]]) -> Iterator[Line]:
    """Yield a page's lines with the site's own in place of its furniture, as long as there are any."""
    stock = {label: iter(own) for label, own in furniture.items()}
    for line in lines:
        yield next(stock[line.label], line) if line.label in FURNITURE else line


def _standing(library: Library, skeletons: list[Skeleton], rng: random.Random) -> list[Line]:
    """Return long lines of composed pages that are not articles: what the site prints in every one of its articles."""
    found: dict[str, Line] = {}
    while len(found) < STANDING_LINES:
        lines = compose(library, skeletons, f"{rng.random()}", free_share=1, bare_share=0).lines
        found.update({line.text: line for line in lines if line.label == Label.PROMO.value and visible(line.text) >= STANDING_SIZE})
    return list(found.values())[:STANDING_LINES]


def _with_standing(lines: list[Line], standing: list[Line], rng: random.Random) -> list[Line]:
    """Return a page with one standing line before its headline and the others inside its article."""
    body = [place for place, line in enumerate(lines) if line.label == Label.BODY.value]
    for line in standing[1:]:
        lines.insert(rng.choice(body[len(body) // 2 :] or [0]), line)
    return [standing[0], *lines]
