"""Measuring command: layouts and measurements of gold pages, into `training/layouts/` and `training/measured/`.

`python -m training.measure PAGES` extracts the skeleton of every page, trains the first pass on composed text with all layouts,
and writes what that first pass and the line features say of each line; no word of a page gets into the repository. Run it again
when gold pages, corpus, layouts or features have changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from classifier.errors import InputError
from classifier.io.notices import without_warnings
from training.composer import skeleton
from training.learning.fit import fit_first_pass
from training.learning.measured import ROOT, measure, probe, write_measured
from training.learning.settings import SETTINGS, pin_kernels
from training.scoring.gold import read_gold

__all__ = ["main"]


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Write layouts and measurements; return 2 if the pages cannot be read."""
    parser = argparse.ArgumentParser(description="Write layouts and measurements of gold pages for training; no words of theirs.")
    parser.add_argument("pages", type=Path, help="folder of style folders of publisher__n.tsv pages")
    parser.add_argument("--jobs", type=int, default=2, help="number of processes; does not change the result")
    args = parser.parse_args(argv)
    try:
        styles = read_gold(args.pages)
    except (InputError, OSError) as error:
        print(f"measure: {error}", file=sys.stderr)
        return 2
    if skeleton.main([str(args.pages)]):
        return 2
    first, held_out = fit_first_pass(SETTINGS, args.jobs)
    try:
        measured = {style: measure(first, {page.name: page.rows for page in pages}) for style, pages in styles.items()}
    except InputError as error:
        print(f"measure: {error}", file=sys.stderr)
        return 2
    write_measured(measured, probe(first, held_out))
    for style, (pages, block, _) in measured.items():
        print(f"{style:9s} {len(pages):4d} pages, {len(block.labels)} lines")
    print(f"written to {ROOT}; now `make train`")
    return 0


if __name__ == "__main__":
    pin_kernels("training.measure")
    sys.exit(main())
