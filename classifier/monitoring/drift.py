"""Drift detection: a set of pages compared with a profile, signal by signal, with a description of each shift.

A signal has moved if its distance exceeds both the common limit and what a set of that many pages shows by chance (`profile`).
Against the training profile, a set of pages counts as one sample however many pages it has, because the pages of one site are
alike: only sets outside nearly all layouts and subjects of training raise an alarm. Against a user's baseline, each page is a
sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Floats
from classifier.errors import InputError
from classifier.labels import LABELS
from classifier.monitoring.profile import CONFIDENCE, KEEPING, MEDIAN, OF_LINES, SIGNALS, Measures, Profile, distance, mean_share

__all__ = ["FEWEST_PAGES", "Shift", "compare"]

# The usual limits of the population stability index. Between the two, a shift is reported but does not change the exit status.
STABLE, MOVED = 0.1, 0.25
# Fewer pages get no verdict: one odd page would be a large share of them (real sites with one page: training/EXPERIMENTS.md).
FEWEST_PAGES = 5
LABELS_NAMED = 3  # labels in the description of a shift
# Likely causes of a shift, by signal and direction (True: it rose; None: either).
MEANINGS: Mapping[tuple[str, bool | None], str] = {
    ("labels", None): "another layout or extractor",
    ("confidence", True): "an easier layout, or less of the page",
    ("confidence", False): "a layout, an extractor or a language that the model does not know",
    ("keeping", None): "articles lost or mixed with other text, or another layout",
    ("words", True): "another language or encoding, lost accents, or new subjects",
    ("words", False): "menus in the place of articles, or fewer subjects",
    ("repetition", True): "menus or teasers printed again",
    ("repetition", False): "lines lost, or another extractor",
    ("length", True): "long lists of links, several pages in one, or lines cut in pieces",
    ("length", False): "cut or empty pages, or lines joined",
    ("article", True): "other texts taken for the article, or longer articles",
    ("article", False): "articles cut or not found, or shorter ones",
}


class Shift(NamedTuple):
    """The comparison of one signal."""

    signal: str
    distance: float  # population stability index
    limit: float  # the signal has moved if the distance is larger
    state: str  # "stable", "shifted" (reported, no alarm), "moved", "unknown" (no page has a line)
    words: str  # description of the change; empty if stable
    meaning: str  # likely cause


def compare(profile: Profile, measures: Measures) -> list[Shift]:
    """Return the shift of each signal of the pages against a profile, in the order of SIGNALS.

    Raises:
        InputError: there are fewer than FEWEST_PAGES.
    """
    pages = len(measures.length)
    if pages < FEWEST_PAGES:
        found = "1 page is" if pages == 1 else f"{pages} pages are"
        raise InputError(f"{found} too few to tell drift from chance; name {FEWEST_PAGES} or more")
    rows = profile.rows(measures)
    return [_shift(signal, profile, measures, mean_share(rows[signal])) for signal in SIGNALS]


def _shift(signal: str, profile: Profile, measures: Measures, found: Floats) -> Shift:
    chance = profile.allowance(signal, len(measures.length))
    limit = round(max(MOVED, chance), 3)
    if signal in OF_LINES and not found.any():
        return Shift(signal, 0.0, limit, "unknown", "no page has a line in it", "")
    base = profile.shares[signal]
    psi = round(float(distance(found, base)), 3)
    if psi <= max(STABLE, chance):
        return Shift(signal, psi, limit, "stable", "", "")
    describe = _DESCRIBERS.get(signal)
    rose, words = describe(found, base) if describe else _scalar(signal, found, base, profile, measures)
    meaning = MEANINGS.get((signal, rose)) or MEANINGS.get((signal, None)) or ""
    return Shift(signal, psi, limit, "moved" if psi > limit else "shifted", words, meaning)


# -- descriptions ------------------------------------------------------------------------------------------------------------

_Description = tuple["bool | None", str]  # whether the signal rose (None: it has no direction), and what changed


def _labels(found: Floats, base: Floats) -> _Description:
    largest = (-np.abs(found - base)).argsort(kind="stable")[:LABELS_NAMED].tolist()
    moves = [f"{LABELS[code]} {found[code]:.0%}, {base[code]:.0%} in the baseline" for code in largest]
    return None, "label shares moved: of the lines " + "; ".join(moves)


def _confidence(found: Floats, base: Floats) -> _Description:
    below, before = found.cumsum()[:-1], base.cumsum()[:-1]
    at = int(np.abs(below - before).argmax())
    rose = bool(below[at] < before[at])
    what = f"{below[at]:.0%} of the lines have a probability below {CONFIDENCE[at]:g}, {before[at]:.0%} in the baseline"
    return rose, f"confidence {'rose' if rose else 'fell'}: {what}"


def _keeping(found: Floats, base: Floats) -> _Description:
    one, other = ((shares[0], shares[1:-1].sum(), shares[-1]) for shares in (found, base))
    at = int(np.abs(np.subtract(one, other)).argmax())
    bounds = (f"below {KEEPING[0]:g}", f"from {KEEPING[0]:g} to {KEEPING[-1]:g}", f"of {KEEPING[-1]:g} or more")
    what = f"{one[at]:.0%} of the lines are to be kept with a probability {bounds[at]}, {other[at]:.0%} in the baseline"
    return None, f"what is kept moved: {what}"


_SCALARS: Mapping[str, tuple[str, str, Callable[[float], str]]] = {
    "words": ("unknown words", "unknown words", "{:.1%}".format),
    "repetition": ("repeated lines", "repeated lines", "{:.0%}".format),
    "length": ("page length", "lines", "{:.0f}".format),
    "article": ("article length", "characters of article", "{:.0f}".format),
}


def _scalar(signal: str, found: Floats, base: Floats, profile: Profile, measures: Measures) -> _Description:
    name, unit, as_text = _SCALARS[signal]
    values = getattr(measures, signal)[measures.length > 0] if signal in OF_LINES else getattr(measures, signal)
    median, middle = float(np.median(values)), float(profile.borders[signal][MEDIAN])
    now, before = as_text(median), as_text(middle)
    if now == before:
        outer = found[0] + found[-1], base[0] + base[-1]
        return None, f"{name} scattered: {outer[0]:.0%} of the pages lie in the baseline's outer bins, {outer[1]:.0%} of its own"
    rose = median > middle
    return rose, f"{name} {'rose' if rose else 'fell'}: the median page has {now} {unit}, {before} in the baseline"


_DESCRIBERS: Mapping[str, Callable[[Floats, Floats], _Description]] = {
    "labels": _labels,
    "confidence": _confidence,
    "keeping": _keeping,
}
