"""Finishing of a clean text: broken lines joined, copies left out, characters normalised; each only if asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.labels import LABELS, Label
from classifier.record.duplicates import copies, text_key
from classifier.record.joining import join_texts, joins_previous
from classifier.record.normalization import normalized, normalized_lines
from classifier.record.paragraphs import groups_of, lines_of
from classifier.results import Labels

__all__ = ["DEDUPE", "JOIN", "NORMALIZE", "Finished", "finished"]

JOIN, DEDUPE, NORMALIZE = "join", "dedupe", "normalize"
_BODY, _TITLE = (LABELS.index(label) for label in (Label.BODY, Label.TITLE))


class Finished(NamedTuple):
    """The clean text of a page, and the rows left out as copies."""

    text: str
    copies: list[int]


def finished(page: Labels, steps: Sequence[str]) -> Finished:
    """Return the clean text of one labelled page after some steps: JOIN, DEDUPE, NORMALIZE."""
    rows = np.flatnonzero(page.kept & (page.codes >= 0)).tolist()
    joins = joins_previous(list(lines_of(page, rows))) if JOIN in steps else [False] * len(rows)
    groups = [[rows[i] for i in group] for group in groups_of(joins)]
    texts = [join_texts([page.lines[row] for row in group]) if len(group) > 1 else page.lines[group[0]] for group in groups]
    dropped = _copies(page, groups, texts) if DEDUPE in steps else set()
    kept: list[str] = []
    before = 0  # the row behind the previous line
    for place, (group, text) in enumerate(zip(groups, texts)):
        if place not in dropped:
            if kept:
                kept += [page.lines[row] for row in range(before, group[0]) if page.kept[row]]
            kept.append(normalized(text) if NORMALIZE in steps else text)
        before = group[-1] + 1
    text = "\n".join(kept)
    left_out = [row for place in sorted(dropped) for row in groups[place]]
    return Finished(normalized_lines(text) if NORMALIZE in steps else text, left_out)


def _copies(page: Labels, groups: Sequence[Sequence[int]], texts: Sequence[str]) -> set[int]:
    """Return the places of headlines and paragraphs that are copies."""
    codes = [int(page.codes[group[0]]) for group in groups]
    bodies = [place for place, code in enumerate(codes) if code == _BODY]
    found = {bodies[number] for number in copies([text_key(texts[place]) for place in bodies])}
    seen: set[str] = set()
    for place, code in enumerate(codes):
        key = text_key(texts[place]).casefold()
        if code == _TITLE and key in seen:
            found.add(place)
        elif code == _TITLE:
            seen.add(key)
    return found
