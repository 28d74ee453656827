"""Which cleaner: a small value that travels to worker processes, and stands for the results in a cache key.

A worker makes the cleaner once and keeps it. It refuses to make another than the one that was meant: half a corpus cleaned by
another model or another release would go unnoticed. The shipped model has no path here, as each machine has its own copy of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import classifier
from classifier.cleaner import Cleaner
from classifier.errors import MissingEngine, ModelError
from classifier.labels import DEFAULT_KEEP

__all__ = ["Recipe", "engine", "recipe_of"]


@contextmanager
def engine(extra: str) -> Iterator[None]:
    """Say how to install an engine, if importing it fails because it is not there.

    Raises:
        MissingEngine: with the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingEngine(f"{error.name} is not installed; run: pip install 'tinsach[{extra}]'", name=error.name) from error


class Recipe(NamedTuple):
    """What a cleaner is made of; equal recipes give equal results."""

    path: str | None  # None: the model that ships
    digest: str  # of the model's arrays
    release: str  # of tinsach
    keep: tuple[str, ...]
    threshold: float | None

    def cleaner(self) -> Cleaner:
        """Return the cleaner, loaded on the first call in this process.

        Raises:
            ModelError: this process has another model or another release of tinsach.
        """
        return _made(self)

    def clean(self, texts: Sequence[str | None]) -> list[str | None]:
        """Clean a batch of pages; a missing text stays missing."""
        cleaned = self.cleaner().clean_pages(text for text in texts if text is not None)
        return [None if text is None else next(cleaned) for text in texts]


def recipe_of(model: str | Path | None = None, keep: str | Iterable[str] = DEFAULT_KEEP, threshold: float | None = None) -> Recipe:
    """Return the recipe of the cleaner that `classifier.load` gives for the same arguments, and raise what it raises.

    >>> recipe_of(keep="title,body,caption").keep
    ('body', 'caption', 'title')
    """
    cleaner = classifier.load(model, keep=keep, threshold=threshold)
    path = None if model is None else str(Path(model).resolve())
    keep_names = tuple(sorted(label.value for label in cleaner.keep))
    return Recipe(path, cleaner.model.manifest["arrays_sha256"], classifier.__version__, keep_names, threshold)


@lru_cache(maxsize=8)
def _made(recipe: Recipe) -> Cleaner:
    cleaner = classifier.load(recipe.path, keep=recipe.keep, threshold=recipe.threshold)
    if (classifier.__version__, cleaner.model.manifest["arrays_sha256"]) != (recipe.release, recipe.digest):
        where = recipe.path or "the shipped model"
        raise ModelError(f"{where}: not the one this was made with; install tinsach {recipe.release} and the same model on every machine")
    return cleaner
