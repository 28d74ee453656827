# Twins of context.py and stacked.py: a line's row is filled whole before the next. Arrays of columns hold their lines one after
# the other here, (columns, n) in Fortran order, so that what belongs to a line lies together.

from classifier.core import context as rowing, stacked as stacking
from classifier.core.context import AHEAD, CONTEXT_COLUMNS, OWN_COLUMNS, SHARE
from classifier.core.stacked import PAGE_COLUMNS, STACKED_AHEAD, STACKED_COLUMNS

cdef enum:
    MOST_MEANS = 64  # columns of which means are taken

cdef int32_t[::1] SHARE_OF = SHARE.astype(np.int32)


cdef class Mean:
    """Means over windows, see `Windows`: of `columns` columns, from prefix sums over the lines of a buffer from `first` on."""

    cdef const int64_t[::1] sizes
    cdef const float[::1] reciprocal
    cdef int64_t back, forward

    def __init__(self, windows):
        self.sizes, self.reciprocal = np.array(windows.sizes, np.int64), windows._reciprocal
        self.back, self.forward = -min(windows.sizes), max(windows.sizes)

    cdef void write(self, const int32_t* sums, Py_ssize_t columns, int64_t behind, int64_t ahead, float* out) noexcept nogil:
        """Write the means (columns, windows) of a line; `sums` are those before it, one row per line."""
        cdef int32_t found[MOST_MEANS]
        cdef Py_ssize_t w, c, count = self.sizes.shape[0]
        cdef int64_t size
        cdef const int32_t *low
        cdef const int32_t *high
        cdef float reciprocal
        for w in range(count):
            if self.sizes[w] < 0:
                size = min(behind, -self.sizes[w])
                low, high = sums - size * columns, sums
            else:
                size = min(ahead, self.sizes[w])
                low, high = sums + columns, sums + (1 + size) * columns
            reciprocal = self.reciprocal[size]
            for c in range(columns):
                found[c] = <int32_t>((<float>(high[c] - low[c]) + <float>0.5) * reciprocal)  # not negative: rounded down
            for c in range(columns):
                out[c * count + w] = found[c]


cdef Mean CONTEXT_MEANS = Mean(rowing.WINDOWS), STACKED_MEANS = Mean(stacking.WINDOWS)


cdef struct Reach:
    # The lines that a line may use: `behind` of its page before it, `ahead` within some raw lines after it.
    int64_t behind
    int64_t ahead


cdef inline void find_reach(
    const int64_t[::1] page, const int64_t[::1] position, Py_ssize_t line, int64_t raw_lines, bint first, Reach* reach
) noexcept nogil:
    """Update the reach of the line before to that of a line; see `visible_counts`."""
    cdef Py_ssize_t n = page.shape[0], until
    if first:
        reach.behind = 0
        while reach.behind < line and page[line - reach.behind - 1] == page[line]:
            reach.behind += 1
        reach.ahead = 0
    else:
        reach.behind = reach.behind + 1 if page[line] == page[line - 1] else 0
        reach.ahead = max(0, reach.ahead - 1)
    until = line + 1 + reach.ahead
    while until < n and page[until] == page[line] and position[until] - position[line] <= raw_lines:
        until += 1
    reach.ahead = until - line - 1


cdef class Rows:
    """Rows of the lines `low` to `high` of a buffer, for a network: the frame of both kinds."""

    cdef const int64_t[::1] page, position
    cdef Py_ssize_t low, high, width
    cdef int64_t raw_lines
    cdef Reach reach

    def __init__(self, lines, Py_ssize_t low, Py_ssize_t high, int64_t raw_lines, Py_ssize_t width):
        self.page, self.position = lines.page, lines.position
        self.low, self.high, self.raw_lines, self.width = low, high, raw_lines, width

    def check(self, *counts):
        """Refuse bounds outside a buffer, and arrays of other lengths than its own."""
        if not 0 <= self.low <= self.high <= self.page.shape[0] or {self.position.shape[0], *counts} != {self.page.shape[0]}:
            raise ValueError("the arrays of a buffer do not fit together, or their bounds")

    cdef void prepare(self) noexcept nogil:
        """Compute what the rows of several lines share."""

    cdef void write(self, Py_ssize_t line, float* out) noexcept nogil:
        """Write the row of a line, whose reach is found, where there are zeros."""

    cdef void write_next(self, Py_ssize_t line, float* out) noexcept nogil:
        """Write the row of a line; lines come in order."""
        find_reach(self.page, self.position, line, self.raw_lines, line == self.low, &self.reach)
        self.write(line, out)

    cdef table(self):
        """Return all rows (width, lines)."""
        rows = np.zeros((self.high - self.low, self.width), np.float32)
        cdef float[:, ::1] out = rows
        cdef Py_ssize_t line
        with nogil:
            self.prepare()
            for line in range(self.low, self.high):
                self.write_next(line, &out[line - self.low, 0])
        return rows.T


cdef enum:
    NEIGHBOURS = 10  # neighbouring lines, five on each side
    OWN_WIDTH = 102
cdef const int64_t[::1] OFFSET_AT = np.array(rowing.NEIGHBOUR_OFFSETS, np.int64), EVIDENCE_AT = np.array(rowing.EVIDENCE_OFFSETS, np.int64)
cdef const int64_t[::1] NEIGHBOUR_ROWS = rowing._NEIGHBOUR_ROWS.astype(np.int64), AVERAGED = rowing._AVERAGED.astype(np.int64)
cdef Py_ssize_t CONTEXT_WIDTH = len(CONTEXT_COLUMNS), EVIDENCE_FROM = rowing._EVIDENCE.start
cdef Py_ssize_t EVIDENCE_COUNT = rowing._EVIDENCE.stop - rowing._EVIDENCE.start
cdef const int64_t[::1] PART_ENDS = np.array(rowing._PART_ENDS, np.int64)
cdef float STEP_VALUE = STEP
if (len(OWN_COLUMNS), len(rowing.NEIGHBOUR_OFFSETS)) != (OWN_WIDTH, NEIGHBOURS) or len(AVERAGED) > MOST_MEANS:
    raise ImportError("the kernel was built for another number of own columns, or of neighbours; reinstall tinsach")


cdef class ContextRows(Rows):
    """Context rows of a buffer's lines."""

    cdef const float[::1, :] own
    cdef const uint64_t[:, :] hashes
    cdef int32_t[:, ::1] sums  # of the averaged columns, before each line from `first` on
    cdef Py_ssize_t first

    def __init__(self, buffer, Py_ssize_t low, Py_ssize_t high):
        Rows.__init__(self, buffer, low, high, AHEAD_LINES, CONTEXT_WIDTH)
        self.own, self.hashes = np.asfortranarray(buffer.own), buffer.hashes
        self.check(self.own.shape[1], self.hashes.shape[1])
        if self.own.shape[0] != OWN_WIDTH or self.hashes.shape[0] != 2:
            raise ValueError("a buffer has other columns than the kernel")
        self.first = max(0, low - CONTEXT_MEANS.back)
        last = min(self.page.shape[0], high + CONTEXT_MEANS.forward)
        self.sums = np.zeros((last - self.first + 1, AVERAGED.shape[0]), np.int32)

    cdef void prepare(self) noexcept nogil:
        sum_context(self.own, self.first, self.sums)

    cdef void write(self, Py_ssize_t line, float* out) noexcept nogil:
        write_context(self.own, self.hashes, line, &self.reach, out)
        CONTEXT_MEANS.write(&self.sums[line - self.first, 0], self.sums.shape[1], self.reach.behind, self.reach.ahead, out + PART_ENDS[4])


def context_rows(buffer, Py_ssize_t low, Py_ssize_t high):
    """Twin of `context.context_rows`."""
    return ContextRows(buffer, low, high).table()


cdef int64_t AHEAD_LINES = AHEAD, STACKED_AHEAD_LINES = STACKED_AHEAD


cdef void sum_context(const float[::1, :] own, Py_ssize_t first, int32_t[:, ::1] sums) noexcept nogil:
    """Write prefix sums of the averaged columns of the lines from `first` on; their last ones are evidence, summed as shares."""
    cdef Py_ssize_t i, c, plain = sums.shape[1] - EVIDENCE_COUNT
    for i in range(sums.shape[0] - 1):
        for c in range(plain):
            sums[i + 1, c] = sums[i, c] + <int32_t>own[AVERAGED[c], first + i]
        for c in range(plain, sums.shape[1]):
            sums[i + 1, c] = sums[i, c] + share_of(own[AVERAGED[c], first + i])


cdef inline int32_t share_of(float evidence) noexcept nogil:
    return SHARE_OF[min(max(<int64_t>evidence, 0), SHARE_OF.shape[0] - 1)]


cdef void write_context(const float[::1, :] own, const uint64_t[:, :] hashes, Py_ssize_t line, Reach* reach, float* out) noexcept nogil:
    """Write the parts of a row that are no means; `out` holds zeros."""
    cdef Py_ssize_t d, c, there
    cdef float* part
    memcpy(out, &own[0, line], OWN_WIDTH * sizeof(float))
    for d in range(OFFSET_AT.shape[0]):
        if -reach.behind <= OFFSET_AT[d] <= reach.ahead:
            there = line + OFFSET_AT[d]
            part = out + PART_ENDS[1] + d
            for c in range(NEIGHBOUR_ROWS.shape[0]):
                part[c * NEIGHBOURS] = own[NEIGHBOUR_ROWS[c], there]
            part = out + PART_ENDS[2] + d
            part[0] = STEP_VALUE if hashes[0, there] == hashes[0, line] else 0
            part[NEIGHBOURS] = STEP_VALUE if hashes[1, there] == hashes[1, line] else 0
            part[2 * NEIGHBOURS] = STEP_VALUE
    for d in range(EVIDENCE_AT.shape[0]):
        if -reach.behind <= EVIDENCE_AT[d] <= reach.ahead:
            part = out + PART_ENDS[3] + d
            for c in range(EVIDENCE_COUNT):
                part[c * EVIDENCE_AT.shape[0]] = own[EVIDENCE_FROM + c, line + EVIDENCE_AT[d]]


cdef const int64_t[::1] STACKED_OFFSET_AT = np.array(stacking.OFFSETS, np.int64)
cdef Py_ssize_t STACKED_WIDTH = len(STACKED_COLUMNS), PAGE_WIDTH = len(PAGE_COLUMNS), FOUND = len(stacking.LABELS)
cdef const int64_t[::1] STACKED_ENDS = np.array(stacking._PART_ENDS, np.int64)


cdef class StackedRows(Rows):
    """Stacked rows of a buffer's lines."""

    cdef const float[::1, :] own, columns
    cdef int32_t[:, ::1] sums  # of what was found, before each line from `first` on
    cdef Py_ssize_t first

    def __init__(self, buffer, Py_ssize_t low, Py_ssize_t high):
        Rows.__init__(self, buffer.lines, low, high, STACKED_AHEAD_LINES, STACKED_WIDTH)
        self.own, self.columns = np.asfortranarray(buffer.lines.own), np.asfortranarray(buffer.columns)
        self.check(self.own.shape[1], self.columns.shape[1])
        if self.own.shape[0] != OWN_WIDTH or self.columns.shape[0] != PAGE_WIDTH + FOUND:
            raise ValueError("a buffer has other columns than the kernel")
        self.first = max(0, low - STACKED_MEANS.back)
        last = min(self.page.shape[0], high + STACKED_MEANS.forward)
        self.sums = np.zeros((last - self.first + 1, FOUND), np.int32)

    cdef void prepare(self) noexcept nogil:
        cdef Py_ssize_t i, c
        for i in range(self.sums.shape[0] - 1):
            for c in range(FOUND):
                self.sums[i + 1, c] = self.sums[i, c] + share_of(self.columns[PAGE_WIDTH + c, self.first + i])

    cdef void write(self, Py_ssize_t line, float* out) noexcept nogil:
        cdef Py_ssize_t d
        memcpy(out, &self.own[0, line], OWN_WIDTH * sizeof(float))
        memcpy(out + OWN_WIDTH, &self.columns[0, line], PAGE_WIDTH * sizeof(float))
        for d in range(STACKED_OFFSET_AT.shape[0]):
            if -self.reach.behind <= STACKED_OFFSET_AT[d] <= self.reach.ahead:
                memcpy(out + STACKED_ENDS[1] + d * FOUND, &self.columns[PAGE_WIDTH, line + STACKED_OFFSET_AT[d]], FOUND * sizeof(float))
        STACKED_MEANS.write(&self.sums[line - self.first, 0], FOUND, self.reach.behind, self.reach.ahead, out + STACKED_ENDS[2])


def stacked_rows(buffer, Py_ssize_t low, Py_ssize_t high):
    """Twin of `stacked.stacked_rows`."""
    return StackedRows(buffer, low, high).table()


def joined_columns(before, *parts):
    """Twin of `context.joined_columns`."""
    cdef const float[::1, :] old = np.asfortranarray(before)
    cdef const int16_t[:, :] part
    cdef Py_ssize_t width = old.shape[0], k = old.shape[1], n = parts[0].shape[1], at = 0, i, c
    table = np.empty((k + n, width), np.float32)
    cdef float[:, ::1] out = table
    if k:
        memcpy(&out[0, 0], &old[0, 0], k * width * sizeof(float))
    for given in parts:
        part = given
        if part.shape[1] != n or at + part.shape[0] > width:
            raise ValueError("columns do not fit below each other")
        with nogil:
            for i in range(n):
                for c in range(part.shape[0]):
                    out[k + i, at + c] = part[c, i]
        at += part.shape[0]
    if at != width:
        raise ValueError("columns do not fill those before them")
    return table.T
