"""User pages: a user's labelled pages as training data, both as they are and as layouts to compose pages from.

The lines of a page enter training `copies` times, each time with other n-grams hidden; and its skeleton is refilled with
corpus text, so that the layout is learned and not the few articles it was seen with. Pages are split over the folds of the
cross-fit as the articles of the corpus are.
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
    """A user's labelled page."""

    gold: Gold
    style: str  # name of the page's folder

    @property
    def key(self) -> str:
        """The page's name. A page read by two extractors has one name, so it stays on one side of every split."""
        return self.gold.name


class Mixture(NamedTuple):
    """Proportions of user pages and composed pages; `training/EXPERIMENTS.md` gives the origin of each value."""

    copies: int = 10  # of each page
    composed: int = 40  # pages composed from the skeleton of each


def read_user_pages(folder: Path) -> list[UserPage]:
    """Return the labelled pages of a folder, or of its style folders, by file name.

    Raises:
        InputError: no page was found, a row breaks the format, or a page has no article or is nested too deep; one line per fault.
    """
    pages = [UserPage(gold, style) for style, found in read_gold(folder).items() for gold in found]
    faults = [fault for page in pages for fault in _faults(page.gold)]
    level = "*.tsv" if any(folder.glob("*.tsv")) else "*/*.tsv"
    # `tinsach review` serves pages of deeper folders too, so they may hold labels; it skips hidden folders.
    deeper = sorted(set(folder.rglob("*.tsv")) - set(folder.glob(level)))
    unread = [path for path in deeper if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    faults += [f"{path}:1: not read, since pages must be in {folder / level}; move it there or out of the folder" for path in unread]
    if faults:
        raise InputError("\n".join(faults))
    return pages


def _faults(page: Gold) -> list[str]:
    """Return the faults of a well-formed page, with file and line."""
    if page.path is None or KEEP & set(page.labels):
        return []
    first = next((row.number for row in read_page(page.path).rows if row.label != BLANK_LABEL), None)
    if first is None:
        return [f"{page.path}:1: blank lines only; remove the page"]
    return [f"{page.path}:{first}: no line of the page is title or body; label its article, or remove the page"]


def split(pages: Sequence[UserPage], share: float) -> tuple[list[UserPage], list[UserPage]]:
    """Return (training pages, held-out pages): holds out a share of the names, at least one, chosen by hash.

    Raises:
        InputError: fewer than two pages.
    """
    names = ordered_names(pages)
    if len(names) < 2:
        raise InputError("retraining needs at least two labelled pages, one to train on and one to test on; ten are a good start")
    held_out = set(names[: max(1, round(share * len(names)))])
    return [page for page in pages if page.key not in held_out], [page for page in pages if page.key in held_out]


def ordered_names(pages: Iterable[UserPage]) -> list[str]:
    """Return the distinct names of pages in pseudo-random order, by hash."""
    return sorted({page.key for page in pages}, key=lambda name: hashlib.sha256(name.encode()).digest())


def digest(pages: Sequence[UserPage]) -> str:
    """Return a SHA-256 digest of the pages' labels and lines."""
    hasher = hashlib.sha256()
    for page in pages:
        for label, line in zip(page.gold.labels, page.gold.lines):
            hasher.update(f"{label}\t{line}\n".encode())
        hasher.update(b"\0")
    return hasher.hexdigest()


def added_folds(pages: Sequence[UserPage], mixture: Mixture, seed: int) -> list[list[tuple[Block, bool]]]:
    """Return for each fold the blocks that it gains, with True for the user's pages and False for pages composed like them."""
    names = ordered_names(pages)
    fold_of = {name: index % FOLDS for index, name in enumerate(names)}
    skeletons = [extract(page.gold.name, page.style, page.gold.labels, page.gold.lines) for page in pages]
    folds: list[list[tuple[Block, bool]]] = []
    for fold, library in enumerate(fold_libraries()[1:]):
        real_pages = [_lines(page.gold, skeleton) for page, skeleton in zip(pages, skeletons) if fold_of[page.key] == fold]
        refilled = [
            compose(library, skeletons, f"{seed}/own/{fold}/{number}", free_share=0, bare_share=0).lines
            for number in range(mixture.composed * len(pages) // FOLDS)
        ]
        folds.append([(block_of(some), real) for some, real in ((real_pages * mixture.copies, True), (refilled, False)) if some])
    return folds


def _lines(page: Gold, skeleton: Skeleton) -> list[Line]:
    """Return the lines of a page, with the heading flags of its skeleton, as on pages refilled from it."""
    rows = iter(skeleton.rows)
    return [BLANK_LINE if is_blank(text) else Line(label, text, next(rows).heading) for label, text in zip(page.labels, page.lines)]
