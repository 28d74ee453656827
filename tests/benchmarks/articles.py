"""Measurements of records: title, lead and paragraphs of gold pages, and the cost of a record.

    python -m tests.benchmarks.articles ../shared/realpages/dev

For each style: pages whose title and lead are exact, from the model's labels and from the gold ones (what the record itself loses).
Gold is the headline nearest above the article's text, and the first line of the text; a page whose text begins with a line shorter
than LEAST_LEAD has no lead to find. White space and markup around a line do not count. Pages that exist in the styles `bs4` (every
text node a line) and `plain` (whole paragraphs) show how well broken lines are joined: the ends of paragraphs, and the paragraphs
that both have. `--errors` lists the pages.
"""

from __future__ import annotations

import argparse
import os
import re
import time
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import classifier
from classifier.lines import line_starts
from classifier.record.article import Article, record_of
from classifier.record.joining import is_list_item
from classifier.record.paragraphs import Passage, passages
from classifier.results import Labels
from training.scoring.gold import Gold, read_gold

BROKEN, WHOLE = "bs4", "plain"
LEAST_LEAD = 40
MARKUP = re.compile(r"[#*_`]+|!?\[|\]\((?:[^()]|\([^()]*\))*\)|\]")


def key(text: str) -> str:
    """Return a text without white space, composed."""
    return unicodedata.normalize("NFC", "".join(text.split()))


def bare(text: str) -> str:
    """Return the `key` of a text without Markdown."""
    return key(MARKUP.sub("", text))


def gold_labels(page: Gold) -> Labels:
    """Return the gold labels of a page as the model's are."""
    names = [label.value for label in classifier.LABELS]
    codes = np.array([names.index(label) if label in names else -1 for label in page.labels], np.int8)
    starts = np.array(line_starts("\n".join(page.lines), page.lines))
    ends = starts + [len(line) for line in page.lines]
    ones, kept = np.ones(len(codes)), np.isin(page.labels, ["title", "body"])
    return Labels(codes, ones, kept, ones, codes, np.array([0, len(codes)]), list(page.lines), starts, ends)


def gold_record(page: Gold) -> Article:
    """Return the record of a page from its gold labels."""
    return record_of(gold_labels(page))


def gold_title(page: Gold) -> str:
    """Return the headline nearest above the article's text, of one or several lines."""
    first = page.labels.index("body") if "body" in page.labels else len(page.labels)
    rows = [row for row, label in enumerate(page.labels) if label == "title"]
    above = [row for row in rows if row < first] or rows[:1]
    start = above[-1] if above else 0
    while start and page.labels[start - 1] == "title" and bare(page.lines[start - 1]) != bare(page.lines[start]):
        start -= 1
    return bare("".join(page.lines[start : above[-1] + 1])) if above else ""


def gold_lead(page: Gold) -> str:
    """Return the first line of the article's text; empty if it is no lead: short, or an item of a list."""
    lead = next((line for label, line in zip(page.labels, page.lines) if label == "body"), "")
    return bare(lead) if len(key(lead)) >= LEAST_LEAD and not is_list_item(lead) else ""


def shares(records: Sequence[Article], titles: Sequence[str], leads: Sequence[str], names: Sequence[str], errors: bool) -> list[str]:
    """Return the shares of pages with the right title and lead as cells of a table."""
    cells = []
    for what, found, wanted in (("title", [r.title for r in records], titles), ("lead", [r.lead for r in records], leads)):
        judged = [(name, bare(one), want) for name, one, want in zip(names, found, wanted) if want]
        wrong = [name for name, one, want in judged if one != want]
        cells.append(f"{100 - 100 * len(wrong) / max(1, len(judged)):.1f}")
        if errors:
            print(f"  {what}: {', '.join(wrong)}")
    return cells


def titles_and_leads(cleaner: classifier.Cleaner, styles: dict[str, list[Gold]], errors: bool) -> None:
    """Print the table of titles and leads."""
    whole = {page.name: page for page in styles.get(WHOLE, [])}
    print("| style | pages | title | lead | title, gold labels | lead, gold labels |\n|---|---:|---:|---:|---:|---:|")
    for style, pages in styles.items():
        names, titles = [page.name for page in pages], [gold_title(page) for page in pages]
        leads = [gold_lead(whole.get(page.name, page) if style == BROKEN else page) for page in pages]
        found = list(cleaner.articles("\n".join(page.lines) + "\n" for page in pages))
        cells = shares(found, titles, leads, names, errors) + shares([gold_record(page) for page in pages], titles, leads, names, errors)
        print(f"| {style} | {len(pages)} | {' | '.join(cells)} |")


def body_of(page: Gold) -> list[Passage]:
    """Return the paragraphs that the lines labelled body form, copies included."""
    rows = [row for row, label in enumerate(page.labels) if label == "body"]
    return passages(gold_labels(page), rows)


# -- joining -------------------------------------------------------------------------------------------------------------------


def ends_of(pieces: Sequence[str], text: str) -> Iterator[int]:
    """Yield the places in a text where pieces of it end, in order; what is not found is left out."""
    place = 0
    for piece in pieces:
        found = text.find(piece, place)
        if found >= 0:
            place = found + len(piece)
            yield place


def f1(found: set[int], wanted: set[int]) -> tuple[int, int, int]:
    """Return true positives, false positives and false negatives."""
    return len(found & wanted), len(found - wanted), len(wanted - found)


def joining(styles: dict[str, list[Gold]]) -> None:
    """Print how well the broken pages are joined, from gold labels, against the whole ones."""
    whole = {page.name: page for page in styles[WHOLE]}
    before, after, equal, both = Counter[int](), Counter[int](), 0, 0
    for page in styles[BROKEN]:
        wanted = [key(line) for label, line in zip(whole[page.name].labels, whole[page.name].lines) if label == "body"]
        text = "".join(wanted)
        lines = [key(line) for label, line in zip(page.labels, page.lines) if label == "body"]
        found = [key(passage.text) for passage in body_of(page)]
        ends = set(ends_of(wanted, text))
        for counts, pieces in ((before, lines), (after, found)):
            reached = set(ends_of(pieces, text))
            counts.update(dict(enumerate(f1(reached, {end for end in ends if any(end in span for span in _covered(lines, text))}))))
        there = [one for one in wanted if _is_in(one, lines)]
        both += len(there)
        equal += sum(one in set(found) for one in there)
    for name, counts in (("lines as they are", before), ("joined", after)):
        print(f"paragraph ends, {name}: F1 {2 * counts[0] / (2 * counts[0] + counts[1] + counts[2]):.4f}")
    print(f"paragraphs that both have: {both}, equal once joined: {equal / both:.1%}")


def _covered(lines: Sequence[str], text: str) -> Iterator[range]:
    """Yield the stretches of a text that lines cover."""
    for line, end in zip(lines, ends_of(lines, text)):
        yield range(end - len(line) + 1, end + 1)


def _is_in(paragraph: str, lines: Sequence[str]) -> bool:
    """Return whether lines in a row hold the whole paragraph and nothing else."""
    joined = "".join(lines)
    ends = {0, *ends_of(lines, joined)}
    place = joined.find(paragraph)
    return place >= 0 and place in ends and place + len(paragraph) in ends


# -- cost ----------------------------------------------------------------------------------------------------------------------


def cost(cleaner: classifier.Cleaner, pages: Sequence[str], rounds: int = 3) -> None:
    """Print the CPU time of records as a multiple of that of clean texts, page by page and in batches."""
    calls: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "article / clean_text": (lambda: [cleaner.article(page) for page in pages], lambda: [cleaner.clean_text(page) for page in pages]),
        "articles / clean_pages": (lambda: list(cleaner.articles(pages)), lambda: list(cleaner.clean_pages(pages))),
    }
    for name, pair in calls.items():
        ratios = []
        for _ in range(rounds):
            start = time.process_time()
            marks = [start]
            for call in pair:
                call()
                marks.append(time.process_time())
            record, clean = (after - before for before, after in pairwise(marks))
            ratios.append(record / clean)
        print(f"CPU time, {name}: {sorted(ratios)[rounds // 2]:.2f}")


def main() -> None:
    """Print all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", type=Path, help="folder of gold pages, with a folder for each style")
    parser.add_argument("--errors", action="store_true", help="name the pages with a wrong title or lead")
    args = parser.parse_args()
    warnings.simplefilter("ignore", classifier.InputWarning)
    cleaner, styles = classifier.load(), read_gold(args.pages)
    titles_and_leads(cleaner, styles, args.errors)
    if styles.keys() >= {BROKEN, WHOLE}:
        joining(styles)
    cost(cleaner, ["\n".join(page.lines) + "\n" for page in styles.get(WHOLE, next(iter(styles.values())))])


if __name__ == "__main__":
    main()
