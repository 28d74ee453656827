"""Training data: composed pages as arrays, split so that nothing leaks.

Articles and phrases are split into FOLDS + 1 disjoint folds; each page draws on one. Fold 0 is held out for evaluation,
together with the layouts of HELD_OUT publishers. The others are the folds of the cross-fit: the context pass is trained on
first-pass evidence from models that have seen neither the page's articles nor its phrases, as it will be at run time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from classifier.core.arrays import Bools, Ints
from classifier.core.features import LineFeatures, extract_features
from classifier.labels import HEADINGS, LABELS
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL
from training.composer.augment import Line
from training.composer.compose import Page, compose
from training.composer.corpus import Article, load_articles, load_banks
from training.composer.library import Library
from training.composer.skeleton import Skeleton, load_skeletons
from training.learning.settings import SETTINGS

__all__ = [
    "FOLDS", "HELD_OUT", "Block", "block_of", "compose_held_out", "fold_libraries", "fold_of", "fold_of_article", "make_pages", "text_of",
]  # fmt: skip

FOLDS = 4
# Publishers whose layouts are kept out of training, so that composed evaluation pages have unseen layouts: one publisher of
# each family (a broadcaster, a provincial paper, a women's site).
HELD_OUT = frozenset({"baoxaydung", "teen9x", "anhp"})
# Banks too small or too generic to split: all folds share them.
SHARED_BANKS = frozenset({"provinces", "names", "pens", "outlets", "cities", "menus_blocks", "player"})
KEPT_APART = "giu-rieng"
CODES = {label.value: code for code, label in enumerate(LABELS)}


class Block(NamedTuple):
    """The n non-blank lines of some pages, as arrays."""

    line_features: LineFeatures
    starts: Bools  # (n,) the first line of each page
    position: Ints  # (n,) raw line index within the page
    blanks: Ints  # (n,) blank lines before the line
    labels: Ints  # (n,) index into LABELS
    classes: Ints  # (n,) index into labels.EVIDENCE: labels, then headings


def fold_of(key: str) -> int:
    """Return the fold of a key, by hash: adding articles or phrases moves no other."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % (FOLDS + 1)


def fold_of_article(article: Article) -> int:
    """Return the fold of an article; files named `giu-rieng-*` (kept apart) are all held out."""
    return 0 if article.source.startswith(KEPT_APART) else fold_of(article.id)


def fold_libraries() -> list[Library]:
    """Return one Library per fold: [held out, fold 1, ..., fold FOLDS]."""
    articles, banks = load_articles(), load_banks()
    libraries = []
    for fold in range(FOLDS + 1):
        fold_banks = {
            name: entries if name in SHARED_BANKS else [entry for entry in entries if fold_of(entry) == fold] or entries
            for name, entries in banks.items()
        }
        libraries.append(Library([article for article in articles if fold_of_article(article) == fold], fold_banks))
    return libraries


def make_pages(
    count: int,
    seed: int,
    *,
    jobs: int = 1,
    folds: Sequence[int] = range(FOLDS + 1),
    skeletons: Sequence[Skeleton] | None = None,
) -> list[list[Page]]:
    """Compose `count` training pages over the folds, or a fifth as many for fold 0; return one list per requested fold."""
    skeletons = load_skeletons() if skeletons is None else skeletons
    libraries = fold_libraries()
    known = [skeleton for skeleton in skeletons if skeleton.publisher not in HELD_OUT]
    unknown = [skeleton for skeleton in skeletons if skeleton.publisher in HELD_OUT] or known
    sizes = [count // 5] + [count // FOLDS] * FOLDS
    return Parallel(n_jobs=jobs)(
        delayed(_fold_pages)(libraries[fold], known if fold else unknown, f"{seed}/{fold}", sizes[fold]) for fold in folds
    )


def _fold_pages(library: Library, skeletons: Sequence[Skeleton], seed: str, count: int) -> list[Page]:
    return [compose(library, skeletons, f"{seed}/{number}") for number in range(count)]


def block_of(pages: Iterable[Sequence[Line]]) -> Block:
    """Return labelled pages as arrays; a line without visible text counts as blank, whatever its label."""
    texts: list[str] = []
    position, blanks, labels, classes, starts = [], [], [], [], []
    for lines in pages:
        gap, first = 0, True
        for number, line in enumerate(lines):
            if is_blank(line.text) or line.label == BLANK_LABEL:
                gap += 1
                continue
            texts.append(line.text)
            position.append(number)
            blanks.append(gap)
            starts.append(first)
            code = CODES[line.label]
            labels.append(code)
            heads = line.heading and line.label in HEADINGS
            classes.append(len(LABELS) + HEADINGS.index(line.label) if heads else code)
            gap, first = 0, False
    return Block(extract_features(texts), np.array(starts), np.array(position), np.array(blanks), np.array(labels), np.array(classes))


def compose_held_out() -> list[Page]:
    """Return the pages that training with the shipped settings holds out."""
    return make_pages(SETTINGS.pages, SETTINGS.seed, folds=(0,))[0]


def text_of(page: Page) -> str:
    """Return a composed page's lines as text."""
    return "".join(line.text + "\n" for line in page.lines)
