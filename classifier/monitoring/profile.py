"""Page profiles: the distribution of seven signals over a set of pages, compact enough for a model's manifest.

Each page yields one row per signal (`SIGNALS`): the shares of its lines by label, by probability of the label, and by probability
of being kept; and the bins, among quantiles of the baseline, of its share of unseen words, its share of repeated lines, its number
of lines and its article's number of characters. A profile is the mean of the rows, so all pages have the same weight, however
long. Each profile stores bootstrap quantiles of the population stability index (PSI) between itself and random samples of 1, 2,
4, ... of its own pages; pages are the sampling units, because the lines of a page are not independent. Training and runtime
measure with the same functions.
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

CONFIDENCE = (0.4, 0.6, 0.8, 0.95)  # bin borders of a label's probability; 60 % of lines are above the last
KEEPING = (0.1, 0.3, 0.7, 0.9)  # bin borders of the probability of being kept; 90 % of lines are outside them
SCALARS = ("words", "repetition", "length", "article")  # one number per page; see Measures
# Bin borders of a scalar, as quantiles over the baseline's pages. For pages of one site: bins that hold enough pages even if there
# are only ten. For pages of many sites: a set is one sample, which may fall into any inner bin by chance, so the outer bins are
# far out, and only they raise an alarm.
BORDERS = {False: (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9), True: (0.0025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.9975)}  # by `of_sites`
OF_LINES = ("labels", "confidence", "keeping", "words", "repetition")  # signals that pages without a line have no value for
MEDIAN, BINS = 3, 8  # of a scalar: index of the median among its borders, number of bins
SIGNALS = {
    "labels": len(LABELS),
    "confidence": len(CONFIDENCE) + 1,
    "keeping": len(KEEPING) + 1,
    **dict.fromkeys(SCALARS, BINS),
}
NOISE_PAGES = tuple(1 << power for power in range(9))  # sample sizes of 1 to 256 pages; beyond them, noise falls as 1 / pages
# Quantile of the distances of random samples, by `of_sites`. At .998, all seven signals together raise a false alarm in about one
# run in a hundred. A set of pages from one site is less odd than one page, so .99 is safe there (training/EXPERIMENTS.md, "Drift").
QUANTILE = {False: 0.998, True: 0.99}
DRAWS = 4000  # samples of each size: eight are above the .998 quantile
SEED = 7
DIGITS = 4
FLOOR = 0.01  # added to every share before its logarithm: a label of one line in a hundred may appear or vanish unnoticed
_EXACT = 2.0**20  # rows are rounded to multiples of 1 / _EXACT, so that their sums are exact on every machine


class Measures(NamedTuple):
    """Measures of n pages, before scalars are binned; pages without a line have zeros."""

    labels: Floats  # (n, labels)
    confidence: Floats  # (n, bins)
    keeping: Floats  # (n, bins)
    words: Floats  # (n,) share of the words that the model reads of a line (`ngrams.HEAD`, `TAIL`) that are not in its vocabulary
    repetition: Floats  # (n,) share of lines that repeat an earlier line of the page
    length: Ints  # (n,) non-blank lines
    article: Ints  # (n,) characters of the kept lines

    @classmethod
    def joined(cls, parts: Sequence[Measures]) -> Measures:
        """Return the parts concatenated."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts)))


class Profile(NamedTuple):
    """The mean rows of a set of pages, and the distances that random samples of them show."""

    pages: int
    of_sites: bool  # each page has a layout of its own, as in training: a set from one site is one sample, however many pages it has
    shares: Mapping[str, Floats]  # by signal: (bins,)
    noise: Mapping[str, Floats]  # by signal: (NOISE_PAGES,) QUANTILE of the distance of random samples
    borders: Mapping[str, Floats]  # by scalar: (BINS - 1,)

    def as_json(self) -> dict[str, Any]:
        """Return the profile as a manifest or a baseline file stores it."""
        tables = {"shares": self.shares, "noise": self.noise, "borders": self.borders}
        lists = {name: {signal: values.tolist() for signal, values in table.items()} for name, table in tables.items()}
        return {"pages": self.pages, "of_sites": self.of_sites, **lists}

    @classmethod
    def from_json(cls, found: object) -> Profile:
        """Return the profile that `as_json` has stored.

        Raises:
            InputError: `found` is not a profile of this version.
        """
        try:
            return _checked(found)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise InputError(f"not a profile of this version of tinsach ({error})") from error

    def rows(self, measures: Measures) -> dict[str, Floats]:
        """Return the rows (pages, bins) by signal, with scalars binned by this profile's borders."""
        return _rows(measures, self.borders)

    def allowance(self, signal: str, pages: int) -> float:
        """Return the distance that a set of `pages` pages may show by chance.

        The baseline is a random sample too, so the effective sample size is pages * n / (pages + n), n being the baseline's pages.
        """
        sample = 1.0 if self.of_sites else pages * self.pages / (pages + self.pages)
        log_sizes = np.log(NOISE_PAGES)
        log_distance = float(np.interp(np.log(sample), log_sizes, np.log(np.maximum(self.noise[signal], 1e-9))))
        return float(np.exp(log_distance)) * min(1.0, NOISE_PAGES[-1] / sample)


def measure(cleaner: Cleaner, labels: Labels) -> Measures:
    """Measure labelled pages; `keeping` and `article` depend on the labels that the cleaner keeps."""
    count = len(labels.offsets) - 1
    nonblank = labels.codes >= 0
    page = np.arange(count).repeat(diff(labels.offsets))[nonblank]
    lines = np.bincount(page, minlength=count)
    sizes = np.maximum(lines, 1)

    def shares(bins: Ints, signal: str) -> Floats:
        width = SIGNALS[signal]
        return np.bincount(page * width + bins, minlength=count * width).reshape(count, width) / sizes[:, None]

    texts, kept = list(compress(labels.lines, nonblank)), labels.kept[nonblank]
    unseen, repeated = _unseen_words_and_repeats(cleaner, texts, page, count)
    return Measures(
        shares(labels.codes[nonblank].astype(np.int64), "labels"),
        shares(np.searchsorted(CONFIDENCE, labels.probabilities[nonblank], side="right"), "confidence"),
        shares(np.searchsorted(KEEPING, labels.keep_probabilities[nonblank], side="right"), "keeping"),
        unseen,
        np.bincount(page[repeated], minlength=count) / sizes,
        lines,
        np.bincount(page[kept], np.fromiter(map(len, compress(texts, kept)), np.int64), count),
    )


def _unseen_words_and_repeats(cleaner: Cleaner, texts: list[str], page: Ints, pages: int) -> tuple[Floats, Bools]:
    """Return each page's share of unseen words (pages,), and which lines repeat an earlier line of their page (n,)."""
    if not texts:
        return np.zeros(pages), np.zeros(0, np.bool_)
    lines = scan(texts)
    grams = ngrams(lines)
    owner = page.repeat(diff(append(grams.starts, len(grams.unigrams))))
    words = grams.unigrams != 0  # 0 is the line end
    unseen = words & ~cleaner.model.vocabulary.known(grams.unigrams)
    share = np.bincount(owner[unseen], minlength=pages) / np.maximum(np.bincount(owner[words], minlength=pages), 1)
    hashes = line_hashes(lines, grams.tokens)[0][0]
    order = np.lexsort((hashes, page))
    repeated = np.zeros(len(texts), np.bool_)
    repeated[order[1:]] = (diff(hashes[order]) == 0) & (diff(page[order]) == 0)
    return share, repeated


def profile_of(measures: Measures, of_sites: bool = False) -> Profile:
    """Return the profile of measured pages.

    Raises:
        InputError: none of them has a line.
    """
    with_lines = measures.length > 0
    if not with_lines.any():
        raise InputError("no page has a line in it; name pages of text")
    borders = {name: np.quantile(getattr(measures, name)[with_lines], BORDERS[of_sites]).round(DIGITS) for name in SCALARS}
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
    """Return the mean of the shares (..., pages, bins) of pages, ignoring pages without a line."""
    sums = rows.sum(axis=-2)
    return sums / np.maximum(sums.sum(axis=-1, keepdims=True), 1e-9)


def distance(found: Floats, base: Floats) -> Floats:
    """Return the population stability index (PSI) of shares (..., bins) against those of a baseline (bins,).

    By convention, values below .1 are stable and values from .25 on are a shift.

    >>> round(float(distance(np.array([0.5, 0.5]), np.array([0.8, 0.2]))), 2)
    0.4
    """
    one, other = ((shares + FLOOR) / (1 + FLOOR * shares.shape[-1]) for shares in (found, base))
    return ((one - other) * np.log(one / other)).sum(axis=-1)


def _noise(rows: Mapping[str, Floats], shares: Mapping[str, Floats], quantile: float) -> dict[str, Floats]:
    """Return the quantile of the distances of DRAWS random samples, which grow by one page at a time, at each size in NOISE_PAGES."""
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
    """Return the profile after checking the signals, sizes and numbers of its tables; raise what `from_json` catches."""
    pages, of_sites = found["pages"], found["of_sites"]
    if type(pages) is not int or pages < 1 or type(of_sites) is not bool:
        raise ValueError("its `pages` or `of_sites` is invalid")
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
                raise ValueError(f"its {name} of {signal} are not {sizes[signal]} finite numbers of 0 or more")
            if name == "borders" and (diff(values) < 0).any():
                raise ValueError(f"its borders of {signal} are not in ascending order")
        tables[name] = table
    return Profile(pages, of_sites, **tables)
