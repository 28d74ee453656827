"""Text supply for composed pages: corpus text of the right kind and about the right length for a slot.

One `Supply` serves one page: it holds the page's article and outlet, so that related items share the article's subject and
names recur as they do on a real site. It knows nothing of layout or markup.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from training.composer.corpus import SLOT, Article, BodyLine
from training.composer.library import Library, Shelf, cut_to, sentences, slug
from training.composer.skeleton import strip_accents

__all__ = ["Supply", "Want"]

WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")


class Want(NamedTuple):
    """The wanted form of a piece of text: a parsed skeleton descriptor."""

    length: int
    case: str = "S"
    end: str = ""
    flags: str = ""


class Supply:
    """Text for one page."""

    def __init__(self, library: Library, article: Article, rng: random.Random) -> None:
        self.library, self.article, self.rng = library, article, rng
        self.outlet = rng.choice(library.outlets)
        self.author = rng.choice(library.banks["names"])
        self.year = rng.randint(2008, 2026)
        self.date_form = rng.choice(library.banks["datelines"])
        # On half the pages prose swaps registers: articles in a commenter's or an advertiser's voice, comments and teasers in a
        # reporter's. The press has more registers than this corpus, and the role of prose follows from position, not tone.
        self.borrowing = rng.random() < 0.5
        self.kicker = self.pick("kickers") if rng.random() < 0.4 else ""  # opens the leads of the page's article and of its teasers
        self.kin = [other for other in library.by_source[article.source] if other is not article] or [article]
        self.topical = [*article.related, *((other.title, other.lead) for other in self.kin)]
        # Search words of the page, as sites put them into alt texts: the article's tags, and others.
        self.page_tags = (*article.tags, *(rng.sample(library.tags, 4) if rng.random() < 0.5 else ()))
        self._footer = rng.choice(library.banks["footers_blocks"]).split("\n")
        self._body = self._body_queue()
        self._captions = [line.text for line in article.body if line.kind == "caption"]
        self._makers: dict[str, Callable[[Want], str]] = {
            "title": self.title, "body": self.body, "caption": self.caption, "meta": self.meta, "nav": self.nav,
            "related": self.related, "most_read": self.related, "media": self.media, "weather": self.weather,
            "comment": self.comment, "promo": self.promo, "footer": self.footer,
        }  # fmt: skip

    # -- phrases ---------------------------------------------------------------------------------------------------

    def fill(self, phrase: str) -> str:
        """Return a phrase with its slots filled."""
        return SLOT.sub(lambda match: self._slot(match.group(1)), phrase)

    def pick(self, *banks: str) -> str:
        """Return a random phrase of the banks, with its slots filled."""
        return self.fill(self.rng.choice(self.library.shelf(*banks).texts))

    def near(self, length: int, *banks: str) -> str:
        """Return a phrase of about `length` characters, with its slots filled."""
        return self.fill(self.library.shelf(*banks).near(self.rng, length))

    def _slot(self, name: str) -> str:
        rng, banks = self.rng, self.library.banks
        if name in ("name", "NAME", "ini"):
            person = self.author if rng.random() < 0.3 else rng.choice(banks["names"])
            if name == "ini":
                return ".".join(word[0] for word in person.split()[-2:]) + "."
            return person.upper() if name == "NAME" else person
        if name in ("outlet", "OUTLET", "domain"):
            return {"outlet": self.outlet.name, "OUTLET": self.outlet.short, "domain": self.outlet.domain}[name]
        numbers = {
            "h": lambda: f"{rng.randint(0, 23):02d}", "m": lambda: f"{rng.randint(0, 59):02d}", "s": lambda: f"{rng.randint(0, 59):02d}",
            "d": lambda: str(rng.randint(1, 30)), "mo": lambda: str(rng.randint(1, 12)), "d2": lambda: f"{rng.randint(1, 30):02d}",
            "mo2": lambda: f"{rng.randint(1, 12):02d}", "y": lambda: str(self.year), "h12": lambda: f"{rng.randint(1, 12):02d}",
            "n": lambda: str(rng.randint(1, 9)), "nn": lambda: str(rng.randint(10, 99)), "temp": lambda: str(rng.randint(14, 38)),
            "k": lambda: rng.choice((str(rng.randint(1, 999)), f"{rng.randint(1, 99)}.{rng.randint(100, 999)}")),
            "hum": lambda: str(rng.randint(40, 98)), "price": lambda: f"{rng.randint(20, 99)}.{rng.randint(0, 99):02d}0",
            "phone": lambda: rng.choice(("024", "028", "0236", "090")) + f".{rng.randint(3000000, 39999999)}",
        }  # fmt: skip
        if name in numbers:
            return numbers[name]()
        if name == "wd":
            day = rng.choice(WEEKDAYS)
            return day if rng.random() < 0.6 else day.capitalize()
        if name == "ampm":
            return rng.choice(("AM", "PM"))
        if name in ("title", "short"):
            title = rng.choice(self.library.headlines.texts)
            return cut_to(title, rng.randint(15, 35)) if name == "short" else title
        bank = {"pen": "pens", "agency": "agencies", "section": "sections", "topic": "topics", "city": "cities", "prov": "provinces"}
        return rng.choice(banks[bank[name]])

    # -- by label --------------------------------------------------------------------------------------------------

    def text(self, label: str, want: Want) -> str:
        """Return text for a label, as close to the wanted form as the corpus allows."""
        text = self._makers[label](want)
        return self._recase(text, want) if label not in ("body", "title") else text

    def _recase(self, text: str, want: Want) -> str:
        if want.case == "U":
            return text.upper()
        if want.case == "l" and text[:1].isupper() and want.length < 40:
            return text.lower()
        if "a" in want.flags:
            return strip_accents(text)
        return text

    def title(self, want: Want) -> str:
        """Return the page's headline."""
        return self.article.title.upper() if want.case == "U" else self.article.title

    def _body_queue(self) -> list[BodyLine]:
        lines = [line for line in self.article.body if line.kind != "caption"]
        lead = [BodyLine("paragraph", self.article.lead)] if self.article.lead else []
        queue = lead + lines
        for other in self.rng.sample(self.kin, min(3, len(self.kin))):
            queue += [line for line in other.body if line.kind != "caption"]
        return queue

    def borrowed(self, text: str, shelf: Shelf) -> str:
        """Return the text, or on some pages, for prose only, text of similar length from another shelf."""
        if not self.borrowing or len(text) < 60 or self.rng.random() < 0.4:
            return text
        return self.fill(self._fitted(shelf.near(self.rng, len(text)), Want(len(text), end=".")))

    def body(self, want: Want) -> str:
        """Return the article's next line that fits, in another register on some pages."""
        return self.borrowed(self._own_body(want), self.library.voices)

    def _own_body(self, want: Want) -> str:
        """Return the next line that fits, of the article or of its neighbours; other corpus text if none does."""
        prose = want.length >= 60 or want.end in (".", "!", "?", "…", "...")
        window = self._body[:6]
        best, best_cost = -1, 0.9
        for index, line in enumerate(window):
            alike = (line.kind == "paragraph" and len(line.text) >= 50) == prose
            cost = abs(len(line.text) - want.length) / max(want.length, 30) + 0.12 * index + (0 if alike else 0.5)
            if cost < best_cost:
                best, best_cost = index, cost
        if best >= 0:
            line = self._body.pop(best)
            return line.text
        if want.length >= 60:
            return self._fitted(self.library.paragraphs.near(self.rng, want.length), want)
        shelf = self.library.rows if "|" in want.flags else self.library.shorts
        return self._fitted(shelf.near(self.rng, want.length), want)

    def _fitted(self, text: str, want: Want) -> str:
        """Shorten a long paragraph to whole sentences of about the wanted length, from a random sentence on."""
        if len(text) <= 1.5 * want.length:
            return text
        parts = sentences(text)
        start = self.rng.randrange(len(parts))
        out = parts[start]
        for sentence in parts[start + 1 :]:
            if len(out) + len(sentence) > 1.2 * want.length:
                break
            out += " " + sentence
        return out if len(out) <= 2 * want.length else cut_to(out, want.length, "." if want.end == "." else "")

    def caption(self, want: Want) -> str:
        """Return a caption of the article, with a photo credit if the form has one."""
        if want.length < 28 and "c" in want.flags:
            return self.near(want.length, "credits").strip(" -–")
        if "a" in want.flags:
            base = self.near(want.length, "slugs_unaccented") if self.rng.random() < 0.3 else slug(self.article.title).replace("-", " ")
            return cut_to(base, want.length + 6)
        if "n" in want.flags and want.length < 28:
            return self.rng.choice(self.library.banks["names"])
        if self._captions and self.rng.random() < 0.7:
            text = self._captions.pop(self.rng.randrange(len(self._captions)))
        elif want.length > 60 and self.rng.random() < 0.25:
            text = self.rng.choice([line.text for line in self.article.body if line.kind == "paragraph"] or [self.article.title])
            text = cut_to(sentences(text)[0], int(want.length * 1.2))
        else:
            text = self.library.captions.near(self.rng, want.length)
        if want.length > 1.8 * len(text):
            text += ". " + self._fitted(
                self.library.paragraphs.near(self.rng, want.length - len(text)), Want(want.length - len(text), end=".")
            )
        if "c" in want.flags:
            credit = self.pick("credits")
            text = text.rstrip(".") + (" " if credit.startswith(("(", "-", "–", "/")) else ". ") + credit
        elif want.end == "." and not text.endswith((".", "!", "?", '"')):
            text += "."
        return text

    def chapter(self) -> str:
        """Return a subhead of a ranking list or a series of portraits: a name, a place or a short phrase."""
        bank = self.rng.choice(("names", "names", "cities", "topics"))
        return self.pick(bank) if self.rng.random() < 0.6 else cut_to(self.library.shorts.near(self.rng, 30), 50)

    def caption_sentence(self) -> str:
        """Return a caption that is a whole sentence, by form alone a paragraph."""
        prose = [line.text for line in self.article.body if line.kind == "paragraph" and len(line.text) >= 60]
        if prose and self.rng.random() < 0.3:
            return sentences(self.rng.choice(prose))[0]
        return self.pick("caption_sentences")

    def meta(self, want: Want) -> str:
        """Return a dateline, byline or source line."""
        if "t" in want.flags or want.case == "d":
            if want.length <= 22:
                return self.near(want.length, "datelines", "datelines_short")
            fits = abs(len(self.date_form) - want.length) < 14
            return self.fill(self.date_form) if fits else self.near(want.length, "datelines")
        if "n" in want.flags or (want.case in "TU" and want.length < 30):
            return self.author if self.rng.random() < 0.75 else self.fill(self.rng.choice(("{name}", "{pen}", "{NAME}", "{outlet}")))
        if "v" in want.flags:
            return self.fill(self.rng.choice(("http://{domain}/", "{domain}", "Nguồn: {domain}", "https://{domain}/"))) + (
                slug(self.article.title) + ".html" if want.length > 45 else ""
            )
        if want.length > 70:
            return self.near(want.length, "bylines", "sources", "seo_lines")
        return self.near(want.length, "bylines", "sources")

    def nav(self, want: Want) -> str:
        """Return text of the site's own interface: menu items, buttons, tags, dialogs."""
        rng, length = self.rng, want.length
        if "t" in want.flags:
            return self.near(length, "datelines", "datelines_short")
        if want.case == "d" and length <= 6:
            return str(rng.randint(0, 10 ** rng.randint(1, 3)))
        if "h" in want.flags:
            return self.near(length, "headings_nav")
        if length <= 34:
            roll = rng.random()
            if roll < 0.5:
                return self.near(length, "sections")
            if roll < 0.62:
                return self.near(length, "topics")
            if roll < 0.7:
                return self.library.tag_shelf.near(rng, length)
            return self.near(length, "buttons", "headings_nav", "links_misc")
        if want.end in (".", "!", "?"):
            return self.near(length, "modals")
        roll = rng.random()
        if length > 90 and roll < 0.4:
            return self._row_of_items(length)
        if roll < 0.55:
            return self.near(length, "topics", "search_nav")
        if roll < 0.7:
            return self.near(length, "price_widget", "seo_lines")
        if roll < 0.85:
            return self.near(length, "tag_lists", "links_misc")
        return self.near(length, "modals", "search_nav", "tag_lists")

    def _row_of_items(self, length: int) -> str:
        bank = self.rng.choice(("sections", "sections", "topics", "provinces", "buttons"))
        gap = self.rng.choice((" ", " ", "  ", " | ", " - ", ", "))
        items: list[str] = []
        while sum(map(len, items)) + len(gap) * len(items) < length:
            items.append(self.pick(bank))
        return gap.join(items)

    def related(self, want: Want) -> str:
        """Return a teaser's headline, lead or time, often on the article's subject."""
        rng, length = self.rng, want.length
        if length <= 24 and ("t" in want.flags or want.case in "dx"):
            return self.near(length, "datelines_short") if length > 3 else str(rng.randint(1, 99))
        if length <= 16:
            return self.near(length, "sections", "headings_related")
        if "t" in want.flags and length <= 40 and rng.random() < 0.6:
            return self.near(length, "datelines_short", "datelines")
        if "n" in want.flags and length <= 26:
            return self.pick("names")
        lead = length > 115 or (want.end in (".", "...") and length > 55)
        if lead and self.borrowing and rng.random() < 0.6:
            return self._teaser_end(self._fitted(self.library.paragraphs.near(rng, length), want), want)
        if rng.random() < 0.4:
            options = [part for pair in self.topical for part in (pair[1] if lead else pair[0],) if part]
            options = [text for text in options if 0.6 * length <= len(text) <= 1.5 * length]
            if options:
                return self._teaser_end(rng.choice(options), want)
        return self._teaser_end((self.library.leads if lead else self.library.headlines).near(rng, length), want)

    def _teaser_end(self, text: str, want: Want) -> str:
        if want.end == "...":
            return cut_to(text.rstrip("."), want.length, "...") if len(text) > want.length else text.rstrip(".") + "..."
        if len(text) > 1.6 * want.length:
            text = cut_to(text, want.length, want.end)
        if "k" in want.flags:
            text = self.pick("kickers") + text
        return text

    def heading(self, label: str, want: Want) -> str:
        """Return a block heading for the label."""
        name = f"headings_{label}"
        name = name if name in self.library.banks else "headings_nav"
        return self.near(want.length, name) if self.rng.random() < 0.5 else self.pick(name)

    def media(self, want: Want) -> str:
        """Return the title of a video or picture item, or text of a player's controls."""
        if "a" in want.flags:
            return self.near(want.length, "slugs_unaccented")
        if want.length < 22 or want.case == "d":
            return self.near(want.length, "player")
        if want.length > 110 and want.end in (".", "..."):
            return self.library.leads.near(self.rng, want.length)
        if self.rng.random() < 0.65:
            return self.near(want.length, "media_titles")
        return self.library.headlines.near(self.rng, want.length)

    def weather(self, want: Want) -> str:
        """Return an entry of a weather widget, or a forecast teaser."""
        if want.length <= 26 and want.case != "d" and "t" not in want.flags and self.rng.random() < 0.75:
            return self.near(want.length, "provinces")
        if want.length <= 34:
            return self.near(want.length, "weather_widget")
        return self.near(want.length, "weather_teasers")

    def comment(self, want: Want) -> str:
        """Return a reader's comment, or text of the comment form."""
        if want.length <= 34 and not (want.end and self.rng.random() < 0.3):
            return self.near(want.length, "comment_form") if "n" not in want.flags else self.pick("names")
        if "t" in want.flags and want.length < 60:
            return self.near(want.length, "comment_form")
        if self.borrowing and want.length >= 60 and self.rng.random() < 0.6:
            return self._fitted(self.library.paragraphs.near(self.rng, want.length), want)
        options = [text for text in self.article.comments if 0.6 * want.length <= len(text) <= 1.5 * want.length]
        if options and self.rng.random() < 0.6:
            return self.rng.choice(options)
        if want.length > 600:
            return " ".join(self.library.comments.near(self.rng, 350) for _ in range(max(2, want.length // 350)))
        return self.library.comments.near(self.rng, want.length)

    def promo(self, want: Want | None = None) -> str:
        """Return an advertisement or a call to subscribe; without `want` mostly a short one, as on real pages."""
        if want is not None:
            return self.near(want.length, "promos")
        return self.pick("promos") if self.rng.random() < 0.05 else self.near(self.rng.randint(8, 60), "promos")

    def footer(self, want: Want) -> str:
        """Return a line of the outlet's imprint."""
        options = sorted(self._footer, key=lambda line: abs(len(line) - want.length))
        if options and abs(len(options[0]) - want.length) < 0.5 * want.length + 8:
            self._footer.remove(options[0])
            return self.fill(options[0])
        if want.length < 30 and self.rng.random() < 0.4:
            return self.near(want.length, "links_misc", "buttons")
        return self.fill(self.library.footer_lines.near(self.rng, want.length))
