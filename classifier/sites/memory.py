"""What the pages of a site have in common: a memory of lines that the caller makes, passes, saves and resets.

A `SiteMemory` counts on how many pages of a site each line stood, and a line seen on several is that much more likely to be
boilerplate. That is evidence, never a rule: `LIKELIHOOD_RATIO` against body and caption, so a line that the model is sure of stays.
A page sees what the pages before it showed, never itself, and a copy of a page (fetched again) is not counted again; so results
depend on the order of pages alone, not on how they were cut into calls.

What it leaves out: when a memory sees which lines (`pipeline`), its options (`memory_options`), and its file (`memory_file`).
"""

from __future__ import annotations

import hashlib
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Ints, diff, flatnonzero, log_softmax
from classifier.core.features import LOG_SCALE, extract_features
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import is_blank
from classifier.sites.count_min import MOST, CountMin
from classifier.sites.rule import site_name

__all__ = ["BITS", "DEFAULT_PAGES", "LIKELIHOOD_RATIO", "MOST_LINES", "PagePass", "SiteMemory"]

# Of 2, 3 and 5 the one that finds most, at no loss (training/EXPERIMENTS.md). Learned first, a page is one of the two itself.
DEFAULT_PAGES = 2
# 2^22 cells in each of 4 rows: 16 MB. A line never seen counts as seen with probability (1 - exp(-m / 2^22))^4, m the distinct lines
# that were seen on `pages` pages or more: .00002 for 300,000, .002 for a million; lines seen less often hardly matter
# (4 million of them: .000002). Derived and measured in training/EXPERIMENTS.md.
BITS = 22
# Across the pages of a site 30 % of boilerplate lines repeat, and 3 % of article lines (real pages, by count). From 3 to 30
# the figures of training/EXPERIMENTS.md hardly move.
LIKELIHOOD_RATIO = 10.0
# A page is a copy of one counted before if its headlines are known as such and at most this share of its kept characters is new:
# pages fetched again differ in dates and lists, seldom in the article; half leaves room for an article that has grown.
NEW_SHARE = 0.5
# A body line of so many characters behind a headline is a lead, which other pages print below their link to it: not doubted.
LEAD_SIZE = 60
MOST_LINES = 1 << 16  # of a page that are remembered until it ends, so that an endless one costs 3 MB and no more
MOST_RESETS = 10_000  # sites that can be reset one by one: their names have to fit into the file

_TITLE, _BODY, _CAPTION = (LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION))
# A headline stands in the lists of other pages long before its own page comes, so having been seen says nothing against it.
_DOUBTED = np.array([_BODY, _CAPTION])
_CHARACTERS = np.exp2(np.arange(int(LOG_SCALE.max()) + 1) / 8) - 1  # what LOG_SCALE made a size of


class SiteMemory:
    """Counts on how many pages of each site a line was seen, in 16 MB whatever their number.

    Pass it to `Cleaner.label_pages` or `clean_pages`. Counts can be too high, when lines share cells, and never too low; `error()`
    says how often. Threads may share a memory, but the order of their pages, and with it the labels, is then up to chance.

    >>> memory = SiteMemory(pages=3)
    >>> memory.counted, memory.error()
    (0, 0.0)
    """

    def __init__(self, pages: int = DEFAULT_PAGES) -> None:
        """Start empty; a line is evidence once it was seen on `pages` pages of its site (2 to 255).

        Raises:
            InputError: `pages` is no such number.
        """
        if type(pages) is not int or not 2 <= pages <= MOST:
            raise InputError(f"pages={pages!r}: give the number of pages, 2 to {MOST}, from which on a line counts as seen before")
        self.pages = pages
        self.counted = 0  # pages, copies left out
        self.sketch = CountMin(BITS)
        self._resets: dict[str, int] = {}  # how often each site was reset
        self._lock = threading.Lock()

    def reset(self, site: str | None = None) -> None:
        """Forget everything, or one site (`""` is that of pages of no named site).

        The counts of one site are left behind, and fill the memory until everything is forgotten.

        Raises:
            InputError: too many sites were reset one by one.
        """
        if site is None:
            self.sketch, self._resets, self.counted = CountMin(BITS), {}, 0
            return
        name = _name(site)
        if len(self._resets) >= MOST_RESETS and name not in self._resets:
            raise InputError(f"{MOST_RESETS} sites were reset one by one; reset() everything instead")
        self._resets[name] = self._resets.get(name, 0) + 1

    def error(self) -> float:
        """Return the probability that a line never seen counts as seen on `pages` pages, as the memory is filled now."""
        return self.sketch.error(self.pages)

    def seen_on(self, line: str, site: str | None = None) -> int:
        """Return on how many pages of the site a line was seen, by its letters, digits alike: 255 stands for that or more."""
        return 0 if is_blank(line) else int(self.sketch.counts(self.sketch.places(extract_features([line]).hashes[0] ^ self.key(site)))[0])

    def key(self, site: str | None, as_title: bool = False) -> np.uint64:
        """Return what tells lines of a site, or headlines of its pages, from others with the same hash."""
        name = _name(site)
        return np.uint64(int(_digest(f"{name} {self._resets.get(name, 0)} {as_title}"), 16))

    def count_page(self, places: Ints) -> None:
        """Count a page on which the lines with these places stood, each once."""
        with self._lock:
            self.sketch.add(places)
            self.counted += 1

    def to_bytes(self) -> bytes:
        """Return what `save` writes; see `memory_file`."""
        from classifier.sites.memory_file import memory_bytes

        with self._lock:
            return memory_bytes(self.sketch.cells, {"pages": self.pages, "counted": self.counted, "resets": self._resets})

    def save(self, path: str | Path) -> None:
        """Write the memory to a file, whole or not at all; packed if its name ends in `.gz` or `.zst`.

        Raises:
            InputError, OSError: the file cannot be written.
        """
        from classifier.io.files import atomic_write

        with atomic_write(path) as file:
            file.write(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path, pages: int | None = None) -> SiteMemory:
        """Return a saved memory, with another number of `pages` if one is given.

        Raises:
            InputError: the file is missing, damaged, or no memory of this version; or see `SiteMemory`.
        """
        from classifier.sites.memory_file import read_memory

        cells, saved = read_memory(path, CountMin.shape(BITS))
        memory = cls(saved["pages"] if pages is None else pages)
        memory.sketch, memory.counted, memory._resets = CountMin(BITS, cells), saved["counted"], saved["resets"]
        return memory


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _name(site: str | None) -> str:
    """Return what stands for a site in the file; no site and the empty name are the same."""
    return _digest(site_name(site or ""))


class PagePass:
    """Takes the lines of pages in order, as they are decided: revises what is said of them, and counts each page as it ends."""

    def __init__(self, memory: SiteMemory, site: str | None) -> None:
        """Work for the pages of one site."""
        self._memory, self._key, self._title_key = memory, memory.key(site), memory.key(site, as_title=True)
        self._page, self._lines = 0, 0
        self._titles, self._at_lead = 0, 0  # of the open page: headlines so far, and those before the last line long enough for a lead
        self._parts: list[tuple[Hashes, Ints, Ints, Ints, Ints]] = []  # of the open page: hashes, places, counts, codes, sizes

    def revised(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> Floats:
        """Return the log probabilities `found` (len(LABELS), n) of the next lines that are not blank, with what was seen before.

        `page` (n,) is ascending, `sizes` are on LOG_SCALE. Lines not seen before stay to the bit.
        """
        where = self._memory.sketch.places(hashes ^ self._key)
        codes, sizes, found = found.argmax(axis=0), sizes.astype(np.int64), found.copy()
        bounds = [0, *(flatnonzero(diff(page)) + 1).tolist(), len(page)]
        for start, stop in pairwise(bounds):
            self.close(int(page[start]))
            counts = self._memory.sketch.counts(where[:, start:stop])
            # A hash of 0 is a line without a letter or digit: rules between paragraphs, which articles share with menus.
            leads = self._leads(codes[start:stop], sizes[start:stop])
            seen = flatnonzero((counts >= self._memory.pages) & (hashes[start:stop] != 0) & ~leads) + start
            if len(seen):
                found[:, seen] = _doubted(found.take(seen, axis=1))
                codes[seen] = found[:, seen].argmax(axis=0)
            own = slice(start, min(stop, start + MOST_LINES - self._lines))
            if own.start < own.stop:
                self._lines += own.stop - start
                self._parts.append((hashes[own], where[:, own], counts[: own.stop - start], codes[own], sizes[own]))
        return found

    def _leads(self, codes: Ints, sizes: Ints) -> Bools:
        """Return which of the next lines of the open page are leads (n,): body, long, and the first such behind a headline."""
        leads = (codes == _BODY) & (sizes >= LOG_SCALE[LEAD_SIZE])
        titles = (codes == _TITLE).cumsum() + self._titles
        self._titles = int(titles[-1])
        long = flatnonzero(leads)
        if len(long):
            before = titles.take(long)
            leads[long] = before > np.concatenate(([self._at_lead], before[:-1]))
            self._at_lead = int(before[-1])
        return leads

    def close(self, page: int) -> None:
        """Count the open page, if lines of `page` or none follow: that is the number of the page now open."""
        if page == self._page:
            return
        if self._parts:
            hashes, where, counts, codes, sizes = (np.concatenate(column, axis=-1) for column in zip(*self._parts))
            titles = self._memory.sketch.places(hashes[codes == _TITLE] ^ self._title_key)
            if not self._is_copy(titles, counts == 0, codes, sizes):
                self._memory.count_page(np.concatenate((where, titles), axis=1))
        self._page, self._lines, self._titles, self._at_lead, self._parts = page, 0, 0, 0, []

    def _is_copy(self, titles: Ints, new: Bools, codes: Ints, sizes: Ints) -> bool:
        """Return whether a page was counted before: its headlines are known as such, and most of what is kept of it is."""
        kept = (codes == _TITLE) | (codes == _BODY)
        if not kept.any() or not self._memory.sketch.counts(titles).all():
            return False
        characters = _CHARACTERS.take(sizes[kept])
        return bool(characters[new[kept]].sum() <= NEW_SHARE * characters.sum())


def _doubted(found: Floats) -> Floats:
    """Return log probabilities (len(LABELS), n) of lines that other pages of the site had too."""
    found[_DOUBTED] -= np.log(LIKELIHOOD_RATIO)
    return log_softmax(found)
