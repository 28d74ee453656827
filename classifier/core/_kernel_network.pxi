# Twins of model.py, arrays.py and history.scaled_evidence: the first pass, the networks, and probabilities of their scores.
#
# Weights lie on a grid on which all sums are exact (model.py), so the order of addition is free: a column that is 0 in four lines
# that follow each other, as most are, is skipped. Multiply-add instructions may be used where the sums are exact.

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
