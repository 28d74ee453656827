"""Training pipeline: compose pages, cross-fit the first pass, train both context passes, calibrate the temperature.

Each pass learns from output of the pass before it that was made without the line: the first context pass from evidence of first
passes that were trained without the line's fold of the corpus, the second from output of networks that were trained without the
line's publisher network. Composed pages and measurements of real pages (`measured.py`) are trained on alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from classifier.core.arrays import Bools, Float32s, Floats, Int16s, Ints
from classifier.core.context import CEILINGS
from classifier.core.history import scaled_evidence
from classifier.core.stacked import STACKED_CEILINGS
from training.composer import skeleton
from training.composer.compose import MADE_UP, Page
from training.learning.context_pass import ContextPass, rows_of, stacked_rows_of
from training.learning.dataset import CODES, FOLDS, Block, block_of, make_pages
from training.learning.first_pass import FirstPass, line_of_gram
from training.learning.measured import Measured
from training.learning.networks import network_of
from training.learning.settings import SETTINGS, Settings

__all__ = ["FineTuning", "Measure", "Trained", "fit", "fit_first_pass"]

# The cross-fitted first passes only make evidence in steps of a sixteenth; a tenth of the shipped one's precision halves their time.
CROSS_FIT_TOL = 1e-4
NETWORK_FOLDS = 4  # of publisher networks, in the cross-fit of the second context pass
LONG = 60  # visible characters from which a line may be a sentence
# Measurements of real pages by a first pass; the second argument is the block of held-out composed pages.
Measure = Callable[[FirstPass, Block], Sequence[Measured]]


class Trained(NamedTuple):
    """The result of training: the passes as scikit-learn objects, and the held-out pages."""

    first: FirstPass
    context: ContextPass
    stacked: ContextPass
    held_out: list[Page]
    training_lines: int
    real_lines: int  # of them, of real pages


class FineTuning(NamedTuple):
    """Input of retraining: labelled pages beside the composed ones, and the model to start from."""

    folds: Sequence[Sequence[tuple[Block, bool]]]  # per fold: blocks, and whether they are real pages
    arrays: Mapping[str, Any]  # of the model file
    temperature: float
    epochs: int
    rate: float


class _Part(NamedTuple):
    """Training lines of whole pages, with the first pass's evidence."""

    block: Block
    evidence: Int16s  # (len(EVIDENCE), n)
    folds: Ints  # (n,) the fold of the line's publisher network
    real: bool  # lines of real pages
    own: bool  # ... that a user has labelled, to retrain with
    weights: Float32s  # (n,) of the lines when the second context pass is trained


def fit(
    settings: Settings = SETTINGS,
    jobs: int = 1,
    log: Any = print,
    skeletons: Sequence[skeleton.Skeleton] | None = None,
    fine_tuning: FineTuning | None = None,
    measured: Measure = lambda *_: (),
) -> Trained:
    """Run all training steps; with `fine_tuning`, add its pages and fine-tune the second context pass of its model.

    The passes before it stay as they are: they have not seen the added pages, so their output on these is what others will get.
    """
    progress = _progress(log)
    pages, blocks = _compose(settings, jobs, skeletons, progress)
    held_out, *composed = blocks
    added = fine_tuning.folds if fine_tuning else [()] * FOLDS
    folds = [[(block, False), *more] for block, more in zip(composed, added)]
    first, *cross_fitted = _kept_first_passes(fine_tuning) if fine_tuning else _first_passes(folds, settings, jobs, progress)
    parts: list[_Part] = []
    for number, (model, fold) in enumerate(zip(cross_fitted, folds)):
        for at, (block, real) in enumerate(fold):
            # The composed block is seeded by the fold alone, so that added blocks do not change its hidden n-grams.
            evidence = _evidence(model, block, settings, (number, at) if at else (number,))
            of_networks = np.zeros(len(block.labels), np.intp) if at else _network_folds(pages[1 + number], block)
            weights = _alike(block) if at else _weights_of(pages[1 + number], block, settings)
            parts.append(_Part(block, evidence, of_networks, real, real, weights))
    for rows in measured(first, held_out):
        of_networks = _per_line([_fold_of(publisher) for publisher in rows.publishers], rows.block)
        parts.append(_Part(rows.block, rows.evidence, of_networks, True, False, _alike(rows.block, settings.real_weight)))
    evidence = scaled_evidence(first.log_probabilities(held_out.line_features).T)
    context, stacked = _context_passes(parts, settings, jobs, progress, fine_tuning)
    stacked.calibrate(stacked_rows_of(held_out, evidence, context.log_probabilities(rows_of(held_out, evidence))), held_out.labels)
    progress(f"temperature {stacked.temperature_}")
    sizes = [(len(part.block.labels), part.real) for part in parts]
    return Trained(first, context, stacked, pages[0], sum(size for size, _ in sizes), sum(size for size, real in sizes if real))


def fit_first_pass(settings: Settings, jobs: int, log: Any = print) -> tuple[FirstPass, Block]:
    """Return the first pass that `fit` trains, and the block of held-out composed pages."""
    progress = _progress(log)
    _, (held_out, *composed) = _compose(settings, jobs, None, progress)
    return _first_passes([[(block, False)] for block in composed], settings, jobs, progress, cross_fit=False)[0], held_out


def _progress(log: Any) -> Callable[[str], None]:
    start = time.monotonic()
    return lambda text: log(f"[{time.monotonic() - start:5.0f} s] {text}", flush=True)


def _compose(
    settings: Settings, jobs: int, skeletons: Sequence[skeleton.Skeleton] | None, progress: Callable[[str], None]
) -> tuple[list[list[Page]], list[Block]]:
    """Return the composed pages of each fold, the held-out one first, and their blocks."""
    folds = make_pages(settings.pages, settings.seed, jobs=jobs, skeletons=skeletons)
    progress(f"composed {sum(map(len, folds))} pages, {sum(len(page.lines) for fold in folds for page in fold)} lines")
    return folds, [block_of(page.lines for page in fold) for fold in folds]


def _first_passes(
    folds: Sequence[Sequence[tuple[Block, bool]]], settings: Settings, jobs: int, progress: Callable[[str], None], cross_fit: bool = True
) -> list[FirstPass]:
    """Return a first pass trained on all folds and, if `cross_fit`, one for each fold, trained without it."""

    def first_pass(blocks: list[Block], **options: float) -> FirstPass:
        with threadpool_limits(1):
            return FirstPass(settings.vocabulary_size, settings.least_lines, settings.first_c, **options).fit(blocks)

    every = [block for fold in folds for block, _ in fold]
    without = [[block for other, fold in enumerate(folds) if other != number for block, _ in fold] for number in range(FOLDS)]
    runs = [delayed(first_pass)(blocks, tol=CROSS_FIT_TOL) for blocks in (without if cross_fit else ())]
    found: list[FirstPass] = Parallel(n_jobs=jobs)([delayed(first_pass)(every), *runs])
    progress(f"first pass: {found[0].vocabulary_.size} n-grams, {found[0].regression_.n_iter_[0]} iterations")
    return found


def _kept_first_passes(fine_tuning: FineTuning) -> list[FirstPass]:
    """Return the first pass of the model file for all pages and for each fold, though it has learned from composed ones."""
    return [FirstPass.of(fine_tuning.arrays)] * (1 + FOLDS)


def _context_passes(
    parts: Sequence[_Part], settings: Settings, jobs: int, progress: Callable[[str], None], fine_tuning: FineTuning | None
) -> tuple[ContextPass, ContextPass]:
    """Return the first and the second context pass."""
    rows = np.concatenate([rows_of(part.block, part.evidence) for part in parts])
    labels = np.concatenate([part.block.labels for part in parts])
    real = np.concatenate([np.full(len(part.block.labels), part.real) for part in parts])
    progress(f"context rows: {rows.shape[0]} x {rows.shape[1]}, {int(real.sum())} of real pages")
    weights = np.concatenate([part.weights for part in parts])
    first, second = _new_passes(settings, jobs, fine_tuning)
    if fine_tuning is None:
        found = first.fit(rows, labels).cross_fitted(rows, labels, np.concatenate([part.folds for part in parts]))
    else:
        found = first.load(fine_tuning.arrays, "", 1.0).log_probabilities(rows)
    progress("first context pass trained")
    bounds = np.cumsum([0, *(len(part.block.labels) for part in parts)])
    stacked = np.concatenate(
        [stacked_rows_of(part.block, part.evidence, found[start:stop]) for part, start, stop in zip(parts, bounds, bounds[1:])]
    )
    if fine_tuning is None:
        second.fit(stacked, labels, weights)
    else:
        own = np.concatenate([np.full(len(part.block.labels), part.own) for part in parts])
        second.fine_tune(stacked, labels, weights, own, fine_tuning.arrays, "stacked_", fine_tuning.temperature)
    progress("second context pass trained")
    return first, second


def _new_passes(settings: Settings, jobs: int, fine_tuning: FineTuning | None) -> tuple[ContextPass, ContextPass]:
    if fine_tuning is None:
        networks, alpha, epochs, seed = settings.networks, settings.alpha, settings.epochs, settings.seed
        return (
            ContextPass(CEILINGS, networks, settings.hidden, alpha, epochs, 0.0, seed, jobs),
            ContextPass(STACKED_CEILINGS, networks, settings.stacked_hidden, alpha, epochs, settings.body_bias, seed, jobs),
        )
    sizes = [len(fine_tuning.arrays[name]) for name in ("hidden_bias", "stacked_hidden_bias")]
    first, second = (
        ContextPass(ceilings, 1, size, settings.alpha, fine_tuning.epochs, settings.body_bias, settings.seed, jobs, fine_tuning.rate)
        for ceilings, size in zip((CEILINGS, STACKED_CEILINGS), sizes)
    )
    return first, second


def _fold_of(publisher: str) -> int:
    """Return the fold of the second context pass that holds the publisher's network."""
    return network_of(publisher) % NETWORK_FOLDS


def _network_folds(pages: Sequence[Page], block: Block) -> Ints:
    """Return the fold of each line of composed pages; pages of no publisher's layout are dealt out in turn."""
    folds = [number % NETWORK_FOLDS if page.layout in MADE_UP else _fold_of(page.layout) for number, page in enumerate(pages)]
    return _per_line(folds, block)


def _weights_of(pages: Sequence[Page], block: Block, settings: Settings) -> Float32s:
    """Return the weight of each line (n,) of composed pages: that of its layout for lines of the article, 1 for others."""
    of_layouts = {"bare": settings.bare_weight, "small": settings.small_weight}
    weights = _per_line([of_layouts.get(page.layout, 1.0) for page in pages], block)
    return np.where(np.isin(block.labels, [CODES["title"], CODES["body"]]), weights, 1.0).astype(np.float32)


def _alike(block: Block, weight: float = 1.0) -> Float32s:
    return np.full(len(block.labels), weight, np.float32)


def _per_line(of_pages: Sequence[float], block: Block) -> Any:
    """Return the values of pages (pages,) for each of their lines (n,); every page must have a non-blank line."""
    if len(of_pages) != block.starts.sum():
        raise ValueError(f"{len(of_pages)} pages, of which {block.starts.sum()} have lines")
    return np.array(of_pages)[np.cumsum(block.starts) - 1]


def _evidence(model: FirstPass, block: Block, settings: Settings, key: tuple[int, ...]) -> Int16s:
    """Return evidence (len(EVIDENCE), n) with a random share of each page's n-grams hidden, seeded by settings and key."""
    random = np.random.default_rng([settings.seed, *key])
    pages = np.cumsum(block.starts) - 1
    short, long = (random.choice(np.array(shares), pages[-1] + 1)[pages] for shares in (settings.hidden_short, settings.hidden_long))
    share = np.where(block.line_features.size < LONG, short, long)
    lines = line_of_gram(block.line_features)
    hidden: Bools = random.random(len(lines)) < share[lines]
    found: Floats = model.log_probabilities(block.line_features, hidden)
    return scaled_evidence(found.T)
