"""Boilerplate inside and around the article: see-also lines, newsletter and app calls, embeds, consent and payment dialogs.

Each function returns the items of one block, with the label that the gold pages give it: payment, login and consent dialogs are
nav, subscription offers and standing appeals promo, what an embedded post leaves behind media.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from training.composer.library import cut_to
from training.composer.render import GAP, Item
from training.composer.supply import Supply

__all__ = ["appeals", "block", "consent", "contents", "inside", "offers", "related_after_lead", "residue"]

MARKS = ("", "", "", "> ", ">> ", ">>> ", "• ", "» ", "* ", "- ", "► ")


def inside(supply: Supply, rng: random.Random) -> Callable[[], list[Item]]:
    """Return a maker of blocks to put between paragraphs; all blocks of a page are of one or two kinds, as on a real site."""
    makers: list[tuple[float, Callable[[], list[Item]]]] = [
        (4.0, lambda: [_see_also(supply, rng)]),
        (1.5, lambda: [_headline(supply, rng)]),
        (2.0, lambda: _phrases("promo", "newsletter", supply, rng, 3)),
        (1.0, lambda: _phrases("promo", "app_calls", supply, rng, 2)),
        (1.5, lambda: _phrases("promo", "sales_lines", supply, rng, 2)),
        (1.5, lambda: _embed(supply, rng)),
        (0.5, lambda: _phrases("nav", "poll_quiz", supply, rng, 4)),
        (0.5, lambda: _phrases("nav", "share_lines", supply, rng, 1)),
        (0.5, lambda: block("nav", "paywall_blocks", supply, rng)),
        (1.2, lambda: residue(supply, rng)),
    ]
    chosen = rng.choices([maker for _, maker in makers], [weight for weight, _ in makers], k=rng.choice((1, 1, 2)))
    return lambda: [GAP, *rng.choice(chosen)(), GAP]


def _see_also(supply: Supply, rng: random.Random) -> Item:
    """Return a line that names another article, such as `Xem thêm: ...`."""
    return Item("related", rng.choice(("text", "link")), supply.pick("see_also"))


def _headline(supply: Supply, rng: random.Random) -> Item:
    """Return the bare headline of another article, which only its place and its neighbours tell from a subhead."""
    headline = rng.choice(supply.topical)[0] if rng.random() < 0.7 else supply.library.headlines.near(rng, rng.randint(40, 90))
    return Item("related", rng.choice(("text", "link", "link")), rng.choice(MARKS) + headline)


def _phrases(label: str, bank: str, supply: Supply, rng: random.Random, most: int) -> list[Item]:
    """Return one to `most` phrases of a bank, few being more likely."""
    return [
        Item(label, rng.choice(("text", "text", "link")), supply.pick(bank)) for _ in range(min(rng.randint(1, most), rng.randint(1, most)))
    ]


def block(label: str, bank: str, supply: Supply, rng: random.Random) -> list[Item]:
    """Return one block of a `_blocks` bank, a line an item."""
    return [Item(label, "text", supply.fill(line)) for line in rng.choice(supply.library.banks[bank]).split("\n")]


def _embed(supply: Supply, rng: random.Random) -> list[Item]:
    """Return what an embedded post or player leaves behind."""
    items = _phrases("media", "embeds", supply, rng, 4)
    if rng.random() < 0.25:  # the post's own text
        items.insert(rng.randrange(len(items) + 1), Item("media", "text", supply.library.comments.near(rng, rng.randint(30, 90))))
    return items


def related_after_lead(supply: Supply, rng: random.Random) -> list[Item]:
    """Return one to three links to other articles right after the lead, each headline once or twice, on a line or two."""
    twice = rng.random()
    mark = rng.choice(MARKS)
    items: list[Item] = []
    for headline, lead in rng.sample(supply.topical, min(len(supply.topical), rng.randint(1, 3))):
        text = f"{headline} {headline}" if twice < 0.2 else headline
        items += [Item("related", "link", mark + text), GAP]
        if 0.2 <= twice < 0.4:
            items += [Item("related", "link", headline), GAP]
        if lead and rng.random() < 0.15:
            items += [Item("related", "text", cut_to(lead, rng.randint(70, 160), "...") if rng.random() < 0.5 else lead), GAP]
    return items


def consent(supply: Supply, rng: random.Random) -> list[Item]:
    """Return a cookie or privacy dialog: sentences and buttons."""
    return block("nav", "consent_blocks", supply, rng)


def offers(supply: Supply, rng: random.Random) -> list[Item]:
    """Return a subscription offer in prose, or a payment dialog."""
    label = rng.choice(("promo", "nav"))
    return [item for _ in range(rng.randint(1, 2)) for item in block(label, "paywall_blocks", supply, rng)]


def appeals(supply: Supply, rng: random.Random) -> list[Item]:
    """Return a standing appeal of the paper: thanks, apologies, warnings, calls for support."""
    return block("promo", "appeals_blocks", supply, rng)


def contents(supply: Supply, rng: random.Random) -> list[Item]:
    """Return a table of contents of the article's subheads, if it has two or more."""
    heads = [line.text for line in supply.article.body if line.kind == "subhead"]
    if len(heads) < 2:
        return []
    numbered = rng.random() < 0.4
    names = [f"{number}. {head}" if numbered else head for number, head in enumerate(heads, 1)]
    return [Item("nav", "text", supply.pick("headings_toc")), *(Item("nav", "item", name) for name in names), GAP]


def residue(supply: Supply, rng: random.Random) -> list[Item]:
    """Return scripts, attributes and shortcodes that an extractor left in the text."""
    return _phrases("nav", "residue", supply, rng, 3)
