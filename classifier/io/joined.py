"""Detection of pages run together, as `cat *.txt` does: several articles, each below a page head, or each above an imprint.

Meant to miss some pages run together rather than to suspect one long page.
"""

from __future__ import annotations

import re
from itertools import pairwise

__all__ = ["boundaries"]

ARTICLE_LINES, LONG = 2, 80  # a part is an article from this many long lines on, of this many characters, that no earlier part has
UNSURE_ARTICLES, UNSURE_LINES, UNSURE_LONG = 3, 5, 100  # where only imprints separate them: some pages have imprints in mid-page
MENU_ITEMS, MENU_LINES, MENU_CHARS = 3, 30, 1500  # common menu items that show that a page begins, and where after an imprint
SHORT, NEAR = 300, 800  # characters: an imprint's line at most; distance of a related term at most
HEAD, LONG_HEAD = 24, 120  # characters of the page head; a longer one separates pages even if no imprint is before it
PAGE_LINES, SHORT_LINE = 8, 60  # lines of a page behind a byte order mark at least, characters of its first line at most
LATEST = 0.5  # share of the text before which the first imprint has to be

_PERMIT = "iấy phép"
_TERMS = ("biên tập", "chịu trách nhiệm", "chủ quản", "bản quyền", "ghi rõ nguồn", "tòa soạn", "toà soạn", _PERMIT)  # of imprints
_NEAR_TERMS = (*_TERMS[:-1], "©", "copyright", "điện thoại", "email")
_MENU = {
    "trang chủ", "menu", "đăng nhập", "tìm kiếm", "mới nhất", "thời sự", "chính trị", "xã hội", "thế giới", "kinh tế", "kinh doanh",
    "pháp luật", "giáo dục", "thể thao", "giải trí", "đời sống", "văn hóa", "văn hoá", "sức khỏe", "sức khoẻ", "công nghệ", "du lịch",
    "video", "podcast",
}  # fmt: skip
_LINK = re.compile(r"\[([^\[\]\n]*)\]\([^()\s]*\)")
_YEARS = ("/20", "-20")  # as in 4/3/2025: cheaper to find than a date by pattern
_BOM = "\n\ufeff"


def boundaries(text: str) -> int:
    """Return the number of places where one page ends and another one begins."""
    marks = _marks(text)
    if marks:
        return len(marks)
    heads = [place for place in _heads(text, HEAD) if _imprint_before(text, place)]
    imprints = _imprints(text)
    for places in (heads, _heads(text, LONG_HEAD)):
        if places and (articles := _articles(text, places)) > 1:
            return articles - 1
    sure = [place for place in imprints if _menu_follows(text, place)]
    if sure and (articles := _articles(text, sure, dated=True)) > 1:
        return articles - 1
    imprints = _distinct(text, imprints)
    articles = _articles(text, imprints, True, UNSURE_LINES, UNSURE_LONG) if len(imprints) > 1 else 0
    return articles - 1 if articles >= UNSURE_ARTICLES else 0


def _marks(text: str) -> list[int]:
    """Return where byte order marks begin pages: at the start of a short line, with a page's lines on both sides."""
    places = _all_places(text, _BOM) if "\ufeff" in text else []
    lines = [text[place + 1 : place + SHORT_LINE] for place in places]
    if not places or not all("\n" in line and line.partition("\n")[0].strip("\ufeff \t\r") for line in lines):
        return []
    parts = [text[start:end] for start, end in pairwise([0, *places, len(text)])]
    return places if all(part.count("\n") >= PAGE_LINES and _articles(part, []) for part in parts) else []


def _heads(text: str, size: int) -> list[int]:
    """Return where the first lines of a text, of at least so many characters, occur again."""
    head = text[: text.find("\n", size) + 1].removeprefix("\ufeff")
    return _all_places(text, "\n" + head) if 0 < len(head) < size + SHORT else []


def _imprint_before(text: str, place: int) -> bool:
    before = text[max(0, place - NEAR) : place].lower()
    return any(term in before for term in _TERMS)


def _distinct(text: str, places: list[int]) -> list[int]:
    """Return the places at the ends of lines that differ."""
    return sorted({text[text.rfind("\n", 0, place) + 1 : place].strip(): place for place in reversed(places)}.values())


def _imprints(text: str) -> list[int]:
    """Return the ends of imprints: lines with a permit that are near another term, except where a further one follows soon."""
    if not 0 <= text.find(_PERMIT) < LATEST * len(text):
        return []
    places: list[int] = []
    for place in _all_places(text, _PERMIT):
        start, end = text.rfind("\n", max(0, place - SHORT), place), text.find("\n", place)
        end = len(text) if end < 0 else end
        if start < 0 or end - start > SHORT:
            continue
        around = text[max(0, place - NEAR) : end + NEAR].lower()
        if any(term in around for term in _NEAR_TERMS):
            if not places and end > LATEST * len(text):
                return []
            if places and end - places[-1] < 2 * NEAR:
                places.pop()
            places.append(end)
    return places


def _all_places(text: str, what: str) -> list[int]:
    places, place = [], text.find(what, 1)
    while place >= 0:
        places.append(place)
        place = text.find(what, place + len(what))
    return places


def _menu_follows(text: str, place: int) -> bool:
    after = text[place : place + MENU_CHARS]
    lines = (_LINK.sub(r"\1\n", after) if "](" in after else after).lower().split("\n")
    shown = [line for line in (line.strip("\ufeff \t*-+|>#") for line in lines) if line]
    return len(_MENU.intersection(shown[:MENU_LINES])) >= MENU_ITEMS


def _articles(text: str, places: list[int], dated: bool = False, lines: int = ARTICLE_LINES, length: int = LONG) -> int:
    """Return how many of the parts between the places hold an article of their own, with a date if that is asked for."""
    seen: set[str] = set()
    articles = 0
    for start, end in pairwise([0, *places, len(text)]):
        part = text[start:end]
        long = {line for line in part.split("\n") if len(line) >= length and _visible(line) >= length} - seen
        articles += len(long) >= lines and (not dated or any(year in part for year in _YEARS))
        seen |= long
    return articles


def _visible(line: str) -> int:
    return len(_LINK.sub("", line)) if "](" in line else len(line)
