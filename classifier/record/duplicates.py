"""Near-copy detection inside a page: which paragraphs repeat what the page prints once more.

Pages hold the article twice (for phones, for print) and print the lead under the headline and again above the text. Only equal text
counts, or a copy that ends in an ellipsis. A sentence that recurs in the middle of an article, as in a law, is no copy: copies come in
blocks, side by side, or at the head.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["copies", "text_key"]

LEAST = 40  # characters, without white space: shorter texts recur in tables, dialogues and lists
LEAST_BLOCK, DENSITY = 120, 0.5  # characters that two copies share, and their share of the shorter copy
HEAD = 4  # paragraphs, among which the lead may stand twice
_ELLIPSES = ("…", "...")


def text_key(text: str) -> str:
    """Return what of a text two copies of it have in common: its characters without white space, composed."""
    without = text.replace(" ", "")  # leaves a single part of most texts, several times faster than parting them at every space
    return unicodedata.normalize("NFC", "".join(without.split()))


def copies(keys: Sequence[str]) -> set[int]:
    """Return the places of paragraphs, given by their `text_key`, that are copies; one of each stays, in its longer surroundings.

    >>> lead = "Nước sông đã rút hẳn sau ba ngày mưa lớn, người dân bãi giữa trở về."
    >>> sorted(copies([text_key(text) for text in (lead, lead, "Chợ họp lại.")]))
    [1]
    """
    dropped: set[int] = set()
    while block := _shorter_block(keys, dropped):
        dropped |= block
    left = [place for place in range(len(keys)) if place not in dropped]
    others = [keys[place] for place in left]
    return dropped | {left[number] for number in _side_by_side(others) | _leads(others)}


def _side_by_side(keys: Sequence[str]) -> set[int]:
    return {place for place in range(1, len(keys)) if len(keys[place]) >= LEAST and keys[place] == keys[place - 1]}


def _leads(keys: Sequence[str]) -> set[int]:
    """Return the places of the copies of the first paragraph near it: of itself, if a longer one follows."""
    if not keys or len(keys[0]) < LEAST:
        return set()
    near = range(1, min(HEAD, len(keys)))
    if keys[0].endswith(_ELLIPSES):
        stem = keys[0].removesuffix("…").rstrip(".")
        if any(keys[place].startswith(stem) and len(keys[place]) > len(stem) for place in near):
            return {0}
    return {place for place in near if _is_cut_copy(keys[place], keys[0])}


def _is_cut_copy(key: str, whole: str) -> bool:
    return key == whole or (len(key) >= LEAST and key.endswith(_ELLIPSES) and whole.startswith(key.removesuffix("…").rstrip(".")))


def _shorter_block(keys: Sequence[str], dropped: set[int]) -> set[int]:
    """Return the places of all copies in the shorter one of two blocks of paragraphs that hold the same text; none if there are none."""
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if place not in dropped:
            places.setdefault(key, []).append(place)
    pairs = [(found[0], found[-1]) for key, found in places.items() if len(found) > 1 and len(key) >= LEAST]
    if len(pairs) < 2 or sum(len(keys[first]) for first, _ in pairs) < LEAST_BLOCK:
        return set()
    firsts, lasts = [first for first, _ in pairs], [last for _, last in pairs]
    if lasts != sorted(lasts) or max(firsts) >= min(lasts):
        return set()
    blocks = [range(firsts[0], firsts[-1] + 1), range(lasts[0], lasts[-1] + 1)]
    sizes = [sum(len(keys[place]) for place in block) for block in blocks]
    shorter, longer = (0, 1) if sizes[0] < sizes[1] else (1, 0)
    of_longer = {keys[place] for place in blocks[longer]}
    block = {place for place in blocks[shorter] if keys[place] in of_longer and place not in dropped}
    shared = sum(len(keys[place]) for place in block)
    return block if shared >= DENSITY * sizes[shorter] else set()
