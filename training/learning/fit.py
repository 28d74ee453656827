"""Training pipeline: compose pages, cross-fit the first pass, train the context pass, calibrate the temperature.

The context pass learns from first-pass evidence of models that were trained without the line's fold.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from classifier.core.arrays import Bools, Floats, Int16s, Ints
from training.composer import skeleton
from training.composer.compose import Page
from training.learning.context_pass import ContextPass, rows_of
from training.learning.dataset import FOLDS, Block, block_of, make_pages
from training.learning.first_pass import FirstPass, line_of_gram
from training.learning.settings import SETTINGS, Settings

__all__ = ["FineTuning", "Trained", "fit"]

LONG = 60  # visible characters from which a line may be a sentence


class Trained(NamedTuple):
    """The result of training: both passes as scikit-learn objects, and the held-out pages."""

    first: FirstPass
    context: ContextPass
    held_out: list[Page]
    training_lines: int


class FineTuning(NamedTuple):
    """Input of retraining: labelled pages beside the composed ones, and the context pass to start from."""

    folds: Sequence[Sequence[tuple[Block, bool]]]  # per fold: blocks, and whether they are real pages
    arrays: Mapping[str, Any]  # of the model file
    temperature: float
    epochs: int
    rate: float


def fit(
    settings: Settings = SETTINGS,
    jobs: int = 1,
    log: Any = print,
    skeletons: Sequence[skeleton.Skeleton] | None = None,
    fine_tuning: FineTuning | None = None,
) -> Trained:
    """Run all training steps; with `fine_tuning`, add its pages and start the context pass from its model."""
    start = time.monotonic()

    def progress(text: str) -> None:
        log(f"[{time.monotonic() - start:5.0f} s] {text}", flush=True)

    composed_folds = make_pages(settings.pages, settings.seed, jobs=jobs, skeletons=skeletons)
    progress(f"composed {sum(map(len, composed_folds))} pages, {sum(len(page.lines) for fold in composed_folds for page in fold)} lines")
    held_out, *composed = [block_of(page.lines for page in fold) for fold in composed_folds]
    folds = [[(block, False), *added] for block, added in zip(composed, fine_tuning.folds if fine_tuning else [()] * FOLDS)]
    all_blocks = [block for fold in folds for block, _ in fold]
    progress(f"extracted features of {sum(len(block.labels) for block in all_blocks)} training lines")

    def first_pass(blocks: list[Block]) -> FirstPass:
        with threadpool_limits(1):
            return FirstPass(settings.vocabulary_size, settings.least_lines, settings.first_c).fit(blocks)

    other_folds = [[block for other, fold in enumerate(folds) if other != number for block, _ in fold] for number in range(FOLDS)]
    *cross_fitted, first = Parallel(n_jobs=jobs)(delayed(first_pass)(blocks) for blocks in [*other_folds, all_blocks])
    progress(f"first pass: {first.vocabulary_.size} n-grams, {first.regression_.n_iter_[0]} iterations")

    # The composed block of a fold is seeded by the fold alone, so that added blocks do not change its hidden n-grams.
    rows = np.concatenate(
        [
            rows_of(block, _evidence(model, block, settings, (number, *suffix)))
            for number, (model, fold) in enumerate(zip(cross_fitted, folds))
            for suffix, (block, _) in zip([(), *((at,) for at in range(1, len(fold)))], fold)
        ]
    )
    labels = np.concatenate([block.labels for block in all_blocks])
    progress(f"context rows: {rows.shape[0]} x {rows.shape[1]}")
    is_real = np.repeat([real for fold in folds for _, real in fold], [len(block.labels) for block in all_blocks])
    context = _context_pass(rows, labels, is_real, settings, jobs, fine_tuning)
    progress("context pass trained")
    context.calibrate(rows_of(held_out, first.log_probabilities(held_out.line_features)), held_out.labels)
    progress(f"temperature {context.temperature_}")
    return Trained(first, context, composed_folds[0], len(labels))


def _context_pass(rows: Int16s, labels: Ints, is_real: Bools, settings: Settings, jobs: int, fine_tuning: FineTuning | None) -> ContextPass:
    if fine_tuning is None:
        shape = (settings.networks, settings.hidden, settings.alpha, settings.epochs)
        return ContextPass(*shape, settings.body_bias, settings.seed, jobs).fit(rows, labels)
    shape = (1, len(fine_tuning.arrays["hidden_bias"]), settings.alpha, fine_tuning.epochs)
    context = ContextPass(*shape, settings.body_bias, settings.seed, jobs, fine_tuning.rate)
    return context.fine_tune(rows, labels, is_real, fine_tuning.arrays, fine_tuning.temperature)


def _evidence(model: FirstPass, block: Block, settings: Settings, key: tuple[int, ...]) -> Floats:
    """Return log probabilities with a random share of each page's n-grams hidden, seeded by settings and key."""
    random = np.random.default_rng([settings.seed, *key])
    pages = np.cumsum(block.starts) - 1
    short, long = (random.choice(np.array(shares), pages[-1] + 1)[pages] for shares in (settings.hidden_short, settings.hidden_long))
    share = np.where(block.line_features.size < LONG, short, long)
    lines = line_of_gram(block.line_features)
    hidden = random.random(len(lines)) < share[lines]
    return model.log_probabilities(block.line_features, hidden)
