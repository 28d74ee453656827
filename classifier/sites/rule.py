"""Site rules: the labels that a matching line must have, or cannot have, whatever the model predicts.

A `sites.toml` holds rules for every site and for single sites. `SiteRules.read` checks them (`rules_file`), so that no line is
left without a label and no regex runs for long; `SiteRules.at` selects those of one site. The pipeline applies them as bit masks
of labels (`constraints`). A rule sees one line at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Ints
from classifier.core.constraints import ANY_LABEL
from classifier.core.scan import composed, readable
from classifier.lines import trimmed
from classifier.sites.regex_cost import SEEN_CHARS

__all__ = ["EVERY_SITE", "LineRules", "Rule", "site_name"]

# Lines are cut to SEEN_CHARS in NFC, and to this before normalisation, so that a line of megabytes costs no more than a copy: in
# NFD, a Vietnamese letter has at most three code points.
_RAW_CHARS = 4 * SEEN_CHARS
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:\[]*)", re.IGNORECASE)
EVERY_SITE = ""  # the key of rules for every site: the empty name


def site_name(site: str) -> str:
    """Return the canonical name of a site: lower case, without `www.`; for a URL, its host. Empty means no site.

    >>> site_name("WWW.Bao-Bai-Song.vn"), site_name("https://bao-bai-song.vn:8080/thoi-su/1.html")
    ('bao-bai-song.vn', 'bao-bai-song.vn')
    """
    url = _URL.match(site.strip())
    return composed(url[1] if url else site.strip()).lower().removeprefix("www.")


class Rule(NamedTuple):
    """One rule: which lines it matches, and which labels it leaves them."""

    phrase: str | None  # in NFC and case-folded; matches anywhere in the line
    regex: str | None  # searched in the line; exactly one of phrase and regex is set
    mark: int  # bit mask of the labels left, see `constraints`
    forces: bool  # True for `force`, False for `forbid`


class LineRules:
    """The rules for the lines of one site, in order; implements `pipeline.LineConstraints`."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Compile checked rules."""
        self._rules = [(rule, None if rule.regex is None else re.compile(rule.regex)) for rule in rules]

    def marks(self, texts: Sequence[str]) -> Ints:
        """Return the labels that the rules leave to each text, as bit masks (n,).

        Each rule narrows what the rules before it left. Only the first matching `force` counts, and a rule that would leave a line
        no label is skipped for that line.
        """
        marks, forced = np.full(len(texts), ANY_LABEL, np.uint16), np.zeros(len(texts), np.bool_)
        visible = _VisibleTexts(texts)
        for rule, pattern in self._rules:
            matched = visible.containing(rule.phrase or "") if pattern is None else visible.matching(pattern)
            lines = np.fromiter(matched, np.intp)
            left = marks[lines] & np.uint16(rule.mark)
            applied = (left > 0) & ~(forced[lines] & rule.forces)
            marks[lines[applied]] = left[applied]
            forced[lines[applied]] |= rule.forces
        return marks


class _VisibleTexts:
    """Texts as rules see them: what a reader sees (`scan.readable`), trimmed, cut to SEEN_CHARS, without line ends."""

    def __init__(self, texts: Sequence[str]) -> None:
        raw = "\n".join([trimmed(text)[:_RAW_CHARS].replace("\n", " ") for text in texts])
        self._lines = [trimmed(line)[:SEEN_CHARS] for line in readable(raw).split("\n")]
        self._folded = ""

    def matching(self, pattern: re.Pattern[str]) -> Iterator[int]:
        """Yield the indices of the lines that match a pattern."""
        return (number for number, line in enumerate(self._lines) if pattern.search(line))

    def containing(self, phrase: str) -> Iterator[int]:
        """Yield the indices of the lines that contain a case-folded phrase."""
        if not self._folded:
            self._folded = "\n".join(self._lines).casefold()
        # One search through all lines joined skips those without the phrase at memory speed.
        number = begin = 0
        while (place := self._folded.find(phrase, begin)) >= 0:
            number += self._folded.count("\n", begin, place)
            yield number
            begin = self._folded.find("\n", place) + 1
            if not begin:
                return
            number += 1
