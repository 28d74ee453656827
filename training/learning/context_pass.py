"""Context passes in scikit-learn: each a small ensemble of one-layer networks, merged into one network.

Averaging the scores of several networks reduces the variance between random starts. Side by side, their hidden units form
one network, so the runtime sees two matrices however many there are. Standardisation, body bias and temperature are folded in.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from copy import copy

import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from classifier.core.arrays import Bools, Float32s, Floats, Int16s, Ints, log_softmax
from classifier.core.context import CONTEXT_COLUMNS, NO_LINES, LineBuffer, context_rows
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.model import OUTPUT_GRID, Network, exact_grid, on_grid
from classifier.core.stacked import STACKED_COLUMNS, StackedBuffer, StackedState, extract_stacked, stacked_rows
from classifier.labels import LABELS, Label
from training.learning.dataset import Block

__all__ = ["ContextPass", "rows_of", "stacked_rows_of"]

ROWS_AT_ONCE = 8192
BATCH = 512
_BODY = LABELS.index(Label.BODY)


def _buffer_of(block: Block, evidence: Int16s) -> LineBuffer:
    columns, _ = extract_history(block.line_features, evidence, block.blanks, block.starts, PageState.fresh())
    return NO_LINES.extended(block.line_features, evidence, columns, np.cumsum(block.starts) - 1, block.position)


def rows_of(block: Block, evidence: Int16s) -> Int16s:
    """Return the context rows (n, len(CONTEXT_COLUMNS)) of whole pages, given the first pass's evidence (len(EVIDENCE), n)."""
    buffer = _buffer_of(block, evidence)
    rows = np.empty((len(block.labels), len(CONTEXT_COLUMNS)), np.int16)
    for low in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[low : low + ROWS_AT_ONCE]
        part[:] = context_rows(buffer, low, low + len(part)).T
    return rows


def stacked_rows_of(block: Block, evidence: Int16s, found: Floats) -> Int16s:
    """Return the stacked rows (n, len(STACKED_COLUMNS)) of whole pages, given the evidence of the first pass (len(EVIDENCE), n) and the
    log probabilities (n, labels) of the first context pass.
    """
    lines, of_labels = _buffer_of(block, evidence), scaled_evidence(found.T)
    columns, _ = extract_stacked(lines.own, of_labels, block.starts, StackedState.fresh())
    buffer = StackedBuffer.of(lines, columns, of_labels)
    rows = np.empty((len(block.labels), len(STACKED_COLUMNS)), np.int16)
    for low in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[low : low + ROWS_AT_ONCE]
        part[:] = stacked_rows(buffer, low, low + len(part)).T
    return rows


class ContextPass:
    """An ensemble of one-layer networks over the rows of a context pass.

    Args:
        ceilings: maximum of each column of the rows.
        networks: number of networks to average.
        hidden: hidden units of each.
        alpha: L2 penalty.
        epochs: passes over the training lines.
        body_bias: added to the score of body, since composed pages hold more prose outside the body than real ones do.
        seed: random seed; network i gets seed + i.
        jobs: number of processes; does not change the result.
        rate: Adam's learning rate.
    """

    def __init__(
        self,
        ceilings: Floats,
        networks: int,
        hidden: int,
        alpha: float,
        epochs: int,
        body_bias: float,
        seed: int,
        jobs: int = 1,
        rate: float = 1e-3,
    ) -> None:
        self.ceilings = ceilings
        self.networks = networks
        self.hidden = hidden
        self.alpha = alpha
        self.epochs = epochs
        self.body_bias = body_bias
        self.seed = seed
        self.jobs = jobs
        self.rate = rate

    def fit(self, rows: Int16s, labels: Ints, weights: Float32s | None = None) -> ContextPass:
        """Learn from rows (n, columns), label codes (n,) and weights of the rows (n,); without weights all count alike."""
        self._measure(rows)
        self.networks_ = Parallel(n_jobs=self.jobs)(
            delayed(self._fit_one)(rows, labels, self.seed + number, weights) for number in range(self.networks)
        )
        self._round()
        self.bias_, self.temperature_ = self.body_bias, 1.0
        return self

    def cross_fitted(self, rows: Int16s, labels: Ints, groups: Ints) -> Floats:
        """Return the log probabilities (n, labels) that networks trained without a line's group (n,) give it; `fit` comes first."""
        values = np.unique(groups)
        networks = Parallel(n_jobs=self.jobs)(
            delayed(self._fit_one)(rows[groups != value], labels[groups != value], self.seed + number)
            for value in values
            for number in range(self.networks)
        )
        out = np.empty((len(rows), len(LABELS)))
        for index, value in enumerate(values):
            without = copy(self)
            without.networks_ = networks[index * self.networks : (index + 1) * self.networks]
            out[groups == value] = without.log_probabilities(rows[groups == value])
        return out

    def load(self, arrays: Mapping[str, Floats], prefix: str, temperature: float) -> ContextPass:
        """Take the weights of a model file, as one network of all its hidden units, without learning."""
        columns = len(self.ceilings)
        self.mean_, self.scale_ = np.zeros(columns), np.ones(columns)
        network = self._network(self.seed)
        network.set_params(max_iter=1, batch_size=len(LABELS))
        nothing = np.zeros((len(LABELS), columns))  # in float64, so that no weight is rounded
        self.networks_ = [self._learn(network, nothing, np.arange(len(LABELS)))]  # allocates the layers
        self._unfold(network, arrays, prefix, temperature)
        self._round()
        self.bias_, self.temperature_ = 0.0, 1.0
        return self

    def fine_tune(
        self, rows: Int16s, labels: Ints, weights: Float32s, own: Bools, arrays: Mapping[str, Floats], prefix: str, temperature: float
    ) -> ContextPass:
        """Fine-tune the weights of a model file, as one network of all its hidden units; every label must occur.

        A network trained from scratch ends elsewhere: its figures move by half a point even on pages without any change.
        `own` (n,) marks the rows of the site to learn. These need no body bias, which is for pages of unknown sites; so the network keeps
        the bias it has, and the weights (n,) of the other body lines are multiplied by exp(body_bias) instead. `prefix` is that of the
        pass's arrays.
        """
        self._measure(rows)
        network = self._network(self.seed)
        one_each = np.unique(labels, return_index=True)[1]
        network.set_params(warm_start=True, max_iter=1, batch_size=len(one_each))
        self._learn(network, self._standardised(rows[one_each]), labels[one_each])  # allocates the layers
        self._unfold(network, arrays, prefix, temperature)
        network.set_params(max_iter=self.epochs, batch_size=BATCH)
        factors = np.where((labels == _BODY) & ~own, np.exp(self.body_bias), 1.0).astype(np.float32)
        self._learn(network, self._standardised(rows), labels, weights * factors)
        self.networks_, self.bias_ = [network], 0.0
        self._round()
        self.temperature_ = 1.0
        return self

    def _unfold(self, network: MLPClassifier, arrays: Mapping[str, Floats], prefix: str, temperature: float) -> None:
        """Set a network's weights from a model file; undoes the folding of standardisation and temperature."""
        hidden, hidden_bias, output, output_bias = (arrays[prefix + name].astype(np.float64) for name in Network.ARRAYS)
        weights = [hidden * self.scale_[:, None], output * temperature]
        biases = [hidden_bias + self.mean_ @ hidden, output_bias * temperature]
        kind = network.coefs_[0].dtype
        network.coefs_, network.intercepts_ = ([part.astype(kind) for part in parts] for parts in (weights, biases))

    def _measure(self, rows: Int16s) -> None:
        self.mean_ = rows.mean(axis=0, dtype=np.float64)
        # Adding 1.6 sixteenths (0.1) to the spread keeps columns that hardly vary from being blown up.
        self.scale_ = rows.std(axis=0, dtype=np.float64) + 1.6

    def _round(self) -> None:
        """Round the first layer to the runtime's grid (`model.exact_grid`), so that calibration sees the weights that ship."""
        layers = [self._folded(network) for network in self.networks_]
        self.grid_ = min(exact_grid(weights, bias, self.ceilings) for weights, bias in layers)
        for network, (weights, bias) in zip(self.networks_, layers):
            weights, bias = on_grid(weights, self.grid_), on_grid(bias, self.grid_)
            network.coefs_[0] = weights * self.scale_[:, None]
            network.intercepts_[0] = bias + self.mean_ @ weights

    def _folded(self, network: MLPClassifier) -> tuple[Floats, Floats]:
        """Return weights and bias of the first layer with standardisation folded in."""
        weights = network.coefs_[0].astype(np.float64) / self.scale_[:, None]
        return weights, network.intercepts_[0] - self.mean_ @ weights

    def _fit_one(self, rows: Int16s, labels: Ints, seed: int, weights: Float32s | None = None) -> MLPClassifier:
        return self._learn(self._network(seed), self._standardised(rows), labels, weights)

    def _network(self, seed: int) -> MLPClassifier:
        return MLPClassifier(
            (self.hidden,),
            alpha=self.alpha,
            batch_size=BATCH,
            max_iter=self.epochs,
            random_state=seed,
            tol=0.0,
            n_iter_no_change=self.epochs + 1,
            learning_rate_init=self.rate,
        )

    @staticmethod
    def _learn(network: MLPClassifier, inputs: Floats, labels: Ints, weights: Floats | None = None) -> MLPClassifier:
        with warnings.catch_warnings(), threadpool_limits(1):  # one thread fixes the order of sums
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops after `epochs` by design
            return network.fit(inputs, labels) if weights is None else network.fit(inputs, labels, sample_weight=weights)

    def _standardised(self, rows: Int16s) -> Float32s:
        """Return rows with zero mean and unit spread, in float32, which halves time and memory."""
        out = rows.astype(np.float32)
        out -= self.mean_.astype(np.float32)
        out /= self.scale_.astype(np.float32)
        return out

    def scores(self, rows: Int16s) -> Floats:
        """Return label scores (n, labels), up to a constant per line: (mean log probabilities + body bias) / temperature."""
        out = np.full((len(rows), len(LABELS)), -50.0)
        for low in range(0, len(rows), ROWS_AT_ONCE):
            inputs = self._standardised(rows[low : low + ROWS_AT_ONCE]).astype(np.float64)
            total = sum(np.log(np.maximum(network.predict_proba(inputs), 1e-300)) for network in self.networks_)
            out[low : low + ROWS_AT_ONCE, self.networks_[0].classes_] = total / len(self.networks_)
        out[:, _BODY] += self.bias_
        return out / self.temperature_

    def log_probabilities(self, rows: Int16s) -> Floats:
        """Return natural-log probabilities (n, labels)."""
        return log_softmax(self.scores(rows).T).T

    def calibrate(self, rows: Int16s, labels: Ints) -> ContextPass:
        """Fit the temperature that minimises log loss on held-out lines."""
        scores = self.scores(rows)

        def loss(log_temperature: float) -> float:
            chosen = log_softmax(scores.T / np.exp(log_temperature))[labels, np.arange(len(rows))]
            return -float(chosen.mean())

        found = minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded", options={"xatol": 1e-4})
        self.temperature_ = round(float(np.exp(found.x)), 3)
        return self

    def arrays(self, prefix: str) -> dict[str, Floats]:
        """Return the arrays of the model file, their names with the prefix of the pass."""
        classes = self.networks_[0].classes_
        hidden, hidden_bias, output = [], [], []
        output_bias = np.zeros(len(classes))
        for network in self.networks_:
            weights, bias = self._folded(network)
            hidden.append(weights)
            hidden_bias.append(bias)
            output.append(network.coefs_[1].astype(np.float64) / len(self.networks_) / self.temperature_)
            output_bias += network.intercepts_[1] / len(self.networks_) / self.temperature_
        every = np.zeros((sum(map(len, output)), len(LABELS)))
        every[:, classes] = np.concatenate(output)
        label_bias = np.full(len(LABELS), -50.0)
        label_bias[classes] = output_bias
        label_bias[_BODY] += self.bias_ / self.temperature_
        found = {
            "hidden": on_grid(np.concatenate(hidden, axis=1), self.grid_).astype(np.float32),
            "hidden_bias": on_grid(np.concatenate(hidden_bias), self.grid_).astype(np.float32),
            "output": on_grid(every, OUTPUT_GRID),
            "output_bias": on_grid(label_bias),
        }
        return {prefix + name: array for name, array in found.items()}
