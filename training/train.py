"""Training command: compose pages, train both passes, calibrate, and write model, manifest and card to `models/`.

`python -m training.train` reproduces the shipped files from the repository alone: seeds are fixed, inputs are sorted, and
order-sensitive arithmetic runs on one thread. `--verify` retrains into a scratch folder and compares.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import classifier
from classifier.core.model_file import STEM
from classifier.errors import InputError
from classifier.io.notices import without_warnings
from training.learning.dataset import compose_held_out, text_of
from training.learning.export import MODELS, export, write_manifest
from training.learning.fit import fit, fit_first_pass
from training.learning.measured import load_measured
from training.learning.settings import SETTINGS, Settings, pin_kernels
from training.scoring.judge import complete, confidence, judge, profile
from training.scoring.model_card import write_card

__all__ = ["main"]


def train(folder: Path, settings: Settings, jobs: int) -> dict[str, Any]:
    """Fit, export, evaluate on the held-out pages, and write manifest and card."""
    trained = fit(settings, jobs, measured=load_measured)
    manifest = export(trained, folder, settings)
    complete(manifest, folder, trained.held_out)
    return manifest


def verify(jobs: int) -> int:
    """Retrain into a scratch folder and compare with the shipped model; return 0 if it is reproduced."""
    if "retrained" in json.loads((MODELS / f"{STEM}.json").read_text(encoding="utf-8")):
        print("verify-model: models/ was retrained on pages outside the repository; run `git checkout models` for the shipped model")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch)
        train(again, SETTINGS, jobs)
        same = all((MODELS / name).read_bytes() == (again / name).read_bytes() for name in (f"{STEM}.npz", f"{STEM}.json"))
        if same:
            print("verify-model: the same bytes")
            return 0
        shipped, made = (np.load(folder / f"{STEM}.npz", allow_pickle=False) for folder in (MODELS, again))
        worst = _largest_difference(shipped, made)
        differ = _differing_labels(again)
        print(f"verify-model: the bytes differ: arrays by at most {worst:.2e}, labels on {differ} held-out lines")
        return 0 if worst < 1e-4 and differ == 0 else 1


def verify_first_pass(jobs: int) -> int:
    """Retrain the first pass alone, a fifth of the work, and compare its arrays with the shipped ones; return 0 if they are equal.

    It depends on corpus, layouts, composer and features, so it shows whether the model is that of the repository's data; that the
    measurements belong to it is checked too.
    """
    first, held_out = fit_first_pass(SETTINGS, jobs)
    load_measured(first, held_out)
    worst = _largest_difference(first.arrays(), np.load(MODELS / f"{STEM}.npz", allow_pickle=False))
    print(f"verify-model: the first pass differs by at most {worst:.2e}")
    return 0 if worst < 1e-4 else 1


def _largest_difference(arrays: Mapping[str, Any], others: Mapping[str, Any]) -> float:
    """Return the largest difference between arrays and those of the same names; infinite if their shapes differ."""
    return max(
        float(np.abs(array.astype(float) - others[name].astype(float)).max()) if array.shape == others[name].shape else np.inf
        for name, array in arrays.items()
    )


def _differing_labels(other: Path) -> int:
    texts = [text_of(page) for page in compose_held_out()]
    one, two = (classifier.load(folder).label_pages(texts).codes for folder in (MODELS, other))
    return int((one != two).sum())


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Train, rewrite confidence, profile or card, or verify that training reproduces the model; return 2 if measurements are stale."""
    parser = argparse.ArgumentParser(description="Train the model from the repository's own data.")
    parser.add_argument("--out", type=Path, default=MODELS, help="folder for model, manifest and card")
    parser.add_argument("--jobs", type=int, default=2, help="number of processes; does not change the result")
    parser.add_argument("--card", action="store_true", help="rewrite the card of the model in --out, without training")
    parser.add_argument("--profile", action="store_true", help="rewrite the drift profile in the manifest of --out, without training")
    parser.add_argument(
        "--confidence", action="store_true", help="refit the confidence of pages in the manifest of --out, without training"
    )
    parser.add_argument("--verify", action="store_true", help="retrain into a scratch folder and compare the result with models/")
    parser.add_argument("--verify-first-pass", action="store_true", help="retrain the first pass alone, and compare it with models/")
    args = parser.parse_args(argv)
    try:
        return _run(args)
    except InputError as error:
        print(f"train: {error}", file=sys.stderr)
        return 2


def _run(args: argparse.Namespace) -> int:
    if args.verify:
        return verify(args.jobs)
    if args.verify_first_pass:
        return verify_first_pass(args.jobs)
    if args.card or args.profile or args.confidence:
        _rewrite(args)
        return 0
    manifest = train(args.out, SETTINGS, args.jobs)
    for name, value in manifest["scores"].items():
        print(f"{name:24s} {value:.4f}")
    return 0


def _rewrite(args: argparse.Namespace) -> None:
    """Measure parts of the manifest anew, and write the card."""
    manifest, held_out = json.loads((args.out / f"{STEM}.json").read_text(encoding="utf-8")), compose_held_out()
    for wanted, name, measured in ((args.confidence, "confidence", confidence), (args.profile, "profile", profile)):
        if wanted:
            manifest[name] = measured(args.out, held_out)
            write_manifest(manifest, args.out)
    if args.card:
        write_card(manifest, *judge(args.out, held_out), args.out)


if __name__ == "__main__":
    pin_kernels("training.train")
    sys.exit(main())
