# Twins of positions.py and decisions.py, whose numpy calls cost more than their work where a line or two is fed at a time.

from classifier.core import decisions as deciding
from classifier.core.decisions import Decided

cdef enum:
    CODE, GUESS, PROBABILITY, KEPT, KEEP_PROBABILITY, CAPTION_PROBABILITY, TITLE_PROBABILITY, FIELDS
if len(Decided._fields) != FIELDS:
    raise ImportError("the kernel was built for other decisions; reinstall tinsach")

cdef int64_t REACH_OF_BLANKS = deciding.BLANK_REACH
cdef Py_ssize_t CAPTION_AT = deciding._CAPTION, TITLE_AT = deciding._TITLE
cdef const int64_t[::1] LABEL_OF = deciding._LABEL_OF.astype(np.int64)


def line_numbers(Py_ssize_t count, const int64_t[:] ends, int64_t page, int64_t position):
    """Twin of `positions.line_numbers`."""
    pages, positions = np.empty(count, np.int64), np.empty(count, np.int64)
    cdef int64_t[::1] page_of = pages, place = positions
    cdef Py_ssize_t i, k = 0
    with nogil:
        for i in range(count):
            while k < ends.shape[0] and ends[k] <= i:
                k += 1
                page += 1
                position = 0
            page_of[i], place[i] = page, position
            position += 1
    return pages, positions


def ready_lines(const int64_t[:] page, const int64_t[:] position, int64_t open_page, int64_t read):
    """Twin of `positions.ready_lines`."""
    cdef Py_ssize_t i, count = 0
    if page.shape[0] != position.shape[0]:
        raise ValueError("page numbers and positions are not of the same lines")
    with nogil:
        for i in range(page.shape[0]):
            count += page[i] < open_page or position[i] < read
    return count


def page_starts(const int64_t[:] page, bint first):
    """Twin of `positions.page_starts`."""
    starts = np.empty(page.shape[0], np.bool_)
    cdef uint8_t[::1] start = starts.view(np.uint8)
    cdef Py_ssize_t i
    for i in range(page.shape[0]):
        start[i] = first if i == 0 else page[i] != page[i - 1]
    return starts


def blanks_before(const int64_t[:] position, starts, int64_t since):
    """Twin of `positions.blanks_before`."""
    cdef const uint8_t[::1] start = starts.view(np.uint8)
    if position.shape[0] != start.shape[0]:
        raise ValueError("positions and page starts are not of the same lines")
    blanks = np.empty(position.shape[0], np.int64)
    cdef int64_t[::1] out = blanks
    cdef Py_ssize_t i
    for i in range(position.shape[0]):
        out[i] = position[i] - (0 if start[i] else since)
        since = position[i] + 1
    return blanks


def first_guesses(const float[:, :] evidence):
    """Twin of `decisions.first_guesses`."""
    if evidence.shape[0] != LABEL_OF.shape[0]:
        raise ValueError("evidence is not of the first pass's classes")
    guesses = np.empty(evidence.shape[1], np.int64)
    cdef int64_t[::1] out = guesses
    cdef Py_ssize_t i, c, best
    with nogil:
        for i in range(evidence.shape[1]):
            best = 0
            for c in range(1, evidence.shape[0]):
                if evidence[c, i] > evidence[best, i]:
                    best = c
            out[i] = LABEL_OF[best]
    return guesses


def choose(p, guesses, keep, threshold):
    """Twin of `decisions.choose`."""
    cdef const double[:, :] given = p
    cdef const int64_t[:] guess = guesses
    cdef const uint8_t[::1] wanted = keep.view(np.uint8)
    cdef double least = 0 if threshold is None else threshold
    cdef bint by_label = threshold is None
    cdef Py_ssize_t n = given.shape[1], classes = given.shape[0], i, c, best
    if guess.shape[0] != n or wanted.shape[0] != classes or classes != LABEL_COUNT:
        raise ValueError("the arrays of decisions do not fit together")
    table = np.empty((FIELDS, n), np.float64)
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
            out[CODE, i], out[GUESS, i], out[PROBABILITY, i] = best, guess[i], given[best, i]
            out[KEPT, i] = wanted[best] if by_label else kept >= least
            out[KEEP_PROBABILITY, i] = kept
            out[CAPTION_PROBABILITY, i], out[TITLE_PROBABILITY, i] = given[CAPTION_AT, i], given[TITLE_AT, i]
    return table


def released(lines, decisions, int64_t previous_page, bint previous_kept, int64_t open_page):
    """Twin of `decisions.released`."""
    cdef const int64_t[:] page = lines.page
    cdef const uint8_t[:] blank = lines.blank.view(np.uint8), markup = lines.markup.view(np.uint8)
    cdef const double[:, :] decided = decisions
    cdef Py_ssize_t m = page.shape[0], k = decided.shape[1], i, solid = 0, last = -1, following = m, stop, begin = 0
    if blank.shape[0] != m or markup.shape[0] != m or decided.shape[0] != FIELDS:
        raise ValueError("the lines read do not fit together, or not the decisions")
    cdef int64_t next_page = open_page
    for i in range(m):
        if not blank[i]:
            if solid == k:
                following, next_page = i, page[i]
                break
            solid, last = solid + 1, i
    if solid < k:
        raise ValueError(f"{k} decisions for {solid} lines")
    while begin < m and page[begin] < next_page:
        begin += 1
    stop = min(following, max(last + 1, following - REACH_OF_BLANKS, begin))
    codes, guesses = np.empty((2, stop), np.int8)
    probabilities = np.zeros((4, stop))  # of the label, to keep, of captions, of titles
    kept = np.empty(stop, np.bool_)
    cdef int8_t[::1] code = codes, guess = guesses
    cdef double[:, ::1] p = probabilities
    cdef uint8_t[::1] keep = kept.view(np.uint8)
    cdef Py_ssize_t at = 0, next_solid = 0
    cdef bint next_kept
    with nogil:
        for i in range(stop):
            if not blank[i]:
                code[i], guess[i], keep[i] = <int8_t>decided[CODE, at], <int8_t>decided[GUESS, at], decided[KEPT, at] > 0
                p[0, i], p[1, i] = decided[PROBABILITY, at], decided[KEEP_PROBABILITY, at]
                p[2, i], p[3, i] = decided[CAPTION_PROBABILITY, at], decided[TITLE_PROBABILITY, at]
                previous_page, previous_kept = page[i], keep[i]
                at += 1
                continue
            code[i] = guess[i] = -1
            next_solid = max(next_solid, i)
            while next_solid < m and blank[next_solid]:
                next_solid += 1
            next_kept = next_solid < m and page[next_solid] == page[i] and at < k and decided[KEPT, at] > 0
            keep[i] = (
                previous_kept and previous_page == page[i] and next_kept and next_solid - i <= REACH_OF_BLANKS and not markup[i]
            )
    return Decided(codes, guesses, probabilities[0], kept, *probabilities[1:]), previous_page, bool(previous_kept)
