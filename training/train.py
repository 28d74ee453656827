"""Makes the model: composed pages -> first pass -> context pass -> calibration -> models/.

`python -m training.train` reproduces the shipped files from the repository alone: seeds are fixed, inputs sorted, and
arithmetic whose order matters runs on one thread. `--verify` retrains into a scratch folder and compares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy
import sklearn
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

import classifier
from classifier.arrays import Bools, Floats, Int16s, Ints
from classifier.labels import EVIDENCE, LABELS
from classifier.model_file import FORMAT, FORMAT_VERSION, STEM, feature_digest, manifest_bytes
from classifier.pipeline import LOOKAHEAD
from classifier.profile import measure, profile_of
from training import corpus, skeleton
from training.compose import Page
from training.context_pass import ContextPass, rows_of
from training.dataset import FOLDS, Block, block_of, make_pages
from training.evaluate import Scores, evaluate, gold_pages
from training.first_pass import FirstPass, line_of_gram
from training.model_card import write_card

__all__ = ["SETTINGS", "Addition", "Settings", "Trained", "complete", "export", "fit", "main"]

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
KERNELS = {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "1"}
LONG = 60  # visible characters: what may be a sentence


class Settings(NamedTuple):
    """Everything that shapes the model; `training/EXPERIMENTS.md` tells where each value comes from."""

    pages: int = 4800
    seed: int = 20
    vocabulary_size: int = 6000
    least_lines: int = 8
    first_c: float = 0.1
    # Share of a page's n-grams hidden while the context pass learns, drawn per page, for short lines and for long ones: the
    # press uses words the corpus has never seen, so evidence from words must not be trusted as far as the corpus alone would
    # have it, and least of all for prose.
    hidden_short: tuple[float, ...] = (0.0, 0.0, 0.3, 0.6)
    hidden_long: tuple[float, ...] = (0.3, 0.6, 0.9, 1.0)
    networks: int = 2
    hidden: int = 48
    alpha: float = 0.3
    epochs: int = 4
    body_bias: float = 1.0


SETTINGS = Settings()


class Trained(NamedTuple):
    """What training yields: both passes as scikit-learn objects, and the pages they were not shown."""

    first: FirstPass
    context: ContextPass
    held_out: list[Page]
    training_lines: int


class Addition(NamedTuple):
    """What a model is retrained with: labelled pages beside the composed ones, and the context pass to go on from."""

    folds: Sequence[Sequence[tuple[Block, bool]]]  # for each fold, with whether they are real pages
    arrays: Mapping[str, Any]  # of the model file
    temperature: float
    epochs: int
    rate: float


def fit(
    settings: Settings = SETTINGS,
    jobs: int = 1,
    log: Any = print,
    skeletons: Sequence[skeleton.Skeleton] | None = None,
    addition: Addition | None = None,
) -> Trained:
    """Run every step of training, on the shipped skeletons or on others, with pages added or without."""
    start = time.monotonic()

    def tell(text: str) -> None:
        log(f"[{time.monotonic() - start:5.0f} s] {text}", flush=True)

    hands = make_pages(settings.pages, settings.seed, jobs=jobs, skeletons=skeletons)
    tell(f"composed {sum(map(len, hands))} pages, {sum(len(page.lines) for hand in hands for page in hand)} lines")
    held_out, *composed = [block_of(page.lines for page in hand) for hand in hands]
    folds = [[(block, False), *added] for block, added in zip(composed, addition.folds if addition else [()] * FOLDS)]
    every = [block for fold in folds for block, _ in fold]
    tell(f"described {sum(len(block.labels) for block in every)} training lines")

    def first_pass(blocks: list[Block]) -> FirstPass:
        with threadpool_limits(1):
            return FirstPass(settings.vocabulary_size, settings.least_lines, settings.first_c).fit(blocks)

    choices = [[block for other, fold in enumerate(folds) if other != number for block, _ in fold] for number in range(FOLDS)]
    *crossed, first = Parallel(n_jobs=jobs)(delayed(first_pass)(blocks) for blocks in [*choices, every])
    tell(f"first pass: {first.vocabulary_.size} n-grams, {first.regression_.n_iter_[0]} iterations")

    rows = np.concatenate(
        [
            rows_of(block, _evidence(model, block, settings, (number, *place)))
            for number, (model, fold) in enumerate(zip(crossed, folds))
            for place, (block, _) in zip([(), *((at,) for at in range(1, len(fold)))], fold)
        ]
    )
    labels = np.concatenate([block.labels for block in every])
    tell(f"context rows: {rows.shape[0]} x {rows.shape[1]}")
    own = np.repeat([real for fold in folds for _, real in fold], [len(block.labels) for block in every])
    context = _context_pass(rows, labels, own, settings, jobs, addition)
    tell("context pass trained")
    context.calibrate(rows_of(held_out, first.log_probabilities(held_out.described)), held_out.labels)
    tell(f"temperature {context.temperature_}")
    return Trained(first, context, hands[0], len(labels))


def _context_pass(rows: Int16s, labels: Ints, own: Bools, settings: Settings, jobs: int, addition: Addition | None) -> ContextPass:
    if addition is None:
        shape = (settings.networks, settings.hidden, settings.alpha, settings.epochs)
        return ContextPass(*shape, settings.body_bias, settings.seed, jobs).fit(rows, labels)
    shape = (1, len(addition.arrays["hidden_bias"]), settings.alpha, addition.epochs)
    context = ContextPass(*shape, settings.body_bias, settings.seed, jobs, addition.rate)
    return context.refine(rows, labels, own, addition.arrays, addition.temperature)


def _evidence(model: FirstPass, block: Block, settings: Settings, place: tuple[int, ...]) -> Floats:
    """Return cross-fitted log probabilities, with a share of each page's n-grams hidden."""
    random = np.random.default_rng([settings.seed, *place])
    pages = np.cumsum(block.starts) - 1
    short, long = (random.choice(np.array(shares), pages[-1] + 1)[pages] for shares in (settings.hidden_short, settings.hidden_long))
    share = np.where(block.described.size < LONG, short, long)
    lines = line_of_gram(block.described)
    hidden = random.random(len(lines)) < share[lines]
    return model.log_probabilities(block.described, hidden)


def export(trained: Trained, folder: Path, settings: Settings = SETTINGS) -> dict[str, Any]:
    """Write the arrays and the manifest, and return the manifest."""
    arrays = trained.first.arrays() | trained.context.arrays()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{STEM}.npz"
    np.savez(path, **arrays)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": STEM,
        "version": classifier.__version__,
        "arrays_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "features_sha256": feature_digest(),
        "labels": [label.value for label in LABELS],
        "evidence": list(EVIDENCE),
        "vocabulary_size": len(arrays["vocabulary"]),
        "hidden_size": len(arrays["hidden_bias"]),
        "hidden_grid": trained.context.grid_,
        "lookahead": LOOKAHEAD,
        "temperature": trained.context.temperature_,
        "seed": settings.seed,
        "settings": settings._asdict(),
        "training_data_sha256": data_digest(),
        "training_lines": trained.training_lines,
        "made_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
        "machine": platform.machine(),
    }
    write_manifest(manifest, folder)
    return manifest


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """Write the manifest beside the arrays, in its one right spelling."""
    (folder / f"{STEM}.json").write_bytes(manifest_bytes(manifest))


def data_digest() -> str:
    """Return a digest of every file training reads."""
    digest = hashlib.sha256()
    for path in sorted([*corpus.ROOT.rglob("*.txt"), *skeleton.ROOT.glob("*.skel")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def train(folder: Path, settings: Settings, jobs: int) -> dict[str, Any]:
    """Fit, export, evaluate on the held-out pages, and write manifest and card."""
    trained = fit(settings, jobs)
    manifest = export(trained, folder, settings)
    complete(manifest, folder, trained.held_out)
    return manifest


def complete(manifest: dict[str, Any], folder: Path, held_out: Sequence[Page]) -> None:
    """Add to an exported model what the held-out pages show of it, and write manifest and card."""
    scores, by_style = judge(folder, held_out)
    manifest["scores"] = scores.summary()
    manifest["profile"] = profile(folder, held_out)
    write_manifest(manifest, folder)
    write_card(manifest, scores, by_style, folder)


def compose_held_out() -> list[Page]:
    """Return the composed pages that training with the shipped settings holds out."""
    return make_pages(SETTINGS.pages, SETTINGS.seed, hands=(0,))[0]


def judge(folder: Path, pages: Sequence[Page]) -> tuple[Scores, dict[str, Scores]]:
    """Return the scores of a folder's model on held-out pages, in all and by style."""
    cleaner, gold = classifier.load(folder), gold_pages(pages)
    styles = sorted({page.style for page in pages})
    by_style = {style: evaluate(cleaner, [one for one, page in zip(gold, pages) if page.style == style]) for style in styles}
    return evaluate(cleaner, gold), by_style


def profile(folder: Path, pages: Sequence[Page]) -> dict[str, Any]:
    """Return how held-out pages, each a layout of its own, look to a folder's model, for `tinsach drift` to compare others with."""
    cleaner = classifier.load(folder)
    measures = measure(cleaner, cleaner.label_pages(text_of(page) for page in pages))
    return profile_of(measures, of_sites=True).as_json()


def text_of(page: Page) -> str:
    """Return a composed page's lines as text."""
    return "".join(line.text + "\n" for line in page.lines)


def verify(jobs: int) -> int:
    """Retrain into a scratch folder and compare with the shipped model; 0 if it is reproduced."""
    if "retrained" in json.loads((MODELS / f"{STEM}.json").read_text(encoding="utf-8")):
        print("verify-model: models/ was retrained with pages that are not in the repository; `git checkout models` for the shipped model")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch)
        train(again, SETTINGS, jobs)
        same = all((MODELS / name).read_bytes() == (again / name).read_bytes() for name in (f"{STEM}.npz", f"{STEM}.json"))
        if same:
            print("verify-model: the same bytes")
            return 0
        shipped, made = (np.load(folder / f"{STEM}.npz", allow_pickle=False) for folder in (MODELS, again))
        worst = max(
            float(np.abs(shipped[name].astype(float) - made[name].astype(float)).max())
            if shipped[name].shape == made[name].shape
            else np.inf
            for name in shipped.files
        )
        differ = _differing_labels(again)
        print(f"verify-model: other bytes; arrays differ by at most {worst:.2e}, labels of {differ} held-out lines differ")
        return 0 if worst < 1e-4 and differ == 0 else 1


def _differing_labels(other: Path) -> int:
    texts = [text_of(page) for page in compose_held_out()]
    one, two = (classifier.load(folder).label_pages(texts).codes for folder in (MODELS, other))
    return int((one != two).sum())


def pin_kernels(module: str) -> None:
    """Start `python -m module` over with the matrix kernels fixed, where they are not.

    OpenBLAS chooses its kernels by CPU, and kernels round differently. Haswell's run on all x86-64 CPUs of the last ten years;
    on other machines nothing is pinned, and `verify` compares within a tolerance.
    """
    if platform.machine() in ("x86_64", "AMD64") and any(os.environ.get(name) != value for name, value in KERNELS.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], os.environ | KERNELS)


def main(argv: list[str] | None = None) -> int:
    """Train, or verify that training reproduces the shipped model."""
    parser = argparse.ArgumentParser(description="Train the model from the repository's own data.")
    parser.add_argument("--out", type=Path, default=MODELS, help="folder for model, manifest and card")
    parser.add_argument("--jobs", type=int, default=2, help="processes; the result does not depend on it")
    parser.add_argument("--card", action="store_true", help="write the card of the model in --out anew, without training")
    parser.add_argument("--profile", action="store_true", help="write the profile in the manifest of --out anew, without training")
    parser.add_argument("--verify", action="store_true", help="retrain into a scratch folder and compare with models/")
    args = parser.parse_args(argv)
    if args.verify:
        return verify(args.jobs)
    if args.card or args.profile:
        manifest = json.loads((args.out / f"{STEM}.json").read_text(encoding="utf-8"))
        if args.profile:
            manifest["profile"] = profile(args.out, compose_held_out())
            write_manifest(manifest, args.out)
        if args.card:
            write_card(manifest, *judge(args.out, compose_held_out()), args.out)
        return 0
    manifest = train(args.out, SETTINGS, args.jobs)
    for name, value in manifest["scores"].items():
        print(f"{name:24s} {value:.4f}")
    return 0


if __name__ == "__main__":
    pin_kernels("training.train")
    sys.exit(main())
