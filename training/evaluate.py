"""Evaluation command: a model's figures on held-out composed pages, or on a folder of gold TSV pages.

`python -m training.evaluate [PAGES] [--html FILE]`; PAGES is a folder of `publisher__n.tsv` pages, or of style folders of
them. `scoring.scores` defines the figures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import classifier
from classifier.io.files import atomic_write
from classifier.io.notices import without_warnings
from training.scoring.confidence import agreement
from training.scoring.gold import HELD_OUT, held_out_styles, read_gold
from training.scoring.report import evaluation_page
from training.scoring.scores import Scores, evaluate, merged

__all__ = ["main", "report"]


def report(name: str, scores: Scores, errors: int) -> str:
    """Return the figures of one style as text: headline figures, figures per label, confidence, most confused labels, worst pages."""
    figures = "  ".join(f"{key} {value:.4f}" for key, value in scores.summary().items())
    out = [f"{name}: {len(scores.pages)} pages  {figures}", "  label      precision recall     F1   lines"]
    for label, (precision, recall, score, lines) in scores.labels().items():
        if lines:
            out.append(f"  {label:10s} {precision:9.3f} {recall:6.3f} {score:6.3f} {lines:7d}")
    if any(page.confidence for page in scores.pages):
        found = agreement(scores.pages)
        least = f"{found.caught:.0%} of wrong characters on the least confident tenth"
        out.append(f"  confidence: rank correlation {found.rank_correlation:.3f}, {least}")
        out += [f"    from {border:.2f}: said {said:.3f} true {true:.3f} {pages:5d} pages" for border, said, true, pages in found.bins]
    mistakes = sorted(((count, pair) for pair, count in scores.confusion.items() if pair[0] != pair[1]), reverse=True)[:8]
    out.append("  most confused: " + ", ".join(f"{want} as {got} {count}" for count, (want, got) in mistakes))
    for page in scores.worst(3):
        out.append(f"  worst: {page.name} article F1 {page.article:.3f}")
        out += [f"    {want} -> {got} [{size}] {text[:90]}" for size, want, got, text in page.errors[:errors]]
    return "\n".join(out)


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Print a model's figures; return 2 if pages or model cannot be read."""
    parser = argparse.ArgumentParser(description="Evaluate a model on held-out composed pages, or on gold TSV pages.")
    parser.add_argument("pages", type=Path, nargs="?", help="folder of publisher__n.tsv pages, or of style folders of them")
    parser.add_argument("--model", type=Path, help="model file or folder (default: the shipped model)")
    parser.add_argument("--errors", type=int, default=3, help="wrong lines to print for each of the worst pages")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write an HTML report, which shows the text of the worst pages")
    args = parser.parse_args(argv)
    try:
        styles = read_gold(args.pages) if args.pages else held_out_styles()
        cleaner = classifier.load(args.model)
        scores = {name: evaluate(cleaner, pages) for name, pages in styles.items()}
        if args.html:
            _write_page(args.html, str(args.pages or HELD_OUT), scores)
    except (classifier.TinsachError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    every = merged(list(scores.values()))
    for name, part in [*scores.items(), ("all styles", every)] if args.pages else [(HELD_OUT, every)]:
        print(report(name, part, args.errors))
    return 0


def _write_page(path: Path, title: str, scores: dict[str, Scores]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as out:
        out.write(evaluation_page(title, scores).encode())


if __name__ == "__main__":
    sys.exit(main())
