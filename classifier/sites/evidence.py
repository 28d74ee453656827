"""Evidence from other pages of a site: what a page adds to a site memory, and how a memory revises the labels of a page.

A line that a site prints on page after page is standing text. The evidence against the article labels grows with the number of other
pages that showed the line and with its length, by a curve fitted on real pages. Pages that share most of this page's article are
versions of it (copies, reprints, updates, this page itself) and are no evidence. Headlines are never doubted, nor is a lead that
other pages print as a teaser.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
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
    "page_starts",
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
FITTED = Curve(offset=(-1.52, -1.39), slope=(0.94, 1.46), other_label=7.17)
# Characters. Shorter lines are names and datelines as often as menus, so they are neither remembered nor doubted.
LEAST_SIZE = 12
# Characters. The first body line this long after a headline is the lead.
LEAD_SIZE = 60
# Characters. A line this long is no headline, even if some page takes it for a teaser.
HEADLINE_SIZE = 120

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
_EVERY_PAGE = np.uint64((1 << PAGE_BITS) - 1)
_MIX = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: multiplicative hashing


class PageLines(NamedTuple):
    """The non-blank lines of a page, or of pages one after the other."""

    hashes: Hashes  # (n,) 0 for lines without a letter or digit
    codes: Ints  # (n,) labels without the memory
    sizes: Ints  # (n,) on LOG_SCALE

    @property
    def remembered(self) -> Bools:
        """Which lines a memory remembers and judges (n,)."""
        # Lines without a letter or digit are separators, which articles share with menus.
        return (self.hashes != 0) & (self.sizes >= LOG_SCALE[LEAST_SIZE])

    def by_page(self, starts: Ints) -> Iterator[PageLines]:
        """Yield the lines of each page, given the indices of the pages' first lines."""
        for start, stop in pairwise([*starts.tolist(), len(self.codes)]):
            yield PageLines(*(column[start:stop] for column in self))


def page_starts(numbers: Ints) -> Ints:
    """Return the indices of the first line of each page, from the page numbers of lines (n,), at least one."""
    return np.concatenate(([0], flatnonzero(numbers[1:] != numbers[:-1]) + 1))


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


def revised(lines: PageLines, starts: Ints, found: Floats, sets: Hashes, pages: int, curve: Curve = FITTED) -> Floats:
    """Return the log probabilities `found` (len(LABELS), n) of the lines of pages, revised by what other pages showed.

    `starts` are the indices of the pages' first lines, `sets` (n,) the lines' sets in the memory, 0 for lines not remembered; it may hold
    the pages themselves. A line is evidence if at least `pages` other pages have it. Lines that no other page has keep their values
    bit for bit.
    """
    shown = sets >> _LABELS_LEFT
    counts = popcounts(shown & ~_versions(lines, starts, found, shown))
    standing = counts >= pages
    if not standing.any():
        return found
    rows = flatnonzero(standing & ~_protected(lines, starts, counts, sets))
    if len(rows):
        found = found.copy()
        against_article = curve.against_article(counts[rows], lines.sizes[rows])
        found[:, rows] = _doubted(found.take(rows, axis=1), sets[rows] & _LABEL_BITS, against_article, curve.other_label)
    return found


def _doubted(found: Floats, labels: Hashes, against_article: Floats, other_label: float) -> Floats:
    """Return log probabilities (len(LABELS), n) of standing lines, less likely to be article, and to have a label that no page gave."""
    found[_ARTICLE] -= against_article
    given = (labels >> _OTHERS[:, None].astype(np.uint64)) & np.uint64(1)  # (labels besides article, n)
    found[_OTHERS] -= other_label * ((given == 0) & given.any(axis=0))
    return log_softmax(found)


def _protected(lines: PageLines, starts: Ints, counts: Ints, sets: Hashes) -> Bools:
    """Return which lines of pages are headlines or leads (n,), which other pages print as teasers.

    Headlines are those of the model and those that it missed. A lead is the first long body line after each; the parts of a series share
    one. A line that other pages have twice, never as a teaser but with another label than article, is none. A teased line is a lead too
    if the page's own lines above it are short and the next one is its own: below a headline that the model took for body.
    """
    teasers = sets & _TEASERS != 0
    standing = (counts >= 2) & ~teasers & (sets & _OTHER_BITS != 0)
    titles = lines.codes == _TITLE
    own = (lines.codes == _BODY) & lines.remembered & (counts == 0)
    titles |= _missed_headlines(lines, starts, own, teasers, titles & (teasers | (counts < 2)))
    long = flatnonzero((lines.codes == _BODY) & (lines.sizes >= LOG_SCALE[LEAD_SIZE]) & ~standing)
    before = _so_far(titles, starts)[long]
    page = starts.searchsorted(long, side="right")
    earlier = np.concatenate(([0], before[:-1] * (page[1:] == page[:-1]))) if len(long) else before
    protected = titles.copy()
    protected[long] |= before > earlier
    opens = _so_far(own & (lines.sizes >= LOG_SCALE[HEADLINE_SIZE]), starts)[long] == 0
    protected[long] |= opens & teasers[long] & _right_above(own, (lines.codes == _BODY) | titles, starts)[long]
    return protected


def _missed_headlines(lines: PageLines, starts: Ints, own: Bools, teasers: Bools, titles: Bools) -> Bools:
    """Return which body lines are headlines (n,), given which body lines no other page has, which lines others print as teasers, and the
    headlines of the model.

    One is a teaser of other pages right above a paragraph of this page or above a teased lead. Where the article begins, another line that
    other pages have may stand between: its lead, as others print it.
    """
    body = (lines.codes == _BODY) & lines.remembered
    article = body | titles
    lead = teasers & (lines.sizes >= LOG_SCALE[LEAD_SIZE])
    above = _right_above(own | (body & lead), article, starts)
    begins = _so_far(own | titles, starts) == 0
    above |= begins & _right_above(body & _right_above(own, article, starts), article, starts)
    return body & teasers & above & (lines.sizes < LOG_SCALE[HEADLINE_SIZE])


def _so_far(flags: Bools, starts: Ints) -> Ints:
    """Return how many flags (n,) are set on the page up to each line."""
    total = flags.cumsum()
    return total - (total - flags)[starts].repeat(np.diff(starts, append=len(flags)))


def _right_above(lines: Bools, article: Bools, starts: Ints) -> Bools:
    """Return which lines (n,) of the articles stand right above one of `lines` of their page; other lines do not count."""
    rows = flatnonzero(article)
    page = starts.searchsorted(rows, side="right")
    above = np.zeros(len(lines), np.bool_)
    above[rows[:-1]] = lines[rows[1:]] & (page[1:] == page[:-1])
    return above


def _versions(lines: PageLines, starts: Ints, found: Floats, shown: Hashes) -> Hashes:
    """Return for each line (n,) the bits of the pages that are versions of its page; all bits on pages without an article.

    A version shares at least half of the article, or half of what another version shares: a page that grows through the day holds all
    its earlier states, of which the first is a small part of the last. This page is its own version, if the memory has seen it.
    """
    sure = np.exp(found[[_TITLE, _BODY]]).sum(axis=0) - 0.5  # what the model is not sure of hardly tells one article from another
    rows = flatnonzero(lines.remembered & (sure > 0))
    page = starts.searchsorted(rows, side="right") - 1
    versions = np.full(len(starts), _EVERY_PAGE)
    if len(rows):
        weights = np.rint(2 * sure[rows] * _CHARACTERS.take(lines.sizes[rows]))
        firsts = page_starts(page)
        versions[page[firsts]] = _versions_of_articles(shown[rows], weights, firsts)
    return versions.repeat(np.diff(starts, append=len(shown)))


def _versions_of_articles(shown: Hashes, weights: Floats, starts: Ints) -> Hashes:
    """Return the bits of the versions of each page, given the page bits (n,) and weights (n,) of the article lines of all."""
    table = (
        np.unpackbits(shown.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, count=PAGE_BITS, bitorder="little") * 1.0
    )  # (lines, pages)
    weighted = table * weights[:, None]  # whole numbers, so sums are exact in any order
    held = np.add.reduceat(weighted, starts)
    versions = (held > 0) & (2 * held >= np.add.reduceat(weights, starts)[:, None])
    bounds = np.append(starts, len(shown))
    for page in np.flatnonzero(((held > 0) & ~versions).any(axis=1)).tolist():
        rows = slice(*bounds[page : page + 2].tolist())
        _add_versions(versions[page], weighted[rows].T @ table[rows])
    return (versions * 2.0 ** np.arange(PAGE_BITS)).sum(axis=1).astype(np.uint64)


def _add_versions(versions: Bools, shared: Floats) -> None:
    """Add the pages (PAGE_BITS,) that share half of what a version has of an article; `shared` is what any two pages have of it."""
    held = shared.diagonal()
    near = (held > 0) & (2 * shared >= held[:, None])  # (pages, pages): the second shares half of what the first has
    while (more := near[versions].any(axis=0) & ~versions).any():
        versions |= more
