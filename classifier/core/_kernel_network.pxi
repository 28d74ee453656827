# Twins of model.py and arrays.py: the first pass, the networks, and the probabilities of their scores.
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


cdef class PackedNetwork:
    """The weights of a network as the arithmetic takes them: widths are multiples of its lanes."""

    cdef const float[:, :, ::1] hidden
    cdef const float[:, ::1] hidden_bias
    cdef const double[:, ::1] output, output_bias
    cdef Py_ssize_t classes
    cdef Layers layers

    def __init__(self, hidden, hidden_bias, output, output_bias):
        (units, columns), self.classes = hidden.shape, len(output)
        shapes = hidden_bias.shape, output.shape, output_bias.shape
        if shapes != ((units, 1), (self.classes, units), (self.classes, 1)) or not (units and columns and self.classes):
            raise ValueError("the arrays of a network do not fit together")
        self.hidden_bias = _padded(hidden_bias.T, 2 * UNIT_LANES)
        self.hidden = _padded(hidden.T, 2 * UNIT_LANES).reshape(columns, -1, 2 * UNIT_LANES).transpose(1, 0, 2).copy()
        self.output, self.output_bias = _padded(output.T, 2 * CLASS_LANES), _padded(output_bias.T, 2 * CLASS_LANES)
        if self.output.shape[0] < self.hidden_bias.shape[1]:  # units of zeros have outputs too
            self.output = np.concatenate((self.output, np.zeros((-units % (2 * UNIT_LANES), self.output.shape[1]))))
        self.layers = Layers(
            columns, self.hidden_bias.shape[1], self.output.shape[1],
            &self.hidden[0, 0, 0], &self.hidden_bias[0, 0], &self.output[0, 0], &self.output_bias[0, 0],
        )

    def __reduce__(self):
        """Hold None in copies and pickles: it is made anew when it is needed."""
        return type(None), ()


def context_scores(buffer, Py_ssize_t low, Py_ssize_t high, network):
    """Twin of `model.context_scores`."""
    return scores_of_rows(ContextRows(buffer, low, high), network)


def stacked_scores(buffer, Py_ssize_t low, Py_ssize_t high, network):
    """Twin of `model.stacked_scores`."""
    return scores_of_rows(StackedRows(buffer, low, high), network)


cdef scores_of_rows(Rows rows, network):
    """Return the scores (classes, lines) of rows, which are written and used a few at a time."""
    if network.packed is None:
        network.packed = PackedNetwork(network.hidden, network.hidden_bias, network.output, network.output_bias)
    cdef PackedNetwork packed = network.packed
    cdef Py_ssize_t width = rows.width, units = packed.layers.units, first, line, count
    if width != packed.layers.columns:
        raise ValueError(f"rows have {width} columns, and the network {packed.layers.columns}")
    found = np.empty((rows.high - rows.low, packed.layers.classes), np.float64)
    cdef double[:, ::1] out = found
    cdef float[:, ::1] given = np.empty((TOGETHER, width), np.float32)
    cdef float[::1] scratch = np.empty(TOGETHER * (width + units), np.float32)
    cdef double[::1] exact = np.empty(TOGETHER * units)
    cdef int[::1] used = np.empty(width, np.intc)
    with nogil:
        rows.prepare()
        for first in range(rows.low, rows.high, 4):
            count = min(TOGETHER, rows.high - first)
            memset(&given[0, 0], 0, TOGETHER * width * sizeof(float))
            for line in range(count):
                rows.write_next(first + line, &given[line, 0])
            scores_of_lines(
                &packed.layers, &given[0, 0], count, &scratch[0], &used[0], &scratch[TOGETHER * width], &exact[0], &out[first - rows.low, 0]
            )
    return found[:, : packed.classes].T


def _padded(weights, lanes):
    """Return weights (k, width) with columns of zeros up to a multiple of `lanes`."""
    return np.concatenate((weights, np.zeros((len(weights), -weights.shape[1] % lanes), weights.dtype)), axis=1)


def log_softmax(scores):
    """Twin of `arrays.log_softmax`."""
    cdef const double[:, :] given = scores
    cdef Py_ssize_t classes = given.shape[0], n = given.shape[1], i, c
    if not classes:
        raise ValueError("scores of no class")
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


cdef int64_t OFFSET_OF_TEXT = modelling._OFFSET
cdef double TEXT_UNIT = 2.0 ** -modelling.TEXT_GRID


cdef class PackedVocabulary:
    """A vocabulary that takes little of the cache: most n-grams are unknown, which a bit for each bucket tells of nearly all."""

    cdef const uint8_t[::1] occupied  # (buckets / 8,)
    cdef const int32_t[::1] column  # (buckets,)
    cdef const uint64_t[::1] hashes  # (columns + 1,) and 0 for the sentinel, which bucket 0 holds if it is empty

    def __init__(self, vocabulary):
        occupied = np.zeros(1 << Vocabulary.BITS, np.bool_)
        occupied[Vocabulary.bucket(vocabulary.hashes)] = True
        occupied[0] = True
        self.occupied, self.column = np.packbits(occupied, bitorder="little"), vocabulary._column.astype(np.int32)
        self.hashes = np.append(vocabulary.hashes, np.uint64(0))
        if np.any((vocabulary._column < 0) | (vocabulary._column > len(vocabulary.hashes))):
            raise ValueError("a vocabulary has other columns than n-grams")

    def __reduce__(self):
        """Hold None in copies and pickles: it is made anew when it is needed."""
        return type(None), ()

    cdef inline Py_ssize_t find(self, uint64_t hash) noexcept nogil:
        """Return the column of an n-gram, or -1."""
        cdef Py_ssize_t slot = <Py_ssize_t>(hash & <uint64_t>(self.column.shape[0] - 1)), column
        if not self.occupied[slot >> 3] >> (slot & 7) & 1:
            return -1
        column = self.column[slot]
        return column if self.hashes[column] == hash else -1


def first_scores(line_features, vocabulary, text, columns, bias):
    """Twin of `model.first_scores`."""
    if vocabulary.packed is None:
        vocabulary.packed = PackedVocabulary(vocabulary)
    cdef PackedVocabulary packed = vocabulary.packed
    grams = line_features.grams
    cdef const uint64_t[::1] bigrams = grams.bigrams, unigrams = grams.unigrams
    cdef const int64_t[::1] starts = grams.starts
    cdef const uint64_t[:, ::1] weights = text
    cdef const double[::1, :] slopes = columns
    cdef const double[:, :] intercepts = bias
    cdef const int16_t[:, :] own = line_features.columns
    cdef Py_ssize_t n = starts.shape[0], count = bigrams.shape[0], classes = 2 * weights.shape[1], i
    if unigrams.shape[0] != count or weights.shape[0] != packed.hashes.shape[0] or own.shape[0] != COLUMNS or own.shape[1] != n:
        raise ValueError("the features of lines do not fit together, or not the vocabulary")
    if slopes.shape[0] != classes or slopes.shape[1] != COLUMNS or intercepts.shape[0] != classes or classes > MOST_CLASSES:
        raise ValueError("the arrays of the first pass do not fit together")
    for i in range(n):
        if not 0 <= starts[i] < (starts[i + 1] if i + 1 < n else count) or (i == 0 and starts[0] != 0):
            raise ValueError("the n-grams of lines are not in order")
    found = np.empty((n, classes), np.float64)
    cdef double[:, ::1] out = found
    with nogil:
        for i in range(n):
            sum_text(bigrams, unigrams, starts[i], starts[i + 1] if i + 1 < n else count, packed, weights, &out[i, 0])
            add_columns(own, i, slopes, intercepts, &out[i, 0])
    return found.T


cdef void sum_text(
    const uint64_t[::1] bigrams, const uint64_t[::1] unigrams, Py_ssize_t start, Py_ssize_t stop, PackedVocabulary vocabulary,
    const uint64_t[:, ::1] weights, double* out,
) noexcept nogil:
    """Write the scaled sum of the weights of a line's known n-grams; its last unigram is the line end, which is in no vocabulary.

    Weights come in pairs, as numpy adds them too: see `_packed_pairs`.
    """
    cdef uint64_t sums[MOST_CLASSES]  # half of them used
    cdef uint32_t halves[MOST_CLASSES]
    cdef Py_ssize_t j, c, order, column, known = 0, pairs = weights.shape[1]
    cdef const uint64_t* row
    cdef double scale
    memset(sums, 0, sizeof(sums))
    for j in range(start, stop):
        for order in range(2 if j + 1 < stop else 1):
            column = vocabulary.find(unigrams[j] if order else bigrams[j])
            if column >= 0:
                known += 1
                row = &weights[column, 0]
                for c in range(pairs):
                    sums[c] += row[c]
    memcpy(halves, sums, sizeof(halves))
    scale = 1 / sqrt(<double>max(known, 1)) * TEXT_UNIT
    for c in range(2 * pairs):
        out[c] = <double>(<int64_t>halves[c] - known * OFFSET_OF_TEXT) * scale


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
