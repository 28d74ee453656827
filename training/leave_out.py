"""Leave-one-group-out evaluation: figures to expect on a publisher whose layouts were never trained on.

Publishers that share an owner or a publishing system share layouts, so whole networks are left out together. The text of
gold pages is never trained on in any case; this leaves out their layouts as well. `python -m training.leave_out PAGES`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from joblib import Parallel, delayed

import classifier
from classifier.io.notices import without_warnings
from training.composer.skeleton import load_skeletons
from training.learning.export import export
from training.learning.fit import fit
from training.learning.settings import SETTINGS, Settings, pin_kernels
from training.scoring.gold import Gold, read_gold
from training.scoring.scores import Scores, evaluate, merged

__all__ = ["GROUPS", "group_of", "leave_out"]

# Publisher networks of the shipped layouts; all other publishers form one more group.
GROUPS = (
    frozenset({"vnexpress", "ngoisao", "ione"}),
    frozenset({"kenh14", "afamily", "cafebiz", "genk", "giadinhnet", "baochinhphu", "vtv", "suckhoedoisong", "xaydungchinhsach"}),
    frozenset({"zing", "24h", "thesaigontimes", "plo", "anhp", "thoidai", "baolaocai"}),
)


def group_of(publisher: str) -> int:
    """Return the index of the publisher's group; len(GROUPS) if it is in none."""
    return next((number for number, group in enumerate(GROUPS) if publisher in group), len(GROUPS))


def leave_out(group: int, styles: dict[str, list[Gold]], settings: Settings = SETTINGS) -> dict[str, Scores]:
    """Train without the group's layouts; return the scores on its pages by style."""
    known = [page for page in load_skeletons() if group_of(page.publisher) != group]
    trained = fit(settings, log=lambda *_, **__: None, skeletons=known)
    with tempfile.TemporaryDirectory() as folder:
        export(trained, Path(folder), settings)
        cleaner = classifier.load(folder)
    left_out = {style: [page for page in pages if group_of(page.publisher) == group] for style, pages in styles.items()}
    return {style: evaluate(cleaner, pages) for style, pages in left_out.items() if pages}


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Leave out each group in turn and print the figures by style."""
    parser = argparse.ArgumentParser(description="Evaluate on gold pages of publishers whose layouts were left out of training.")
    parser.add_argument("pages", type=Path, help="folder of style folders of publisher__n.tsv pages")
    parser.add_argument("--jobs", type=int, default=2, help="groups to train in parallel")
    parser.add_argument("--composed", type=int, default=SETTINGS.pages, help="composed pages of each training run")
    args = parser.parse_args(argv)
    try:
        styles = read_gold(args.pages)
    except (classifier.TinsachError, OSError) as error:
        print(f"leave_out: {error}", file=sys.stderr)
        return 2
    settings = SETTINGS._replace(pages=args.composed)
    found = Parallel(n_jobs=args.jobs)(delayed(leave_out)(group, styles, settings) for group in range(len(GROUPS) + 1))
    for style in styles:
        scores = merged([group[style] for group in found if style in group])
        print(f"{style:9s} {len(scores.pages):3d} pages  " + "  ".join(f"{name} {value:.4f}" for name, value in scores.summary().items()))
    return 0


if __name__ == "__main__":
    pin_kernels("training.leave_out")
    sys.exit(main())
