"""Feature attribution: how much each feature counted for or against a line's label, in the first pass and in the one that decides.

Both passes decompose the same quantity: the natural-log odds of the line's label against the runner-up, the next most probable
label. *First pass*: linear, so each n-gram and each line column contributes a term of its own. *Deciding pass*, the second context
pass: a network with one hidden layer, linear as long as the same units are active; a column's contribution is gradient times input,
which is exact for the active units (Shrikumar and others, Not Just a Black Box, 2016, arXiv:1605.01713). In each pass the listed
contributions and the rest sum to the odds.

Where site rules decided a label, the odds are still the model's: negative if the model preferred the runner-up.

Does not answer what-if questions: gradients ignore units that another input would activate. Nor does it trace n-grams into the
deciding pass, which sees them only as the evidence of the passes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from classifier.cleaner import Cleaner
from classifier.core.arrays import Float32s, Floats, Ints, append
from classifier.core.features import LINE_COLUMNS, STEP, extract_features
from classifier.core.model import Model, Recording, known_grams
from classifier.core.ngrams import NGrams, edges
from classifier.core.scan import is_word, scan
from classifier.core.stacked import STACKED_COLUMNS
from classifier.explain.feature_text import LINE_END, LINE_START
from classifier.labels import EVIDENCE, LABELS, Label
from classifier.results import LabelledLine

__all__ = ["Explainer", "Explanation", "Feature", "Reasons"]

# Features listed per pass. On the sample page they carry three quarters of the weight in the first pass, and a third in the context
# pass, where the weight is spread thin.
TOP = 8
LINES_AT_ONCE = 1024  # bounds the memory for contributions
_CLASSES = [[index for index, name in enumerate(EVIDENCE) if name.removesuffix(" heading") == label.value] for label in LABELS]


class Feature(NamedTuple):
    """A feature and its contribution."""

    name: str  # an n-gram in quotes, or one of LINE_COLUMNS (first pass) or STACKED_COLUMNS (context pass)
    value: float  # the n-gram's count in the line, or the column's value in its units
    weight: float  # contribution to the log odds


class Reasons(NamedTuple):
    """The decomposition of one pass."""

    odds: float  # natural-log odds of the label against the runner-up: rest + sum of the features' weights
    rest: float  # everything not listed: the other features and the bias
    features: list[Feature]  # by decreasing absolute weight


class Explanation(NamedTuple):
    """A line and the reasons for its label."""

    line: LabelledLine
    runner_up: Label | None  # None for blank lines, like the next two
    first_pass: Reasons | None
    context_pass: Reasons | None  # this pass decides


class Explainer:
    """Explains lines as `cleaner` labels them. Label with its attribute `cleaner`, one stream at a time, without a site memory.

    >>> import classifier
    >>> explainer = Explainer(classifier.load())
    >>> lines = list(explainer.cleaner.label_lines(["Trang chủ", "Thời sự"]))
    >>> [why.runner_up is not why.line.label for why in explainer.explain(lines)]
    [True, True]
    """

    def __init__(self, cleaner: Cleaner, top: int = TOP) -> None:
        """Record the passes of `cleaner`, and list the `top` features of each."""
        self._model, self._top = Recording(cleaner.model), top
        self.cleaner = cleaner.watched_by(self._model)

    def explain(self, lines: Sequence[LabelledLine]) -> list[Explanation]:
        """Explain the lines that `self.cleaner` returned, in order and each exactly once."""
        solid = [line for line in lines if line.label is not None]
        found = (why for start in range(0, len(solid), LINES_AT_ONCE) for why in self._explain(solid[start : start + LINES_AT_ONCE]))
        return [Explanation(line, None, None, None) if line.label is None else next(found) for line in lines]

    def _explain(self, lines: Sequence[LabelledLine]) -> Iterator[Explanation]:
        """Explain non-blank lines."""
        recorded = [self._model.records.popleft() for _ in lines]
        codes = np.array([LABELS.index(line.label) for line in lines if line.label])
        context_pass = list(_explain_context_pass(self._model, recorded, codes, self._top))
        pairs = np.array([codes, [runner_up for runner_up, _ in context_pass]]).T
        first_pass = _explain_first_pass(self._model, [line.text for line in lines], pairs, self._top)
        return (
            Explanation(line, LABELS[second], first, context) for line, (second, context), first in zip(lines, context_pass, first_pass)
        )


def _explain_context_pass(
    model: Model, recorded: Sequence[tuple[Float32s, Floats]], codes: Ints, top: int
) -> Iterator[tuple[int, Reasons]]:
    """Yield the runner-up and the deciding pass's reasons of each recorded line; `codes` (n,) are the labels decided on."""
    rows, found = (np.stack(columns, axis=1) for columns in zip(*recorded))
    n = np.arange(len(recorded))
    p = np.exp(found)  # compare probabilities, as `Pipeline` does
    p[codes, n] = -1
    second = p.argmax(axis=0)
    over = np.zeros_like(found)
    over[codes, n], over[second, n] = 1, -1
    slopes, start = model.slopes(rows, over)
    total = start + (slopes * rows).sum(axis=0)
    shares = slopes * rows
    heavy = np.argsort(-np.abs(shares), axis=0, kind="stable")[:top]
    rest = total - np.take_along_axis(shares, heavy, axis=0).sum(axis=0)
    odds = found[codes, n] - found[second, n]
    for i in n.tolist():
        features = [Feature(STACKED_COLUMNS[j], rows[j, i].item() / STEP, shares[j, i].item()) for j in heavy[:, i] if shares[j, i]]
        yield int(second[i]), Reasons(odds[i].item(), rest[i].item(), features)


def _explain_first_pass(model: Model, texts: Sequence[str], pairs: Ints, top: int) -> Iterator[Reasons]:
    """Yield the first pass's reasons for each text; `pairs` (n, 2) holds the codes of label and runner-up."""
    line_features = extract_features(texts)
    found = model.first_pass(line_features)
    columns, starts, scales = known_grams(line_features.grams, model.vocabulary)
    weights, line_weights, bias = model.first_weights(columns)
    words = _words_by_hash(texts, line_features.grams)
    bounds = append(starts, len(columns)).tolist()
    for i, pair in enumerate(pairs.tolist()):
        one, other = (max(_CLASSES[code], key=found[:, i].__getitem__) for code in pair)  # the likeliest class of each label
        grams: dict[str, tuple[int, float]] = {}
        for j in range(bounds[i], bounds[i + 1] - 1):  # skip the last entry of each line, a sentinel
            name = words[model.vocabulary.hashes[columns[j]].item()]
            count, weight = grams.get(name, (0, 0.0))
            grams[name] = count + 1, weight + (weights[j, one] - weights[j, other]).item() * scales[i].item()
        values = line_features.columns[:, i].astype(np.float64)
        shares = (line_weights[:, one] - line_weights[:, other]) * values
        features = [Feature(name, count, weight) for name, (count, weight) in grams.items()]
        features += [Feature(name, value / STEP, share) for name, value, share in zip(LINE_COLUMNS, values.tolist(), shares.tolist())]
        features.sort(key=lambda feature: -abs(feature.weight))
        rest = (bias[one] - bias[other]).item() + sum(feature.weight for feature in features[top:])
        listed = [feature for feature in features[:top] if feature.weight]
        yield Reasons((found[one, i] - found[other, i]).item(), rest, listed)


def _words_by_hash(texts: Sequence[str], grams: NGrams) -> dict[int, str]:
    """Map each n-gram hash to its words, as the model sees them; `grams` are the n-grams of `texts`."""
    lines = scan(texts)
    ends = append(grams.tokens[1:], len(lines.chars)).tolist()
    part_of_token = is_word(lines.classes)
    part_of_token[grams.tokens] = True
    tokens = [
        "".join(map(chr, lines.chars[start:end][part_of_token[start:end]].tolist())) for start, end in zip(grams.tokens.tolist(), ends)
    ]
    words: dict[int, str] = {}
    for index, bigram, unigram in zip(edges(grams.lengths)[0].tolist(), grams.bigrams.tolist(), grams.unigrams.tolist()):
        before, token = tokens[index - 1], tokens[index]
        words[unigram] = f"“{token}”"
        words[bigram] = f"“{LINE_START if before == _END else before} {LINE_END if token == _END else token}”"
    return words


_END = "\n"  # the token that ends each line, and so precedes the first token of the next
