"""Visible text: what a reader sees of a line, with leftover HTML and invisible characters resolved.

Scraped text holds HTML entities (once or twice encoded), leftover tags, zero-width and other format characters. None of them may
change a label, so features and the definition of a blank line go through this module; results keep the text as given.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["CATEGORIES", "INVISIBLE", "TABLED", "WHITE_SPACE", "is_invisible", "without_html"]

# Block-level elements separate words, inline ones do not: "H<sub>2</sub>O" is one word. Only element names of the HTML
# standard count, so that "<Ảnh: Vũ Lâm>" and "a < b" stay text.
_INLINE = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q s samp small span strike strong sub sup time "
    "tt u var wbr"
)
_BLOCK = (
    "address article aside audio base blockquote body br button canvas caption center col colgroup dd details dialog dir div dl dt embed "
    "fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input legend li link "
    "main map menu meta nav noscript object ol optgroup option p param picture pre progress section select source summary svg table tbody "
    "td template textarea tfoot th thead title tr track ul video script style"
)
_NAMES = f"(?P<inline>{_INLINE.replace(' ', '|')})|{_BLOCK.replace(' ', '|')}"
_TAG = re.compile(rf"<(?:/?(?:{_NAMES})(?:(?:[^\S\n]|/)[^<>\n]*)?|!--[^\n]*?--|!doctype[^<>\n]*)>", re.I)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]*)>", re.I)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TWICE = 2  # "&amp;nbsp;" comes from text that was escaped twice
_NO_TEXT = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")  # an entity may name a control character, a line end even


def without_html(text: str) -> str:
    """Return text with entities read as their characters and tags left out; line ends stay where they are.

    >>> without_html("<p>Gi&aacute; v&amp;agrave;ng<br />t&#259;ng</p>")
    ' Giá vàng tăng '
    """
    if "&" in text:
        for _ in range(_TWICE):
            text = _ENTITY.sub(_character, text)
    if "<" in text:
        text = _TAG.sub(_separator, text)
        if "://" in text or "mailto:" in text:
            text = _AUTOLINK.sub(r"\1", text)
    return text


def _character(entity: re.Match[str]) -> str:
    import html  # its table of entities is loaded only where a text has some

    return html.unescape(entity[0]).translate(_NO_TEXT)


def _separator(tag: re.Match[str]) -> str:
    return "" if tag["inline"] else " "


# Default-ignorable code points (Unicode 15.1, DerivedCoreProperties) that have another category than Cf.
_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")


TABLED = 0x3000  # code points with tabulated properties: the scripts that Vietnamese pages use lie below
CATEGORIES = tuple(map(unicodedata.category, map(chr, range(TABLED))))  # Unicode general category of each


@lru_cache(maxsize=1 << 12)
def is_invisible(char: str) -> bool:
    """Return whether a character shows nothing and separates nothing: controls, format characters, variation selectors, tags."""
    return (unicodedata.category(char) in ("Cc", "Cf") and not char.isspace()) or _IGNORABLE.match(char) is not None


_CONTROLS = [char for char, category in zip(map(chr, range(TABLED)), CATEGORIES) if category in ("Cc", "Cf") and not char.isspace()]
INVISIBLE = "".join([*_CONTROLS, *_IGNORABLE.findall("".join(map(chr, range(TABLED)))), "\ufeff"])  # those below TABLED, and the BOM
WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(TABLED + 1))))  # U+3000 is the last of Unicode
