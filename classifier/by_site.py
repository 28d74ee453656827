"""Pages of several sites in one batch: each labelled as a page of its site, the order kept.

Pages whose sites have the same rules are labelled together, since many pages at once are what is fast; with a memory, pages of
the same site.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.cleaner import Cleaner, Labels
from classifier.site_rules import site_name

__all__ = ["at_site", "label_by_site"]


def at_site(cleaner: Cleaner, site: str) -> Cleaner:
    """Return the cleaner for a page of a site; without one, the cleaner itself."""
    return cleaner.at(site) if site else cleaner


def label_by_site(cleaner: Cleaner, pages: Sequence[str], sites: Sequence[str] = ()) -> Labels:
    """Label pages as `Cleaner.label_pages` does, each as a page of its site (empty for none; no sites at all: none for any).

    >>> import classifier
    >>> label_by_site(classifier.load(), ["Trang chủ", "Đọc nhiều"], ["bao-bai-song.vn", ""]).lines
    ['Trang chủ', 'Đọc nhiều']
    """
    rules, memory = cleaner.rules, cleaner.memory
    if (rules is None and memory is None) or not any(sites):
        return cleaner.label_pages(pages)
    groups: dict[str | None, list[int]] = {}
    for number, site in enumerate(sites):
        name = site_name(site) if rules is None or memory is not None else rules.known(site)
        if memory is not None and name == (cleaner.site or ""):
            site = ""  # no group of its own: the memory has to see its pages in order with those that name no site
        groups.setdefault(name if site else None, []).append(number)
    if len(groups) == 1:
        return _group_cleaner(cleaner, next(iter(groups))).label_pages(pages)
    parts = [_group_cleaner(cleaner, site).label_pages([pages[number] for number in numbers]) for site, numbers in groups.items()]
    return _in_order(parts, [number for numbers in groups.values() for number in numbers])


def _group_cleaner(cleaner: Cleaner, site: str | None) -> Cleaner:
    return cleaner if site is None else cleaner.at(site)


def _in_order(parts: Sequence[Labels], numbers: Sequence[int]) -> Labels:
    """Return labels of pages, numbered as they stand in the parts, in the order of their numbers."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    starts = sizes.cumsum() - sizes
    order = np.argsort(numbers)
    offsets = np.concatenate(([0], sizes[order].cumsum()))
    rows = np.concatenate([np.arange(start, start + size) for start, size in zip(starts[order].tolist(), sizes[order].tolist())])
    columns = [np.concatenate(arrays)[rows] for arrays in zip(*(part[:5] for part in parts))]
    lines = [line for part in parts for line in part.lines]
    return Labels._make([*columns, offsets, [lines[row] for row in rows.tolist()]])
