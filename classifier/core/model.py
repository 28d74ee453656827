"""The line classifier, evaluated in plain numpy: a first pass over single lines, and two context passes.

*First pass*: multinomial logistic regression over `EVIDENCE` (the labels and six kinds of block heading), from TF-IDF of hashed
n-grams and line features. *Context passes*: networks with one hidden layer, the first over context rows (`context.py`), the second
over stacked rows (`stacked.py`), made of the first one's output; the second decides. All are trained by `training/train.py` and
stored as arrays with a JSON manifest; `model_file.py` reads and checks the two files.

Features are small integers, and weights lie on grids coarse enough that every sum is exact, in int32 (text), float32 (the
context pass, which is most of the arithmetic) or float64. A line therefore gets the same probabilities whatever the BLAS, the
machine or the batch. Training rounds the weights to the grids; loading rejects weights that are off them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.core.arrays import Bools, Float32s, Floats, Hashes, Ints, append, diff, flatnonzero, log_softmax
from classifier.core.context import CEILINGS, LineBuffer, context_rows
from classifier.core.features import LineFeatures
from classifier.core.kernel import compiled
from classifier.core.model_delta import ModelDelta
from classifier.core.model_file import PREFIXES, read_model
from classifier.core.ngrams import HEAD, TAIL, NGrams, Vocabulary
from classifier.core.stacked import STACKED_CEILINGS, StackedBuffer, stacked_rows
from classifier.errors import ModelError

__all__ = ["GRID", "OUTPUT_GRID", "TEXT_GRID", "Model", "Network", "Recording", "exact_grid", "known_grams", "on_grid"]

# Weights are multiples of 2^-grid. The hidden layer's grid depends on its weights: the finest one that keeps sums exact (`exact_grid`).
TEXT_GRID = 20
GRID = 32
OUTPUT_GRID = 22
_FLOAT32_BITS, _FLOAT64_BITS = 24, 53


def on_grid(weights: Floats, grid: int = GRID) -> Floats:
    """Return the weights rounded to multiples of 2^-grid."""
    return np.ldexp(np.rint(np.ldexp(np.asarray(weights, np.float64), grid)), -grid)


def exact_grid(hidden: Floats, bias: Floats, ceilings: Floats = CEILINGS) -> int:
    """Return the finest grid on which every partial sum of the hidden layer is exact in float32 (an integer below 2^24 steps).

    `ceilings` (columns,) are the maxima of the network's input columns.
    """
    largest = (np.abs(hidden).T @ ceilings + np.abs(bias)).max()
    if not largest:
        return _FLOAT32_BITS
    return _FLOAT32_BITS - int(np.ceil(np.log2(largest * (1 + 2**-6))))  # margin: rounding to the grid can enlarge the sums


def known_grams(grams: NGrams, vocabulary: Vocabulary, hidden: Bools | None = None) -> tuple[Ints, Ints, Floats]:
    """Return the vocabulary columns of each line's known n-grams (k,), the index of each line's first (n,), and its scale (n,).

    Every line's entries end with the sentinel `vocabulary.size`, so that no line is empty. The scale is
    1 / sqrt(known n-grams). N-gram entries marked in `hidden` count as unknown: dropout in training.
    """
    hashes = np.empty((len(grams.bigrams), 2), np.uint64)
    hashes[:, 0], hashes[:, 1] = grams.bigrams, grams.unigrams
    known = vocabulary.known(hashes)
    if hidden is not None:
        known[hidden] = False
    known[append(grams.starts[1:], len(known)) - 1, 1] = True  # the line-end unigram, in no vocabulary, becomes the sentinel
    entries = flatnonzero(known.ravel())
    columns = vocabulary.columns(hashes.take(entries))
    starts = entries.searchsorted(2 * grams.starts)
    sentinels = append(starts[1:], len(entries)) - 1
    columns[sentinels] = vocabulary.size
    return columns, starts, 1 / np.sqrt(np.maximum(sentinels - starts, 1))


class Model:
    """The classifier's weights, laid out for evaluation; create one with `Model.load`."""

    def __init__(self, arrays: Mapping[str, Ints], manifest: Mapping[str, Any], path: Path | None = None) -> None:
        """Initialise from checked arrays (see `model_file.array_specs`), their manifest, and the path of their file, if any."""
        self.manifest = dict(manifest)
        self.path = path
        self.vocabulary = Vocabulary(arrays["vocabulary"])
        self._text = _packed_pairs(arrays["text"])
        # Lines run along the second axis everywhere: numpy is fastest on few, long rows. Weights are transposes of contiguous arrays:
        # those of a column lie together, as the kernel needs them.
        self._columns, self._bias = np.ascontiguousarray(arrays["columns"]).T, arrays["bias"][:, None]
        self._context, self._stacked = (Network(*(arrays[prefix + name] for name in Network.ARRAYS)) for prefix in PREFIXES)

    @classmethod
    def load(cls, path: str | Path | None = None, delta: ModelDelta | None = None) -> Model:
        """Read and verify a model: an `.npz` file, or a folder with `vi-news.npz` in it; by default the shipped model.

        A `delta` turns it into another one, which is verified in the same way.

        Raises:
            ModelError: the file or its manifest is missing, damaged, or made for another version, or the delta for another model.
        """
        arrays, manifest, arrays_path = read_model(path)
        if delta is not None:
            arrays, manifest = delta.applied(arrays, manifest)
        _require_exact(arrays_path, arrays, manifest)
        return cls(arrays, manifest, arrays_path)

    def first_pass(self, line_features: LineFeatures) -> Floats:
        """Return natural-log probabilities (len(EVIDENCE), n) of each line, from its own features only."""
        return log_softmax(first_scores(line_features, self.vocabulary, self._text, self._columns, self._bias))

    def context_pass(self, buffer: LineBuffer, low: int, high: int) -> Floats:
        """Return natural-log probabilities (len(LABELS), high - low) of lines `low` to `high` by the first context pass."""
        return log_softmax(context_scores(buffer, low, high, self._context))

    def stacked_pass(self, buffer: StackedBuffer, low: int, high: int) -> Floats:
        """Return natural-log probabilities (len(LABELS), high - low) of lines `low` to `high` by the second context pass."""
        return log_softmax(stacked_scores(buffer, low, high, self._stacked))

    # -- feature attribution, for `explain` --------------------------------------------------------------------------------

    def first_weights(self, columns: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the first pass's weights per class of EVIDENCE: of the n-grams in `columns`, of the line columns, and the bias.

        Shapes: (k, classes), not yet multiplied by a line's scale; (len(LINE_COLUMNS), classes); (classes,).
        """
        text = self._text.take(columns, axis=0).view(np.uint32) - np.float64(_OFFSET)
        return np.ldexp(text, -TEXT_GRID), self._columns.T, self._bias[:, 0]

    def slopes(self, rows: Float32s, over: Floats) -> tuple[Floats, Floats]:
        """Return the gradient (len(STACKED_COLUMNS), n) of a weighted sum of the deciding pass's logits, and the intercept (n,).

        `over` (len(LABELS), n) holds the weights, `rows` are stacked rows.
        """
        return self._stacked.slopes(rows, over)


class Network:
    """A network with one hidden layer of rectified linear units, with standardisation and temperature folded in."""

    ARRAYS = ("hidden", "hidden_bias", "output", "output_bias")

    def __init__(self, hidden: Floats, hidden_bias: Floats, output: Floats, output_bias: Floats) -> None:
        """Lay out the arrays of a model file (see `model_file.array_specs`)."""
        self.hidden, self.hidden_bias = np.ascontiguousarray(hidden).T, hidden_bias[:, None]
        self.output, self.output_bias = np.ascontiguousarray(output).T, output_bias[:, None]
        self.packed: object | None = None
        """The same for the kernel, made when it is first needed."""

    def scores(self, rows: Float32s) -> Floats:
        """Return logits (labels, n) from input rows (columns, n)."""
        units = self.hidden @ rows
        units += self.hidden_bias
        np.maximum(units, 0, out=units)
        scores: Floats = self.output @ units.astype(np.float64) + self.output_bias
        return scores

    def slopes(self, rows: Float32s, over: Floats) -> tuple[Floats, Floats]:
        """Return the gradient (columns, n) of a weighted sum of logits with respect to each row, and the intercept (n,).

        `over` (labels, n) holds the weights. The network is piecewise linear: while the same hidden units are active, the sum equals
        gradient times row plus intercept.
        """
        hidden, bias = self.hidden.astype(np.float64), self.hidden_bias.astype(np.float64)
        gradient = (self.output.T @ over) * (hidden @ rows + bias > 0)
        return hidden.T @ gradient, (bias * gradient).sum(axis=0) + (self.output_bias * over).sum(axis=0)


@compiled
def first_scores(line_features: LineFeatures, vocabulary: Vocabulary, text: Hashes, columns: Floats, bias: Floats) -> Floats:
    """Return logits (classes, n) from line features, text weights (see `_packed_pairs`) and the line columns' (classes, columns)."""
    entries, starts, scale = known_grams(line_features.grams, vocabulary)
    pairs = np.add.reduceat(text.take(entries, axis=0), starts, axis=0)
    sums = pairs.view(np.uint32).T - diff(append(starts, len(entries))) * _OFFSET
    return sums * np.ldexp(scale, -TEXT_GRID) + columns @ line_features.columns.astype(np.float64) + bias


@compiled
def context_scores(buffer: LineBuffer, low: int, high: int, network: Network) -> Floats:
    """Return the logits (labels, high - low) of the first context pass for lines `low` to `high` of a buffer."""
    return _joined([network.scores(context_rows(buffer, *bounds)) for bounds in _row_groups(low, high)])


@compiled
def stacked_scores(buffer: StackedBuffer, low: int, high: int, network: Network) -> Floats:
    """Return the logits (labels, high - low) of the second context pass for lines `low` to `high` of a buffer."""
    return _joined([network.scores(stacked_rows(buffer, *bounds)) for bounds in _row_groups(low, high)])


ROWS_AT_ONCE = 256  # bounds the memory of the rows


def _row_groups(low: int, high: int) -> list[tuple[int, int]]:
    """Return the bounds of groups of at most ROWS_AT_ONCE of the lines `low` to `high`."""
    return [(start, min(start + ROWS_AT_ONCE, high)) for start in range(low, high, ROWS_AT_ONCE)]


def _joined(parts: list[Floats]) -> Floats:
    """Return arrays joined along their lines (at least one)."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


# Text weights are offset to be non-negative and summed in pairs, as the halves of a uint64, which halves the time of the sum. A
# line has at most _MAX_GRAMS n-grams, too few for the lower half to overflow.
_MAX_GRAMS = 2 * (HEAD + TAIL + 1)
_OFFSET = (1 << 32) // _MAX_GRAMS // 2


def _packed_pairs(weights: Ints) -> Hashes:
    """Return text weights (vocabulary, classes) and a row of zeros for the sentinel, offset, as uint64 (vocabulary + 1, classes / 2)."""
    rows = np.full((len(weights) + 1, weights.shape[1]), _OFFSET, np.int64)
    rows[:-1] += weights
    return np.ascontiguousarray(rows, np.uint32).view(np.uint64)


def _require_exact(path: Path, arrays: Mapping[str, Ints], manifest: Mapping[str, Any]) -> None:
    """Reject weights whose sums could be inexact: results would then depend on how lines are batched."""
    steps = {"columns": GRID, "bias": GRID}
    for prefix, ceilings in zip(PREFIXES, (CEILINGS, STACKED_CEILINGS)):
        grid = manifest.get(f"{prefix}hidden_grid")
        if type(grid) is not int or abs(grid) > 2 * GRID:
            raise ModelError(f"{path}: {prefix}hidden_grid is {str(grid)[:40]}, not a number of bits; retrain with `make train`")
        hidden, bias, output, _ = (arrays[prefix + name].astype(np.float64) for name in Network.ARRAYS)
        if grid > exact_grid(hidden, bias, ceilings):
            raise ModelError(f"{path}: its weights are too large for exact sums; retrain with `make train`")
        if np.abs(output).sum(axis=0).max() >= 2.0 ** (_FLOAT64_BITS - _FLOAT32_BITS - OUTPUT_GRID):
            raise ModelError(f"{path}: its output weights are too large for exact sums; retrain with `make train`")
        steps |= {f"{prefix}hidden": grid, f"{prefix}hidden_bias": grid, f"{prefix}output": OUTPUT_GRID}
    if np.abs(arrays["text"].astype(np.int64)).max(initial=0) >= _OFFSET:
        raise ModelError(f"{path}: its text weights are too large for exact sums; retrain with `make train`")
    for name, step in steps.items():
        if not np.array_equal(on_grid(arrays[name], step), arrays[name]):
            raise ModelError(f"{path}: array {name!r} holds values that are not multiples of 2^-{step}; retrain with `make train`")


class Recording(Model):
    """A model with the same weights that records the inputs and outputs of the deciding pass.

    `records` holds one pair per line: its stacked row (columns,) and its log probabilities (labels,). Readers must remove
    the entries they consume; nothing else does.
    """

    def __init__(self, model: Model) -> None:
        """Share the weights of `model`."""
        vars(self).update(vars(model))
        self.records: deque[tuple[Float32s, Floats]] = deque()

    def stacked_pass(self, buffer: StackedBuffer, low: int, high: int) -> Floats:
        """Run the second context pass and record its rows and results."""
        log_probabilities = super().stacked_pass(buffer, low, high)
        rows = _joined([stacked_rows(buffer, *bounds) for bounds in _row_groups(low, high)])
        self.records.extend(zip(rows.T.copy(), log_probabilities.T.copy()))
        return log_probabilities
