"""Why a line got its label: what weighed for it, and what against, in each of the two passes.

Both passes are taken apart for the same question: the natural-log odds of the line's label against the runner-up, the label
that would have come next. *First pass*: it is linear, so each n-gram and line column adds a number of its own. *Context
pass*: a network of one hidden layer, linear as long as the same units are active; a column's share is slope times value,
which is exact for the units that are active ("gradient x input": Shrikumar and others, Not Just a Black Box, 2016,
arXiv:1605.01713). In either pass the shares and the rest add up to the odds.

Where a site's rules decided, the odds are still the model's own: below zero, where it would have said the runner-up.

What it leaves out: how shares would change if the line were another (slopes say nothing of units that would wake up), and
how the first pass's words reach the context pass: it sees them only as evidence for labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from classifier.cleaner import Cleaner
from classifier.core.arrays import Float32s, Floats, Ints, append
from classifier.core.context import CONTEXT_COLUMNS, ROW_ORDER
from classifier.core.features import LINE_COLUMNS, STEP, extract_features
from classifier.core.model import Model, Recording, known_grams
from classifier.core.ngrams import NGrams, edges
from classifier.core.scan import is_word, scan
from classifier.explain.feature_text import LINE_END, LINE_START
from classifier.labels import EVIDENCE, LABELS, Label
from classifier.results import LabelledLine

__all__ = ["Explainer", "Explanation", "Feature", "Reasons"]

# Features listed of each pass. On the sample page: three quarters of what weighs in the first pass, a third in the context pass, where
# weight is spread thin.
TOP = 8
LINES_AT_ONCE = 1024  # bounds the memory of the shares
_CLASSES = [[place for place, name in enumerate(EVIDENCE) if name.removesuffix(" heading") == label.value] for label in LABELS]
_CONTEXT_NAMES = [CONTEXT_COLUMNS[place] for place in ROW_ORDER]
# That there are lines around says nothing: it weighs in the rest, not in the list.
_TELLING = np.array([[not name.startswith("there at ")] for name in _CONTEXT_NAMES])


class Feature(NamedTuple):
    """Something that weighed."""

    name: str  # the words of an n-gram in quotes, or one of LINE_COLUMNS (first pass) or CONTEXT_COLUMNS
    value: float  # how often an n-gram stands there; a column's value in its units
    weight: float  # what it adds to the log odds


class Reasons(NamedTuple):
    """What weighed in one pass."""

    odds: float  # natural-log odds of the label against the runner-up: rest + the sum of the features' weights
    rest: float  # what is not listed: the other features, and where the pass starts from
    features: list[Feature]  # the heaviest first


class Explanation(NamedTuple):
    """A line and why it is labelled so."""

    line: LabelledLine
    runner_up: Label | None  # None for blank lines, as the next two
    first_pass: Reasons | None  # the first pass
    context_pass: Reasons | None  # the context pass, which decides


class Explainer:
    """Explains lines as `cleaner` labels them; its own `cleaner` must do the labelling, one stream at a time, without a memory.

    >>> import classifier
    >>> explainer = Explainer(classifier.load())
    >>> lines = list(explainer.cleaner.label_lines(["Trang chủ", "Thời sự"]))
    >>> [why.runner_up is not why.line.label for why in explainer.explain(lines)]
    [True, True]
    """

    def __init__(self, cleaner: Cleaner, top: int = TOP) -> None:
        """Explain what `cleaner` would do, with the `top` features of each pass."""
        self._model, self._top = Recording(cleaner.model), top
        self.cleaner = cleaner.watched_by(self._model)

    def explain(self, lines: Sequence[LabelledLine]) -> list[Explanation]:
        """Explain the lines that `self.cleaner` returned, in order and each once."""
        solid = [line for line in lines if line.label is not None]
        found = (why for start in range(0, len(solid), LINES_AT_ONCE) for why in self._explain(solid[start : start + LINES_AT_ONCE]))
        return [Explanation(line, None, None, None) if line.label is None else next(found) for line in lines]

    def _explain(self, lines: Sequence[LabelledLine]) -> Iterator[Explanation]:
        """Explain some lines that are not blank."""
        noted = [self._model.records.popleft() for _ in lines]
        codes = np.array([LABELS.index(line.label) for line in lines if line.label])
        context_pass = list(_around(self._model, noted, codes, self._top))
        pairs = np.array([codes, [runner_up for runner_up, _ in context_pass]]).T
        first_pass = _alone(self._model, [line.text for line in lines], pairs, self._top)
        return (Explanation(line, LABELS[second], own, why) for line, (second, why), own in zip(lines, context_pass, first_pass))


def _around(model: Model, noted: Sequence[tuple[Float32s, Floats]], codes: Ints, top: int) -> Iterator[tuple[int, Reasons]]:
    """Yield runner-up and the context pass's reasons of each line noted; `codes` (n,) are the labels that were decided."""
    rows, found = (np.stack(columns, axis=1) for columns in zip(*noted))
    n = np.arange(len(noted))
    p = np.exp(found)  # compared as `Pipeline` does
    p[codes, n] = -1
    second = p.argmax(axis=0)
    over = np.zeros_like(found)
    over[codes, n], over[second, n] = 1, -1
    slopes, start = model.context_slopes(rows, over)
    total = start + (slopes * rows).sum(axis=0)
    shares = slopes * rows * _TELLING
    heavy = np.argsort(-np.abs(shares), axis=0, kind="stable")[:top]
    rest = total - np.take_along_axis(shares, heavy, axis=0).sum(axis=0)
    odds = found[codes, n] - found[second, n]
    for i in n.tolist():
        features = [Feature(_CONTEXT_NAMES[j], rows[j, i].item() / STEP, shares[j, i].item()) for j in heavy[:, i] if shares[j, i]]
        yield int(second[i]), Reasons(odds[i].item(), rest[i].item(), features)


def _alone(model: Model, texts: Sequence[str], pairs: Ints, top: int) -> Iterator[Reasons]:
    """Yield the first pass's reasons for each text; `pairs` (n, 2) are label and runner-up."""
    line_features = extract_features(texts)
    found = model.first_pass(line_features)
    columns, starts, scales = known_grams(line_features.grams, model.vocabulary)
    weights, line_weights, bias = model.first_weights(columns)
    words = _words_by_hash(texts, line_features.grams)
    bounds = append(starts, len(columns)).tolist()
    for i, pair in enumerate(pairs.tolist()):
        one, other = (max(_CLASSES[code], key=found[:, i].__getitem__) for code in pair)  # a heading's class stands for its label
        grams: dict[str, tuple[int, float]] = {}
        for j in range(bounds[i], bounds[i + 1] - 1):  # the last entry of each line stands for none
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
    """Return the words, as the model sees them, of each n-gram hash in the texts that the n-grams are of."""
    lines = scan(texts)
    ends = append(grams.tokens[1:], len(lines.chars)).tolist()
    part_of_token = is_word(lines.classes)
    part_of_token[grams.tokens] = True
    tokens = [
        "".join(map(chr, lines.chars[start:end][part_of_token[start:end]].tolist())) for start, end in zip(grams.tokens.tolist(), ends)
    ]
    words: dict[int, str] = {}
    for place, bigram, unigram in zip(edges(grams.lengths)[0].tolist(), grams.bigrams.tolist(), grams.unigrams.tolist()):
        before, token = tokens[place - 1], tokens[place]
        words[unigram] = f"“{token}”"
        words[bigram] = f"“{LINE_START if before == _END else before} {LINE_END if token == _END else token}”"
    return words


_END = "\n"  # the token that closes each line, and so stands before the next one
