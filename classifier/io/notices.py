"""Kinds of notices: what a page's text looks like when it is not plain lines of Vietnamese text, and what to do about it."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple, TypeVar

from classifier.errors import InputWarning

__all__ = [
    "GARBLED", "HTML", "JSON", "KINDS", "LINE_ENDS", "NOTHING_KEPT", "NOT_VIETNAMESE", "NO_ACCENTS", "NO_ARTICLE", "ONE_LINE",
    "REFUSABLE", "SEVERAL", "WRITTEN", "Kind", "Notice", "counted", "notice", "sentence", "warn_of", "warned", "without_warnings",
]  # fmt: skip

Page = TypeVar("Page")


class Notice(NamedTuple):
    """Something about a page's text that makes its labels doubtful."""

    kind: str  # a key of KINDS
    message: str  # what it is, and the way out
    detail: str = ""  # what distinguishes this page from others of the kind, such as an encoding


class Kind(NamedTuple):
    """Wording of a kind of notice."""

    predicate: str  # starts with "is" or "has"
    advice: str


HTML, JSON, ONE_LINE, LINE_ENDS, WRITTEN, SEVERAL, GARBLED, NO_ACCENTS, NOT_VIETNAMESE, NOTHING_KEPT, NO_ARTICLE = (
    "html", "json", "one_line", "line_ends", "written_line_ends", "several_pages", "garbled", "no_accents", "not_vietnamese",
    "nothing_kept", "no_article",
)  # fmt: skip
KINDS = {  # in the order in which they are reported
    HTML: Kind("is HTML, not lines of text", "read files with --format html, records with --text-format html, or extract the text first"),
    JSON: Kind("is JSON, not lines of text", "read it with --format jsonl and --text-field, or take the text out of it first"),
    ONE_LINE: Kind("has the whole text on one line", "labels are given to lines: extract the page with its line ends"),
    LINE_ENDS: Kind(
        "has other characters as line ends", "only LF, CR and CRLF end a line: replace them by \\n, as in text.replace('\\u2028', '\\n')"
    ),
    WRITTEN: Kind(
        "has line ends written out as \\n or <br>", "replace them by real line ends, or read <br> as HTML (--format or --text-format html)"
    ),
    SEVERAL: Kind(
        "has several pages run together", "name the files one by one, or put a form feed or a line for --page-separator between pages"
    ),
    GARBLED: Kind("has garbled letters", "decode the source as UTF-8 again, or repair the text, for example with ftfy"),
    NO_ACCENTS: Kind("has letters without their accents", "the model reads accented Vietnamese: get the page with its accents"),
    NOT_VIETNAMESE: Kind(
        "is not in Vietnamese", "the model was trained on Vietnamese pages only: leave such pages out, or check what is kept"
    ),
    NOTHING_KEPT: Kind("has no line kept", "look at the labels with tinsach label; --keep and --threshold decide what is kept"),
    NO_ARTICLE: Kind("has no article", "look at the labels with tinsach label; the paragraphs of a record are its lines labelled body"),
}
REFUSABLE = frozenset({HTML, GARBLED})  # a record with one of these is bad if bad records are skipped or quarantined

_reported: ContextVar[bool] = ContextVar("notices are reported by the caller", default=False)
NAMED = 3  # pages named for each kind; all are counted
_PLURALS = {"is": "are", "has": "have"}


@lru_cache(maxsize=256)
def notice(kind: str, detail: str = "") -> Notice:
    """Return a notice with its message.

    >>> notice("html").message
    'is HTML, not lines of text; read files with --format html, records with --text-format html, or extract the text first'
    """
    predicate, advice = KINDS[kind]
    return Notice(kind, f"{predicate}{f' ({detail})' if detail else ''}; {advice}", detail)


def sentence(kind: str, count: int, names: Sequence[str] = (), more: bool = True) -> str:
    """Return one sentence about all pages of a kind, with the names of the first; `more`: show that there are further ones.

    >>> sentence("one_line", 2, ["a.txt"])
    '2 pages have the whole text on one line: a.txt, ...; labels are given to lines: extract the page with its line ends'
    """
    predicate, advice = KINDS[kind]
    verb, _, rest = predicate.partition(" ")
    subject = f"1 page {verb}" if count == 1 else f"{count} pages {_PLURALS[verb]}"
    listed = f": {', '.join([*names, *(['...'] if more and len(names) < count else [])])}" if names else ""
    return f"{subject} {rest}{listed}; {advice}"


def counted(pages: Iterable[Sequence[Notice]]) -> Counter[Notice]:
    """Return how many pages have each notice."""
    return Counter(found for of_page in pages for found in of_page)


def warn_of(counts: Counter[Notice]) -> None:
    """Issue one `InputWarning` for each kind of notice, attributed to the caller of the package; see `without_warnings`."""
    for kind in KINDS if counts and not _reported.get() else ():
        of_kind = {found.detail: count for found, count in counts.items() if found.kind == kind}
        if of_kind:
            details = [detail for detail in of_kind if detail][:NAMED]
            warnings.warn(sentence(kind, sum(of_kind.values()), details, more=False), InputWarning, stacklevel=_level_of_caller())


def warned(batches: Iterable[tuple[Iterable[Page], Iterable[Sequence[Notice]]]]) -> Iterator[Page]:
    """Yield the pages of all batches, which come with the notices about each; warn at the end, once for each kind."""
    counts: Counter[Notice] = Counter()
    for pages, notices in batches:
        counts.update(counted(notices))
        yield from pages
    warn_of(counts)


def _level_of_caller() -> int:
    """Return the `stacklevel` of the innermost frame outside this package, as seen from the calling function."""
    package, frame, level = __name__.partition(".")[0], sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level


@contextmanager
def without_warnings() -> Iterator[None]:
    """Issue no `InputWarning` in this thread, for callers that report notices themselves; warning filters are shared by all threads."""
    before = _reported.set(True)
    try:
        yield
    finally:
        _reported.reset(before)
