"""A user's labelled pages as training data: their lines, and hundreds of pages built like them.

A page is read once and used twice. Its own lines enter training `copies` times, each time with other words hidden; and its
skeleton is refilled with corpus text, so that the layout is learned and not the ten articles it was seen with. Pages are dealt to the
folds of the cross-fit as the corpus's articles are. What it leaves out: training itself (`retrain.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.errors import InputError
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL, read_page
from training.composer.augment import BLANK_LINE, Line
from training.composer.compose import compose
from training.composer.skeleton import Skeleton, extract
from training.learning.dataset import FOLDS, Block, block_of, fold_libraries
from training.scoring.gold import Gold, read_gold
from training.scoring.scores import KEEP

__all__ = ["Mixture", "UserPage", "added_folds", "digest", "read_user_pages", "split"]


class UserPage(NamedTuple):
    """A labelled page of the user's."""

    gold: Gold
    style: str  # the folder it lies in

    @property
    def key(self) -> str:
        """What the page is called: the same page read by two extractors has one name, and stays on one side of every split."""
        return self.gold.name


class Mixture(NamedTuple):
    """How a user's pages are mixed with the composed ones; `training/EXPERIMENTS.md` tells where each value comes from."""

    copies: int = 10  # of each page
    composed: int = 40  # pages refilled from the skeleton of each


def read_user_pages(folder: Path) -> list[UserPage]:
    """Return the labelled pages of a folder, or of its style folders, in file order.

    Raises:
        InputError: a line for each fault: a row breaks the format, a page is not labelled or lies too deep, or there is no page.
    """
    pages = [UserPage(gold, style) for style, found in read_gold(folder).items() for gold in found]
    faults = [fault for page in pages for fault in _faults(page.gold)]
    level = "*.tsv" if any(folder.glob("*.tsv")) else "*/*.tsv"
    # `tinsach review` shows those that lie deeper, so they may hold labels; hidden folders it leaves out.
    deeper = sorted(set(folder.rglob("*.tsv")) - set(folder.glob(level)))
    unread = [path for path in deeper if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    faults += [f"{path}:1: not read, as pages lie in {folder / level}; move it there, or out of the folder" for path in unread]
    if faults:
        raise InputError("\n".join(faults))
    return pages


def _faults(page: Gold) -> list[str]:
    """Return what is wrong with a page beyond its format, with file and line."""
    if page.path is None or KEEP & set(page.labels):
        return []
    first = next((row.number for row in read_page(page.path).rows if row.label != BLANK_LABEL), None)
    if first is None:
        return [f"{page.path}:1: blank lines only; leave the page out"]
    return [f"{page.path}:{first}: no line of the page is title or body; label its article, or leave the page out"]


def split(pages: Sequence[UserPage], share: float) -> tuple[list[UserPage], list[UserPage]]:
    """Return (training pages, held-out pages): a share of the page names, at least one, by a digest of each name.

    Raises:
        InputError: fewer than two pages.
    """
    names = ordered_names(pages)
    if len(names) < 2:
        raise InputError("retraining needs two labelled pages at least: one to learn from and one to test on; ten are a start")
    held_out = set(names[: max(1, round(share * len(names)))])
    return [page for page in pages if page.key not in held_out], [page for page in pages if page.key in held_out]


def ordered_names(pages: Iterable[UserPage]) -> list[str]:
    """Return the names of pages in an order that has nothing to do with them."""
    return sorted({page.key for page in pages}, key=lambda name: hashlib.sha256(name.encode()).digest())


def digest(pages: Sequence[UserPage]) -> str:
    """Return a digest of labelled pages."""
    hasher = hashlib.sha256()
    for page in pages:
        for label, line in zip(page.gold.labels, page.gold.lines):
            hasher.update(f"{label}\t{line}\n".encode())
        hasher.update(b"\0")
    return hasher.hexdigest()


def added_folds(pages: Sequence[UserPage], mixture: Mixture, seed: int) -> list[list[tuple[Block, bool]]]:
    """Return for each fold the blocks that user's pages add to it, with whether they are the pages themselves or built like them."""
    names = ordered_names(pages)
    fold_of = {name: place % FOLDS for place, name in enumerate(names)}
    skeletons = [extract(page.gold.name, page.style, page.gold.labels, page.gold.lines) for page in pages]
    folds: list[list[tuple[Block, bool]]] = []
    for fold, library in enumerate(fold_libraries()[1:]):
        own = [_lines(page.gold, skeleton) for page, skeleton in zip(pages, skeletons) if fold_of[page.key] == fold]
        refilled = [
            compose(library, skeletons, f"{seed}/own/{fold}/{number}", free_share=0, bare_share=0).lines
            for number in range(mixture.composed * len(pages) // FOLDS)
        ]
        folds.append([(block_of(some), real) for some, real in ((own * mixture.copies, True), (refilled, False)) if some])
    return folds


def _lines(page: Gold, skeleton: Skeleton) -> list[Line]:
    """Return the lines of a page; headings are those that pages refilled from its skeleton have."""
    rows = iter(skeleton.rows)
    return [BLANK_LINE if is_blank(text) else Line(label, text, next(rows).heading) for label, text in zip(page.labels, page.lines)]
