"""What a set of pages looks like to a model, in numbers small enough for a manifest: the measure behind `tinsach drift`.

Each page gives a row of `SIGNALS`: shares of its lines by label, by probability of the label and of being kept; and the bin, among
quantiles of the baseline, of its share of unseen words, its share of repeated lines, its lines and its article's characters. A
profile is the mean of the rows: pages count alike, however long. With it goes the noise that sets of 1, 2, 4 ... pages drawn from
it show, found by drawing: pages are the independent units, lines are not. Training and runtime measure with the same functions.
What it leaves out: what counts as moved and how to say it (`drift.py`), reading pages (`survey.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from classifier.cleaner import Cleaner
from classifier.core.arrays import Bools, Floats, Ints, append, diff
from classifier.core.ngrams import line_hashes, ngrams
from classifier.core.scan import scan
from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.results import Labels

__all__ = [
    "CONFIDENCE", "KEEPING", "MEDIAN", "NOISE_PAGES", "SCALARS", "SIGNALS", "Measures", "Profile", "distance", "mean_share", "measure",
    "profile_of",
]  # fmt: skip

CONFIDENCE = (0.4, 0.6, 0.8, 0.95)  # borders between the bins of a label's probability; 60 % of lines lie above the last
KEEPING = (0.1, 0.3, 0.7, 0.9)  # of the probability that a line is to be kept; 90 % of lines lie outside
SCALARS = ("words", "repetition", "length", "article")  # one number a page: shares of unseen words and repeated lines; lines; characters
# Borders of a scalar's bins, as quantiles over the baseline's pages. Of pages: bins that hold enough of them even where there are ten.
# Of sites: a set is one draw, whose noise fills any bin that pages fall into by chance; so there are bins beyond, which alarm.
BORDERS = {False: (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9), True: (0.0025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.9975)}  # by `of_sites`
OF_LINES = ("labels", "confidence", "keeping", "words", "repetition")  # which pages without a line say nothing of
MEDIAN, BINS = 3, 8
SIGNALS = {
    "labels": len(LABELS),
    "confidence": len(CONFIDENCE) + 1,
    "keeping": len(KEEPING) + 1,
    **dict.fromkeys(SCALARS, BINS),
}
NOISE_PAGES = tuple(1 << power for power in range(9))  # sets of 1 to 256 pages; noise falls as 1 / pages beyond
# Of the distances of drawn sets. So all seven signals together alarm by chance about once in a hundred runs. A set from one site is less
# odd than one page, so that .99 is safe there (training/EXPERIMENTS.md, "Drift").
QUANTILE = {False: 0.998, True: 0.99}
DRAWS = 4000  # of each size: eight lie above the quantile
SEED = 7
DIGITS = 4
FLOOR = 0.01  # added to every share before its logarithm: a label of one line in a hundred may come or go unnoticed
_EXACT = 2.0**20  # rows are multiples of its inverse, so that their sums are exact on every machine


class Measures(NamedTuple):
    """The rows of n pages, before scalars are binned; pages without a line have zeros."""

    labels: Floats  # (n, labels)
    confidence: Floats  # (n, bins)
    keeping: Floats  # (n, bins)
    words: Floats  # (n,) share of words at the ends of lines that the vocabulary does not hold
    repetition: Floats  # (n,) share of lines that stand on the page before
    length: Ints  # (n,) lines, blank ones left out
    article: Ints  # (n,) characters of the lines that are kept

    @classmethod
    def joined(cls, parts: Sequence[Measures]) -> Measures:
        """Return the parts one after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts)))


class Profile(NamedTuple):
    """The mean of pages' rows, and the noise of sets of them."""

    pages: int
    of_sites: bool  # every page in a layout of its own, as in training: sets from one site are one draw, however many pages
    shares: Mapping[str, Floats]  # by signal: (bins,)
    noise: Mapping[str, Floats]  # by signal: (NOISE_PAGES,) the QUANTILE of the distance of sets drawn from it
    borders: Mapping[str, Floats]  # by scalar: (BINS - 1,)

    def as_json(self) -> dict[str, Any]:
        """Return what a manifest or a baseline holds of it."""
        tables = {"shares": self.shares, "noise": self.noise, "borders": self.borders}
        spelled = {name: {signal: values.tolist() for signal, values in table.items()} for name, table in tables.items()}
        return {"pages": self.pages, "of_sites": self.of_sites, **spelled}

    @classmethod
    def from_json(cls, found: object) -> Profile:
        """Return a profile from what `as_json` has written.

        Raises:
            InputError: it is something else.
        """
        try:
            return _checked(found)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise InputError(f"not a profile of this version of tinsach ({error})") from error

    def rows(self, measures: Measures) -> dict[str, Floats]:
        """Return the rows (pages, bins) by signal, with the scalars in this profile's bins."""
        return _rows(measures, self.borders)

    def allowance(self, signal: str, pages: int) -> float:
        """Return the distance that a set of so many pages may show by chance; the baseline's own pages are no more than a draw either."""
        drawn = 1.0 if self.of_sites else pages * self.pages / (pages + self.pages)
        known = np.log(NOISE_PAGES)
        at = float(np.interp(np.log(drawn), known, np.log(np.maximum(self.noise[signal], 1e-9))))
        return float(np.exp(at)) * min(1.0, NOISE_PAGES[-1] / drawn)


def measure(cleaner: Cleaner, labels: Labels) -> Measures:
    """Measure labelled pages; the cleaner's own choice of what to keep counts for `keeping`."""
    count = len(labels.offsets) - 1
    solid = labels.codes >= 0
    page = np.arange(count).repeat(diff(labels.offsets))[solid]
    lines = np.bincount(page, minlength=count)
    sizes = np.maximum(lines, 1)

    def shares(bins: Ints, signal: str) -> Floats:
        width = SIGNALS[signal]
        return np.bincount(page * width + bins, minlength=count * width).reshape(count, width) / sizes[:, None]

    texts, kept = list(compress(labels.lines, solid)), labels.kept[solid]
    unseen, again = _words_and_copies(cleaner, texts, page, count)
    return Measures(
        shares(labels.codes[solid].astype(np.int64), "labels"),
        shares(np.searchsorted(CONFIDENCE, labels.probabilities[solid], side="right"), "confidence"),
        shares(np.searchsorted(KEEPING, labels.keep_probabilities[solid], side="right"), "keeping"),
        unseen,
        np.bincount(page[again], minlength=count) / sizes,
        lines,
        np.bincount(page[kept], np.fromiter(map(len, compress(texts, kept)), np.int64), count),
    )


def _words_and_copies(cleaner: Cleaner, texts: list[str], page: Ints, pages: int) -> tuple[Floats, Bools]:
    """Return each page's share of unseen words (pages,), and which lines stand on their page before (n,)."""
    if not texts:
        return np.zeros(pages), np.zeros(0, np.bool_)
    lines = scan(texts)
    grams = ngrams(lines)
    owner = page.repeat(diff(append(grams.starts, len(grams.unigrams))))
    words = grams.unigrams != 0  # the line's end is none
    unseen = words & ~cleaner.model.vocabulary.known(grams.unigrams)
    share = np.bincount(owner[unseen], minlength=pages) / np.maximum(np.bincount(owner[words], minlength=pages), 1)
    hashes = line_hashes(lines, grams.tokens)[0][0]
    order = np.lexsort((hashes, page))
    again = np.zeros(len(texts), np.bool_)
    again[order[1:]] = (diff(hashes[order]) == 0) & (diff(page[order]) == 0)
    return share, again


def profile_of(measures: Measures, of_sites: bool = False) -> Profile:
    """Return the profile of measured pages.

    Raises:
        InputError: none of them has a line.
    """
    read = measures.length > 0
    if not read.any():
        raise InputError("no page has a line in it; name pages of text")
    borders = {name: np.quantile(getattr(measures, name)[read], BORDERS[of_sites]).round(DIGITS) for name in SCALARS}
    rows = _rows(measures, borders)
    shares = {name: mean_share(table).round(DIGITS) for name, table in rows.items()}
    return Profile(len(measures.length), of_sites, shares, _noise(rows, shares, QUANTILE[of_sites]), borders)


def _rows(measures: Measures, borders: Mapping[str, Floats]) -> dict[str, Floats]:
    rows = {name: np.rint(getattr(measures, name) * _EXACT) / _EXACT for name in SIGNALS if name not in SCALARS}
    for name in SCALARS:
        bins = borders[name].searchsorted(getattr(measures, name), side="right")
        counts = measures.length >= (name in OF_LINES)
        rows[name] = np.eye(BINS)[bins] * counts[:, None]
    return rows


def mean_share(rows: Floats) -> Floats:
    """Return the mean of pages' shares (..., pages, bins), those without a line left out."""
    sums = rows.sum(axis=-2)
    return sums / np.maximum(sums.sum(axis=-1, keepdims=True), 1e-9)


def distance(found: Floats, base: Floats) -> Floats:
    """Return the population stability index of shares (..., bins) against those of a baseline (bins,).

    Below .1 is commonly called stable, from .25 on changed.

    >>> round(float(distance(np.array([0.5, 0.5]), np.array([0.8, 0.2]))), 2)
    0.4
    """
    one, other = ((shares + FLOOR) / (1 + FLOOR * shares.shape[-1]) for shares in (found, base))
    return ((one - other) * np.log(one / other)).sum(axis=-1)


def _noise(rows: Mapping[str, Floats], shares: Mapping[str, Floats], quantile: float) -> dict[str, Floats]:
    """Draw sets of pages, one page more at a time, and return the quantile of their distances at each of NOISE_PAGES."""
    random = np.random.default_rng(SEED)
    sums = {name: np.zeros((DRAWS, table.shape[1])) for name, table in rows.items()}
    noise: dict[str, list[float]] = {name: [] for name in rows}
    for drawn in range(1, NOISE_PAGES[-1] + 1):
        picks = random.integers(len(rows["labels"]), size=DRAWS)
        for name, table in rows.items():
            sums[name] += table[picks]
            if drawn in NOISE_PAGES:
                distances = distance(mean_share(sums[name][:, None]), shares[name])
                noise[name].append(round(float(np.quantile(distances, quantile)), DIGITS))
    return {name: np.array(values) for name, values in noise.items()}


def _checked(found: Any) -> Profile:
    """Return a profile whose tables have the right signals, sizes and numbers; the errors of `from_json` otherwise."""
    pages, of_sites = found["pages"], found["of_sites"]
    if type(pages) is not int or pages < 1 or type(of_sites) is not bool:
        raise ValueError("its pages are no number")
    widths = {
        "shares": SIGNALS,
        "noise": dict.fromkeys(SIGNALS, len(NOISE_PAGES)),
        "borders": dict.fromkeys(SCALARS, BINS - 1),
    }
    tables = {}
    for name, sizes in widths.items():
        table = {signal: np.array(found[name][signal], np.float64) for signal in sizes}
        for signal, values in table.items():
            if values.shape != (sizes[signal],) or not np.isfinite(values).all() or values.min() < 0:
                raise ValueError(f"its {name} of {signal} are not {sizes[signal]} numbers")
            if name == "borders" and (diff(values) < 0).any():
                raise ValueError(f"its borders of {signal} fall")
        tables[name] = table
    return Profile(pages, of_sites, **tables)
