"""Page composition: skeletons of real pages or free layouts, filled with corpus text, then augmented.

`refill` follows a skeleton row by row; `grammar` samples layouts that no skeleton has; `augment` varies the result. A page
is a function of (library, skeletons, seed) alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from training.composer.augment import BLANK_LINE, Line, augment, blank_policy, cut_raw
from training.composer.corpus import Article
from training.composer.grammar import free_page, free_site, small_page
from training.composer.inserts import inside
from training.composer.library import Library, cut_to, one_sentence, slug
from training.composer.render import GAP, render
from training.composer.skeleton import Row, Skeleton, strip_accents
from training.composer.supply import Supply, Want

__all__ = ["MADE_UP", "Page", "article_page", "compose", "refill"]

DESCRIPTOR = re.compile(r"⟨([^⟩]*)⟩")
FORM = re.compile(r"([htcknav]*)([UTSldx])(\d+)(.*)", re.DOTALL)


class Page(NamedTuple):
    """A composed page: lines, layout (a publisher, or one of MADE_UP), style, and the id of its article."""

    lines: tuple[Line, ...]
    layout: str
    style: str
    article: str


MADE_UP = ("free", "small", "bare")  # layouts that are no publisher's: sampled, sampled and cut short, an article alone
# Share of pages that are an article alone: clean text must pass untouched. They are short: a fifth of the pages is a fiftieth of the lines.
BARE_SHARE = 0.45
# Articles of mostly short lines look most like lists of links and are rare in the corpus, so they are oversampled.
LISTLIKE = (
    "brief", "code", "forecast", "infographic", "lineup", "list", "live", "market", "notice", "obituary", "photo", "poem", "press", "qa",
    "recipe", "results", "schedule", "steps", "transcript",
)  # fmt: skip
ENUMERATING = frozenset({"forecast", "lineup", "list", "market", "match", "notice", "recipe", "results", "schedule"})
LISTLIKE_SHARE = {"bare": 0.7, "small": 0.6, "free": 0.3, "skeleton": 0.3}
SMALL_SHARE = 0.35  # of the pages with a sampled layout
# Share of refilled layouts whose paragraphs get foreign matter between them: see-also lines, calls, embeds.
INSERT_SHARE = 0.12


def compose(library: Library, skeletons: Sequence[Skeleton], seed: str, free_share: float = 0.35, bare_share: float = BARE_SHARE) -> Page:
    """Compose one page; the result depends on the arguments alone."""
    rng = random.Random(seed)
    kind = "bare" if rng.random() < bare_share else "skeleton" if skeletons and rng.random() >= free_share else "free"
    if kind == "free" and rng.random() < SMALL_SHARE:
        kind = "small"
    article = _draw_article(library, rng, LISTLIKE_SHARE[kind])
    if kind == "bare":
        return Page(tuple(_bare(article, rng)), kind, "plain", article.id)
    supply = Supply(library, article, rng)
    if kind == "skeleton":
        skeleton = _draw(skeletons, rng)
        lines, layout, style = refill(skeleton, supply, rng), skeleton.publisher, skeleton.style
        if rng.random() < INSERT_SHARE:
            lines = _with_inserts(lines, style, supply, rng)
    else:
        layout, (style, rows) = kind, (small_page if kind == "small" else free_page)(supply, rng)
        lines = [Line(*row) for row in rows]
    return Page(tuple(augment(lines, style, rng)), layout, style, article.id)


def _draw_article(library: Library, rng: random.Random, listlike: float) -> Article:
    """Draw an article; with probability `listlike`, draw a list-like form first and then an article of that form."""
    candidates = library.by_form.get(rng.choice(LISTLIKE)) if rng.random() < listlike else None
    return rng.choice(candidates or library.articles)


def _bare(article: Article, rng: random.Random) -> list[Line]:
    """Return the article alone, with or without captions and blank lines."""
    lines = [line for line in article_page(article) if line.label != "caption" or rng.random() < 0.3]
    if rng.random() < 0.15:  # paragraphs of one sentence each
        lines = [line._replace(text=one_sentence(line.text, rng)) if line.label == "body" else line for line in lines]
    between = rng.choice(("|", "|", "\n", " ", "\t"))  # extractors print a table row in one line, or a cell a line
    if between != "|":
        lines = [line._replace(text=cell) for line in lines for cell in _cells(line.text, between)]
    if article.form in ENUMERATING and rng.random() < 0.5:
        lines = [part for line in lines for part in _one_item_per_line(line)]
    return blank_policy(lines, rng) if rng.random() < 0.5 else lines


def _cells(text: str, between: str) -> list[str]:
    """Return the lines of a table row whose cells are separated by `between`; other text unchanged."""
    if not text.startswith("|"):
        return [text]
    return between.join(cell.strip() for cell in text.strip("|").split("|") if cell.strip(" -:")).split("\n")


def _one_item_per_line(line: Line) -> list[Line]:
    """Split an enumeration (a squad, a price list) into one line per item, as many sites print it; return other lines unchanged."""
    head, colon, rest = line.text.partition(": ")
    items = [item.strip(" .") for item in re.split(r"[,;]| - ", rest if colon else head)]
    if line.label != "body" or len(head) > 40 or "|" in head or len(items) < 4 or not all(2 <= len(item) <= 30 for item in items):
        return [line]
    return [line._replace(text=text) for text in ([head + ":"] if colon else []) + items]


def _draw(skeletons: Sequence[Skeleton], rng: random.Random) -> Skeleton:
    """Draw a skeleton; each weighs 1 / sqrt(pages of its publisher), since twelve pages of one paper teach hardly more than three."""
    counts: dict[str, int] = {}
    for skeleton in skeletons:
        counts[skeleton.publisher] = counts.get(skeleton.publisher, 0) + 1
    weights = [counts[skeleton.publisher] ** -0.5 for skeleton in skeletons]
    return rng.choices(skeletons, weights)[0]


def _with_inserts(lines: list[Line], style: str, supply: Supply, rng: random.Random) -> list[Line]:
    """Put blocks of foreign matter between neighbouring body lines."""
    make, site = inside(supply, rng), free_site(style, rng)
    share = rng.choice((0.06, 0.15, 0.3))
    out: list[Line] = []
    for line, following in pairwise(lines):
        out.append(line)
        if line.label == "body" and following.label in ("body", "-") and len(line.text) > 60 and rng.random() < share:
            out += [Line(*row) for row in render([*make(), GAP], site, supply, rng)]
    return out + lines[-1:]


# -- refilling a skeleton ------------------------------------------------------------------------------------------------


def refill(skeleton: Skeleton, supply: Supply, rng: random.Random) -> list[Line]:
    """Return the page that a skeleton describes, with corpus text in its slots."""
    lines: list[Line] = []
    pieces: list[str] = []
    rows = list(skeleton.rows)
    index = 0
    while index < len(rows):
        stop = _paragraph_end(rows, index)
        whole = _paragraph(rows[index:stop], supply) if stop - index > 1 else None
        for row in rows[index:stop]:
            lines += [BLANK_LINE] * row.blanks
            share = whole.pop(0) if whole else None
            text, heading = _fill_row(row, supply, rng, pieces, share)
            lines.append(Line(row.label, text, heading))
        index = stop
    return lines


def _forms(row: Row) -> list[str]:
    return [form for form in DESCRIPTOR.findall(row.pattern) if not re.fullmatch(r"u\d+|=", form)]


def _want(form: str) -> Want | None:
    match = FORM.fullmatch(form)
    return Want(int(match[3]), match[2], match[4], match[1]) if match else None


def _paragraph_end(rows: list[Row], start: int) -> int:
    """Return the end of the paragraph at row `start`: extractors break paragraphs at links, without blank lines between the parts."""
    stop = start + 1
    while stop < len(rows) and rows[start].label == "body" == rows[stop].label and rows[stop].blanks == 0:
        before, here = _forms(rows[stop - 1])[-1:], _forms(rows[stop])[:1]
        last, first = (_want(forms[0]) if forms else Want(1, "x") for forms in (before, here))
        if last is None or first is None or "[" in rows[stop].pattern:
            break
        open_end = last.end in ("", ",", '"', "(", "“") and (last.length > 45 or stop - start > 1)
        if not (first.case in "lx" or (open_end and stop + 1 < len(rows))):
            break
        stop += 1
    return stop


def _paragraph(rows: list[Row], supply: Supply) -> list[str]:
    """Split one corpus paragraph into parts of about the rows' lengths."""
    sizes = [sum(want.length for form in _forms(row) if (want := _want(form))) or 1 for row in rows]
    text = supply.body(Want(sum(sizes) + len(sizes), end="."))
    parts, scale = [], len(text) / max(1, sum(sizes))
    for size in sizes[:-1]:
        part = cut_raw(text, max(1, round(size * scale)))
        parts.append(part.strip())
        text = text[len(part) :].lstrip()
    return [*parts, text.strip()]


def _fill_row(row: Row, supply: Supply, rng: random.Random, pieces: list[str], share: str | None) -> tuple[str, bool]:
    heading = False
    last = ""

    def put(match: re.Match[str]) -> str:
        nonlocal heading, last, share
        form = match[1]
        if re.fullmatch(r"u\d+", form):
            return address(supply, last, int(form[1:]), rng)
        if form == "=":
            return last
        text = _linked(form, pieces, row, supply)
        if text is None:
            want = _want(form) or Want(12)
            heading = heading or "h" in want.flags
            if share is not None:
                text, share = share, ""
            elif "h" in want.flags:
                text = supply.heading(row.label, want)
            elif row.label == "body" and "|" in row.pattern:
                text = (
                    supply.near(want.length, "price_widget")
                    if rng.random() < 0.3
                    else cut_to(supply.body(Want(want.length, flags="|")), want.length)
                )
                text = text.replace("|", " ").strip()
            else:
                text = supply.text(row.label, want)
        pieces.append(text)
        last = text
        return text

    return DESCRIPTOR.sub(put, row.pattern), heading


def _linked(form: str, pieces: list[str], row: Row, supply: Supply) -> str | None:
    """Return the text of a piece that repeats an earlier one; None if the piece is independent."""
    match = re.fullmatch(r"([=+<~])(\d+)(?::(\d+))?", form)
    if match is None:
        return None
    kind, index, amount = match[1], int(match[2]), int(match[3] or 0)
    if index >= len(pieces) or not pieces[index]:
        return supply.text(row.label, Want(40))
    base = pieces[index]
    if kind == "=":
        return base
    if kind == "~":
        return strip_accents(base)
    if kind == "<":
        return cut_to(base, amount)
    if row.label == "caption":
        tail = f" - Ảnh {supply.rng.randint(1, 12)}." if amount < 9 else ". " + supply.pick("credits")
        return base + (tail if amount < 40 else ". " + supply.text("caption", Want(amount)))
    return base + " " + supply.text(row.label, Want(amount))


def address(supply: Supply, text: str, length: int, rng: random.Random) -> str:
    """Return a link target of about `length` characters, with the linked text as its slug."""
    if length <= 1:
        return "/" if rng.random() < 0.5 else "#"
    tail = rng.choice((".html", ".htm", "", f"-{rng.randint(10**5, 10**7)}.html", f"-post{rng.randint(10**4, 10**6)}.html"))
    base = slug(text) or rng.choice(("logo", "icon", "images/pix", "thumb", "default"))
    if length > 55:
        host = rng.choice(("https://", "http://", "https://www.", "https://cdn.")) + supply.outlet.domain
        path = f"/{rng.choice(('uploads', 'images', 'stores', 'thumb_w/660', 'zoom/260_163'))}/{supply.year}/{rng.randint(1, 12)}"
        full = f"{host}{path if rng.random() < 0.5 else ''}/{base}{tail}"
    else:
        full = f"/{base}{tail}"
    return full[: max(length + 12, 12)].replace(" ", "-")


def article_page(article: Article) -> list[Line]:
    """Return an article as a clean page: title, lead, body lines and captions."""
    body = [Line("caption" if line.kind == "caption" else "body", line.text) for line in article.body]
    lead = [Line("body", article.lead)] if article.lead else []
    return [Line("title", article.title), *lead, *body]
