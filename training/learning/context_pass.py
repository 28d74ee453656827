"""Context pass in scikit-learn: a small ensemble of one-layer networks, merged into one network.

Averaging the scores of several networks reduces the variance between random starts. Side by side, their hidden units form
one network, so the runtime sees two matrices however many there are. Standardisation, body bias and temperature are folded in.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from classifier.core.arrays import Bools, Floats, Int16s, Ints, log_softmax
from classifier.core.context import CONTEXT_COLUMNS, context_rows, line_buffer
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.model import OUTPUT_GRID, exact_grid, on_grid
from classifier.labels import LABELS, Label
from training.learning.dataset import Block

__all__ = ["ContextPass", "rows_of"]

ROWS_AT_ONCE = 8192
BATCH = 512
_BODY = LABELS.index(Label.BODY)


def rows_of(block: Block, log_probabilities: Floats) -> Int16s:
    """Return the context rows (n, len(CONTEXT_COLUMNS)) of whole pages, given the first pass's log probabilities."""
    evidence = scaled_evidence(log_probabilities.T)
    columns, _ = extract_history(block.line_features, evidence, block.blanks, block.starts, PageState.fresh())
    page = np.cumsum(block.starts) - 1
    buffer = line_buffer(block.line_features, evidence, columns, page, block.position)
    rows = np.empty((len(page), len(CONTEXT_COLUMNS)), np.int16)
    for low in range(0, len(page), ROWS_AT_ONCE):
        part = rows[low : low + ROWS_AT_ONCE]
        part[:] = context_rows(buffer, low, low + len(part)).T
    return rows


class ContextPass:
    """An ensemble of one-layer networks over context rows.

    Args:
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
        networks: int,
        hidden: int,
        alpha: float,
        epochs: int,
        body_bias: float,
        seed: int,
        jobs: int = 1,
        rate: float = 1e-3,
    ) -> None:
        self.networks = networks
        self.hidden = hidden
        self.alpha = alpha
        self.epochs = epochs
        self.body_bias = body_bias
        self.seed = seed
        self.jobs = jobs
        self.rate = rate

    def fit(self, rows: Int16s, labels: Ints) -> ContextPass:
        """Learn from context rows (n, len(CONTEXT_COLUMNS)) and label codes (n,)."""
        self._measure(rows)
        self.networks_ = Parallel(n_jobs=self.jobs)(
            delayed(self._fit_one)(rows, labels, self.seed + number) for number in range(self.networks)
        )
        self._round()
        self.bias_, self.temperature_ = self.body_bias, 1.0
        return self

    def fine_tune(self, rows: Int16s, labels: Ints, own: Bools, arrays: Mapping[str, Floats], temperature: float) -> ContextPass:
        """Fine-tune the weights of a model file, as one network of all its hidden units; every label must occur.

        A network trained from scratch ends elsewhere: its figures move by half a point even on pages without any change.
        `own` (n,) marks the rows of real pages. These need no body bias, which corrects for composed pages; so the network
        keeps the bias it has, and composed body lines are weighted by exp(body_bias) instead.
        """
        self._measure(rows)
        network = self._network(self.seed)
        one_each = np.unique(labels, return_index=True)[1]
        network.set_params(warm_start=True, max_iter=1, batch_size=len(one_each))
        self._learn(network, self._standardised(rows[one_each]).astype(np.float32), labels[one_each])  # allocates the layers
        self._unfold(network, arrays, temperature)
        network.set_params(max_iter=self.epochs, batch_size=BATCH)
        weights = np.where((labels == _BODY) & ~own, np.exp(self.body_bias), 1.0).astype(np.float32)
        self._learn(network, self._standardised(rows).astype(np.float32), labels, weights)
        self.networks_, self.bias_ = [network], 0.0
        self._round()
        self.temperature_ = 1.0
        return self

    def _unfold(self, network: MLPClassifier, arrays: Mapping[str, Floats], temperature: float) -> None:
        """Set a network's weights from a model file; undoes the folding of standardisation and temperature."""
        hidden, hidden_bias, output, output_bias = (
            arrays[name].astype(np.float64) for name in ("hidden", "hidden_bias", "output", "output_bias")
        )
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
        self.grid_ = min(exact_grid(weights, bias) for weights, bias in layers)
        for network, (weights, bias) in zip(self.networks_, layers):
            weights, bias = on_grid(weights, self.grid_), on_grid(bias, self.grid_)
            network.coefs_[0] = weights * self.scale_[:, None]
            network.intercepts_[0] = bias + self.mean_ @ weights

    def _folded(self, network: MLPClassifier) -> tuple[Floats, Floats]:
        """Return weights and bias of the first layer with standardisation folded in."""
        weights = network.coefs_[0].astype(np.float64) / self.scale_[:, None]
        return weights, network.intercepts_[0] - self.mean_ @ weights

    def _fit_one(self, rows: Int16s, labels: Ints, seed: int) -> MLPClassifier:
        return self._learn(self._network(seed), self._standardised(rows), labels)

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

    def _standardised(self, rows: Int16s) -> Floats:
        return (rows - self.mean_) / self.scale_

    def scores(self, rows: Int16s) -> Floats:
        """Return label scores (n, labels), up to a constant per line: (mean log probabilities + body bias) / temperature."""
        inputs = self._standardised(rows)
        out = np.full((len(rows), len(LABELS)), -50.0)
        total = sum(np.log(np.maximum(network.predict_proba(inputs), 1e-300)) for network in self.networks_)
        out[:, self.networks_[0].classes_] = total / self.networks
        out[:, _BODY] += self.bias_
        return out / self.temperature_

    def calibrate(self, rows: Int16s, labels: Ints) -> ContextPass:
        """Fit the temperature that minimises log loss on held-out lines."""
        scores = self.scores(rows)

        def loss(log_temperature: float) -> float:
            chosen = log_softmax(scores.T / np.exp(log_temperature))[labels, np.arange(len(rows))]
            return -float(chosen.mean())

        found = minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded", options={"xatol": 1e-4})
        self.temperature_ = round(float(np.exp(found.x)), 3)
        return self

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays of the model file."""
        classes = self.networks_[0].classes_
        hidden, hidden_bias, output = [], [], []
        output_bias = np.zeros(len(classes))
        for network in self.networks_:
            weights, bias = self._folded(network)
            hidden.append(weights)
            hidden_bias.append(bias)
            output.append(network.coefs_[1].astype(np.float64) / self.networks / self.temperature_)
            output_bias += network.intercepts_[1] / self.networks / self.temperature_
        every = np.zeros((self.networks * self.hidden, len(LABELS)))
        every[:, classes] = np.concatenate(output)
        label_bias = np.full(len(LABELS), -50.0)
        label_bias[classes] = output_bias
        label_bias[_BODY] += self.bias_ / self.temperature_
        return {
            "hidden": on_grid(np.concatenate(hidden, axis=1), self.grid_).astype(np.float32),
            "hidden_bias": on_grid(np.concatenate(hidden_bias), self.grid_).astype(np.float32),
            "output": on_grid(every, OUTPUT_GRID),
            "output_bias": on_grid(label_bias),
        }
