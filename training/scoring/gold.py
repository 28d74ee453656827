"""Gold pages: labelled pages to evaluate on, read from files or composed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.review.labelled_page import read_page
from training.composer.augment import Line
from training.composer.compose import Page
from training.composer.skeleton import gold_paths
from training.learning.dataset import compose_held_out

__all__ = ["HELD_OUT", "Gold", "gold_pages", "held_out_pages", "held_out_styles", "read_gold"]


class Gold(NamedTuple):
    """A labelled page to evaluate on."""

    name: str
    publisher: str
    labels: Sequence[str]
    lines: Sequence[str]
    path: Path | None = None  # None for a composed page

    @property
    def rows(self) -> list[Line]:
        """The page as labelled lines."""
        return [Line(label, line) for label, line in zip(self.labels, self.lines)]


def gold_pages(pages: Sequence[Page]) -> list[Gold]:
    """Return composed pages as gold pages, each with a publisher of its own."""
    lines = [([line.label for line in page.lines], [line.text for line in page.lines]) for page in pages]
    return [Gold(f"{page.style} {number}", str(number), *both) for number, (page, both) in enumerate(zip(pages, lines))]


def read_gold(folder: Path) -> dict[str, list[Gold]]:
    """Return the gold pages of a folder by style, the name of a subfolder; a folder that holds pages itself is one style.

    Raises:
        InputError: no page was found, or a page breaks the format.
    """
    return {style: [_read(path) for path in paths] for style, paths in gold_paths(folder).items()}


def _read(path: Path) -> Gold:
    page = read_page(path)
    return Gold(path.stem, path.stem.split("__")[0], page.labels, page.lines, path)


HELD_OUT = "held-out composed"


def held_out_pages() -> list[Gold]:
    """Return the composed pages that training holds out."""
    return gold_pages(compose_held_out())


def held_out_styles() -> dict[str, list[Gold]]:
    """Return the composed pages that training holds out, by style."""
    return gold_by_style(compose_held_out())


def gold_by_style(pages: Sequence[Page]) -> dict[str, list[Gold]]:
    """Return composed pages as gold pages, by style."""
    styles: dict[str, list[Gold]] = {style: [] for style in sorted({page.style for page in pages})}
    for page, gold in zip(pages, gold_pages(pages)):
        styles[page.style].append(gold)
    return styles
