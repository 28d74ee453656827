# Twin of distinct.py, and the lines that it and scan.py read: Python's strings, whose characters need no lock.

from cpython.mem cimport PyMem_Free, PyMem_Malloc

from classifier.core.distinct import MAY_END_BLANK, DistinctLines, is_blank
from classifier.core.scan import MAX_CHARS, TABLED

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030C0000
    #define tinsach_make_ready(string) PyUnicode_READY(string)
    #else
    #define tinsach_make_ready(string) 0 /* every string is */
    #endif
    """
    int make_ready "tinsach_make_ready"(object) except -1

cdef extern from "Python.h":
    void* PyUnicode_DATA(object)
    int PyUnicode_KIND(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    uint32_t PyUnicode_READ(int kind, const void* data, Py_ssize_t i) nogil
    bint Py_UNICODE_ISSPACE(uint32_t) nogil

cdef uint32_t TABLE_END = TABLED
cdef uint64_t HASH_FACTOR = 0x9E3779B97F4A7C15


cdef struct String:
    # The characters of a string, of `kind` bytes each. Equal strings have the same kind.
    const void* data
    Py_ssize_t size
    int kind


cdef class Strings:
    """Lines whose characters can be read without the GIL; strings do not change, and the list of them is this one's own."""

    cdef list lines
    cdef Py_ssize_t count
    cdef String* of

    def __cinit__(self, lines):
        cdef Py_ssize_t i
        self.lines, self.count = list(lines), len(lines)
        self.of = <String*>PyMem_Malloc(max(1, self.count) * sizeof(String))
        if self.of is NULL:
            raise MemoryError
        if len(self.lines) != self.count:
            raise ValueError("lines changed while they were read")
        for i in range(self.count):
            line = self.lines[i]
            if not isinstance(line, str):
                raise TypeError(f"line {i} is a {type(line).__name__}, not a string")
            make_ready(line)
            self.of[i] = String(PyUnicode_DATA(line), PyUnicode_GET_LENGTH(line), PyUnicode_KIND(line))

    def __dealloc__(self):
        PyMem_Free(self.of)


cdef inline Py_ssize_t stripped_size(const String* line, Py_ssize_t size) noexcept nogil:
    """Return how many of the first `size` characters there are up to the last that is not white space."""
    while size > 0 and Py_UNICODE_ISSPACE(PyUnicode_READ(line.kind, line.data, size - 1)):
        size -= 1
    return size


cdef uint64_t bytes_hash(const uint8_t* data, Py_ssize_t size) noexcept nogil:
    """Return a hash of bytes, as simple as it is fast: who knows it can make collisions."""
    cdef uint64_t hash = <uint64_t>size, word = 0
    while size >= 8:
        memcpy(&word, data, 8)
        hash = (hash ^ word) * HASH_FACTOR
        hash ^= hash >> 32
        data, size = data + 8, size - 8
    word = 0
    memcpy(&word, data, size)
    hash = (hash ^ word) * HASH_FACTOR
    return hash ^ (hash >> 32)


cdef inline bint same_string(const String* one, const String* other) noexcept nogil:
    return one.size == other.size and one.kind == other.kind and memcmp(one.data, other.data, one.size * one.kind) == 0


cdef enum:
    SOLID, BLANK, UNCERTAIN
# By code point: whether a line that ends with it may be blank.
cdef const uint8_t[::1] MAY_END = np.array([chr(code) in MAY_END_BLANK for code in range(TABLED)], np.uint8)


cdef enum:
    ENOUGH_STEPS = 16  # per line, on average, through the table; few lines take more than two


cdef bint find_first(Strings strings, int32_t[::1] table, uint64_t[::1] hashes, int64_t[::1] first) noexcept nogil:
    """Write the first line with the text of each; return whether it was found in a few steps, or is still to be found.

    `table` holds -1, and its length is a power of 2, more than there are lines.
    """
    cdef Py_ssize_t i, slot, mask = table.shape[0] - 1, steps = ENOUGH_STEPS * strings.count
    cdef int32_t at
    for i in range(strings.count):
        hashes[i] = bytes_hash(<const uint8_t*>strings.of[i].data, strings.of[i].size * strings.of[i].kind)
        slot = <Py_ssize_t>(hashes[i] & <uint64_t>mask)
        while True:
            at = table[slot]
            if at < 0:
                at = table[slot] = <int32_t>i
                break
            if hashes[at] == hashes[i] and same_string(&strings.of[at], &strings.of[i]):
                break
            slot = (slot + 1) & mask
            steps -= 1
            if steps < 0:
                return False
        first[i] = at
    return True


cdef uint8_t kind_of_line(const String* line) noexcept nogil:
    """Return whether a line is blank, as far as its last visible character tells."""
    cdef Py_ssize_t size = stripped_size(line, line.size)
    cdef uint32_t last
    if size == 0:
        return BLANK
    last = PyUnicode_READ(line.kind, line.data, size - 1)
    return UNCERTAIN if last >= TABLE_END or MAY_END[last] else SOLID


def distinct_lines(lines):
    """Twin of `distinct.distinct_lines`."""
    cdef Strings strings = Strings(lines)
    cdef Py_ssize_t n = strings.count, i, k = 0, slots = 2
    while slots <= 2 * n:
        slots *= 2
    cdef int64_t[::1] first = np.empty(n, np.int64), number = np.empty(n, np.int64)
    cdef int32_t[::1] table = np.full(slots, -1, np.int32)
    cdef uint64_t[::1] hashes = np.empty(n, np.uint64)
    flags = np.zeros((2, n), np.uint8)
    copies = np.empty(n, np.int64)
    cdef uint8_t[:, ::1] flag = flags  # blank, markup
    cdef int64_t[::1] place = copies
    texts = []
    cdef bint done
    with nogil:
        done = find_first(strings, table, hashes, first)
    if not done:  # somebody made lines that collide; nobody knows Python's hashes
        seen = {}
        for i in range(n):
            first[i] = seen.setdefault(strings.lines[i], i)
    with nogil:
        for i in range(n):
            if first[i] == i:
                flag[0, i] = kind_of_line(&strings.of[i])
    for i in range(n):
        if first[i] < i:
            flag[0, i], flag[1, i] = flag[0, first[i]], flag[1, first[i]]
        else:
            if flag[0, i] == UNCERTAIN:
                text = strings.lines[i]
                flag[0, i] = is_blank(text)
                flag[1, i] = flag[0, i] and ("<" in text or "&" in text)
            if not flag[0, i]:
                number[i] = len(texts)
                texts.append(strings.lines[i])
        if not flag[0, i]:
            place[k] = number[first[i]]
            k += 1
    blank, markup = flags.view(np.bool_)
    return DistinctLines(texts, copies[:k], blank, markup)
