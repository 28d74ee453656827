"""Free layouts: page structures that no skeleton has, sampled block by block.

A page is a list of `Item`s until `render` turns it into lines. The order of blocks is that of real site families (menus,
headline, article, teaser lists, imprint); every choice within it is drawn per page. All text comes from `supply`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from training.composer import inserts
from training.composer.library import cut_to, one_sentence
from training.composer.render import GAP, Item, Row, Site, render
from training.composer.skeleton import strip_accents
from training.composer.supply import Supply, Want

__all__ = ["free_page", "free_site", "small_page"]

STYLES = ("plain", "bs4", "markdown", "crawl", "seed")
STYLE_WEIGHTS = (30, 25, 25, 12, 8)
EMOJI = [*map(chr, range(0x1F600, 0x1F640)), "👍", "👎", "👏", "🙏", "💪", "❤️", "🔥", "🎉"]


def free_page(supply: Supply, rng: random.Random) -> tuple[str, list[Row]]:
    """Return (style, rows) of a page with a newly sampled layout."""
    style = rng.choices(STYLES, STYLE_WEIGHTS)[0]
    site = free_site(style, rng)
    items: list[Item] = inserts.consent(supply, rng) if rng.random() < 0.05 else []
    for part in (
        _top(supply, rng, site),
        _headline(supply, rng),
        _article(supply, rng, site),
        _after(supply, rng, site),
        _walls(supply, rng, site),
    ):
        items += part
    if rng.random() < 0.85:
        items += _footer(supply, rng)
    if style == "crawl" and rng.random() < 0.6:
        items += _menu(supply, rng)
    for maker in (inserts.offers, inserts.appeals, inserts.consent):
        if rng.random() < 0.07:
            items += [GAP, *maker(supply, rng)]
    return style, render(items, site, supply, rng)


def small_page(supply: Supply, rng: random.Random) -> tuple[str, list[Row]]:
    """Return (style, rows) of a page of a few lines: a short article among the first lines of some blocks."""
    style = rng.choices(STYLES, STYLE_WEIGHTS)[0]
    site = free_site(style, rng)
    return style, render(_small_blocks(supply, rng, site), site, supply, rng)


def _small_blocks(supply: Supply, rng: random.Random, site: Site) -> list[Item]:
    items = inserts.consent(supply, rng) if rng.random() < 0.08 else []
    for _ in range(rng.choice((0, 1, 1, 2))):
        items += [*_menu(supply, rng)[: rng.randint(2, 12)], GAP]
    if rng.random() < 0.3:
        items += [Item("nav", "text", supply.pick("datelines")), GAP]
    items += [*_headline(supply, rng), *_article(supply, rng, site, small=True)]
    if rng.random() < 0.5:
        items += [
            Item("meta", "text", rng.choice((supply.author, supply.pick("pens"), supply.pick("bylines"), supply.pick("sources")))),
            GAP,
        ]
    blocks: list[Callable[[], list[Item]]] = [
        lambda: _wall("related", supply, rng),
        lambda: _wall("related", supply, rng),
        lambda: _wall("most_read", supply, rng),
        lambda: _comments(supply, rng),
        lambda: _promos(supply, rng),
        lambda: _forecast(supply, rng),
        lambda: _wall("media", supply, rng),
        lambda: _tags(supply, rng),
        lambda: [Item("nav", "text", supply.pick("share_lines", "buttons")) for _ in range(rng.randint(1, 4))],
    ]
    for block in rng.sample(blocks, rng.randint(0, 4)):
        items += [*block()[: rng.randint(2, 7)], GAP]
    if rng.random() < 0.7:
        items += _footer(supply, rng)[: rng.randint(1, 4)]
    maker = rng.choice((inserts.offers, inserts.appeals, inserts.consent))
    return items + ([GAP, *maker(supply, rng)] if rng.random() < 0.08 else [])


def free_site(style: str, rng: random.Random) -> Site:
    """Draw the rendering choices of a page in the style."""
    return Site(
        style,
        marker=rng.random() < 0.75,
        blank_items=rng.random() < (0.75 if style == "bs4" else 0.45),
        blank_blocks=rng.random() < 0.8,
        alts=rng.choice(("none", "headline", "headline", "slug", "number", "keywords")),
        credit=rng.random() < 0.6,
        glued=rng.choice((0.0, 0.0, 0.8, 1.0)),
        sentences=rng.choice((0.0, 0.0, 0.3, 0.8)),
        cells=rng.random() < 0.25,
        doubled_alts=rng.random() < 0.15,
        glued_pictures=rng.random() < 0.08,
    )


def _few(rng: random.Random, low: int, high: int) -> int:
    """Return a count from `low` to `high`, small ones being more likely."""
    return min(rng.randint(low, high), rng.randint(low, high))


# -- blocks --------------------------------------------------------------------------------------------------------------


def _top(supply: Supply, rng: random.Random, site: Site) -> list[Item]:
    if rng.random() < (0.5 if site.style == "seed" else 0.18):
        return []  # the extractor starts at the article
    items: list[Item] = []
    if rng.random() < 0.35:
        items += [Item("nav", "link", supply.outlet.name), GAP]
    extras: list[Callable[[], list[Item]]] = [
        lambda: [Item("nav", "text", supply.pick("datelines"))],
        lambda: [Item("nav", "link", supply.pick("buttons")) for _ in range(rng.randint(1, 8))],
        lambda: [Item("nav", "link", supply.pick("topics")) for _ in range(rng.randint(3, 9))],
        lambda: [Item("nav", "text", supply.pick("modals")) for _ in range(rng.randint(1, 7))],
        lambda: [Item("nav", "text", supply.pick("links_misc", "search_nav"))],
        lambda: [Item("nav", "text", supply.pick("price_widget")) for _ in range(rng.randint(2, 9))],
        lambda: [Item("related", "text", supply.pick("marquee"))],
        lambda: [Item("related", "link", supply.related(Want(70))) for _ in range(rng.randint(2, 6))],
        lambda: _cities(supply, rng) if rng.random() < 0.5 else [],
        lambda: [Item("promo", "link", supply.promo()) for _ in range(rng.randint(1, 2))],
    ]
    menus = rng.choices((1, 2, 3), (6, 3, 1))[0]
    blocks = [lambda: _menu(supply, rng)] * menus + rng.sample(extras, rng.randint(0, 4))
    rng.shuffle(blocks)
    for block in blocks:
        items += [*block(), GAP]
    return items


def _menu(supply: Supply, rng: random.Random) -> list[Item]:
    names = rng.choice(supply.library.banks["menus_blocks"]).split("\n")
    if rng.random() < 0.5:
        names = names + [supply.pick("sections") for _ in range(rng.randint(3, 30))]
    if rng.random() < 0.3:
        names = names[: rng.randint(3, 9)]
    elif rng.random() < 0.06:  # an expanded menu: every section of the site
        names = names + [supply.pick("sections", "topics") for _ in range(rng.randint(60, 250))]
    if rng.random() < 0.05:
        names = [f"{number}. {name}" for number, name in enumerate((supply.pick("topics") for _ in range(rng.randint(4, 12))), 1)]
    if rng.random() < 0.12:
        return [Item("nav", "text", rng.choice((" ", " | ", " - ", "  ")).join(names))]
    return [Item("nav", "item", name) for name in names]


def _cities(supply: Supply, rng: random.Random) -> list[Item]:
    names = list(supply.library.banks["provinces"])
    rng.shuffle(names)
    names = sorted(names[: rng.randint(5, 63)])
    form = rng.choice(("{c}", "{c}", "{c} {t}°C", "{c} {t}°", "{c}{t}°C"))
    label = "weather"
    under = [supply.pick("weather_picker") for _ in range(rng.choice((0, 0, 0, 1, 2)))]  # below every place, such as "Xem"
    return [
        *([Item(label, "head", supply.pick("headings_weather"), True)] if rng.random() < 0.5 else []),
        *[Item(label, "item", text) for name in names for text in (form.format(c=name, t=rng.randint(15, 38)), *under)],
    ]


def _headline(supply: Supply, rng: random.Random) -> list[Item]:
    title = supply.article.title
    if rng.random() < 0.06:  # "Tin buồn", "Đính chính": headlines as short as a menu item
        title = cut_to(title, rng.randint(8, 25))
    if rng.random() < 0.1:
        title = title.upper()
    crumb = Item("nav", "text", supply.near(rng.randint(12, 50), "search_nav") if rng.random() < 0.5 else supply.article.section)
    items = [crumb, GAP] if rng.random() < 0.6 else []
    date = Item("meta", "text", supply.fill(supply.date_form))
    byline = Item("meta", "text", supply.author if rng.random() < 0.7 else supply.pick("bylines"))
    dated = rng.random() < 0.85
    before, after = dated and rng.random() < 0.3, dated and rng.random() < 0.65
    if before:
        items += [date, GAP]
    if rng.random() < 0.08:
        items += [Item("title", "text", title), GAP]
    items += [Item("title", "h1", title), GAP]
    if after and not before:
        items += [date, GAP]
    if rng.random() < 0.25:
        items += [byline, GAP]
    if rng.random() < 0.4:
        items += [Item("nav", "text", supply.pick("buttons")) for _ in range(rng.randint(1, 7))] + [GAP]
    if rng.random() < 0.15:
        items += [Item("media", "text", supply.pick("player")) for _ in range(rng.randint(1, 12))] + [GAP]
    if rng.random() < 0.06:
        items += [Item("nav", "text", str(rng.randint(0, 99))) for _ in range(rng.randint(1, 4))] + [GAP]
    if rng.random() < 0.1:
        items += [Item("title", "text", title), GAP]
    return items


def _article(supply: Supply, rng: random.Random, site: Site, small: bool = False) -> list[Item]:
    """Return the article with what is put between its lines; `small` articles have a few paragraphs, or a list."""
    article = supply.article
    items: list[Item] = []
    if rng.random() < 0.08:
        items += inserts.related_after_lead(supply, rng)
    if article.lead:
        kicker = supply.kicker if rng.random() < 0.9 else article.place if rng.random() < 0.15 else ""
        items += [Item("body", "sub" if rng.random() < 0.15 else "text", kicker + article.lead), GAP]
        if rng.random() < 0.22:
            items += inserts.related_after_lead(supply, rng)
        if rng.random() < 0.15:
            items += inserts.contents(supply, rng)
    bare = rng.random() < 0.25  # the extractor drops pictures and captions
    pace = rng.choice((0, 0, 0, 0, 1, 1, 2)) if not bare else 0  # illustrated stories: a picture before every `pace`-th body line
    chapters = rng.choice((1, 2, 3)) if rng.random() < 0.1 else 0  # ranking lists and portraits: a subhead before so many paragraphs
    limit = rng.randint(1, 4) if rng.random() < 0.12 else rng.randint(4, 60)
    if small:
        limit = rng.randint(2, 8) if rng.random() < 0.6 else rng.randint(4, 25)
    lines = article.body[:limit]
    terse = rng.random() < (0.5 if small else 0.12)  # paragraphs of one sentence each, as popular papers print
    box_at = rng.randrange(len(lines)) if rng.random() < 0.28 else -1
    insert = inserts.inside(supply, rng)
    insert_share = rng.choice((0.06, 0.12, 0.3)) if rng.random() < (0.4 if small else 0.3) else 0.0
    for index, line in enumerate(lines):
        if line.kind == "caption":
            items += [] if bare else _picture(supply, rng, site, line.text)
            continue
        kind = {"subhead": "sub", "item": "item", "row": "row"}.get(line.kind, "text")
        if pace and index % pace == 0:
            items += _picture(supply, rng, site, "")
        if chapters and line.kind == "paragraph" and index % chapters == 0:
            items += [Item("body", "sub", supply.chapter()), GAP]
        text = supply.borrowed(line.text, supply.library.voices)
        if terse and kind == "text" and rng.random() < 0.8:
            text = one_sentence(text, rng)
        items += [Item("body", kind, text), GAP] if kind in ("text", "sub") else [Item("body", kind, text)]
        if rng.random() < 0.03:
            items += [Item("promo", "text", rng.choice(("Quảng cáo", "QUẢNG CÁO", "Advertisement"))), GAP]
        if rng.random() < 0.02:
            items += [Item("media", "text", supply.pick("player")) for _ in range(rng.randint(1, 5))] + [GAP]
        if index + 1 < len(lines) and rng.random() < insert_share:
            items += insert()
        if index == box_at and index + 1 < len(lines):
            items += _inner_box(supply, rng)
    items.append(GAP)
    if rng.random() < 0.08:
        items += [Item("body", "text", supply.pick("notes")), GAP]
    return items


def _inner_box(supply: Supply, rng: random.Random) -> list[Item]:
    roll = rng.random()
    if roll < 0.75:
        head = [Item("related", "head", supply.heading("related", Want(12)), True)] if rng.random() < 0.55 else []
        return [GAP, *head, *_teasers("related", supply, rng, rng.randint(1, 4)), GAP]
    if roll < 0.9:
        return [GAP, Item("promo", "text", supply.promo()), GAP]
    return [GAP, Item("media", "text", supply.pick("media_titles")), GAP]


def _picture(supply: Supply, rng: random.Random, site: Site, text: str) -> list[Item]:
    title = supply.article.title
    alt = {
        "none": "",
        "headline": title,
        "slug": strip_accents(title).lower() + rng.choice(("", " anh 1", f" hinh anh {rng.randint(1, 9)}", " anh ttxvn")),
        "number": f"{title} - Ảnh {rng.randint(1, 20)}.",
        "keywords": ", ".join((title, supply.article.section, *map(strip_accents, supply.page_tags), *supply.page_tags)),
    }[site.alts]
    if alt == title and text and rng.random() < 0.3:
        alt = text
    items = [Item("caption" if alt else "media", "image", alt)] * (2 if site.doubled_alts and rng.random() < 0.7 else 1)
    if rng.random() < site.sentences:
        text = supply.caption_sentence()
    if not text:
        return [*items, GAP] if rng.random() < 0.8 else items
    if site.credit or rng.random() < 0.25:
        credit = supply.pick("credits") if rng.random() < 0.6 else supply.pick("captions_credit_lines")
        glued = rng.random() < site.glued
        tail = (" " if credit.startswith(("(", "-", "–", "/")) else ". ") + credit
        items.append(Item("caption", "text", text.rstrip(".") + tail if glued else text))
        if not glued:
            items.append(Item("caption", "text", credit.strip(" -–")))
    elif rng.random() < 0.9:
        items.append(Item("caption", "text", text + ("." if rng.random() < 0.4 and not text.endswith(".") else "")))
    return [*items, GAP]


def _after(supply: Supply, rng: random.Random, site: Site) -> list[Item]:
    """Return the items between the article and the teaser lists."""
    items: list[Item] = []
    if rng.random() < 0.12:  # teasers above the author's name: headline once or twice, lead
        items += [*_teasers("related", supply, rng, rng.randint(1, 3)), GAP]
    if rng.random() < 0.5:
        items += [Item("meta", "text", rng.choice((supply.author, supply.author, supply.pick("pens"), supply.pick("bylines")))), GAP]
    if rng.random() < 0.3:
        items += [Item("meta", "text", supply.pick("sources")), GAP]
    if rng.random() < 0.06:
        items += inserts.block("meta", "author_boxes_blocks", supply, rng)
    options: list[Callable[[], list[Item]]] = [
        lambda: [Item("related", "link", head) for head, _ in supply.topical[: rng.randint(1, 4)]],
        lambda: _teasers("related", supply, rng, rng.randint(1, 3)),
        lambda: [Item("nav", "text", supply.pick("buttons")) for _ in range(rng.randint(1, 8))],
        lambda: _tags(supply, rng),
        lambda: [Item("nav", "text", supply.pick("seo_lines"))],
        lambda: _comments(supply, rng),
        lambda: [Item("promo", "text", supply.promo())],
        lambda: [Item("promo", "text", supply.pick("app_calls", "newsletter", "sales_lines")) for _ in range(rng.randint(1, 3))],
        lambda: [Item("nav", "text", supply.pick("share_lines"))],
        lambda: inserts.appeals(supply, rng),
    ]
    for option in rng.sample(options, rng.randint(0, 4)):
        items += [*option(), GAP]
    return items


def _tags(supply: Supply, rng: random.Random) -> list[Item]:
    tags = [*supply.article.tags, *rng.sample(supply.library.tags, 3)][: rng.randint(2, 8)]
    head = [Item("nav", "text", rng.choice(("Từ khóa:", "Tags:", "TAGS", "Chủ đề:", "Thẻ", "Tag")))] if rng.random() < 0.6 else []
    if rng.random() < 0.5:
        line = rng.choice((", ", "; ", " ", " - ", "  #")).join(tags)
        return [Item("nav", "text", (head[0].text + " " if head else "") + line)]
    return head + [Item("nav", "link", tag) for tag in tags]


def _walls(supply: Supply, rng: random.Random, site: Site) -> list[Item]:
    """Return the teaser lists and widgets below and beside the article."""
    makers: list[tuple[float, Callable[[], list[Item]]]] = [
        (3.0, lambda: _wall("related", supply, rng)),
        (1.0, lambda: _wall("most_read", supply, rng)),
        (0.4, lambda: _wall("media", supply, rng)),
        (0.7, lambda: _comments(supply, rng)),
        (0.7, lambda: _promos(supply, rng)),
        (0.15, lambda: _forecast(supply, rng)),
        (0.15, lambda: _cities(supply, rng)),
        (0.3, lambda: [Item("nav", "text", supply.pick("price_widget")) for _ in range(rng.randint(2, 12))]),
        (0.5, lambda: _menu(supply, rng)),
        (0.4, lambda: [Item("nav", "text", supply.pick("modals")) for _ in range(rng.randint(1, 10))]),
        (0.2, lambda: inserts.offers(supply, rng)),
        (0.15, lambda: inserts.appeals(supply, rng)),
        (0.3, lambda: [Item("promo", "text", supply.pick("sales_lines")) for _ in range(rng.randint(1, 16))]),
        (0.1, lambda: [Item("nav", "text", supply.pick("poll_quiz")) for _ in range(rng.randint(2, 5))]),
    ]
    items: list[Item] = []
    for _ in range(rng.randint(0, 9)):
        maker = rng.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]
        items += [*maker(), GAP]
    return items


def _wall(label: str, supply: Supply, rng: random.Random) -> list[Item]:
    unheaded = label == "related" and rng.random() < 0.25
    head = [] if unheaded else [Item(label, "head", supply.heading(label, Want(14)), True)]
    return [*head, GAP, *_teasers(label, supply, rng, _few(rng, 2, 30 if label == "related" else 16))]


def _teasers(label: str, supply: Supply, rng: random.Random, count: int) -> list[Item]:
    """Return a list of teasers that share one form.

    A form names the parts of a teaser: h headline, D headline printed twice, a image, l lead, d date, s section, n number, c count.
    """
    leads = ("hl", "hl", "hl", "hhl", "hhl", "ahl", "ahdl", "hdl", "l") if label == "related" else ("hl", "ahl")
    form = rng.choice(("h", "h", "h", "hh", "hh", "ah", "hd", "dh", "sh", "nh", "hsd", "hc", "had", "D", *leads))
    number = rng.random() < 0.5
    topical = rng.random() < 0.4
    cut = rng.random() < 0.35
    between, inside = rng.choice(((True, False), (True, False), (True, False), (False, True), (True, True), (False, False)))
    items: list[Item] = []
    for index in range(count):
        headline, lead = _teaser(label, supply, rng, topical)
        weather = label in ("related", "most_read", "media") and rng.random() < 0.025
        own_label = "weather" if weather else label
        if weather:
            headline, lead = supply.near(60, "weather_teasers"), supply.near(150, "weather_teasers")
        for at, part in enumerate(form):
            if at and inside:
                items.append(GAP)
            if part in "hD":
                text = f"{headline} {headline}" if part == "D" else headline
                items.append(Item(own_label, "link", f"{index + 1}. {text}" if number and form == "nh" else text))
            elif part == "a":
                items.append(Item("media" if label == "media" else own_label, "image", headline))
            elif part == "l" and lead:
                lead = (supply.kicker if rng.random() < 0.7 else "") + supply.borrowed(lead, supply.library.paragraphs)
                text = cut_to(lead.rstrip("."), rng.randint(70, 160), "...") if cut else lead
                items.append(Item(own_label, "text", text))
            elif part == "d":
                items.append(Item(own_label, "text", supply.pick("datelines_short")))
            elif part == "s":
                items.append(Item(own_label, "link", supply.pick("sections")))
            elif part == "n" and not number:
                items.append(Item(own_label, "text", str(index + 1)))
            elif part == "c":
                items.append(Item(own_label, "text", str(rng.randint(0, 300))))
        if between:
            items.append(GAP)
    return items


def _teaser(label: str, supply: Supply, rng: random.Random, topical: bool) -> tuple[str, str]:
    if label == "media" and rng.random() < 0.6:
        return supply.pick("media_titles"), ""
    if topical and rng.random() < 0.6:
        return rng.choice(supply.topical)
    other = rng.choice(supply.library.articles)
    if rng.random() < 0.5:
        return other.title, other.lead
    return rng.choice(other.related) if other.related else (supply.library.headlines.near(rng, 60), supply.library.leads.near(rng, 140))


def _comments(supply: Supply, rng: random.Random) -> list[Item]:
    items = [Item("comment", "head", supply.pick("headings_comment"), True)] if rng.random() < 0.92 else []
    items += [Item("comment", "text", supply.pick("comment_form")) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.06:  # an emoji picker
        items += [Item("comment", "text", emoji) for emoji in rng.sample(EMOJI, rng.randint(8, len(EMOJI)))]
    own = list(supply.article.comments)
    lengthy, copied, named = rng.random() < 0.12, rng.random() < 0.2, rng.random() < 0.8
    for _ in range(_few(rng, 0, 9)):
        text = own.pop() if own and rng.random() < 0.5 else supply.comment(Want(rng.randint(150, 500) if lengthy else rng.randint(20, 250)))
        name = [Item("comment", "text", supply.pick("names") if rng.random() < 0.6 else supply.pick("comment_form"))] if named else []
        short = [Item("comment", "text", cut_to(text, 160, "...") if rng.random() < 0.7 else text)] if copied and len(text) > 60 else []
        tail = [Item("comment", "text", supply.pick("comment_form")) for _ in range(rng.randint(0, 3))]
        order = [*name, *short, Item("comment", "text", text)] if rng.random() < 0.7 else [*short, Item("comment", "text", text), *name]
        items += [*order, *tail, GAP]
    return items


def _promos(supply: Supply, rng: random.Random) -> list[Item]:
    head = [Item("promo", "head", supply.pick("headings_promo"), True)] if rng.random() < 0.7 else []
    return [*head, *[Item("promo", rng.choice(("text", "link")), supply.promo()) for _ in range(rng.randint(1, 6))]]


def _forecast(supply: Supply, rng: random.Random) -> list[Item]:
    head = [Item("weather", "head", supply.pick("headings_weather"), True)] if rng.random() < 0.7 else []
    bank = rng.choice(("weather_teasers", "weather_widget"))
    return [*head, *[Item("weather", "link", supply.pick(bank)) for _ in range(rng.randint(2, 8))]]


def _footer(supply: Supply, rng: random.Random) -> list[Item]:
    lines = inserts.block("footer", "footers_blocks", supply, rng)
    if rng.random() < 0.15:
        lines = [Item("footer", "text", " ".join(item.text for item in lines))]
    if rng.random() < 0.4:
        lines += [Item("footer", "link", supply.pick("links_misc")) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.15:
        lines += [Item("nav", "text", supply.pick("buttons")), Item("nav", "text", supply.pick("modals"))]
    return lines
