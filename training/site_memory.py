"""Site-memory command: fit the evidence curve, and report what a memory does to pages of publishers that the curve does not know.

`python -m training.site_memory PAGES` prints the constants for `classifier/sites/evidence.py`, and the effect of a memory learned in a
first pass over each publisher's gold pages, by style. `--crawl N` adds a simulated crawl of N composed pages with reprints.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import classifier
from classifier.errors import InputError
from classifier.io.notices import without_warnings
from training.learning.settings import pin_kernels
from training.scoring.gold import read_gold
from training.scoring.scores import evaluate
from training.scoring.site_crawl import composed_crawl
from training.scoring.standing_lines import Effect, cautious_curve, effect, fit_curve, read_rows, remembering, sites_of

__all__ = ["main"]


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Fit and report; return 2 if the pages cannot be read."""
    parser = argparse.ArgumentParser(description="Fit the evidence curve of the site memory, and measure its effect.")
    parser.add_argument("pages", type=Path, help="folder of style folders of publisher__n.tsv pages")
    parser.add_argument("--crawl", type=int, default=0, metavar="N", help="also simulate a crawl of N composed pages")
    parser.add_argument("--publisher", default="vnexpress", help="whose layouts the simulated crawl has (default: %(default)s)")
    args = parser.parse_args(argv)
    cleaner = classifier.load()
    try:
        styles = read_gold(args.pages)
        rows = read_rows(cleaner, styles)
        strength, curve = cautious_curve(rows)
    except (InputError, OSError) as error:
        print(f"site_memory: {error}", file=sys.stderr)
        return 2
    print(f"{len(rows.article)} lines of {len(set(rows.publishers))} publishers, strength {strength:g}: {curve}")
    totals: dict[str, Effect] = {}
    for style, publisher, pages in sites_of(styles):
        curve = fit_curve(rows.at(rows.publishers != publisher), strength)
        found = effect(cleaner.at(publisher), pages, curve)
        print(_row(f"  {style} {publisher} ({len(pages)} pages)", found))
        totals[style] = totals[style] + found if style in totals else found
    print(*(_row(style, found) for style, found in totals.items()), sep="\n")
    if args.crawl:
        _simulate(cleaner, args.crawl, args.publisher)
    return 0


def _row(name: str, found: Effect) -> str:
    change = f"{found.wrong_with / found.wrong - 1:+.1%}" if found.wrong else "-"
    loss = 100 * (found.lost_with - found.lost) / max(found.article, 1)
    return (
        f"{name:36s} kept wrongly {found.wrong:6d} -> {found.wrong_with:6d} characters ({change}); "
        f"body loss {loss:+.3f} points; headlines lost {found.titles_lost}"
    )


def _simulate(cleaner: classifier.Cleaner, count: int, publisher: str) -> None:
    pages, reprints = composed_crawl(count, 1, publisher)
    own = cleaner.at(publisher)
    judge = remembering(own, pages)
    alone, together = evaluate(own, pages), evaluate(judge, pages)
    print(f"crawl of {count} composed pages, {len(reprints)} reprints: article F1 {alone.article:.4f} -> {together.article:.4f}")
    print(_row("  all pages", effect(own, pages)))
    lines = ["\n".join(pages[number].lines) + "\n" for number in reprints]
    kept = [labels.kept for labels in (own.label_pages(lines), judge.label_pages(lines))]
    gold = [label for number in reprints for label in pages[number].labels]
    lost = sum(bool(before and not after) for before, after, label in zip(*kept, gold) if label in ("title", "body"))
    print(f"  article lines of reprints that only the memory loses: {lost}")


if __name__ == "__main__":
    pin_kernels("training.site_memory")
    sys.exit(main())
