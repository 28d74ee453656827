"""Site memory: counts on how many pages of a site each line occurred, as evidence of boilerplate.

A line seen on several pages of a site is more likely to be boilerplate. This is evidence, not a rule: `LIKELIHOOD_RATIO` against
body and caption, so a line that the model is sure of stays. A page is judged by the pages before it, never by itself, and a copy
of a page (fetched again) is not counted again. Results therefore depend on the order of pages, not on how they are batched into
calls. The caller creates, passes, saves and resets the memory.
"""

from __future__ import annotations

import hashlib
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Ints, diff, flatnonzero, log_softmax
from classifier.core.features import LOG_SCALE, extract_features
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import is_blank
from classifier.sites.count_min import MOST, CountMin
from classifier.sites.rule import site_name

__all__ = ["BITS", "DEFAULT_PAGES", "LIKELIHOOD_RATIO", "MOST_LINES", "PagePass", "SiteMemory"]

# Of 2, 3 and 5, 2 finds the most boilerplate at no extra loss (training/EXPERIMENTS.md). In a second pass over the same pages, the
# count of 2 includes the page itself.
DEFAULT_PAGES = 2
# 2^22 cells in each of 4 rows: 16 MB. A line never seen counts as seen with probability (1 - exp(-m / 2^22))^4, where m distinct
# lines were seen on `pages` pages or more: .00002 for m = 300,000, .002 for a million. Lines seen less often hardly matter
# (4 million of them: .000002). Derived and measured in training/EXPERIMENTS.md.
BITS = 22
# Across the pages of a site, 30 % of boilerplate lines repeat and 3 % of article lines (counted on real pages). Between 3 and 30
# the figures of training/EXPERIMENTS.md hardly change.
LIKELIHOOD_RATIO = 10.0
# A page is a copy of a counted one if its headlines are known as headlines and at most this share of its kept characters is new.
# Pages fetched again differ in dates and lists, seldom in the article; half leaves room for an article that has grown.
NEW_SHARE = 0.5
# Characters. The first body line this long after a headline is the lead. Other pages show it as a teaser, so having seen it is not
# evidence of boilerplate.
LEAD_SIZE = 60
MOST_LINES = 1 << 16  # of a page that are held until it ends: caps an endless page at 3 MB
MOST_RESETS = 10_000  # sites that can be reset one by one: their names must fit into the file

_TITLE, _BODY, _CAPTION = (LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION))
# Not titles: other pages list a headline long before its own page is read, so having seen it is not evidence of boilerplate.
_PENALISED = np.array([_BODY, _CAPTION])
_CHARACTERS = np.exp2(np.arange(int(LOG_SCALE.max()) + 1) / 8) - 1  # inverse of LOG_SCALE: characters by scaled size


class SiteMemory:
    """Counts of the pages of each site on which a line was seen, in 16 MB however many there are.

    Pass it to `Cleaner.label_pages` or `clean_pages`. Hash collisions can make a count too high, never too low; `error()` gives
    the probability. Threads may share a memory, but then the order of their pages, and with it the labels, is not deterministic.

    >>> memory = SiteMemory(pages=3)
    >>> memory.counted, memory.error()
    (0, 0.0)
    """

    def __init__(self, pages: int = DEFAULT_PAGES) -> None:
        """Start empty; a line is evidence once it was seen on `pages` pages of its site (2 to 255).

        Raises:
            InputError: `pages` is not an integer from 2 to 255.
        """
        if type(pages) is not int or not 2 <= pages <= MOST:
            raise InputError(f"pages={pages!r}: give the number of pages, 2 to {MOST}, on which a line must occur to count as seen")
        self.pages = pages
        self.counted = 0  # pages, excluding copies
        self.sketch = CountMin(BITS)
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
        if site is None:
            self.sketch, self._resets, self.counted = CountMin(BITS), {}, 0
            return
        name = _name(site)
        if len(self._resets) >= MOST_RESETS and name not in self._resets:
            raise InputError(f"{MOST_RESETS} sites have already been reset one by one, which is the limit; reset() everything instead")
        self._resets[name] = self._resets.get(name, 0) + 1

    def error(self) -> float:
        """Return the current probability that a line never seen counts as seen on `pages` pages."""
        return self.sketch.error(self.pages)

    def seen_on(self, line: str, site: str | None = None) -> int:
        """Return on how many pages of a site a line was seen, at most 255; letter case and the values of digits are ignored."""
        return 0 if is_blank(line) else int(self.sketch.counts(self.sketch.places(extract_features([line]).hashes[0] ^ self.key(site)))[0])

    def key(self, site: str | None, as_title: bool = False) -> np.uint64:
        """Return the key to XOR with line hashes, so that equal lines of other sites, and headlines (`as_title`), count apart."""
        name = _name(site)
        return np.uint64(int(_digest(f"{name} {self._resets.get(name, 0)} {as_title}"), 16))

    def count_page(self, places: Ints) -> None:
        """Count a page whose lines have these cell indices, each line once."""
        with self._lock:
            self.sketch.add(places)
            self.counted += 1

    def to_bytes(self) -> bytes:
        """Return the bytes that `save` writes; see `memory_file`."""
        from classifier.sites.memory_file import memory_bytes

        with self._lock:
            return memory_bytes(self.sketch.cells, {"pages": self.pages, "counted": self.counted, "resets": self._resets})

    def save(self, path: str | Path) -> None:
        """Write the memory to a file atomically; compressed if its name ends in `.gz` or `.zst`.

        Raises:
            InputError, OSError: the file cannot be written.
        """
        from classifier.io.files import atomic_write

        with atomic_write(path) as file:
            file.write(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path, pages: int | None = None) -> SiteMemory:
        """Return a saved memory; `pages` overrides the saved threshold.

        Raises:
            InputError: the file is missing, damaged, or not a memory of this version; or `pages` is out of range.
        """
        from classifier.sites.memory_file import read_memory

        return cls._restored(*read_memory(path, CountMin.shape(BITS)), pages)

    @classmethod
    def from_bytes(cls, data: bytes, name: str | Path) -> SiteMemory:
        """Return the memory that `to_bytes` made; `name` says in messages where the bytes are from.

        Raises:
            InputError: they are damaged, or not a memory of this version.
        """
        from classifier.sites.memory_file import parse_memory

        return cls._restored(*parse_memory(data, name, CountMin.shape(BITS)))

    @classmethod
    def _restored(cls, cells: Ints, saved: dict[str, Any], pages: int | None = None) -> SiteMemory:
        memory = cls(saved["pages"] if pages is None else pages)
        memory.sketch, memory.counted, memory._resets = CountMin(BITS, cells), saved["counted"], saved["resets"]
        return memory


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _name(site: str | None) -> str:
    """Return the hashed site name that the file stores; None and the empty name are the same."""
    return _digest(site_name(site or ""))


class PagePass:
    """One pass over the pages of a site: revises the log probabilities of their lines, and counts each page as it ends.

    Implements `pipeline.PageMemory`.
    """

    def __init__(self, memory: SiteMemory, site: str | None) -> None:
        """Start before the first page of a site."""
        self._memory, self._key, self._title_key = memory, memory.key(site), memory.key(site, as_title=True)
        self._page, self._lines = 0, 0
        self._titles, self._at_lead = 0, 0  # of the open page: headlines so far, and those before the last line as long as a lead
        self._parts: list[tuple[Hashes, Ints, Ints, Ints, Ints]] = []  # of the open page: hashes, cell indices, counts, codes, sizes

    def revised(self, page: Ints, hashes: Hashes, sizes: Floats, found: Floats) -> Floats:
        """Return the log probabilities `found` (len(LABELS), n) of the next non-blank lines, revised by what earlier pages showed.

        `page` (n,) is ascending, `sizes` are on LOG_SCALE. Lines not seen before keep their values bit for bit.
        """
        cells = self._memory.sketch.places(hashes ^ self._key)
        codes, sizes, found = found.argmax(axis=0), sizes.astype(np.int64), found.copy()
        bounds = [0, *(flatnonzero(diff(page)) + 1).tolist(), len(page)]
        for start, stop in pairwise(bounds):
            self.close(int(page[start]))
            counts = self._memory.sketch.counts(cells[:, start:stop])
            # A hash of 0 is a line without a letter or digit, such as a separator: articles share those with menus.
            leads = self._leads(codes[start:stop], sizes[start:stop])
            seen = flatnonzero((counts >= self._memory.pages) & (hashes[start:stop] != 0) & ~leads) + start
            if len(seen):
                found[:, seen] = _penalised(found.take(seen, axis=1))
                codes[seen] = found[:, seen].argmax(axis=0)
            held = slice(start, min(stop, start + MOST_LINES - self._lines))
            if held.start < held.stop:
                self._lines += held.stop - start
                self._parts.append((hashes[held], cells[:, held], counts[: held.stop - start], codes[held], sizes[held]))
        return found

    def _leads(self, codes: Ints, sizes: Ints) -> Bools:
        """Return which of the next lines of the open page are leads (n,): the first long body line after each headline."""
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
        """End and count the open page, unless `page`, the page of the lines that follow, is still the same."""
        if page == self._page:
            return
        if self._parts:
            hashes, cells, counts, codes, sizes = (np.concatenate(column, axis=-1) for column in zip(*self._parts))
            titles = self._memory.sketch.places(hashes[codes == _TITLE] ^ self._title_key)
            if not self._is_copy(titles, counts == 0, codes, sizes):
                self._memory.count_page(np.concatenate((cells, titles), axis=1))
        self._page, self._lines, self._titles, self._at_lead, self._parts = page, 0, 0, 0, []

    def _is_copy(self, titles: Ints, new: Bools, codes: Ints, sizes: Ints) -> bool:
        """Return whether the page is a copy: all its headlines are known as headlines, and at most NEW_SHARE of its kept text is new."""
        kept = (codes == _TITLE) | (codes == _BODY)
        if not kept.any() or not self._memory.sketch.counts(titles).all():
            return False
        characters = _CHARACTERS.take(sizes[kept])
        return bool(characters[new[kept]].sum() <= NEW_SHARE * characters.sum())


def _penalised(found: Floats) -> Floats:
    """Return log probabilities (len(LABELS), n) with body and caption LIKELIHOOD_RATIO times less likely, renormalised."""
    found[_PENALISED] -= np.log(LIKELIHOOD_RATIO)
    return log_softmax(found)
