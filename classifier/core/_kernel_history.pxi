# Twins of history.py and stacked.extract_stacked: what a page has counted so far, carried from line to line.

from classifier.core import history as remembering
from classifier.core.history import COUNTED, EVENTS, EVIDENCE_CEILING, FAR, HISTORY_COLUMNS, MEMORY, MOST_BLANKS, PageState
from classifier.core.stacked import StackedState

cdef enum:
    MOST_COUNTERS = 32
    COUNTED_COUNT = 6
    EVENT_COUNT = 13
    HISTORY_WIDTH = 36
    ANY_HEADING = 7
if (len(COUNTED), len(EVENTS), len(HISTORY_COLUMNS), remembering._ANY_HEADING) != (COUNTED_COUNT, EVENT_COUNT, HISTORY_WIDTH, ANY_HEADING):
    raise ImportError("the kernel was built for other history columns; reinstall tinsach")

cdef int64_t NEVER = FAR, REMEMBERED = MEMORY, BLANKS = MOST_BLANKS, CERTAIN = EVIDENCE_CEILING - STEP, EVIDENCE_MOST = EVIDENCE_CEILING
cdef const int16_t[::1] LOG_SO_FAR = remembering._LOG
cdef const int64_t[::1] LABEL_EVENTS = remembering._LABEL_EVENTS.astype(np.int64)
cdef Py_ssize_t PROSE_AT = describing.COLUMN["prose"], LINKED_AT = describing.COLUMN["linked"], SIZE_AT = describing.COLUMN["size"]
cdef Py_ssize_t DATE_AT = describing.COLUMN["date"], LABEL_COUNT = len(stacking.LABELS)
cdef double EVIDENCE_SCALE = STEP / np.log(2)


cdef inline int16_t log_so_far(int64_t amount) noexcept nogil:
    return LOG_SO_FAR[min(max(amount, 0), LOG_SO_FAR.shape[0] - 1)]


def scaled_evidence(log_probabilities):
    """Twin of `history.scaled_evidence`."""
    cdef const double[:, :] given = log_probabilities
    table = np.empty((given.shape[1], given.shape[0]), np.int16)
    cdef int16_t[:, ::1] out = table
    cdef Py_ssize_t i, c
    with nogil:
        for i in range(given.shape[1]):
            for c in range(given.shape[0]):
                out[i, c] = <int16_t>max(rint(given[c, i] * EVIDENCE_SCALE) + EVIDENCE_MOST, 0)
    return table.T


cdef void find_repetitions(
    const uint64_t[:, :] hashes, Py_ssize_t row, const uint8_t[:] starts, const uint64_t[:, :] recent, int32_t[::1] table,
    int32_t[::1] previous, int64_t[::1] distance,
) noexcept nogil:
    """Write the distance of each line to the last one of its page with the same hash, FAR beyond MEMORY lines; see `_repetitions`.

    `table` heads chains of lines, by the low bits of their hashes, and holds -1; `previous` links them. A chain is as long as a block
    at most, whatever the hashes.
    """
    cdef Py_ssize_t remembered = recent.shape[1], n = hashes.shape[1], i, slot, page = 0
    cdef int32_t at
    cdef uint64_t hash
    for i in range(remembered + n):
        hash = recent[row, i] if i < remembered else hashes[row, i - remembered]
        slot = <Py_ssize_t>(hash & <uint64_t>(table.shape[0] - 1))
        if i >= remembered:
            if starts[i - remembered]:
                page = i
            distance[i - remembered] = NEVER
            at = table[slot]
            while at >= page and i - at <= REMEMBERED:
                if (recent[row, at] if at < remembered else hashes[row, at - remembered]) == hash:
                    distance[i - remembered] = i - at
                    break
                at = previous[at]
        previous[i] = table[slot]
        table[slot] = <int32_t>i


def extract_history(line_features, evidence, blanks, starts, carry):
    """Twin of `history.extract_history`."""
    cdef const int16_t[:, :] own = line_features.columns, found = evidence
    cdef const uint64_t[:, :] hashes = line_features.hashes, recent = carry.recent
    cdef const int64_t[:] sizes = line_features.size, blank = blanks
    cdef const uint8_t[:] first = starts.view(np.uint8)
    cdef Py_ssize_t n = first.shape[0], i, k, kept, begin = 0
    if {own.shape[1], found.shape[1], hashes.shape[1], sizes.shape[0], blank.shape[0]} != {n} or not n:
        raise ValueError("the arrays of a block do not fit together")
    if (own.shape[0], found.shape[0], hashes.shape[0], recent.shape[0]) != (COLUMNS, EVIDENCE_COUNT, 2, 2) or recent.shape[1] > REMEMBERED:
        raise ValueError("a block has other columns than the kernel")
    cdef Py_ssize_t slots = 64
    while slots < 2 * (n + recent.shape[1]):
        slots *= 2
    table, distances = np.empty((n, HISTORY_WIDTH), np.int16), np.empty((2, n), np.int64)
    cdef int16_t[:, ::1] out = table
    cdef int64_t[:, ::1] distance = distances
    heads, links = np.empty(slots, np.int32), np.empty(n + recent.shape[1], np.int32)
    cdef int32_t[::1] head = heads, link = links
    totals, since = np.array(carry.totals, np.int64), np.array(carry.since, np.int64)
    if (len(totals), len(since)) != (COUNTED_COUNT, EVENT_COUNT):
        raise ValueError("a page has counted other things than the kernel")
    cdef int64_t[::1] total = totals, ago = since
    cdef int64_t at_heading = carry.prose_at_heading
    with nogil:
        for k in range(2):
            for i in range(slots):
                head[i] = -1
            find_repetitions(hashes, k, first, recent, head, link, distance[k])
        for i in range(n):
            if first[i]:
                for k in range(COUNTED_COUNT):
                    total[k] = 0
                for k in range(EVENT_COUNT):
                    ago[k] = NEVER
                at_heading, begin = 0, i
            count_line(own, found, i, sizes[i], &total[0], &ago[0])
            if ago[ANY_HEADING] == 0:
                at_heading = total[1]
            write_history(&out[i, 0], &total[0], &ago[0], at_heading, distance[0, i], distance[1, i], own[SIZE_AT, i], blank[i])
    if first.shape[0] and starts.any():
        carried = line_features.hashes[:, max(begin, n - REMEMBERED) :].copy()
    else:
        carried = np.concatenate((carry.recent, line_features.hashes), axis=1)[:, -REMEMBERED:]
    return table.T, PageState(totals, since, int(at_heading), carried)


cdef void count_line(
    const int16_t[:, :] own, const int16_t[:, :] found, Py_ssize_t i, int64_t size, int64_t* total, int64_t* ago
) noexcept nogil:
    """Count a line, and the lines since each event; see `_counted`, `_events` and `accumulate`."""
    cdef bint prose = own[PROSE_AT, i] != 0, dated = own[DATE_AT, i] != 0, heading, any_heading = False
    cdef Py_ssize_t k
    for k in range(EVENT_COUNT):
        ago[k] = min(ago[k] + 1, NEVER)
    if prose:
        ago[0] = 0
    for k in range(1, ANY_HEADING):
        heading = found[LABEL_COUNT + k - 1, i] >= CERTAIN and size <= 60
        any_heading = any_heading or heading
        if heading:
            ago[k] = 0
    if any_heading:
        ago[ANY_HEADING] = 0
    if dated:
        ago[ANY_HEADING + 1] = 0
    for k in range(LABEL_EVENTS.shape[0]):
        if found[LABEL_EVENTS[k], i] >= CERTAIN:
            ago[ANY_HEADING + 2 + k] = 0
    total[0] += 1
    total[1] += prose
    total[2] += prose * size
    total[3] += own[LINKED_AT, i] >= STEPS
    total[4] += any_heading
    total[5] += dated


cdef void write_history(
    int16_t* out, const int64_t* total, const int64_t* ago, int64_t at_heading, int64_t text_back, int64_t opening_back, int16_t size,
    int64_t blanks,
) noexcept nogil:
    """Write the columns of a line; see `_fill_columns`."""
    cdef Py_ssize_t k, at = COUNTED_COUNT + EVENT_COUNT
    cdef int64_t nearest = NEVER, back
    for k in range(COUNTED_COUNT):
        out[k] = log_so_far(total[k] // 32 if k == 2 else total[k])
    for k in range(EVENT_COUNT):
        out[COUNTED_COUNT + k] = log_so_far(ago[k])
    for k in range(1, ANY_HEADING):
        nearest = min(nearest, ago[k])
    for k in range(1, ANY_HEADING):
        out[at] = <int16_t>((ago[k] == nearest and nearest < NEVER) * STEPS)
        at += 1
    out[at] = log_so_far(total[1] - at_heading)
    at += 1
    for k in range(2):
        back = opening_back if k else text_back
        out[at], out[at + 1] = <int16_t>((back == 1) * STEPS), <int16_t>((back == 2) * STEPS)
        out[at + 2], out[at + 3] = <int16_t>((back <= 5) * STEPS), <int16_t>((back <= REMEMBERED) * STEPS)
        at += 4
    out[at] = size if text_back <= REMEMBERED else 0
    out[at + 1] = <int16_t>(min(blanks, BLANKS) * STEPS)


cdef Py_ssize_t BODY_AT = stacking._BODY, FOOTER_AT = stacking._FOOTER


def extract_stacked(own, found, starts, state):
    """Twin of `stacked.extract_stacked`."""
    cdef const float[:, :] columns = own
    cdef const int16_t[:, :] evidence = found
    cdef const uint8_t[:] first = starts.view(np.uint8)
    cdef Py_ssize_t n = first.shape[0], i, k
    if (columns.shape[0], columns.shape[1], evidence.shape[0], evidence.shape[1]) != (OWN_WIDTH, n, LABEL_COUNT, n):
        raise ValueError("the arrays of a block do not fit together")
    totals, since = np.array(state.totals, np.int64), np.array(state.since, np.int64)
    if (len(totals), len(since)) != (LABEL_COUNT + 1, LABEL_COUNT):
        raise ValueError("a page has found other labels than the kernel")
    table = np.empty((n, PAGE_WIDTH), np.int16)
    cdef int16_t[:, ::1] out = table
    cdef int64_t[::1] total = totals, ago = since
    with nogil:
        for i in range(n):
            if first[i]:
                for k in range(LABEL_COUNT):
                    total[k], ago[k] = 0, NEVER
                total[LABEL_COUNT] = 0
            for k in range(LABEL_COUNT):
                ago[k] = min(ago[k] + 1, NEVER)
                if evidence[k, i] >= CERTAIN:
                    total[k] += 1
                    ago[k] = 0
            total[LABEL_COUNT] += evidence[BODY_AT, i] >= CERTAIN and columns[PROSE_AT, i] > 0
            for k in range(LABEL_COUNT + 1):
                out[i, k] = log_so_far(total[k])
            for k in range(LABEL_COUNT):
                out[i, LABEL_COUNT + 1 + k] = log_so_far(ago[k])
            out[i, 2 * LABEL_COUNT + 1] = <int16_t>((ago[FOOTER_AT] < ago[BODY_AT]) * STEPS)
    return table.T, StackedState(totals, since)
