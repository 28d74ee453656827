"""Name recognition by form: whether a short text can be a person, the staff, an outlet or a host, without a list of people."""

from __future__ import annotations

import re

from classifier.record.outlets import AGENCIES, OUTLETS, PLACES, SECTIONS, STAFF

__all__ = ["agency_in", "is_known", "is_nobody", "is_outlet", "is_person", "is_staff", "without_duplicates"]

MOST_WORDS = 5  # of a name, titles aside
LONGEST_WORD = 12  # characters of a pen name of one word

_TITLE = re.compile(r"(?:(?:GS|PGS|TS|ThS|BS|BSCK\w*|DS|KTS|CN|KS|LS)\b[.,\s]*)+", re.I)
_INITIALS = re.compile(r"(?:[^\W\d_]\.){1,4}[^\W\d_]?\.?")
_WORD = re.compile(r"(?:[^\W\d_]\.)?[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PEN_CODE = re.compile(r"[A-Z]{1,3}\d{1,4}")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:vn|com|net|org|info|tv|news|asia|edu|gov)(?:\.vn)?", re.I)
_BETWEEN = re.compile(r"[/,;&]|\s-\s|\svà\s")
_STAFF = re.compile(r"nhóm (?:pv|p\.v\.?|phóng viên)\b.{0,30}", re.I)
# What a name does not begin with: someone's office, an organisation, a form of address.
_NO_NAME = re.compile(
    r"(?:(?:tổng |phó )*(?:giám đốc|biên tập|chủ tịch|trưởng|bí thư)|trưởng|phó|nhà báo|nhà văn|tác giả|theo|nguồn|tin|ảnh|bài"
    r"|công ty|tập đoàn|trường|đại học|học viện|viện|sở|bộ|ban|phòng|đài|báo|tạp chí|cổng|câu lạc bộ|hội"
    r"|admin|link|copy|chia sẻ|bình luận|internet|metadata"
    r"|e-?mail|published|posted|posts?|recent|related|collected|shares?|tags?|comments?|tweet|home|menu|search)\b|(?:ông|bà|anh|chị)$",
    re.I,
)
_ORGANISATION = {"news", "tv", "online", "media", "times", "post", "lab", "group", "plus", "net", "daily", "today", "magazine"}
_NOBODY = {
    "published",
    "published on",
    "posted on",
    "admin",
    "administrator",
    "webmaster",
    "quản trị",
    "quản trị viên",
    "ban quản trị",
    "root",
    "user",
}


def is_person(text: str) -> bool:
    """Return whether a text has the form of a name or pen name: a few capitalised words or initials.

    >>> [is_person(text) for text in ("Lam Khê", "TS Phùng Văn Sơn", "L.K", "Thị trường chứng khoán", "Tuổi Trẻ", "Giám Đốc Lam Khê")]
    [True, True, True, False, False, False]
    """
    title = _TITLE.match(text)
    words = text[title.end() if title else 0 :].split() or text.split()
    if not words or len(words) > MOST_WORDS or is_known(text) or _NO_NAME.match(text):
        return False
    if len(words) == 1:
        return 2 <= len(text) <= LONGEST_WORD and (_is_capitalised(text) or _PEN_CODE.fullmatch(text) is not None)
    return all(map(_is_capitalised, words)) and not _ORGANISATION & set(text.lower().split())


def is_known(text: str) -> bool:
    """Return whether a text is a newspaper, an agency, a section or a place of the lists of `outlets`."""
    small = text.lower()
    return any(small in names for names in (OUTLETS, AGENCIES, SECTIONS, PLACES))


def _is_capitalised(word: str) -> bool:
    if not word[:1].isupper():
        return False
    if _INITIALS.fullmatch(word):
        return True
    tail = word[word.rfind(".") + 2 :]  # "T.Phong", "Phong", "PHONG", but no "VnExpress"
    return _WORD.fullmatch(word) is not None and (word.isupper() or tail.islower() or not tail or "-" in word)


def is_staff(text: str) -> bool:
    """Return whether a text is a signature of the staff that names nobody, such as "PV" or "Nhóm phóng viên"."""
    return text.lower() in STAFF or _STAFF.fullmatch(text) is not None


def is_outlet(text: str) -> bool:
    """Return whether a text is a known newspaper or agency, or a host name."""
    small = text.lower()
    return small.partition("/")[0] in OUTLETS or agency_in(text) is not None or _HOST.fullmatch(small) is not None


def agency_in(text: str) -> str | None:
    """Return the first known news agency among the names in a text, as it stands there.

    >>> agency_in("Góc Phố/Reuters")
    'Reuters'
    """
    parts = (part.strip(" ().") for part in _BETWEEN.split(text))
    return next((part for part in parts if part.lower() in AGENCIES), None)


def is_nobody(text: str) -> bool:
    """Return whether a text that should be a name is an administrator's account, or what follows an empty one."""
    return text.lower() in _NOBODY


def without_duplicates(names: list[str]) -> tuple[str, ...]:
    """Return names once each, whatever their case, and without those that are part of a longer one.

    >>> without_duplicates(["Lam Khê", "LAM KHÊ", "Khê", "Phùng Sơn"])
    ('Lam Khê', 'Phùng Sơn')
    """
    first = {name.casefold(): name for name in reversed(names)}
    padded = [f" {name} " for name in first]
    whole = [name for name in first if sum(f" {name} " in other for other in padded) == 1]
    return tuple(sorted((first[name] for name in whole), key=names.index))
