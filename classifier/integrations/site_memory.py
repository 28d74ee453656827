"""Site memory in engines: learned part by part, merged as bytes, and sent along to the workers that clean with it.

Packed, a memory is the content of a file `NAME.npz.gz`, which travels through any engine and grows with the lines that it holds, to
at most 16 MB. Parts are merged in any order and grouping, with the same result, and no text leaves the worker that reads it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from pathlib import Path

import classifier
from classifier.cleaner import Cleaner, Recipe
from classifier.errors import InputError
from classifier.formats.base import Record
from classifier.integrations.threads import one_thread
from classifier.jobs.batches import batches_of, learned_by_site, sites_of
from classifier.sites.memory import SiteMemory

__all__ = [
    "AnyRecipe", "SiteRecipe", "learn_texts", "learned_part", "merge_packed", "merged_memory", "packed", "recipe_of", "records_of",
    "unpacked",
]  # fmt: skip

_LEVEL = 1  # of gzip: 9, its default, takes 10 to 80 times as long and saves half at most


class SiteRecipe:
    """Picklable specification of a cleaner with a memory, which it holds: unlike `Recipe`, it needs no file on the workers."""

    def __init__(self, recipe: Recipe, memory: SiteMemory) -> None:
        """Pack the memory as it is now."""
        self.recipe, self.memory = recipe, packed(memory)

    def __repr__(self) -> str:
        return f"SiteRecipe({self.recipe!r}, {len(self.memory):,} bytes)"  # datatrove logs it

    def cleaner(self) -> Cleaner:
        """Return the cleaner, whose memory only judges; model and memory are loaded once per process."""
        return self.recipe.cleaner().remembering(_unpacked_once(self.memory), learn=False)


AnyRecipe = Recipe | SiteRecipe


def recipe_of(model: str | Path | None, keep: str | Iterable[str], threshold: float | None, memory: SiteMemory | None) -> AnyRecipe:
    """Return what a worker needs to build the cleaner; the memory as it is now.

    Raises:
        InputError, ModelError: as in `tinsach.load`, or `memory` is not a `SiteMemory`.
    """
    recipe = classifier.load(model, keep=keep, threshold=threshold).recipe
    if memory is None:
        return recipe
    if not isinstance(memory, SiteMemory):
        raise InputError(f"memory takes a SiteMemory, not {type(memory).__name__}; learn one, or SiteMemory.load(path)")
    return SiteRecipe(recipe, memory)


def records_of(texts: Sequence[str | None], sites: Sequence[str]) -> Iterable[Record]:
    """Return the pages of a batch that are not missing, as records; `sites` may be empty."""
    return (Record(text, None, site=site) for text, site in zip(texts, sites or repeat("")) if text is not None)


def learn_texts(cleaner: Cleaner, texts: Sequence[str | None], sites: Sequence[str], memory: SiteMemory) -> None:
    """Add a batch of pages to a memory, each to its site; missing texts add nothing, and `sites` may be empty."""
    for batch in batches_of(records_of(texts, sites)):
        with one_thread():
            for learned in learned_by_site(cleaner, [record.text for record in batch], sites_of(batch)):
                memory.add(learned)


def learned_part(recipe: Recipe, batches: Iterable[tuple[Sequence[str | None], Sequence[str]]], pages: int) -> bytes:
    """Return the packed memory of a part of the pages, given as batches of texts and of their sites."""
    memory = SiteMemory(pages)
    for texts, sites in batches:
        learn_texts(recipe.cleaner(), texts, sites, memory)
    return packed(memory)


def packed(memory: SiteMemory) -> bytes:
    """Return a memory as bytes; equal memories give equal bytes."""
    return gzip.compress(memory.to_bytes(), _LEVEL, mtime=0)


def unpacked(data: bytes, name: str = "site memory") -> SiteMemory:
    """Return the memory in these bytes; `name` says in messages where they are from.

    Raises:
        InputError: they are damaged, or not a memory of this version.
    """
    try:
        content = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: damaged, or not a packed site memory; learn it anew") from error
    return SiteMemory.from_bytes(content, name)


@lru_cache(maxsize=2)
def _unpacked_once(data: bytes) -> SiteMemory:
    return unpacked(data)


def merge_packed(first: bytes, second: bytes) -> bytes:
    """Return the packed memory of all pages of two parts; associative and commutative, and empty bytes are neutral.

    >>> merge_packed(b"", merge_packed(b"", b""))
    b''
    """
    if not first or not second:
        return first or second
    return packed(unpacked(first).merge(unpacked(second)))


def merged_memory(parts: Iterable[bytes], pages: int) -> SiteMemory:
    """Return the memory of all parts, read one after the other; an empty one with this threshold if there are none.

    Raises:
        InputError: a part is damaged, or the parts differ in their thresholds.
    """
    merged: SiteMemory | None = None
    for part in filter(None, parts):
        memory = unpacked(part)
        merged = memory if merged is None else merged.merge(memory)
    return SiteMemory(pages) if merged is None else merged
