"""Corpus reader and validator: articles and phrase banks (`training/corpus/README.md` describes the format).

Run as a module, it checks every file, prints counts, and fails if two articles share too many 5-grams, which is the mark
of text written from one template.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

__all__ = ["Article", "BodyLine", "CorpusError", "load_articles", "load_banks", "shared_fivegrams"]

ROOT = Path(__file__).parent.parent / "corpus"
FORMS = frozenset(
    (
        "news", "brief", "feature", "interview", "qa", "opinion", "recipe", "review", "match", "lineup", "live", "photo",
        "list", "steps", "legal", "press", "notice", "obituary", "market", "court", "explainer", "letter",
        "poem", "schedule", "results", "forecast", "code", "transcript", "infographic",
    )
)  # fmt: skip
SINGLE = ("section", "form", "place", "tags", "title", "lead")
SLOT = re.compile(r"\{(\w+)\}")
SLOTS = frozenset(
    (
        "h", "m", "s", "d", "mo", "y", "wd", "d2", "mo2", "h12", "ampm", "name", "NAME", "pen", "ini", "outlet", "OUTLET",
        "domain", "agency", "section", "topic", "city", "prov", "title", "short", "n", "nn", "k", "temp", "hum", "price",
        "phone",
    )
)  # fmt: skip
# Articles written from one template share whole sentences. Stock phrases ("theo báo cáo của ủy ban nhân dân tỉnh") alone
# give unrelated articles of this corpus a share of about 1 %; a copied paragraph gives a pair more than 10 %.
MAX_SHARED = 0.06


class CorpusError(ValueError):
    """A corpus file breaks the format; the message names file and line."""


class BodyLine(NamedTuple):
    """One line of an article. kind: paragraph, subhead, item, step, row or caption; `text` excludes `## `, `- ` and `@ `."""

    kind: str
    text: str


class Article(NamedTuple):
    """One authored article."""

    id: str
    source: str  # file stem: articles of one file are about related subjects
    section: str
    form: str
    place: str
    tags: tuple[str, ...]
    title: str
    lead: str
    related: tuple[tuple[str, str], ...]  # headline and lead, the lead possibly empty
    comments: tuple[str, ...]
    body: tuple[BodyLine, ...]

    @property
    def text(self) -> str:
        """Title, lead and body, one per line."""
        return "\n".join(part for part in (self.title, self.lead, *(line.text for line in self.body)) if part)


def load_articles(root: Path = ROOT) -> list[Article]:
    """Return all articles, by file name and then in file order.

    Raises:
        CorpusError: a file breaks the format.
    """
    articles: list[Article] = []
    seen: dict[str, str] = {}
    for path in sorted((root / "articles").glob("*.txt")):
        for article, number in _articles_of(path):
            where = f"{path}:{number}"
            if article.id in seen:
                raise CorpusError(f"{where}: id {article.id!r} is already used at {seen[article.id]}; choose another")
            seen[article.id] = where
            articles.append(article)
    return articles


def _articles_of(path: Path) -> list[tuple[Article, int]]:
    found: list[tuple[Article, int]] = []
    fields: dict[str, list[str]] = {}
    body: list[BodyLine] = []
    started, header = 0, False
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate([*lines, "=== "], 1):
        if line != unicodedata.normalize("NFC", line):
            raise CorpusError(f"{path}:{number}: not in NFC; write precomposed letters")
        line = line.strip() if not line.startswith("=== ") else line
        if line.startswith("=== "):
            if started:
                found.append((_article(path, started, fields, body), started))
            fields, body, started, header = {"id": [line[4:].strip()]}, [], number, True
        elif not started:
            if line:
                raise CorpusError(f"{path}:{number}: text before the first '=== id' line")
        elif header and line:
            name, colon, value = line.partition(":")
            if not colon or name not in (*SINGLE, "related", "comment"):
                raise CorpusError(f"{path}:{number}: {line[:40]!r} is not a header field; a blank line ends the header")
            fields.setdefault(name, []).append(value.strip())
        elif header:
            header = False
        elif line:
            body.append(_body_line(line))
    return found


def _body_line(line: str) -> BodyLine:
    for mark, kind in (("## ", "subhead"), ("- ", "item"), ("@ ", "caption"), ("|", "row")):
        if line.startswith(mark):
            return BodyLine(kind, line if kind == "row" else line[len(mark) :].strip())
    return BodyLine("step" if re.match(r"\d+\. ", line) else "paragraph", line)


def _article(path: Path, number: int, fields: dict[str, list[str]], body: list[BodyLine]) -> Article:
    where = f"{path}:{number}"
    for name in SINGLE:
        if len(fields.get(name, [])) > 1:
            raise CorpusError(f"{where}: field {name!r} appears twice")
    single = {name: fields.get(name, [""])[0] for name in SINGLE}
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", fields["id"][0]):
        raise CorpusError(f"{where}: id {fields['id'][0]!r} is not an unaccented slug")
    if not single["title"] or not single["section"] or not body:
        raise CorpusError(f"{where}: an article needs a section, a title and a body")
    if single["form"] not in FORMS:
        raise CorpusError(f"{where}: form {single['form']!r} is unknown; choose from {', '.join(sorted(FORMS))}")
    related = tuple((head.strip(), lead.strip()) for head, _, lead in (r.partition("::") for r in fields.get("related", [])))
    return Article(
        fields["id"][0], path.stem, single["section"], single["form"], single["place"],
        tuple(tag.strip() for tag in single["tags"].split(";") if tag.strip()), single["title"], single["lead"],
        related, tuple(fields.get("comment", [])), tuple(body),
    )  # fmt: skip


def load_banks(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the phrase banks by file stem; an entry of a `_blocks` bank is a block of newline-joined lines.

    Raises:
        CorpusError: a phrase appears twice in its bank, has an unknown slot, or is not in NFC.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((root / "phrases").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.split("\n") if not line.startswith("# ")]
        if path.stem.endswith("_blocks"):
            entries = [block.strip("\n") for block in re.split(r"\n\s*\n", "\n".join(lines)) if block.strip()]
        else:
            entries = [line for line in lines if line.strip()]
        for entry in entries:
            unknown = [slot for slot in SLOT.findall(entry) if slot not in SLOTS]
            if unknown or entry != unicodedata.normalize("NFC", entry):
                raise CorpusError(f"{path}: {entry[:60]!r}: {f'unknown slot {unknown[0]}' if unknown else 'not in NFC'}")
        twice = {entry for entry in entries if entries.count(entry) > 1}
        if twice:
            raise CorpusError(f"{path}: {sorted(twice)[0][:60]!r} appears twice")
        found[path.stem] = entries
    return found


def shared_fivegrams(articles: list[Article]) -> list[tuple[float, str, str]]:
    """Return (share, id, id) of article pairs, most similar first: common 5-grams over the 5-grams of the shorter article."""
    grams = {}
    owners = defaultdict(list)
    for article in articles:
        words = re.findall(r"\w+", article.text.lower())
        grams[article.id] = {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
        for gram in grams[article.id]:
            owners[gram].append(article.id)
    common: dict[tuple[str, str], int] = defaultdict(int)
    for ids in owners.values():
        for index, first in enumerate(ids):
            for second in ids[index + 1 :]:
                common[first, second] += 1
    shares = [(count / max(1, min(len(grams[a]), len(grams[b]))), a, b) for (a, b), count in common.items()]
    return sorted(shares, reverse=True)


def main(argv: list[str] | None = None) -> int:
    """Validate the corpus and print counts; return 1 if a file breaks the format or two articles are too similar."""
    parser = argparse.ArgumentParser(description="Check the authored corpus.")
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--pairs", type=int, default=3, help="number of most similar pairs to print")
    args = parser.parse_args(argv)
    try:
        articles, phrases = load_articles(args.root), load_banks(args.root)
    except CorpusError as error:
        print(f"corpus: {error}", file=sys.stderr)
        return 1
    lines = sum(len(article.body) + bool(article.lead) for article in articles)
    syllables = sum(len(article.text.split()) for article in articles)
    print(f"{len(articles)} articles, {lines} body lines, {syllables} syllables;", end=" ")
    print(f"{len(phrases)} banks, {sum(map(len, phrases.values()))} phrases")
    pairs = shared_fivegrams(articles)
    for share, first, second in pairs[: args.pairs]:
        print(f"  shared 5-grams {share:.3f}  {first}  {second}")
    if pairs and pairs[0][0] > MAX_SHARED:
        print(f"corpus: articles share more than {MAX_SHARED:.0%} of their 5-grams; rewrite one of the pair", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
