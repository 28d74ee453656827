"""Corpus of one fold, pooled by kind and indexed by length.

Articles and phrases of other folds are out of reach, which keeps evaluation and cross-fitting honest.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from training.composer.corpus import Article
from training.composer.skeleton import strip_accents

__all__ = ["Library", "Outlet", "Shelf", "cut_to", "one_sentence", "sentences", "slug"]


class Outlet(NamedTuple):
    """An invented publisher."""

    name: str
    short: str
    domain: str


class Shelf:
    """Texts sorted by length, so that `near` can draw one of about a given length."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = sorted(texts, key=lambda text: (len(text), text))
        self.lengths = [len(text) for text in self.texts]

    def near(self, rng: random.Random, length: int, spread: float = 0.2, least: int = 6) -> str:
        """Return a random text whose length is within `spread` (a share) of `length`, or one of about `least` nearest."""
        low = bisect_left(self.lengths, length * (1 - spread))
        high = bisect_left(self.lengths, length * (1 + spread) + 1)
        if high - low < least:
            middle = bisect_left(self.lengths, length)
            low, high = max(0, min(low, middle - least // 2)), min(len(self.texts), max(high, middle + least - least // 2))
        return self.texts[rng.randrange(low, high)] if high > low else ""


class Library:
    """Articles and phrase banks of one fold, with a shelf for each kind of text."""

    def __init__(self, articles: Sequence[Article], banks: dict[str, list[str]]) -> None:
        self.articles = list(articles)
        self.banks = banks
        self.outlets = [Outlet(*line.split("\t")) for line in banks["outlets"]]
        self.by_source: dict[str, list[Article]] = defaultdict(list)
        self.by_form: dict[str, list[Article]] = defaultdict(list)
        for article in articles:
            self.by_source[article.source].append(article)
            self.by_form[article.form].append(article)
        headlines, leads = [], []
        for article in articles:
            headlines += [article.title, *(head for head, _ in article.related)]
            leads += [lead for lead in (article.lead, *(lead for _, lead in article.related)) if lead]
        kinds: dict[str, list[str]] = defaultdict(list)
        for article in articles:
            for line in article.body:
                kinds[line.kind].append(line.text)
        self.headlines = Shelf(headlines + banks["headlines"])
        self.leads = Shelf(leads + banks["teaser_leads"] + [text for text in kinds["paragraph"] if 70 <= len(text) <= 260][::3])
        self.captions = Shelf(kinds["caption"])
        self.paragraphs = Shelf(kinds["paragraph"])
        self.shorts = Shelf(kinds["subhead"] + kinds["item"] + kinds["step"] + [t for t in kinds["paragraph"] if len(t) < 90])
        self.rows = Shelf(kinds["row"])
        self.comments = Shelf(banks["comments"] + [text for article in articles for text in article.comments])
        self.voices = Shelf(
            [text for shelf in (self.comments, self.leads, Shelf(banks["promos"])) for text in shelf.texts if len(text) >= 60]
        )
        self.tags = [tag for article in articles for tag in article.tags]
        self.tag_shelf = Shelf(self.tags)
        self.footer_lines = Shelf([line for block in banks["footers_blocks"] for line in block.split("\n")])
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, *names: str) -> Shelf:
        """Return the shelf of one or several phrase banks, cached."""
        key = "+".join(names)
        if key not in self._shelves:
            self._shelves[key] = Shelf([text for name in names for text in self.banks[name]])
        return self._shelves[key]


def slug(text: str) -> str:
    """Return the text as a URL slug."""
    return re.sub(r"[^a-z0-9]+", "-", strip_accents(text).lower()).strip("-")


_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-ZÀ-ỸĐ\"“])")


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph."""
    return _SENTENCE_END.split(text)


def one_sentence(text: str, rng: random.Random) -> str:
    """Return a random sentence of a paragraph; a short one would be an abbreviation."""
    return rng.choice([sentence for sentence in sentences(text) if len(sentence) >= 25] or [text])


def cut_to(text: str, length: int, end: str = "") -> str:
    """Return the text, cut at a word boundary within `length` and followed by `end` if it is longer."""
    if len(text) <= length:
        return text
    cut = text[: max(1, length - len(end)) + 1]
    cut = cut[: cut.rfind(" ")] if " " in cut else cut[: max(1, length)]
    return cut.rstrip(" ,;:-–") + end
