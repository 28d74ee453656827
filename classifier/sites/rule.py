"""Rules for sites: what a line that says this must be, or cannot be, whatever the model thinks of it.

A `sites.toml` holds rules for every site and rules for one. `SiteRules.read` has all of them checked (`site_file`), so that no
line is left without a label and no regex runs for long; `SiteRules.at` picks those of one site. They reach the pipeline as marks
(`marks`). What it leaves out: learning rules from pages, and rules over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Ints
from classifier.core.constraints import ANY_LABEL
from classifier.core.scan import composed
from classifier.lines import trimmed
from classifier.sites.regex_cost import SEEN_CHARS

__all__ = ["EVERY_SITE", "LineRules", "Rule", "site_name"]

# A line is cut to SEEN_CHARS in NFC, and to this before, so that a line of megabytes costs no more than its copy: Vietnamese in
# NFD has at most three code points to a letter.
_RAW_CHARS = 4 * SEEN_CHARS
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:\[]*)", re.IGNORECASE)
EVERY_SITE = ""  # the name of no site


def site_name(site: str) -> str:
    """Return the name by which a site is known: in lower case, without `www.`; of a URL, its host's. Empty means no site.

    >>> site_name("WWW.Bao-Bai-Song.vn"), site_name("https://bao-bai-song.vn:8080/thoi-su/1.html")
    ('bao-bai-song.vn', 'bao-bai-song.vn')
    """
    url = _URL.match(site.strip())
    return composed(url[1] if url else site.strip()).lower().removeprefix("www.")


class Rule(NamedTuple):
    """One rule: which lines it is about, and what labels are left to them."""

    phrase: str | None  # in NFC and folded case; stands anywhere in the line
    regex: str | None  # or else this is found in it
    mark: int  # the labels left, see `marks`
    forces: bool  # whether it says what the line is, or only what it is not


class LineRules:
    """The rules for the lines of one site, in order; a `pipeline.Marker`."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Take checked rules."""
        self._rules = [(rule, None if rule.regex is None else re.compile(rule.regex)) for rule in rules]

    def marks(self, texts: Sequence[str]) -> Ints:
        """Return the labels that the rules leave to each text (n,), as marks.

        Rules narrow what those before them left. Once a label is forced, no other is; a rule that would leave none is passed over.
        """
        marks, forced = np.full(len(texts), ANY_LABEL, np.uint16), np.zeros(len(texts), np.bool_)
        seen = _Seen(texts)
        for rule, pattern in self._rules:
            found = seen.lines_that_hold(rule.phrase or "") if pattern is None else seen.lines_that_match(pattern)
            lines = np.fromiter(found, np.intp)
            left = marks[lines] & np.uint16(rule.mark)
            obeyed = (left > 0) & ~(forced[lines] & rule.forces)
            marks[lines[obeyed]] = left[obeyed]
            forced[lines[obeyed]] |= rule.forces
        return marks


class _Seen:
    """What rules see of texts: NFC, trimmed and cut, without line ends."""

    def __init__(self, texts: Sequence[str]) -> None:
        raw = "\n".join([trimmed(text)[:_RAW_CHARS].replace("\n", " ") for text in texts])
        self._lines = [trimmed(line)[:SEEN_CHARS] for line in composed(raw).split("\n")]
        self._folded = ""

    def lines_that_match(self, pattern: re.Pattern[str]) -> Iterator[int]:
        """Yield the numbers of the lines in which a pattern is found."""
        return (number for number, line in enumerate(self._lines) if pattern.search(line))

    def lines_that_hold(self, phrase: str) -> Iterator[int]:
        """Yield the numbers of the lines in which a phrase stands, upper and lower case the same."""
        if not self._folded:
            self._folded = "\n".join(self._lines).casefold()
        # One search through all lines passes over those without the phrase at the speed of memory.
        number = begin = 0
        while (place := self._folded.find(phrase, begin)) >= 0:
            number += self._folded.count("\n", begin, place)
            yield number
            begin = self._folded.find("\n", place) + 1
            if not begin:
                return
            number += 1
