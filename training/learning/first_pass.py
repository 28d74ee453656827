"""First pass in scikit-learn: TF-IDF of hashed n-grams plus line columns, into one multinomial logistic regression.

`FirstPass.fit` learns; `arrays` exports what `classifier.core.model.Model` runs, and a test holds the two equal. Repeated
lines are capped: a menu item on a thousand pages counts as `copies` examples at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from classifier.core.arrays import Bools, Floats, Hashes, Int16s, Ints
from classifier.core.features import STEP, LineFeatures
from classifier.core.model import TEXT_GRID, known_grams, on_grid
from classifier.core.ngrams import Vocabulary
from classifier.labels import EVIDENCE
from training.learning.dataset import Block

__all__ = ["FirstPass", "select_vocabulary"]


def line_of_gram(line_features: LineFeatures) -> Ints:
    """Return the line index of each n-gram entry (k,)."""
    starts = line_features.grams.starts
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(line_features.grams.bigrams))))


def copies_so_far(blocks: Sequence[Block]) -> Ints:
    """Return for every line the number of earlier lines with the same text and class (n,)."""
    hashes = np.concatenate([block.line_features.hashes[0] for block in blocks])
    classes = np.concatenate([block.classes for block in blocks])
    order = np.lexsort((classes, hashes))
    change = np.ones(len(order), np.bool_)
    change[1:] = (hashes[order][1:] != hashes[order][:-1]) | (classes[order][1:] != classes[order][:-1])
    starts = np.flatnonzero(change)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return rank


def select_vocabulary(blocks: Sequence[Block], copies: Ints, size: int, least: int) -> Hashes:
    """Return the hashes of the `size` n-grams that occur in most distinct lines, at least `least`; one per hash table bucket.

    `copies` is `copies_so_far(blocks)`.
    """
    seen, offset = [], 0
    for block in blocks:
        first = copies[offset : offset + len(block.labels)] == 0
        chosen = first[line_of_gram(block.line_features)]
        seen += [block.line_features.grams.bigrams[chosen], block.line_features.grams.unigrams[chosen]]
        offset += len(block.labels)
    hashes, counts = np.unique(np.concatenate(seen), return_counts=True)
    often = (counts >= least) & (hashes != 0)
    hashes, counts = hashes[often], counts[often]
    hashes = hashes[np.lexsort((hashes, -counts))]
    _, one_each = np.unique(Vocabulary.bucket(hashes), return_index=True)
    return hashes[np.sort(one_each)][:size]


class FirstPass:
    """TF-IDF and logistic regression over single lines.

    Args:
        vocabulary_size: maximum number of n-grams.
        least_lines: minimum number of distinct lines that an n-gram occurs in.
        C: inverse strength of the regression's L2 penalty.
        copies: maximum number of lines of one text and class that count.
        tol: gradient tolerance of the solver. Tight, so that another machine's rounding leads to the same solution.
        max_iter: iteration limit of the solver.
    """

    def __init__(self, vocabulary_size: int, least_lines: int, C: float, copies: int = 2, tol: float = 1e-5, max_iter: int = 5000) -> None:
        self.vocabulary_size = vocabulary_size
        self.least_lines = least_lines
        self.C = C
        self.copies = copies
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, blocks: Sequence[Block]) -> FirstPass:
        """Learn vocabulary, idf and coefficients from labelled blocks."""
        copies = copies_so_far(blocks)
        self.vocabulary_ = Vocabulary(select_vocabulary(blocks, copies, self.vocabulary_size, self.least_lines))
        few = copies < self.copies
        classes = np.concatenate([block.classes for block in blocks])[few]
        counted, scales = zip(*(self._counts(block.line_features) for block in blocks))
        counts, scale = sp.vstack(counted).tocsr()[few], np.concatenate(scales)[few]
        columns = np.concatenate([block.line_features.columns.T for block in blocks])[few]
        self.tfidf_ = TfidfTransformer(norm=None).fit(counts)
        self.regression_ = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)
        self.regression_.fit(self._matrix(counts, columns, scale), classes)
        return self

    @classmethod
    def of(cls, arrays: Mapping[str, Ints]) -> FirstPass:
        """Return the first pass of a model file (see `arrays`), without learning."""
        first = cls(size := len(arrays["vocabulary"]), 0, 1.0)
        first.vocabulary_ = Vocabulary(arrays["vocabulary"])
        first.tfidf_ = TfidfTransformer(norm=None).fit(sp.csr_matrix((1, size)))
        first.tfidf_.idf_ = np.ones(size)  # the weights of a file hold it
        first.regression_ = LogisticRegression()
        first.regression_.classes_ = np.arange(len(EVIDENCE))
        first.regression_.coef_ = np.concatenate((np.ldexp(arrays["text"].astype(np.float64), -TEXT_GRID), arrays["columns"] * STEP)).T
        first.regression_.intercept_ = arrays["bias"].astype(np.float64)
        return first

    def log_probabilities(self, line_features: LineFeatures, hidden: Bools | None = None) -> Floats:
        """Return natural-log probabilities (n, len(EVIDENCE)); n-gram entries marked `hidden` (k,) count as unknown."""
        counts, scale = self._counts(line_features, hidden)
        matrix = self._matrix(counts, line_features.columns.T, scale)
        out = np.full((len(line_features.size), len(EVIDENCE)), -50.0)
        out[:, self.regression_.classes_] = self.regression_.predict_log_proba(matrix)
        return out

    def arrays(self) -> dict[str, Ints]:
        """Return the arrays of the model file; a class absent from training gets a bias that rules it out."""
        size, classes = self.vocabulary_.size, self.regression_.classes_
        weights = np.zeros((self.regression_.coef_.shape[1], len(EVIDENCE)))
        weights[:, classes] = self.regression_.coef_.T
        bias = np.full(len(EVIDENCE), -50.0)
        bias[classes] = self.regression_.intercept_
        return {
            "vocabulary": self.vocabulary_.hashes,
            "text": np.rint(np.ldexp(weights[:size] * self.tfidf_.idf_[:, None], TEXT_GRID)).astype(np.int32),
            "columns": on_grid(weights[size:] / STEP),
            "bias": on_grid(bias),
        }

    def _counts(self, line_features: LineFeatures, hidden: Bools | None = None) -> tuple[sp.csr_matrix, Floats]:
        """Return n-gram counts (n, vocabulary) and each line's scale (n,)."""
        columns, starts, scale = known_grams(line_features.grams, self.vocabulary_, hidden)
        # One more column for the entry that closes each line; it is cut off again.
        shape = (len(starts), self.vocabulary_.size + 1)
        counts = sp.csr_matrix((np.ones(len(columns)), columns, np.append(starts, len(columns))), shape=shape)[:, :-1]
        counts.sum_duplicates()
        return counts, scale

    def _matrix(self, counts: sp.csr_matrix, columns: Int16s, scale: Floats) -> sp.csr_matrix:
        weighted = sp.diags(scale) @ self.tfidf_.transform(counts)
        return sp.hstack([weighted, sp.csr_matrix(columns / STEP)]).tocsr()
