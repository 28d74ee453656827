"""Has the input moved? A set of pages against a baseline's profile, signal by signal, in words.

A signal has moved when its distance is over the common limit and over what a set of so many pages shows by chance (`profile.py`).
Against the training profile a set of pages counts as one draw, however many pages it has, since pages of one site are alike: only what
lies outside of nearly all layouts and subjects of training alarms. Against a baseline of one's own, pages are the draws.
What it leaves out: measuring (`profile.py`), baselines as files (`baseline.py`), the command (`drift_command.py`).
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

# The industry's limits of the population stability index; what lies between is told, and does not alarm.
STABLE, MOVED = 0.1, 0.25
# Of fewer pages nothing is said: one odd page would be a large share of them (real sites with one page: training/EXPERIMENTS.md).
FEWEST_PAGES = 5
TOLD_LABELS = 3
# What a movement may mean, by signal and direction (None: whichever).
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
    """What became of one signal."""

    signal: str
    distance: float  # population stability index
    limit: float  # over which it has moved
    state: str  # "stable", "shifted" (told, no alarm), "moved", "unknown" (no page has a line)
    words: str  # what changed, from what to what; empty where nothing did
    meaning: str  # what that may be


def compare(profile: Profile, measures: Measures) -> list[Shift]:
    """Compare pages with a profile, in the order of SIGNALS.

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
    noise = profile.allowance(signal, len(measures.length))
    limit = round(max(MOVED, noise), 3)
    if signal in OF_LINES and not found.any():
        return Shift(signal, 0.0, limit, "unknown", "no page has a line in it", "")
    base = profile.shares[signal]
    far = round(float(distance(found, base)), 3)
    if far <= max(STABLE, noise):
        return Shift(signal, far, limit, "stable", "", "")
    tell = _TOLD.get(signal, _scalar)
    rose, words = tell(signal, found, base, profile, measures)
    meaning = MEANINGS.get((signal, rose)) or MEANINGS.get((signal, None)) or ""
    return Shift(signal, far, limit, "moved" if far > limit else "shifted", words, meaning)


# -- words -----------------------------------------------------------------------------------------------------------------

_Told = tuple["bool | None", str]  # whether it rose, where there is such a thing, and what changed


def _labels(signal: str, found: Floats, base: Floats, profile: Profile, measures: Measures) -> _Told:
    largest = (-np.abs(found - base)).argsort(kind="stable")[:TOLD_LABELS].tolist()
    moves = [f"{LABELS[code]} {found[code]:.0%}, {base[code]:.0%} in the baseline" for code in largest]
    return None, "label shares moved: of the lines " + "; ".join(moves)


def _confidence(signal: str, found: Floats, base: Floats, profile: Profile, measures: Measures) -> _Told:
    below, before = found.cumsum()[:-1], base.cumsum()[:-1]
    at = int(np.abs(below - before).argmax())
    rose = bool(below[at] < before[at])
    what = f"{below[at]:.0%} of the lines have a probability below {CONFIDENCE[at]:g}, {before[at]:.0%} in the baseline"
    return rose, f"confidence {'rose' if rose else 'fell'}: {what}"


def _keeping(signal: str, found: Floats, base: Floats, profile: Profile, measures: Measures) -> _Told:
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


def _scalar(signal: str, found: Floats, base: Floats, profile: Profile, measures: Measures) -> _Told:
    name, unit, spell = _SCALARS[signal]
    values = getattr(measures, signal)[measures.length > 0] if signal in OF_LINES else getattr(measures, signal)
    now, before = spell(float(np.median(values))), spell(float(profile.borders[signal][MEDIAN]))
    if now == before:
        outer = found[0] + found[-1], base[0] + base[-1]
        return None, f"{name} scattered: {outer[0]:.0%} of the pages lie in the baseline's outer bins, {outer[1]:.0%} of its own"
    rose = float(np.median(values)) > profile.borders[signal][MEDIAN]
    return rose, f"{name} {'rose' if rose else 'fell'}: the median page has {now} {unit}, {before} in the baseline"


_TOLD: Mapping[str, Callable[[str, Floats, Floats, Profile, Measures], _Told]] = {
    "labels": _labels,
    "confidence": _confidence,
    "keeping": _keeping,
}
