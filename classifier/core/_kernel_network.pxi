# Twins of model.py, arrays.py and pipeline.choose: the first pass, the networks, and what follows from their scores.
#
# Weights lie on a grid on which all sums are exact (model.py), so the order of addition is free: a column that is 0 in four lines
# that follow each other, as most are, is skipped.

from classifier.core import model as modelling
from classifier.core.ngrams import Vocabulary

cdef extern from "_kernel_network.h":
    enum:
        TOGETHER "TINSACH_TOGETHER"
        UNIT_LANES "TINSACH_UNIT_LANES"
        CLASS_LANES "TINSACH_CLASS_LANES"
        MOST_CLASSES "TINSACH_MOST_CLASSES"
    ctypedef struct Layers "tinsach_layers":
        Py_ssize_t columns, units, classes
        const float* hidden
        const float* hidden_bias
        const double* output
        const double* output_bias
    void scores_of_lines "tinsach_scores"(
        const Layers* layers, const float* rows, Py_ssize_t lines, float* values, int* used, float* units, double* exact, double* scores
    ) noexcept nogil


def network_scores(rows, hidden, hidden_bias, output, output_bias):
    """Twin of `model.network_scores`."""
    units, columns = hidden.shape
    classes = len(output)
    shapes = rows.shape[:1], hidden_bias.shape, output.shape, output_bias.shape
    if shapes != ((columns,), (units, 1), (classes, units), (classes, 1)) or not 0 < classes <= MOST_CLASSES:
        raise ValueError("the arrays of a network do not fit together")
    cdef const float[:, ::1] values = np.ascontiguousarray(rows.T), weights = _padded(hidden.T, UNIT_LANES)
    cdef const float[:, ::1] bias = _padded(hidden_bias.T, UNIT_LANES)
    cdef const double[:, ::1] out_weights = _padded(output.T, CLASS_LANES), out_bias = _padded(output_bias.T, CLASS_LANES)
    cdef Py_ssize_t n = values.shape[0], first, width = out_weights.shape[1]
    found = np.empty((n + TOGETHER, width), np.float64)
    cdef double[:, ::1] out = found
    cdef float[:, ::1] scratch = np.empty((2, TOGETHER * (columns + weights.shape[1] + 1)), np.float32)
    cdef double[::1] exact = np.empty(TOGETHER * weights.shape[1] + 1)
    cdef int[::1] used = np.empty(columns + 1, np.intc)
    if not n or not columns or not units:
        raise ValueError("a network has no lines, no columns or no units")
    cdef Layers layers = Layers(
        weights.shape[0], weights.shape[1], width, &weights[0, 0], &bias[0, 0], &out_weights[0, 0], &out_bias[0, 0]
    )
    with nogil:
        for first in range(0, n, 4):
            scores_of_lines(
                &layers,
                &values[first, 0],
                min(TOGETHER, n - first),
                &scratch[0, 0],
                &used[0],
                &scratch[1, 0],
                &exact[0],
                &out[first, 0],
            )
    return found[:n, :classes].T


def _padded(weights, lanes):
    """Return weights (k, width) with columns of zeros up to a multiple of `lanes`."""
    more = -weights.shape[1] % lanes
    if not more:
        return np.ascontiguousarray(weights)
    return np.concatenate((weights, np.zeros((len(weights), more), weights.dtype)), axis=1)


def log_softmax(scores):
    """Twin of `arrays.log_softmax`."""
    cdef const double[:, :] given = scores
    cdef Py_ssize_t classes = given.shape[0], n = given.shape[1], i, c
    shifted = np.empty((n, classes), np.float64)
    cdef double[:, ::1] out = shifted
    cdef double most, total
    with nogil:
        for i in range(n):
            most = given[0, i]
            for c in range(1, classes):
                most = max(most, given[c, i])
            for c in range(classes):
                out[i, c] = given[c, i] - most
    powers, totals = np.exp(shifted), np.empty(n, np.float64)
    cdef const double[:, ::1] power = powers
    cdef double[::1] sums = totals
    with nogil:
        for i in range(n):
            total = power[i, 0]
            for c in range(1, classes):
                total = total + power[i, c]
            sums[i] = total
    cdef const double[::1] logs = np.log(totals)
    with nogil:
        for i in range(n):
            for c in range(classes):
                out[i, c] = out[i, c] - logs[i]
    return shifted.T


cdef Py_ssize_t BUCKETS = 1 << Vocabulary.BITS
cdef int64_t OFFSET_OF_TEXT = modelling._OFFSET
cdef double TEXT_UNIT = 2.0 ** -modelling.TEXT_GRID


def first_scores(line_features, vocabulary, text, columns, bias):
    """Twin of `model.first_scores`."""
    grams = line_features.grams
    cdef const uint64_t[::1] bigrams = grams.bigrams, unigrams = grams.unigrams, hashes = vocabulary._hash
    cdef const int64_t[::1] column = vocabulary._column.astype(np.int64, copy=False), starts = grams.starts
    cdef const uint32_t[:, ::1] weights = text.view(np.uint32)
    cdef const double[::1, :] slopes = np.asfortranarray(columns)
    cdef const double[:, :] intercepts = bias
    cdef const int16_t[:, :] own = line_features.columns
    cdef Py_ssize_t n = starts.shape[0], grams_count = bigrams.shape[0], classes = weights.shape[1], sentinel = vocabulary.size, i, stop
    if unigrams.shape[0] != grams_count or hashes.shape[0] != BUCKETS or column.shape[0] != BUCKETS or weights.shape[0] != sentinel + 1:
        raise ValueError("n-grams do not fit the vocabulary")
    if (slopes.shape[0], slopes.shape[1]) != (classes, COLUMNS) or intercepts.shape[0] != classes or classes > MOST_CLASSES:
        raise ValueError("the arrays of the first pass do not fit together")
    if own.shape[0] != COLUMNS or own.shape[1] != n:
        raise ValueError("the columns of lines do not fit the first pass")
    for i in range(n):
        if not 0 <= starts[i] < (starts[i + 1] if i + 1 < n else grams_count) or (i == 0 and starts[0] != 0):
            raise ValueError("the n-grams of lines are not in order")
    found = np.empty((n, classes), np.float64)
    cdef double[:, ::1] out = found
    with nogil:
        for i in range(n):
            stop = starts[i + 1] if i + 1 < n else grams_count
            sum_text(bigrams, unigrams, starts[i], stop, hashes, column, weights, sentinel, &out[i, 0])
            add_columns(own, i, slopes, intercepts, &out[i, 0])
    return found.T


cdef void sum_text(
    const uint64_t[::1] bigrams, const uint64_t[::1] unigrams, Py_ssize_t start, Py_ssize_t stop, const uint64_t[::1] hashes,
    const int64_t[::1] column, const uint32_t[:, ::1] weights, Py_ssize_t sentinel, double* out,
) noexcept nogil:
    """Write the scaled sum of the weights of a line's known n-grams; the last unigram stands for the line end, and counts as known."""
    cdef int64_t sums[MOST_CLASSES]
    cdef Py_ssize_t j, c, known = 0, order, classes = weights.shape[1]
    cdef uint64_t hash
    cdef const uint32_t* row
    cdef double scale
    for c in range(classes):
        sums[c] = <int64_t>weights[sentinel, c] - OFFSET_OF_TEXT
    for j in range(start, stop):
        for order in range(2 if j + 1 < stop else 1):
            hash = unigrams[j] if order else bigrams[j]
            if hashes[hash & <uint64_t>(hashes.shape[0] - 1)] == hash:
                row = &weights[min(max(column[hash & <uint64_t>(hashes.shape[0] - 1)], 0), sentinel), 0]
                known += 1
                for c in range(classes):
                    sums[c] += <int64_t>row[c] - OFFSET_OF_TEXT
    scale = 1 / sqrt(<double>max(known, 1)) * TEXT_UNIT
    for c in range(classes):
        out[c] = <double>sums[c] * scale


cdef void add_columns(
    const int16_t[:, :] own, Py_ssize_t line, const double[::1, :] slopes, const double[:, :] intercepts, double* out
) noexcept nogil:
    """Add the products of a line's own columns, and the intercepts."""
    cdef double sums[MOST_CLASSES]
    cdef Py_ssize_t c, k, classes = slopes.shape[0]
    cdef double value
    for c in range(classes):
        sums[c] = 0
    for k in range(own.shape[0]):
        if own[k, line]:
            value = own[k, line]
            for c in range(classes):
                sums[c] += slopes[c, k] * value
    for c in range(classes):
        out[c] = out[c] + sums[c] + intercepts[c, 0]


def choose(p, guesses, keep, threshold):
    """Twin of `pipeline.choose`."""
    cdef const double[:, :] given = p
    cdef const int64_t[:] guess = guesses
    cdef const uint8_t[::1] wanted = keep.view(np.uint8)
    cdef double least = 0 if threshold is None else threshold
    cdef bint by_label = threshold is None
    cdef Py_ssize_t n = given.shape[1], classes = given.shape[0], i, c, best
    if guess.shape[0] != n or wanted.shape[0] != classes or not classes:
        raise ValueError("the arrays of decisions do not fit together")
    table = np.empty((5, n), np.float64)
    cdef double[:, ::1] out = table
    cdef double kept
    with nogil:
        for i in range(n):
            best, kept = 0, 0
            for c in range(classes):
                if given[c, i] > given[best, i]:
                    best = c
                if wanted[c]:
                    kept = kept + given[c, i]
            out[0, i], out[1, i], out[2, i], out[4, i] = best, guess[i], given[best, i], kept
            out[3, i] = wanted[best] if by_label else kept >= least
    return table
