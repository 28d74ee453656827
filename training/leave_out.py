"""Leave-one-network-out evaluation: figures to expect on a publisher whose pages were never trained on.

Publishers that share an owner or a publishing system share layouts, so whole networks (`learning/networks.py`) are left out
together, layouts and measurements. `python -m training.leave_out PAGES [--kinds FILE]`; the file says which publishers are press.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from joblib import Parallel, delayed

import classifier
from classifier.errors import InputError
from classifier.io.notices import without_warnings
from training.composer.skeleton import load_skeletons
from training.learning.dataset import Block
from training.learning.export import export, write_manifest
from training.learning.first_pass import FirstPass
from training.learning.fit import fit
from training.learning.measured import Measured, measure
from training.learning.networks import NETWORKS, network_of
from training.learning.settings import SETTINGS, Settings, pin_kernels
from training.scoring.gold import Gold, read_gold
from training.scoring.judge import confidence
from training.scoring.left_out import write_left_out
from training.scoring.scores import Scores, evaluate, merged

__all__ = ["leave_out"]


def read_kinds(path: Path | None) -> dict[str, str]:
    """Return the kind of each publisher from a file of `publisher<TAB>kind` lines; no file, no kinds.

    Raises:
        InputError: a line is of another form.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    for number, line in enumerate(lines, 1):
        if line.count("\t") != 1:
            raise InputError(f"{path}:{number}: expected publisher<TAB>kind")
    return dict(line.split("\t") for line in lines)


def leave_out(network: int, styles: dict[str, list[Gold]], kinds: dict[str, str], settings: Settings = SETTINGS) -> dict[str, Scores]:
    """Train without the network's layouts and measurements; return the scores on its pages, by style and kind of publisher."""

    def measured(first: FirstPass, _: Block) -> list[Measured]:
        known = {style: [page for page in pages if network_of(page.publisher) != network] for style, pages in styles.items()}
        return [measure(first, {page.name: page.rows for page in pages}) for pages in known.values() if pages]

    layouts = [page for page in load_skeletons() if network_of(page.publisher) != network]
    trained = fit(settings, log=lambda *_, **__: None, skeletons=layouts, measured=measured)
    with tempfile.TemporaryDirectory() as folder:
        manifest = export(trained, Path(folder), settings)
        manifest["confidence"] = confidence(Path(folder), trained.held_out)
        write_manifest(manifest, Path(folder))
        cleaner = classifier.load(folder)
    left_out: dict[str, list[Gold]] = defaultdict(list)
    for style, pages in styles.items():
        for page in pages:
            if network_of(page.publisher) == network:
                left_out[f"{style} {kinds.get(page.publisher, '')}".strip()].append(page)
    return {name: evaluate(cleaner, pages) for name, pages in left_out.items()}


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Leave out each network in turn and print the figures by style."""
    parser = argparse.ArgumentParser(description="Evaluate on gold pages of networks that were left out of training.")
    parser.add_argument("pages", type=Path, help="folder of style folders of publisher__n.tsv pages")
    parser.add_argument("--kinds", type=Path, help="file of publisher<TAB>kind lines: figures by kind of publisher")
    parser.add_argument("--json", type=Path, help="write the figures to a file, for the model card (models/left_out.json)")
    parser.add_argument("--jobs", type=int, default=2, help="networks to train without in parallel")
    parser.add_argument("--composed", type=int, default=SETTINGS.pages, help="composed pages of each training run")
    args = parser.parse_args(argv)
    try:
        styles, kinds = read_gold(args.pages), read_kinds(args.kinds)
    except (classifier.TinsachError, OSError) as error:
        print(f"leave_out: {error}", file=sys.stderr)
        return 2
    settings = SETTINGS._replace(pages=args.composed)
    found = Parallel(n_jobs=args.jobs)(delayed(leave_out)(network, styles, kinds, settings) for network in range(len(NETWORKS) + 1))
    names = sorted({name for part in found for name in part})
    by_name = {name: merged([part[name] for part in found if name in part]) for name in names}
    if args.json:
        write_left_out(args.json, by_name, args.composed)
    for name, scores in by_name.items():
        figures = "  ".join(f"{figure} {value:.4f}" for figure, value in scores.summary().items())
        print(f"{name:16s} {len(scores.pages):3d} pages  {figures}")
    return 0


if __name__ == "__main__":
    pin_kernels("training.leave_out")
    sys.exit(main())
