"""Rendering: what a site shows, as the lines that an extractor would produce.

Five styles: block-level HTML-to-text (plain), one line per text node (bs4), HTML-to-markdown (markdown), crawler dumps
(crawl), and the form of the seed sample (seed). Decides markup and line breaks only; `grammar` decides the content.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from training.composer.library import slug
from training.composer.supply import Supply

__all__ = ["GAP", "Item", "Row", "Site", "render"]

Row = tuple[str, str, bool]  # label, text, heading


class Item(NamedTuple):
    """An element of a page. kind: text, link, image, item (list item), head, h1, sub, row, gap (block boundary)."""

    label: str
    kind: str
    text: str = ""
    heading: bool = False


GAP = Item("-", "gap")


class Site(NamedTuple):
    """Rendering choices that hold for a whole page."""

    style: str
    marker: bool  # list items have bullets in markdown
    blank_items: bool  # a blank line between list items
    blank_blocks: bool  # a blank line between paragraphs
    alts: str  # how alt texts are written: none, headline, slug, number, keywords
    credit: bool
    glued: float  # share of photo credits on the line of their caption
    sentences: float  # share of captions that are whole sentences
    cells: bool  # a table cell a line
    doubled_alts: bool  # alt texts of pictures printed twice
    glued_pictures: bool  # in markdown, a picture and the paragraph below it on one line


def render(items: list[Item], site: Site, supply: Supply, rng: random.Random) -> list[Row]:
    """Return the rows of a page in the site's style."""
    markdown = site.style in ("markdown", "crawl")
    rows: list[Row] = []

    def blank() -> None:
        if rows and rows[-1][0] != "-":
            rows.append(("-", "", False))

    indent = rng.choice(("", "  ", "  "))
    in_table, picture = False, ""
    for index, item in enumerate(items):
        if markdown and site.glued_pictures and _precedes_paragraph(items, index):
            picture = _as_markdown(item, site, supply, rng)[0]
            continue
        opens_table, in_table = item.kind == "row" and not in_table, item.kind == "row"
        if item.kind == "gap":
            if site.blank_blocks:
                blank()
            continue
        lines = _as_markdown(item, site, supply, rng) if markdown else _as_text(item, site, rng, indent)
        if markdown and opens_table and not site.cells:
            lines += ["|" + " --- |" * max(1, item.text.strip("|").count("|") + 1)]
        if picture:
            lines[0], picture = picture + lines[0], ""
        for text in lines:
            rows.append((item.label, text, item.heading))
            if (site.blank_items and (item.kind in ("link", "item", "text", "image")) and item.label not in ("body", "caption")) or (
                site.style == "bs4" and site.blank_blocks and item.label in ("body", "caption", "title", "meta")
            ):
                blank()
    return rows


def _precedes_paragraph(items: list[Item], index: int) -> bool:
    """True for a picture that only gaps part from the paragraph below it."""
    below = next((item for item in items[index + 1 :] if item != GAP), GAP)
    return items[index].kind == "image" and items[index].label in ("caption", "media") and (below.label, below.kind) == ("body", "text")


def _as_text(item: Item, site: Site, rng: random.Random, indent: str) -> list[str]:
    if item.kind == "image":
        if site.style == "seed":
            return ["![]() |" if item.label in ("caption", "media") else item.text] if rng.random() < 0.7 else []
        return [item.text] if item.text and site.style == "plain" else []
    if item.kind == "row":
        cells = [cell.strip() for cell in item.text.strip("|").split("|") if cell.strip()]
        if not cells or set("".join(cells)) <= set("-: "):
            return []
        if site.cells:
            return cells
        return [" ".join(cells)] if site.style == "plain" and rng.random() < 0.5 else cells if site.style == "bs4" else [" | ".join(cells)]
    text = item.text
    if item.kind == "item" and item.label != "body":
        text = indent + text
    if item.label == "caption" and site.style == "seed":
        return [text + " |"]
    if site.style == "bs4" and item.label == "body" and len(text) > 90 and rng.random() < 0.3:
        return _at_links(text, rng)
    return [text]


def _at_links(text: str, rng: random.Random) -> list[str]:
    """Split a paragraph at the start and end of an inline link or bold run."""
    words = text.split(" ")
    start = rng.randrange(1, max(2, len(words) - 4))
    stop = start + rng.randint(1, 4)
    parts = [" ".join(words[:start]), " ".join(words[start:stop]).rstrip(",."), " ".join(words[stop:])]
    if parts[1] != " ".join(words[start:stop]):
        parts[2] = " ".join(words[start:stop])[-1] + (" " + parts[2] if parts[2] else "")
    return [part for part in parts if part]


def _as_markdown(item: Item, site: Site, supply: Supply, rng: random.Random) -> list[str]:
    text = item.text
    url = (
        f"https://{supply.outlet.domain}/{slug(text)[:60]}-{rng.randint(10**4, 10**7)}.html"
        if rng.random() < 0.7
        else f"/{slug(text)[:50]}.htm"
    )
    picture = (
        f"https://cdn.{supply.outlet.domain}/{supply.year}/{rng.randint(1, 12)}/{slug(supply.article.title)[:40]}-{rng.randint(1, 99)}.jpg"
    )
    bullet = "  * " if site.marker else ""
    title = f' "{text}"' if rng.random() < 0.3 else ""
    if item.kind == "image":
        alt = text if item.label == "caption" or rng.random() < 0.7 else ""
        if item.label in ("caption", "media"):
            return [f"![{alt}]({picture})"]
        return [f"{bullet}[ ![{alt}]({picture}) ]({url}{title})"]
    if item.kind == "h1":
        return [f"# {text}"]
    if item.kind == "head":
        return [f"{rng.choice(('##', '###', '####', '**'))} {text}".replace("** " + text, f"**{text}**")]
    if item.kind == "sub":
        return [rng.choice((f"**{text}**", f"## {text}", f"### {text}", text))]
    if item.kind == "row":
        return [text]
    if item.kind == "item":
        return [f"  * {text}"] if item.label == "body" else [f"{bullet}[{text}]({url}{title})"]
    if item.kind == "link":
        return [f"{bullet}{rng.choice(('', '', '### ', '## '))}[{text}]({url}{title})"]
    return [text]
