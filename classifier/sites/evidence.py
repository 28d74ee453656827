"""Evidence from other pages of a site: what a page adds to a site memory, and how a memory revises the labels of a page.

A line that a site prints on page after page is standing text. The evidence against the article labels grows with the number of other
pages that showed the line and with its length, by a curve fitted on real pages. Pages that share most of this page's article are
versions of it (copies, reprints, updates, this page itself) and are no evidence. Headlines are never doubted, nor is a lead that
other pages print as a teaser.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Floats, Hashes, Ints, flatnonzero, log_softmax
from classifier.core.features import LOG_SCALE
from classifier.labels import LABELS, Label
from classifier.sites.bit_sketch import popcounts

__all__ = [
    "FITTED",
    "LEAD_SIZE",
    "LEAST_SIZE",
    "MOST_PAGES",
    "PAGE_BITS",
    "Curve",
    "PageLines",
    "count_pages",
    "remembered_sets",
    "revised",
]


class Curve(NamedTuple):
    """Weight of evidence, in nats (natural logarithms of likelihood ratios)."""

    # Against title, body and caption, for a line seen on one other page and on two or more: offset + slope * log2(1 + characters).
    offset: tuple[float, float]
    slope: tuple[float, float]
    other_label: float  # against each of the other labels that no page gave to the line, if pages gave it one of them

    def against_article(self, counts: Ints, sizes: Ints) -> Floats:
        """Return the evidence (n,) against lines seen on `counts` (n,) other pages, of `sizes` (n,) on LOG_SCALE."""
        more = (counts >= 2).astype(np.intp)
        return np.maximum(np.array(self.offset)[more] + np.array(self.slope)[more] * sizes / 8, 0)


# Fitted on the dev pages by `python -m training.site_memory`; training/EXPERIMENTS.md says how it does on publishers left out.
FITTED = Curve(offset=(-1.54, -1.41), slope=(0.94, 1.46), other_label=6.88)
# Characters. Shorter lines are names and datelines as often as menus, so they are neither remembered nor doubted.
LEAST_SIZE = 12
# Characters. The first body line this long after a headline is the lead.
LEAD_SIZE = 60

# A line's set in the memory: the labels that it got, one bit each, and above them the pages that showed it, one of PAGE_BITS bits a page.
PAGE_BITS = 64 - len(LABELS)
MOST_PAGES = PAGE_BITS // 2  # the most that `pages` may ask for: more pages than this share too many bits to be counted
_LABELS_LEFT = np.uint64(len(LABELS))
_LABEL_BITS = np.uint64((1 << len(LABELS)) - 1)
_TITLE, _BODY, _CAPTION = (LABELS.index(label) for label in (Label.TITLE, Label.BODY, Label.CAPTION))
_ARTICLE = np.array([_TITLE, _BODY, _CAPTION])
_OTHERS = np.array([code for code in range(len(LABELS)) if code not in _ARTICLE])
_OTHER_BITS = np.uint64(sum(1 << int(code) for code in _OTHERS))
_TEASERS = np.uint64(sum(1 << LABELS.index(label) for label in (Label.RELATED, Label.MOST_READ, Label.MEDIA)))
_CHARACTERS = np.rint(np.exp2(np.arange(int(LOG_SCALE.max()) + 1) / 8) - 1)  # inverse of LOG_SCALE: characters by scaled size
_MIX = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: multiplicative hashing


class PageLines(NamedTuple):
    """The non-blank lines of a page."""

    hashes: Hashes  # (n,) 0 for lines without a letter or digit
    codes: Ints  # (n,) labels without the memory
    sizes: Ints  # (n,) on LOG_SCALE

    @property
    def remembered(self) -> Bools:
        """Which lines a memory remembers and judges (n,)."""
        # Lines without a letter or digit are separators, which articles share with menus.
        return (self.hashes != 0) & (self.sizes >= LOG_SCALE[LEAST_SIZE])


def remembered_sets(page: PageLines) -> tuple[Hashes, Hashes]:
    """Return the distinct lines of a page that a memory remembers, and the set of each: its labels, and the page's bit."""
    rows = flatnonzero(page.remembered)
    hashes, codes = page.hashes[rows], page.codes[rows]
    order = hashes.argsort(kind="stable")
    hashes, codes = hashes[order], codes[order]
    if not len(rows):
        return hashes, hashes
    starts = np.concatenate(([0], flatnonzero(hashes[1:] != hashes[:-1]) + 1))
    labels = np.bitwise_or.reduceat(np.uint64(1) << codes.astype(np.uint64), starts)
    return hashes[starts], labels | (np.uint64(1) << (_page_bit(page) + _LABELS_LEFT))


def _page_bit(page: PageLines) -> np.uint64:
    """Return the number of the page's bit, by its headlines and its longest paragraph: the same for copies of a page."""
    titles = np.unique(page.hashes[page.codes == _TITLE])
    body = page.codes == _BODY
    rows = flatnonzero(body if body.any() else page.codes >= 0)
    longest = page.hashes[rows[page.sizes[rows] == page.sizes[rows].max()]].min()
    mixed = (int(titles.sum(dtype=np.uint64)) ^ (int(longest) * _MIX)) * _MIX & (1 << 64) - 1
    return np.uint64((mixed >> 32) % PAGE_BITS)


def count_pages(sets: Hashes) -> Ints:
    """Return on how many pages lines with these sets (n,) were seen; too low if pages share a bit, and PAGE_BITS at most."""
    return popcounts(sets >> _LABELS_LEFT)


def revised(page: PageLines, found: Floats, sets: Hashes, pages: int, curve: Curve = FITTED) -> Floats:
    """Return the log probabilities `found` (len(LABELS), n) of a page's lines, revised by what other pages showed.

    `sets` (n,) are the lines' sets in the memory, 0 for lines not remembered; it may hold the page itself. A line is evidence if at
    least `pages` other pages have it. Lines that no other page has keep their values bit for bit.
    """
    sure = np.exp(found[[_TITLE, _BODY]]).sum(axis=0) - 0.5  # what the model is not sure of hardly tells one article from another
    shown = sets >> _LABELS_LEFT
    article = flatnonzero(page.remembered & (sure > 0))
    if not len(article) or not shown.any():
        return found
    counts = popcounts(shown & ~_versions(shown[article], np.rint(2 * sure[article] * _CHARACTERS.take(page.sizes[article]))))
    standing = counts >= pages
    if not standing.any():
        return found
    rows = flatnonzero(standing & ~_protected(page, counts, sets))
    if len(rows):
        found = found.copy()
        against_article = curve.against_article(counts[rows], page.sizes[rows])
        found[:, rows] = _doubted(found.take(rows, axis=1), sets[rows] & _LABEL_BITS, against_article, curve.other_label)
    return found


def _doubted(found: Floats, labels: Hashes, against_article: Floats, other_label: float) -> Floats:
    """Return log probabilities (len(LABELS), n) of standing lines, less likely to be article, and to have a label that no page gave."""
    found[_ARTICLE] -= against_article
    given = (labels >> _OTHERS[:, None].astype(np.uint64)) & np.uint64(1)  # (labels besides article, n)
    found[_OTHERS] -= other_label * ((given == 0) & given.any(axis=0))
    return log_softmax(found)


def _protected(page: PageLines, counts: Ints, sets: Hashes) -> Bools:
    """Return which lines of a page are headlines or leads (n,), which other pages print as teasers.

    Besides the headlines of the model, a teaser of other pages is one right above a paragraph of this page or above a lead. A lead
    is the first long body line after each headline; the parts of a series share one. A line that other pages have twice,
    never as a teaser but with another label than article, is none.
    """
    teasers = sets & _TEASERS != 0
    long_lines = (page.codes == _BODY) & (page.sizes >= LOG_SCALE[LEAD_SIZE])
    titles = page.codes == _TITLE
    own = (page.codes == _BODY) & page.remembered & (counts == 0)
    titles |= teasers & (page.codes == _BODY) & _right_above(own | (long_lines & teasers), titles | (page.codes == _BODY))
    standing = (counts >= 2) & ~teasers & (sets & _OTHER_BITS != 0)
    long = flatnonzero(long_lines & ~standing)
    before = titles.cumsum()[long]  # headlines so far
    protected = titles.copy()
    protected[long] |= before > np.concatenate(([0], before[:-1]))
    return protected


def _right_above(lines: Bools, of_article: Bools) -> Bools:
    """Return which lines (n,) of those of the article stand right above one of `lines`."""
    rows = flatnonzero(of_article)
    above = np.zeros(len(lines), np.bool_)
    above[rows[:-1]] = lines[rows[1:]]
    return above


def _versions(shown: Hashes, weights: Floats) -> np.uint64:
    """Return the bits of the pages that are versions of this one, given the page bits (n,) and weights (n,) of its article lines.

    A version shares at least half of the article, or half of what another version shares: a page that grows through the day holds all
    its earlier states, of which the first is a small part of the last. This page is its own version, if the memory has seen it.
    """
    table = (
        np.unpackbits(shown.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, count=PAGE_BITS, bitorder="little") * 1.0
    )  # (lines, pages)
    shared = (table * weights[:, None]).T @ table  # of this page, what two pages have; whole numbers, so exact in any order
    held = shared.diagonal()
    versions = (held > 0) & (2 * held >= weights.sum())
    while True:
        more = (held > 0) & (versions[:, None] & (2 * shared >= held[:, None])).any(axis=0)
        if not (more & ~versions).any():
            return np.uint64(int((versions * 2.0 ** np.arange(PAGE_BITS)).sum()))
        versions |= more
