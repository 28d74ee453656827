# Twin of scan.py. Text that a reader sees otherwise than it is written is rewritten by scan.py itself; the rest is done here.

from classifier.core import scan as scanning
from classifier.core.scan import ACCENTED, BARE, CLASS, FOLDED, LONGEST_ENTITY, PROPERTIES, TABLED, TONED, UNSETTLED, CharClass, Scan

cdef enum:
    OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, MARKUP
    COMMA, ENDER, COLON, SLASH, QUOTE, OPEN, CLOSE, BAR, DASH, SYMBOL
    INVISIBLE, MARKED

_NAMES = "OTHER LOWER UPPER DIGIT SPACE NEWLINE MARKUP COMMA ENDER COLON SLASH QUOTE OPEN CLOSE BAR DASH SYMBOL INVISIBLE MARKED"
if [getattr(CharClass, name) for name in _NAMES.split()] != list(range(MARKED + 1)):
    raise ImportError("the kernel was built for other character classes; reinstall tinsach")

cdef uint8_t ACCENT = ACCENTED, TONE = TONED, LOOSE = UNSETTLED, KIND = CLASS
cdef uint32_t TABLE_END = TABLED
cdef Py_ssize_t ENTITY = LONGEST_ENTITY
cdef const uint8_t[::1] PROPERTY_OF = PROPERTIES
cdef const uint32_t[::1] FOLDED_OF = FOLDED
# The moves of tone marks: first vowel, toned vowel, and what they become (moves, 4).
cdef const uint32_t[:, ::1] MOVES = np.array([(*pair, *moved) for pair, moved in scanning._MOVED_TONES.items()], np.uint32)


cdef class Text:
    """Code points of a text, with the properties and the canonical form of each, and where its lines begin."""

    cdef const uint32_t[::1] codes
    cdef uint8_t[::1] properties
    cdef uint32_t[::1] folded
    cdef int64_t[::1] starts  # (n + 1,)

    def __init__(self, str text):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        properties, folded = np.empty(len(codes), np.uint8), np.empty(len(codes), np.uint32)
        starts = np.empty(text.count("\n") + 1, np.int64)
        self.codes, self.properties, self.folded, self.starts = codes, properties, folded, starts
        cdef bint beyond
        with nogil:
            beyond = self._classify()
        if beyond:
            scanning._look_up(codes, properties, folded)

    cdef bint _classify(self) noexcept nogil:
        """Fill in what is tabulated; return whether some code points are not."""
        cdef Py_ssize_t i, line = 0
        cdef uint32_t code
        cdef bint beyond = False
        self.starts[0] = 0
        for i in range(self.codes.shape[0]):
            code = self.codes[i]
            if code >= TABLE_END:
                beyond = True
                code = TABLE_END - 1
            self.properties[i] = PROPERTY_OF[code]
            self.folded[i] = FOLDED_OF[code]
            if code == c"\n":
                line += 1
                self.starts[line] = i + 1
        return beyond

    cdef void settle(self, Py_ssize_t i) noexcept nogil:
        """Give a sign that begins no markup the class that it has otherwise."""
        if self.codes[i] == c"&":
            self.properties[i] = SYMBOL
        elif self.codes[i] == c"<":
            self.properties[i] = OTHER
        elif self.codes[i] == c"\\":
            self.properties[i] = MARKUP

    cdef void find_irregular(self, bint linked, uint8_t[::1] irregular, uint8_t[::1] odd) noexcept nogil:
        """Flag the lines to rewrite, and those of them that hold odd characters (n,); settle signs that may begin markup."""
        cdef Py_ssize_t line, i, first, last, target = -1
        cdef uint32_t code
        cdef uint8_t properties, kind
        for line in range(irregular.shape[0]):
            first, last = self.starts[line], self.starts[line + 1] - 2
            last = max(first, last)
            if self.codes[first] == c">" or self.codes[last] == c"*":
                irregular[line] = True
            if (self.properties[first] & KIND) == SPACE or (self.properties[last] & KIND) == SPACE:
                irregular[line] = True
            for i in range(first, self.starts[line + 1]):
                code, properties = self.codes[i], self.properties[i]
                kind = properties & KIND
                if kind <= DIGIT and not properties & LOOSE:
                    continue
                if properties & LOOSE:
                    odd[line] = True
                if kind >= INVISIBLE:
                    if code > c"\\" or code < c"&" or self.begins_markup(i):
                        odd[line] = True
                    self.settle(i)
                elif code == c".":
                    if i + 1 < self.codes.shape[0] and (self.properties[i + 1] & KIND) == ENDER:
                        irregular[line] = True
                elif code == c"]":
                    if self.codes[i + 1] == c"[" or self.codes[i + 1] == c":":
                        irregular[line] = True
                elif linked and (code == c"(" or code == c")"):
                    # A target with a parenthesis in it: the next one after its own is no closing one, be it on a later line.
                    if code == c"(" and target >= 0:
                        irregular[target] = True
                    target = line if code == c"(" and i > 0 and self.codes[i - 1] == c"]" else -1
            if odd[line]:
                irregular[line] = True

    cdef bint begins_markup(self, Py_ssize_t i) noexcept nogil:
        """Return whether a sign may begin an entity, a tag or an escape."""
        cdef Py_ssize_t j
        if self.codes[i + 1] == c" " or self.codes[i + 1] == c"\n":
            return False
        if self.codes[i] != c"&":
            return True
        for j in range(i, min(i + ENTITY, self.codes.shape[0])):
            if self.codes[j] == c";":
                return True
        return False


cdef class Writer:
    """Lines of visible code points, as they are put together."""

    cdef uint32_t[::1] codes, folded
    cdef uint8_t[::1] properties
    cdef Py_ssize_t size

    def __init__(self, Py_ssize_t most):
        self.codes, self.folded = np.empty((2, most), np.uint32)
        self.properties = np.empty(most, np.uint8)
        self.size = 0

    cdef void put(self, Text text, Py_ssize_t i) noexcept nogil:
        self.codes[self.size] = text.codes[i]
        self.folded[self.size] = text.folded[i]
        self.properties[self.size] = text.properties[i]
        self.size += 1

    cdef void put_run(self, Text text, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        cdef Py_ssize_t count = stop - start
        memcpy(&self.codes[self.size], &text.codes[start], count * sizeof(uint32_t))
        memcpy(&self.folded[self.size], &text.folded[start], count * sizeof(uint32_t))
        memcpy(&self.properties[self.size], &text.properties[start], count)
        self.size += count

    cdef void put_regular(self, Text text, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Append a line without white space that follows white space."""
        cdef Py_ssize_t i
        cdef const uint8_t* properties = &text.properties[0]
        for i in range(start + 1, stop):
            if (properties[i] & KIND) == SPACE and (properties[i - 1] & KIND) == SPACE:
                if i > start:
                    self.put_run(text, start, i)
                start = i + 1
        self.put_run(text, start, stop)

    cdef void put_rewritten(self, Text text, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Append a line without invisible characters, with single white space between visible ones only; see `_squeezed`."""
        cdef Py_ssize_t i, first = self.size
        cdef uint8_t kind
        for i in range(start, stop):
            kind = text.properties[i] & KIND
            if kind == INVISIBLE:
                continue
            if kind == SPACE and (self.size == first or (self.properties[self.size - 1] & KIND) == SPACE):
                continue
            if kind == NEWLINE and self.size > first and (self.properties[self.size - 1] & KIND) == SPACE:
                self.size -= 1
            if kind == MARKED:
                text.settle(i)
            self.put(text, i)

    cdef Py_ssize_t count_links(self, Py_ssize_t start) noexcept nogil:
        """Return the number of link targets in the line from `start` on."""
        cdef Py_ssize_t i, links = 0, opened = 0
        for i in range(start, self.size):
            if self.codes[i] == c"(" and i > start and self.codes[i - 1] == c"]":
                opened += 1
            elif self.codes[i] == c")":
                links += opened
                opened = 0
        return links

    cdef void hide_targets(self, Py_ssize_t start, int64_t* images, int64_t* letters) noexcept nogil:
        """Leave link targets out of the line from `start` on, which has some; count images, and letters inside brackets."""
        cdef Py_ssize_t i, out = start, depth = 0, inside = 0, hidden_from = -1, inside_before = 0
        cdef uint32_t code, before = 0
        images[0] = 0
        for i in range(start, self.size):
            code = self.codes[i]
            if code == c"(" and before == c"]" and hidden_from < 0:
                hidden_from, inside_before = out, inside
            if code == c"[":
                depth += 1
            elif code == c"]":
                depth -= 1
            elif code == c"!" and i + 1 < self.size and self.codes[i + 1] == c"[":
                self.properties[i] = MARKUP
                images[0] += 1
            elif depth > 0 and LOWER <= (self.properties[i] & KIND) <= DIGIT:
                inside += 1
            before = code
            self.codes[out], self.folded[out], self.properties[out] = code, self.folded[i], self.properties[i]
            out += 1
            if code == c")" and hidden_from >= 0:
                out, inside, hidden_from = hidden_from, inside_before, -1
        self.size = out
        letters[0] = inside


def scan(lines):
    """Twin of `scan.scan`."""
    cdef str joined = scanning._joined(lines)
    cdef Text old = Text(joined), new = None
    cdef Py_ssize_t n = len(lines)
    if old.starts.shape[0] != n + 1:
        raise ValueError(f"{n} lines became {old.starts.shape[0] - 1}")
    cdef bint linked = "](" in joined
    irregular, odd = np.zeros((2, n), np.uint8)
    cdef uint8_t[::1] rewrite = irregular, strange = odd
    with nogil:
        old.find_irregular(linked, rewrite, strange)
    rewritten = irregular.nonzero()[0].tolist()
    if rewritten:
        visible = scanning._visible(joined.split("\n"), rewritten, odd.nonzero()[0].tolist())
        linked = linked or "](" in visible
        new = Text(visible)
        if new.starts.shape[0] != len(rewritten) + 1:
            raise ValueError(f"{len(rewritten)} lines were rewritten as {new.starts.shape[0] - 1}")
    cdef Writer out = Writer(old.codes.shape[0] + (0 if new is None else new.codes.shape[0]))
    starts = np.zeros(n + 1, np.int64)
    facts = np.zeros((4, n), np.int64)
    cdef int64_t[::1] begins = starts
    cdef int64_t[:, ::1] found = facts
    with nogil:
        _write_lines(old, new, rewrite, linked, out, begins, found)
    classes, accented = np.empty((2, out.size), np.uint8)
    cdef uint8_t[::1] kinds = classes, accents = accented
    with nogil:
        _settle_letters(out, kinds, accents)
    return Scan(np.asarray(out.folded)[: out.size], classes, accented.view(np.bool_), starts, *facts)


cdef void _write_lines(
    Text old, Text new, uint8_t[::1] rewrite, bint linked, Writer out, int64_t[::1] starts, int64_t[:, ::1] found
) noexcept nogil:
    """Write all lines, and what `Scan` tells of each: its start (n + 1,), and length, links, images and letters in links (4, n)."""
    cdef Py_ssize_t line, again = 0, begin, links
    for line in range(rewrite.shape[0]):
        begin = out.size
        if rewrite[line]:
            out.put_rewritten(new, new.starts[again], new.starts[again + 1])
            again += 1
        else:
            out.put_regular(old, old.starts[line], old.starts[line + 1])
        found[0, line] = out.size - begin
        links = out.count_links(begin) if linked else 0
        if links:
            found[1, line] = links
            out.hide_targets(begin, &found[2, line], &found[3, line])
        starts[line + 1] = out.size


cdef void _settle_letters(Writer out, uint8_t[::1] kinds, uint8_t[::1] accents) noexcept nogil:
    """Write class and accent of each character, and move tone marks; see `_move_tones`."""
    cdef Py_ssize_t i, j
    cdef uint32_t first
    for i in range(out.size):
        kinds[i] = out.properties[i] & KIND
        accents[i] = (out.properties[i] & ACCENT) != 0
    for i in range(1, out.size - 1):
        if out.properties[i] & TONE:
            first = out.folded[i - 1]
            if (first != c"o" and first != c"u") or LOWER <= kinds[i + 1] <= DIGIT:
                continue
            if first == c"u" and i > 1 and out.folded[i - 2] == c"q":
                continue
            for j in range(MOVES.shape[0]):
                if MOVES[j, 0] == first and MOVES[j, 1] == out.folded[i]:
                    out.folded[i - 1], out.folded[i] = MOVES[j, 2], MOVES[j, 3]
                    break
