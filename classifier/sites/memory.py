"""Site memory: on which pages of a site each line occurred, and with which labels, as evidence of standing text.

A page that is judged is never evidence against itself, nor are its copies (`evidence`), whether the memory has seen it or not. What
the memory holds does not depend on the order of pages, and memories of parts merge into that of the whole (`merge`). While it learns,
a page is judged by the pages before it, so labels depend on their order; a memory that only judges (`Cleaner.remembering`) gives
the same labels in any order. The caller creates, passes, saves and resets the memory.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from classifier.core.arrays import Hashes
from classifier.core.features import extract_features
from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.lines import is_blank
from classifier.sites.bit_sketch import BitSketch
from classifier.sites.evidence import FITTED, MOST_PAGES, PAGE_BITS, count_pages
from classifier.sites.rule import site_name

__all__ = ["BITS", "DEFAULT_PAGES", "MOST_PAGES", "LearnedPages", "SiteMemory"]

DEFAULT_PAGES = 2  # on one other page, short lines of an article recur as well (training/EXPERIMENTS.md)
# 2^19 cells of 8 bytes in each of 4 rows: 16 MB. A line never seen looks as if seen everywhere with probability (1 - exp(-m / 2^19))^4,
# where m distinct lines stand on most pages of their sites: .00007 for 50,000, .001 for 100,000. The lines of single articles
# hardly matter: a million add one page to a new line with probability .00009. Derived and measured in training/EXPERIMENTS.md.
BITS = 19
MOST_RESETS = 10_000  # sites that can be reset one by one: their names must fit into the file
_PAGES = ((1 << PAGE_BITS) - 1) << len(LABELS)  # the bits of pages in a line's set


class LearnedPages(NamedTuple):
    """What pages of one site add to a memory; picklable, and small."""

    site: str | None
    hashes: Hashes  # (n,) of lines
    sets: Hashes  # (n,) see `evidence.remembered_sets`
    pages: int


class SiteMemory:
    """The pages of each site on which a line was seen, in 16 MB however many there are.

    Pass it to `Cleaner.label_pages` or `clean_pages`. Hash collisions can add pages to a line, never remove one; `error()` gives
    the probability. Threads may share a memory, but while it learns, the order of their pages, and with it the labels, is not
    deterministic.

    >>> memory = SiteMemory(pages=3)
    >>> memory.counted, memory.error()
    (0, 0.0)
    """

    def __init__(self, pages: int = DEFAULT_PAGES) -> None:
        """Start empty; a line is evidence once `pages` other pages of its site have shown it (1 to 26).

        Raises:
            InputError: `pages` is not an integer from 1 to 26.
        """
        if type(pages) is not int or not 1 <= pages <= MOST_PAGES:
            raise InputError(
                f"pages={pages!r}: give the number of other pages, 1 to {MOST_PAGES}, on which a line must occur to count as seen"
            )
        self.pages = pages
        self.counted = 0  # pages learned, copies included
        self.sketch = BitSketch(BITS)
        self.path: Path | None = None  # of a file that holds just this
        self.curve = FITTED  # weight of evidence
        self._resets: dict[str, int] = {}  # number of resets by hashed site name: part of the site's keys
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<SiteMemory: {self.counted} pages counted, pages={self.pages}>"

    def reset(self, site: str | None = None) -> None:
        """Forget everything, or one site (`""`: the pages without a site).

        Resetting one site changes its keys; its old counts keep occupying cells until everything is reset.

        Raises:
            InputError: MOST_RESETS other sites have already been reset one by one.
        """
        self.path = None
        if site is None:
            self.sketch, self._resets, self.counted = BitSketch(BITS), {}, 0
            return
        name = _name(site)
        if len(self._resets) >= MOST_RESETS and name not in self._resets:
            raise InputError(f"{MOST_RESETS} sites have already been reset one by one, which is the limit; reset() everything instead")
        self._resets[name] = self._resets.get(name, 0) + 1

    def error(self) -> float:
        """Return the current probability that a line never seen counts as seen on `pages` pages; an estimate."""
        return self.sketch.error(self.pages, _PAGES)

    def seen_on(self, line: str, site: str | None = None) -> int:
        """Return on how many pages of a site a line was seen; letter case and the values of digits are ignored.

        Lines of fewer than 12 characters are not remembered. The number is at most 52, and a little too low from about 5 on.
        """
        if is_blank(line):
            return 0
        return int(count_pages(self.sets(extract_features([line]).hashes[0], site))[0])

    def key(self, site: str | None) -> np.uint64:
        """Return the key to XOR with line hashes, so that equal lines of other sites count apart."""
        name = _name(site)
        return np.uint64(int(_digest(f"{name} {self._resets.get(name, 0)}"), 16))

    def sets(self, hashes: Hashes, site: str | None) -> Hashes:
        """Return what the memory holds of lines with these hashes (n,): their labels and pages, see `evidence`."""
        return self.sketch.sets(self.sketch.places(hashes ^ self.key(site)))

    def add(self, learned: LearnedPages) -> None:
        """Add pages. Their order does not matter, and pages added again change nothing but `counted`."""
        self.path = None  # the file has not seen them
        with self._lock:
            self.sketch.add(self.sketch.places(learned.hashes ^ self.key(learned.site)), learned.sets)
            self.counted += learned.pages

    def merge(self, *others: SiteMemory) -> SiteMemory:
        """Return a new memory of all pages that this and other memories have learned.

        Merging is associative and commutative, and memories of parts give that of the whole, bit for bit.

        Raises:
            InputError: the memories have other `pages`, or other sites were reset one by one.
        """
        merged = SiteMemory(self.pages)
        merged._resets = dict(self._resets)
        for memory in (self, *others):
            if (memory.pages, memory._resets) != (self.pages, self._resets):
                raise InputError("these memories differ in pages= or in the sites that were reset; merge memories made alike")
            merged.sketch.merge(memory.sketch)
            merged.counted += memory.counted
        return merged

    @property
    def digest(self) -> str:
        """Digest of all that labels depend on, in hexadecimal."""
        about = [self.pages, sorted(self._resets.items()), hashlib.sha256(self.sketch.cells.data).hexdigest()]
        return hashlib.sha256(repr(about).encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the bytes that `save` writes; see `memory_file`."""
        from classifier.sites.memory_file import memory_bytes

        with self._lock:
            return memory_bytes(self.sketch.cells, {"pages": self.pages, "counted": self.counted, "resets": self._resets})

    def save(self, path: str | Path) -> None:
        """Write the memory to a file atomically; compressed if its name ends in `.gz` or `.zst`. Sets `path`.

        Raises:
            InputError, OSError: the file cannot be written.
        """
        from classifier.io.files import atomic_write

        with atomic_write(path) as file:
            file.write(self.to_bytes())
        self.path = Path(path).resolve()

    @classmethod
    def load(cls, path: str | Path, pages: int | None = None) -> SiteMemory:
        """Return a saved memory; `pages` overrides the saved threshold.

        Raises:
            InputError: the file is missing, damaged, or not a memory of this version; or `pages` is out of range.
        """
        from classifier.sites.memory_file import read_memory

        return cls._restored(*read_memory(path, BitSketch.shape(BITS)), pages, Path(path).resolve())

    @classmethod
    def from_bytes(cls, data: bytes, name: str | Path) -> SiteMemory:
        """Return the memory that `to_bytes` made; `name` says in messages where the bytes are from.

        Raises:
            InputError: they are damaged, or not a memory of this version.
        """
        from classifier.sites.memory_file import parse_memory

        return cls._restored(*parse_memory(data, name, BitSketch.shape(BITS)))

    @classmethod
    def _restored(cls, cells: Hashes, saved: dict[str, Any], pages: int | None = None, path: Path | None = None) -> SiteMemory:
        memory = cls(saved["pages"] if pages is None else pages)
        memory.sketch, memory.counted, memory._resets = BitSketch(BITS, cells), saved["counted"], saved["resets"]
        memory.path = path
        return memory


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _name(site: str | None) -> str:
    """Return the hashed site name that the file stores; None and the empty name are the same."""
    return _digest(site_name(site or ""))
