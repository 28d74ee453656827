"""The model: two small sets of weights, run in plain numpy.

*First pass*: TF-IDF of hashed n-grams plus line columns, through a multinomial logistic regression over `EVIDENCE`
(the labels, and six kinds of block heading). *Context pass*: a one-layer network over `context.py`'s rows. Both are trained in
scikit-learn (`training/train.py`) and stored as arrays beside a JSON manifest, which `model_file.py` reads and checks.

All weights lie on the grid 2^-GRID and all features are small integers, so every sum is exact in float64, whatever the BLAS, the
machine or the batch: a line gets the same probability however it came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.arrays import Bools, Floats, Int16s, Ints
from classifier.context import EVIDENCE
from classifier.features import Described
from classifier.model_file import read_model
from classifier.ngrams import NGrams, Vocabulary

__all__ = ["GRID", "Model", "gram_counts", "log_softmax", "on_grid"]

GRID = 32
HIDDEN_SPLIT = 1 << 10
HIDDEN_GRID = 1 << 26


def on_grid(weights: Floats) -> Floats:
    """Return the weights rounded to multiples of 2^-GRID."""
    return np.ldexp(np.rint(np.ldexp(np.asarray(weights, np.float64), GRID)), -GRID)


def gram_counts(grams: NGrams, vocabulary: Vocabulary, hidden: Bools | None = None) -> tuple[Ints, Ints, Floats]:
    """Return the columns of bigrams and unigrams (k,), and each line's scale (n,): 1 / sqrt(known n-grams).

    Entries that `hidden` (k,) marks count as unknown; training hides some.
    """
    bigrams, unigrams = vocabulary.columns(grams.bigrams), vocabulary.columns(grams.unigrams)
    if hidden is not None:
        unknown = np.int32(vocabulary.size)
        bigrams, unigrams = np.where(hidden, unknown, bigrams), np.where(hidden, unknown, unigrams)
    known = (bigrams < vocabulary.size).astype(np.int64) + (unigrams < vocabulary.size)
    return bigrams, unigrams, 1 / np.sqrt(np.maximum(np.add.reduceat(known, grams.starts), 1))


def log_softmax(scores: Floats) -> Floats:
    """Return scores (n, classes) as natural-log probabilities."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


class Model:
    """Weights ready to run; make one with `Model.load`."""

    def __init__(self, arrays: Mapping[str, Ints], manifest: Mapping[str, Any], path: Path | None = None) -> None:
        """Take checked arrays (see `model_file.array_specs`), their manifest, and the file they came from, if from one."""
        self.manifest = dict(manifest)
        self.path = path
        self.vocabulary = Vocabulary(arrays["vocabulary"])
        self._text = np.concatenate((arrays["text"], np.zeros((1, len(EVIDENCE)))))  # last row: unknown n-grams
        self._columns, self._bias = arrays["columns"], arrays["bias"]
        self._hidden, self._hidden_bias = arrays["hidden"], arrays["hidden_bias"]
        self._output, self._output_bias = arrays["output"], arrays["output_bias"]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Model:
        """Read and verify a model: an `.npz` file or the folder that holds `vi-news.npz`; the shipped one by default.

        Raises:
            ModelError: the file or its manifest is missing, damaged, or made for another version.
        """
        return cls(*read_model(path))

    def first_pass(self, described: Described) -> Floats:
        """Return natural-log probabilities (n, len(EVIDENCE)) from each line by itself."""
        grams = described.grams
        bigrams, unigrams, scale = gram_counts(grams, self.vocabulary)
        text = np.add.reduceat(self._text[bigrams] + self._text[unigrams], grams.starts, axis=0)
        numeric = described.columns.astype(np.float64) @ self._columns
        return log_softmax(text * scale[:, None] + numeric + self._bias)

    def context_pass(self, rows: Int16s) -> Floats:
        """Return log probabilities (n, len(LABELS)) from context rows (n, len(CONTEXT_COLUMNS))."""
        hidden = rows.astype(np.float64) @ self._hidden
        hidden += self._hidden_bias
        np.maximum(hidden, 0, out=hidden)
        # The second product is exact as well once its left side is cut into a coarse and a fine part.
        coarse = np.floor(hidden * HIDDEN_SPLIT) / HIDDEN_SPLIT
        fine = np.rint((hidden - coarse) * HIDDEN_GRID) / HIDDEN_GRID
        return log_softmax(coarse @ self._output + fine @ self._output + self._output_bias)
