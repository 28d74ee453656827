"""Byline parsing: authors, source and news agency, from the lines of a page that sign its article.

Reads the forms of `tests/cases/bylines.tsv`. Names stay as they stand: initials, pen names, capitals, titles. Roles decide who is an
author: "Bài", "Tin", "Thực hiện" are, "Ảnh", "Đồ họa", "Biên tập" are not. An administrator's account is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from classifier.record.datelines import without_dates
from classifier.record.names import agency_in, is_known, is_nobody, is_outlet, is_person, is_staff, without_duplicates
from classifier.record.plain_text import MOST_CHARS, plain, plain_lines

__all__ = ["Byline", "find_byline"]


class Byline(NamedTuple):
    """Who wrote an article, and where it was taken from; () or None where its page does not say."""

    authors: tuple[str, ...]
    source: str | None  # as it stands; the host of a link
    agency: str | None  # the news agency in it


def find_byline(lines: Sequence[str]) -> Byline:
    """Return authors and source named in the lines that may sign an article (those labelled meta), in the order of the page.

    A source named by "Theo" or "Nguồn" comes first, then one beside a name, then one that is only a link.

    >>> find_byline(["Bài: Lam Khê; Ảnh: Phùng Sơn", "Theo Thanh Niên/Reuters"])
    Byline(authors=('Lam Khê',), source='Thanh Niên/Reuters', agency='Reuters')
    """
    claims = list(_claims(lines))
    found = [(rank, text) for claim in claims for rank, text in claim.sources if text.lower().strip(" .") not in _NO_SOURCE]
    source = min(found, key=lambda each: each[0], default=(0, None))[1]
    return Byline(without_duplicates([name for claim in claims for name in claim.authors]), source, source and agency_in(source))


# -- lines ---------------------------------------------------------------------------------------------------------------------

_MAY_END_OPEN = (*",:|–—-", "theo", "by", "bởi", "nguồn", "tác giả", "ảnh", "link bài gốc")
_ENDS_OPEN = re.compile(r".*(?:[,:|–—-]|(?:^|\W)(?:theo|by|bởi|nguồn|tác giả|(?:tin|bài),? ảnh|link bài gốc))", re.I)
_ROW = re.compile(r"\|.*\|.*\|")  # of a table
_ANEW = re.compile(r"(?:theo|nguồn)[:\s]|link bài gốc", re.I)
_BEGINS_OPEN = re.compile(r"[,:|–—)-]|\((?!\d)[^()]*\)$")
_LINK = re.compile(r"https?://(?:www\.)?(?P<host>[^\s/?#)]+)\S*|\bwww\.(?P<bare>[^\s/?#)]+)\S*", re.I)
_NOISE = re.compile(
    r"^#\S.*|copy link|lấy link!?|và \d+ tác giả khác|#\S+"
    r"|(?:lượt xem|số lần xem)\s*:?\s*[\d.,]*|[\d.,]+\s?[KM]?\s*(?:lượt xem|phút đọc|bình luận)",
    re.I,
)
_SIGNS_OF_NOISE = ("#", " link", "tác giả khác", "lượt xem", "lần xem", "phút đọc", "bình luận")
_AUTHOR_PAGE = re.compile(r"(?<!!)\[(?P<name>[^\[\]/]+)\]\([^()\s]*/(?:author|tac-gia)[/?]", re.I)


class _Signature:
    """A line that may sign an article, put together from the text nodes of one."""

    def __init__(self, text: str, linked: Sequence[str]) -> None:
        self.linked = linked  # names with a link to an author's page
        self.hosts: set[str] = set()
        small = text.lower()
        if "://" in small or "www." in small:
            self.hosts = {found["host"] or found["bare"] for found in _LINK.finditer(text)}
            text = _LINK.sub(lambda found: found["host"] or found["bare"], text)
        if any(sign in small for sign in _SIGNS_OF_NOISE):
            text = _NOISE.sub(" ", text)
        text, self.dated = without_dates(text)
        self.text = " ".join(text.split())  # plain; a bar in place of each date, the host in place of each link
        self.used = False  # as the outlet of the line above


def _signatures(lines: Sequence[str]) -> list[_Signature]:
    whole: list[tuple[str, list[str]]] = []
    for line, text in zip(lines, plain_lines(lines, addresses=True)):
        linked = [plain(found["name"]) for found in _AUTHOR_PAGE.finditer(line[:MOST_CHARS])] if "](" in line else []
        if whole and text and _continues(whole[-1][0], text):
            whole[-1] = f"{whole[-1][0]} {text}", whole[-1][1] + linked
        elif text:
            whole.append((text, linked))
    return [_Signature(text, linked) for text, linked in whole]


def _continues(text: str, following: str) -> bool:
    ends_open = text.lower().endswith(_MAY_END_OPEN) and _ENDS_OPEN.fullmatch(text)
    if not (ends_open or _BEGINS_OPEN.match(following)) or _ANEW.match(following):
        return False
    return not any(_is_rule(line) or _ROW.fullmatch(line) for line in (text, following))


def _is_rule(text: str) -> bool:
    return len(text) > 2 and not text.strip("-–—=_* ")


# -- claims --------------------------------------------------------------------------------------------------------------------

NAMED, ASIDE, LINKED = range(3)  # ranks of a source: behind "Theo" or "Nguồn", beside a name, only as a link
_NO_SOURCE = {"tổng hợp", "internet", "sưu tầm", "t/h", "th", "nhiều nguồn", "tác giả", "nguồn"}


class _Claim:
    """What one line says."""

    def __init__(self) -> None:
        self.authors: list[str] = []
        self.sources: list[tuple[int, str]] = []  # rank and text


_AUTHOR = (
    r"(?:tác giả(?: bài viết)?|người (?:viết|đăng)|(?:đăng|viết) bởi|bởi|(?:posted |written )?by"
    r"|(?:nhóm )?thực hiện|nội dung|phóng viên|pv|ctv)"
)
_WORKS = r"(?:bài(?: viết)?|tin)(?:\s*(?:,|&|và|\+)\s*(?:bài(?: viết)?|tin|ảnh|video|clip))*"
_SOURCE = r"(?:theo|nguồn(?: tin| bài viết)?)"
_LABEL = re.compile(
    rf"(?:^|(?<=[-–—;|,/]))\s*(?:(?P<source>{_SOURCE})|(?P<author>{_AUTHOR}|{_WORKS})|(?P<other>[^\W\d_][^:,|;–—\d-]{{0,60}}))\s*:\s*",
    re.I,
)
_BY = re.compile(
    r"(?:^|[\s/(])(?:(?:đăng |viết |posted |written )?(?:by|bởi)|tác giả|(?:phóng viên|ctv|pv)(?=\s+[^\W\d_]+\s+[^\W\d_]))"
    r"\s+(?P<name>[^|/]+)",
    re.I,
)
_THEO = re.compile(rf"(?:^|[\s,;|–—-]+|\s*\(\s*)(?:{_SOURCE}|(?:lược |biên )?dịch từ|(?:link )?bài gốc)[:\s]+(?P<source>[^|]+)", re.I)
_WORKED = re.compile(r"(?:tin|bài)(?:\s*,|\s+và|\s*&)?\s+ảnh\s+(?P<name>[^|/]+)", re.I)
_BEFORE_DATE = re.compile(
    r"(?P<name>[^\W\d_][^|—:,]{0,40}[^|—:,\s])\s+—\s*\|\s*"
)  # of a blog, or of who writes it: a name, a long dash, a date
_MANNER = re.compile(  # how an author worked
    r"\s*\(\s*(?:tổng hợp|t/h|t\.h|th|dịch|lược dịch|biên dịch|ghi|thực hiện|sưu tầm|s/t)[.\s]*\)"
    r"|\s+(?:tổng hợp|thực hiện|ghi|(?:lược |biên )?dịch)(?=$|\s*[|–—-])",
    re.I,
)
_BETWEEN = re.compile(r"\s+\+\s+|\s+[-–—]+\s*|\s*[-–—]+\s+|\s*[,;&|]\s*|\s+và\s+", re.I)
_PARENTHESES = re.compile(r"\s*\((?P<aside>[^()]*)\)?")
_ENCLOSED = re.compile(r"[\s|–-]*\((?P<inside>[^()]*)\)?[\s|.–-]*")
_WITH_ASIDE = re.compile(r"(?P<author>[^()]+)\((?P<aside>[^()]+)\)?")
_INITIAL = re.compile(r"\b[^\W\d_]\.$")
_EDGES = ' |,;:-–—/"“”'
MOST_WORDS = 8  # of an author that is named as such


def _claims(lines: Sequence[str]) -> Iterator[_Claim]:
    """Yield what each line says. "Theo X" above an outlet on a line of its own names an author, and the outlet is the source."""
    signatures = _signatures(lines)
    for signature, following in zip(signatures, [*signatures[1:], None]):
        claim = _claim(signature)
        if following and _may_be_author_of(claim, signature) and _is_lone_outlet(following):
            claim.authors = [claim.sources[0][1]]
            claim.sources = [(ASIDE, following.text)]
            following.used = True
        if not signature.used:
            yield claim


def _may_be_author_of(claim: _Claim, signature: _Signature) -> bool:
    if signature.dated or claim.authors or len(claim.sources) != 1:
        return False
    name = claim.sources[0][1]
    return is_person(name) and len(name.replace(".", " ").split()) > 1


def _is_lone_outlet(signature: _Signature) -> bool:
    text = signature.text
    plain_name = text[:1].isupper() and len(text.split()) <= 6 and not re.search(r"[:|()]", text)
    return plain_name and not signature.dated and not _THEO.search(text)


def _claim(signature: _Signature) -> _Claim:
    claim = _Claim()
    if not signature.linked and not signature.text.strip(_EDGES):  # a line with nothing but its date
        return claim
    text = _MANNER.sub("", signature.text)
    if enclosed := _ENCLOSED.fullmatch(text):
        text = enclosed["inside"]
    labels = list(_LABEL.finditer(text)) if ":" in text else []
    starts = [label.start() for label in labels] + [len(text)]
    _without_label(text[: starts[0]].strip(_EDGES), signature, claim)
    for label, stop in zip(labels, starts[1:]):
        value = text[label.end() : stop].strip(_EDGES)
        if label["source"]:
            _named_source(value, signature, claim)
        elif label["author"]:
            _labelled_authors(value, claim)
    return claim


def _without_label(text: str, signature: _Signature, claim: _Claim) -> None:
    theo, by = _THEO.search(text), _BY.search(text)
    claim.authors += [name for name in signature.linked if name and not is_nobody(name)]
    if is_staff(text):
        claim.authors.append(text)
    elif theo:
        _named_source(theo["source"], signature, claim)
        _names(text[: theo.start()], signature, claim, signed=True)
    elif named := by or _WORKED.match(text):
        _labelled_authors(named["name"], claim)
    elif (blog := _BEFORE_DATE.fullmatch(signature.text)) and not is_known(blog["name"]) and not is_nobody(blog["name"]):
        claim.authors.append(blog["name"])
    else:
        _names(text, signature, claim, signed=not signature.dated)


def _names(text: str, signature: _Signature, claim: _Claim, signed: bool) -> None:
    """Add the names of a line without labels, if the first part is one; a single word counts only if the line is `signed`."""
    claim.sources += [(ASIDE, found["aside"]) for found in _PARENTHESES.finditer(text) if is_outlet(found["aside"])]
    for number, part in enumerate(_parts(text)):
        name, slash, outlet = (piece.strip() for piece in part.partition("/"))
        if slash and outlet and (is_person(name) or is_staff(name)):
            claim.authors.append(name)
            claim.sources.append((ASIDE, outlet))
        elif is_outlet(part):
            if part not in signature.hosts and (not signature.dated or "." in part):
                claim.sources.append((ASIDE, part))
        elif is_staff(part) or (is_person(part) and (signed or " " in part or "." in part)):
            claim.authors.append(part)
        elif number == 0:
            return


def _parts(text: str) -> list[str]:
    """Return the parts of a list of names; a full stop stays only behind an initial."""
    parts = (part.strip(_EDGES) for part in _BETWEEN.split(_PARENTHESES.sub(" ", text)))
    return [part if _INITIAL.search(part) else part.rstrip(".") for part in parts if part]


def _labelled_authors(value: str, claim: _Claim) -> None:
    claim.authors += [name for name in _parts(value) if not is_nobody(name) and not is_outlet(name) and len(name.split()) <= MOST_WORDS]


def _named_source(value: str, signature: _Signature, claim: _Claim) -> None:
    """Add "Theo X", "Theo X (Y)" or "Theo X/Y"; where there is a Y, X is the author if it can be one."""
    value = value.strip(_EDGES + ".)")
    found = _WITH_ASIDE.fullmatch(value)
    author, aside = (found["author"], found["aside"]) if found else value.split("/", 1) if "/" in value else (value, "")
    if aside and is_person(author.strip()):
        claim.authors.append(author.strip())
        claim.sources.append((ASIDE, aside.strip()))
    elif value:
        claim.sources.append((LINKED if value in signature.hosts else NAMED, value))
