"""Retraining command: fine-tune the model on a user's labelled pages, and replace it only if the gate holds.

A share of the pages, chosen by name, is held out (or `--test` names a folder of test pages). Old and new model are measured on
them and on composed pages of held-out layouts. The gate holds if article F1 on the user's pages does not fall, and no figure
on the composed pages worsens by more than TOLERANCE. `python -m training.retrain PAGES`
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import classifier
from classifier.core.model_file import STEM, read_model
from classifier.errors import InputError, TinsachError
from classifier.io.files import atomic_write, os_error_message
from classifier.io.notices import without_warnings
from training.composer.compose import Page
from training.learning.dataset import compose_held_out
from training.learning.export import MODELS, ROOT, export
from training.learning.fit import FineTuning, fit
from training.learning.measured import load_measured
from training.learning.settings import SETTINGS, Settings, pin_kernels
from training.retraining.comparison import Comparison, Point, changed_lines, compare, verdict
from training.retraining.report import retraining_page
from training.retraining.user_pages import Mixture, UserPage, added_folds, digest, ordered_names, read_user_pages, split
from training.scoring.gold import gold_pages
from training.scoring.judge import complete
from training.scoring.scores import evaluate

__all__ = ["CURVE", "RetrainingSettings", "main", "retrain"]

BUILD = ROOT / "build" / "retrain"
TEST_SHARE = 0.3
CURVE = (5, 10, 20, 40)  # pages
COMPOSED = 4000  # pages to train on beside the user's: fewer are faster and move the figures on composed pages


class RetrainingSettings(NamedTuple):
    """Hyperparameters of retraining; `training/EXPERIMENTS.md` gives the origin of each value."""

    settings: Settings = SETTINGS._replace(pages=COMPOSED)
    mixture: Mixture = Mixture()
    epochs: int = 2
    rate: float = 3e-4  # a third of the initial training's: enough to learn a site, too little to forget the others


def retrain(
    pages: Sequence[UserPage], start: Path, folder: Path, recipe: RetrainingSettings, jobs: int, log: Any = print
) -> dict[str, Any]:
    """Fine-tune the model in `start` on labelled pages, write the result to `folder`, and return its manifest."""
    arrays, old, _ = read_model(start)
    folds = added_folds(pages, recipe.mixture, recipe.settings.seed)
    fine_tuning = FineTuning(folds, arrays, old["temperature"], recipe.epochs, recipe.rate)
    # Measured by the shipped first pass, which is the one of `start`, unless that was trained elsewhere: then these are near enough.
    trained = fit(recipe.settings, jobs, log, fine_tuning=fine_tuning, measured=lambda *_: load_measured())
    manifest = export(trained, folder, recipe.settings)
    manifest["retrained"] = {
        "from_arrays_sha256": old["arrays_sha256"],
        "pages": len(pages),
        "pages_sha256": digest(pages),
        **recipe.mixture._asdict(),
        "epochs": recipe.epochs,
        "rate": recipe.rate,
    }
    complete(manifest, folder, trained.held_out)
    return manifest


def learning_curve(
    pages: Sequence[UserPage], test: Sequence[UserPage], start: Path, held_out: Sequence[Page], recipe: RetrainingSettings, jobs: int
) -> list[Point]:
    """Retrain on fewer pages: one point for each size in CURVE below their number."""
    names = ordered_names(pages)
    points = []
    for size in (size for size in CURVE if size < len(names)):
        print(f"retrain: learning curve, {size} pages", flush=True)
        some = [page for page in pages if page.key in names[:size]]
        with tempfile.TemporaryDirectory() as scratch:
            retrain(some, start, Path(scratch), recipe, jobs, log=lambda *_, **__: None)
            cleaner = classifier.load(scratch)
            own, others = (evaluate(cleaner, gold).article for gold in ([page.gold for page in test], gold_pages(held_out)))
        points.append(Point(size, own, others))
    return points


FILES = (f"{STEM}.npz", f"{STEM}.json", "MODEL_CARD.md")


def keep(models: Path, kept: Path) -> None:
    """Copy the model that training starts from: it may be replaced, and a site profile needs it."""
    kept.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (models / name).exists():
            shutil.copyfile(models / name, kept / name)


def replace(new: Path, models: Path) -> None:
    """Replace a model.

    Interrupted halfway, it leaves a manifest that does not match its arrays. Loading detects that, and the kept copy is complete.
    """
    for name in FILES:
        with atomic_write(str(models / name)) as out:
            out.write((new / name).read_bytes())


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Retrain, compare, and replace the model if the gate holds; return 1 if it does not, 2 if the input is faulty."""
    args = _parser().parse_args(argv)
    try:
        _refuse_model_in_build(args)
        pages = read_user_pages(args.pages)
        train, test = (pages, read_user_pages(args.test)) if args.test else split(pages, TEST_SHARE)
        _refuse_shared(train, test)
        return _run(args, train, test)
    except KeyboardInterrupt:
        print(f"retrain: stopped; {args.models} is unchanged unless it was just being replaced", file=sys.stderr)
        return 130
    except (TinsachError, OSError) as error:
        message = os_error_message(error) if isinstance(error, OSError) else str(error)
        print("\n".join(f"retrain: {line}" for line in message.split("\n")), file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Retrain the model with labelled pages of your own; docs/RETRAINING.md describes the whole cycle."
    )
    parser.add_argument("pages", type=Path, help="folder of publisher__n.tsv pages, or of style folders of them")
    parser.add_argument("--test", type=Path, metavar="DIR", help="folder of test pages (default: 3 in 10 of PAGES are held out)")
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR", help="the model to start from and to replace")
    parser.add_argument("--build", type=Path, default=BUILD, metavar="DIR", help="folder for report, new model and a copy of the old one")
    parser.add_argument("--force", action="store_true", help="replace the model even if the gate does not hold")
    parser.add_argument("--no-curve", action="store_true", help="skip the learning curve, which retrains on fewer pages: much faster")
    parser.add_argument("--composed", type=_positive, default=COMPOSED, metavar="N", help="composed pages to train on beside yours")
    parser.add_argument("--jobs", type=_positive, default=2, help="number of processes; does not change the result")
    return parser


def _refuse_model_in_build(args: argparse.Namespace) -> None:
    if args.build.resolve() in (args.models.resolve(), *args.models.resolve().parents):
        raise InputError(
            f"--models {args.models}: is inside --build {args.build}, which is overwritten; copy the model to another folder first"
        )


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _refuse_shared(train: Sequence[UserPage], test: Sequence[UserPage]) -> None:
    shared = sorted({page.key for page in train} & {page.key for page in test})
    if shared:
        raise InputError(f"{shared[0]}: both a training page and a test page; remove it from one of the two folders")


def _run(args: argparse.Namespace, train: Sequence[UserPage], test: Sequence[UserPage]) -> int:
    recipe = RetrainingSettings(SETTINGS._replace(pages=args.composed))
    held_out, new = compose_held_out(), args.build / "model"
    print(f"retrain: {len(train)} training pages, {len(test)} test pages", flush=True)
    read_model(args.models)  # a damaged model is not worth keeping
    keep(args.models, args.build / "before")
    retrain(train, args.models, new, recipe, args.jobs)
    found = compare(args.models, new, test, held_out)
    before, after = ((found["own"][side].article, found["others"][side].article) for side in (0, 1))
    points = [Point(len(ordered_names(train)), *after)]
    if not args.no_curve:
        points = [Point(0, *before), *learning_curve(train, test, args.models, held_out, recipe, args.jobs), *points]
    complaints = verdict(found)
    changes = changed_lines(args.models, new, test)
    with atomic_write(str(args.build / "report.html")) as out:
        out.write(retraining_page(found, complaints, points, changes, args.force).encode())
    print("\n".join(in_words(found, complaints)))
    print(f"retrain: {args.build / 'report.html'} shows what changed, with examples; it contains page text, so keep it private")
    if complaints and not args.force:
        print(f"retrain: {args.models} is unchanged; the new model is in {new}; label more pages, or use --force", file=sys.stderr)
        return 1
    replace(new, args.models)
    print(f"retrain: {args.models} now holds the new model; a copy of the old one is in {args.build / 'before'}")
    return 0


def in_words(found: dict[str, Comparison], complaints: Sequence[str]) -> list[str]:
    """Return old and new figures, and the gate's verdict, as lines of text."""
    lines = []
    for name, title in (("own", "your held-out pages"), ("others", "composed pages of held-out layouts")):
        lines.append(f"{title}:")
        before, after = found[name].old.summary(), found[name].new.summary()
        lines += [f"  {figure:11s} {before[figure]:.4f} -> {after[figure]:.4f}" for figure in before]
    return lines + ([f"gate: {complaint}" for complaint in complaints] or ["gate: holds"])


if __name__ == "__main__":
    pin_kernels("training.retrain")
    sys.exit(main())
