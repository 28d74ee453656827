"""The model: two small sets of weights, run in plain numpy.

*First pass*: TF-IDF of hashed n-grams plus line columns, through a multinomial logistic regression over `EVIDENCE`
(the labels, and six kinds of block heading). *Context pass*: a one-layer network over `context.py`'s rows. Both are trained in
scikit-learn (`training/train.py`) and stored as arrays beside a JSON manifest, which `model_file.py` reads and checks.

Features are small whole numbers and weights lie on grids coarse enough that every sum is exact, in int32 (text), float32 (the
context pass, which is most of the arithmetic) or float64: a line gets the same probability whatever the BLAS, the machine or the
batch. Training rounds the weights; loading checks that they are round enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.core.arrays import Bools, Float32s, Floats, Hashes, Ints, append, diff, flatnonzero, log_softmax
from classifier.core.context import CEILINGS, ROW_ORDER
from classifier.core.features import LineFeatures
from classifier.core.model_file import read_model
from classifier.core.ngrams import HEAD, TAIL, NGrams, Vocabulary
from classifier.errors import ModelError

__all__ = ["GRID", "OUTPUT_GRID", "TEXT_GRID", "Model", "Recording", "exact_grid", "known_grams", "on_grid"]

# Weights are multiples of 2^-GRID. The context pass takes the finest grid that keeps its own sums exact (`exact_grid`).
TEXT_GRID = 20
GRID = 32
OUTPUT_GRID = 22
_FLOAT32_BITS, _FLOAT64_BITS = 24, 53


def on_grid(weights: Floats, grid: int = GRID) -> Floats:
    """Return the weights rounded to multiples of 2^-grid."""
    return np.ldexp(np.rint(np.ldexp(np.asarray(weights, np.float64), grid)), -grid)


def exact_grid(hidden: Floats, bias: Floats) -> int:
    """Return the finest grid on which no partial sum of the context pass's first product leaves float32's whole numbers."""
    largest = (np.abs(hidden).T @ CEILINGS + np.abs(bias)).max()
    if not largest:
        return _FLOAT32_BITS
    return _FLOAT32_BITS - int(np.ceil(np.log2(largest * (1 + 2**-6))))  # rounding may add a little


def known_grams(grams: NGrams, vocabulary: Vocabulary, hidden: Bools | None = None) -> tuple[Ints, Ints, Floats]:
    """Return the columns of the known n-grams line by line (k,), where each line's begin (n,), and each line's scale (n,).

    Each line's last entry is `vocabulary.size`, so that no line is without one. The scale is 1 / sqrt(known n-grams).
    Entries that `hidden` marks count as unknown; training hides some.
    """
    hashes = np.empty((len(grams.bigrams), 2), np.uint64)
    hashes[:, 0], hashes[:, 1] = grams.bigrams, grams.unigrams
    known = vocabulary.known(hashes)
    if hidden is not None:
        known[hidden] = False
    known[append(grams.starts[1:], len(known)) - 1, 1] = True  # the unigram of the line end, which no vocabulary holds
    entries = flatnonzero(known.ravel())
    columns = vocabulary.columns(hashes.take(entries))
    starts = entries.searchsorted(2 * grams.starts)
    closes = append(starts[1:], len(entries)) - 1
    columns[closes] = vocabulary.size
    return columns, starts, 1 / np.sqrt(np.maximum(closes - starts, 1))


class Model:
    """Weights ready to run; make one with `Model.load`."""

    def __init__(self, arrays: Mapping[str, Ints], manifest: Mapping[str, Any], path: Path | None = None) -> None:
        """Take checked arrays (see `model_file.array_specs`), their manifest, and the file they came from, if from one."""
        self.manifest = dict(manifest)
        self.path = path
        self.vocabulary = Vocabulary(arrays["vocabulary"])
        self._text = _in_pairs(arrays["text"])
        # Lines run along the second axis everywhere: few and long rows of numbers are what numpy is fast at.
        self._columns, self._bias = _across(arrays["columns"]), arrays["bias"][:, None]
        self._hidden, self._hidden_bias = _across(arrays["hidden"][ROW_ORDER]), arrays["hidden_bias"][:, None]
        self._output, self._output_bias = _across(arrays["output"]), arrays["output_bias"][:, None]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Model:
        """Read and verify a model: an `.npz` file or the folder that holds `vi-news.npz`; the shipped one by default.

        Raises:
            ModelError: the file or its manifest is missing, damaged, or made for another version.
        """
        arrays, manifest, where = read_model(path)
        _require_exact(where, arrays, manifest)
        return cls(arrays, manifest, where)

    def first_pass(self, line_features: LineFeatures) -> Floats:
        """Return natural-log probabilities (len(EVIDENCE), n) from each line by itself."""
        columns, starts, scale = known_grams(line_features.grams, self.vocabulary)
        pairs = np.add.reduceat(self._text.take(columns, axis=0), starts, axis=0)
        entries = diff(append(starts, len(columns)))
        text = pairs.view(np.uint32).T - entries * _RAISED
        return log_softmax(text * np.ldexp(scale, -TEXT_GRID) + self._columns @ line_features.columns.astype(np.float64) + self._bias)

    def context_pass(self, rows: Float32s) -> Floats:
        """Return log probabilities (len(LABELS), n) from context rows (len(ROW_ORDER), n)."""
        hidden = self._hidden @ rows
        hidden += self._hidden_bias
        np.maximum(hidden, 0, out=hidden)
        return log_softmax(self._output @ hidden.astype(np.float64) + self._output_bias)

    # -- what the scores are made of, for `explain` ------------------------------------------------------------------------

    def first_weights(self, columns: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the first pass's weights, each for every class of EVIDENCE: of n-grams by their columns (k, classes), before a
        line's scale, of line columns (len(LINE_COLUMNS), classes), and the bias (classes,).
        """
        text = self._text.take(columns, axis=0).view(np.uint32) - np.float64(_RAISED)
        return np.ldexp(text, -TEXT_GRID), self._columns.T, self._bias[:, 0]

    def context_slopes(self, rows: Float32s, over: Floats) -> tuple[Floats, Floats]:
        """Return the slope of a sum of scores, each label's times `over` (len(LABELS), n), along each of ROW_ORDER (len(ROW_ORDER), n).

        And the sum's value where the slopes meet zero (n,): the network is linear as long as the same units are active.
        """
        hidden, bias = self._hidden.astype(np.float64), self._hidden_bias.astype(np.float64)
        through = (self._output.T @ over) * (hidden @ rows + bias > 0)
        return hidden.T @ through, (bias * through).sum(axis=0) + (self._output_bias * over).sum(axis=0)


# Text weights are raised so that none is negative, and summed two at a time as the halves of a uint64: a line's n-grams, at most
# MOST_GRAMS, cannot make the lower half run over. This halves the time of the sum.
_MOST_GRAMS = 2 * (HEAD + TAIL + 1)
_RAISED = (1 << 32) // _MOST_GRAMS // 2


def _across(weights: Floats) -> Floats:
    return np.ascontiguousarray(weights.T)


def _in_pairs(weights: Ints) -> Hashes:
    """Return text weights (vocabulary, classes) with a row of zeros behind them, raised, as (vocabulary + 1, classes / 2)."""
    rows = np.full((len(weights) + 1, weights.shape[1]), _RAISED, np.int64)
    rows[:-1] += weights
    return np.ascontiguousarray(rows, np.uint32).view(np.uint64)


def _require_exact(path: Path, arrays: Mapping[str, Ints], manifest: Mapping[str, Any]) -> None:
    """Refuse weights whose sums could be rounded: a line's label would then depend on the lines it came with."""
    grid = manifest.get("hidden_grid")
    if type(grid) is not int or abs(grid) > 2 * GRID:
        raise ModelError(f"{path}: hidden_grid is {str(grid)[:40]}, not a number of bits; retrain with `make train`")
    if grid > exact_grid(arrays["hidden"].astype(np.float64), arrays["hidden_bias"].astype(np.float64)):
        raise ModelError(f"{path}: its weights are too large for exact sums; retrain with `make train`")
    if np.abs(arrays["output"]).sum(axis=0).max() >= 2.0 ** (_FLOAT64_BITS - _FLOAT32_BITS - OUTPUT_GRID):
        raise ModelError(f"{path}: its output weights are too large for exact sums; retrain with `make train`")
    if np.abs(arrays["text"].astype(np.int64)).max(initial=0) >= _RAISED:
        raise ModelError(f"{path}: its text weights are too large for exact sums; retrain with `make train`")
    for name, step in (("columns", GRID), ("bias", GRID), ("hidden", grid), ("hidden_bias", grid), ("output", OUTPUT_GRID)):
        if not np.array_equal(on_grid(arrays[name], step), arrays[name]):
            raise ModelError(f"{path}: array {name!r} is finer than multiples of 2^-{step}; retrain with `make train`")


class Recording(Model):
    """A model with the same weights that records, for each line, what its context pass saw and returned.

    `records` holds one pair a line: its row (columns,) and its log probabilities (labels,). Whoever reads it removes them.
    """

    def __init__(self, model: Model) -> None:
        """Share the weights of `model`."""
        vars(self).update(vars(model))
        self.records: deque[tuple[Float32s, Floats]] = deque()

    def context_pass(self, rows: Float32s) -> Floats:
        """Return what the model's context pass returns, and record it."""
        found = super().context_pass(rows)
        self.records.extend(zip(rows.T.copy(), found.T.copy()))
        return found
