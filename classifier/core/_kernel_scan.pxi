# Twin of scan.py. Text that a reader sees otherwise than it is written is rewritten by scan.py itself; the rest is done here.

# The moves of tone marks: first vowel, toned vowel, and what they become (moves, 4).
cdef const uint32_t[:, ::1] MOVES = np.array([(*pair, *moved) for pair, moved in scanning._MOVED_TONES.items()], np.uint32)


cdef class Writer:
    """One line of visible code points, as it is put together from what is written otherwise."""

    cdef uint32_t[::1] codes, folded
    cdef uint8_t[::1] properties
    cdef Py_ssize_t size

    def __init__(self, Py_ssize_t most):
        self.codes, self.folded = np.empty((2, most), np.uint32)
        self.properties = np.empty(most, np.uint8)

    cdef inline void put(self, Text text, Py_ssize_t i) noexcept nogil:
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

    cdef void put_regular(self, Text text, Py_ssize_t start, Py_ssize_t stop, bint pairs) noexcept nogil:
        """Append a line, without white space that follows white space, which it has if it has `pairs`."""
        cdef Py_ssize_t i
        if pairs:
            for i in range(start + 1, stop):
                if (text.properties[i] & KIND) == SPACE and (text.properties[i - 1] & KIND) == SPACE:
                    self.put_run(text, start, i)
                    start = i + 1
        self.put_run(text, start, stop)

    cdef void put_rewritten(self, Text text, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Append a line without invisible characters, with single white space between visible ones only; see `_squeezed`."""
        cdef Py_ssize_t i
        cdef uint8_t kind
        for i in range(start, stop):
            kind = text.properties[i] & KIND
            if kind == INVISIBLE:
                continue
            if kind == SPACE and (self.size == 0 or (self.properties[self.size - 1] & KIND) == SPACE):
                continue
            if kind == NEWLINE and self.size > 0 and (self.properties[self.size - 1] & KIND) == SPACE:
                self.size -= 1
            if kind == MARKED:
                text.settle(i)
            self.put(text, i)

    cdef Py_ssize_t count_links(self) noexcept nogil:
        """Return the number of link targets in the line."""
        cdef const uint32_t* codes = &self.codes[0]
        cdef Py_ssize_t i, links = 0, opened = 0
        for i in range(self.size):
            if codes[i] == c"(" and i > 0 and codes[i - 1] == c"]":
                opened += 1
            elif codes[i] == c")":
                links += opened
                opened = 0
        return links

    cdef void hide_targets(self, int64_t* images, int64_t* letters) noexcept nogil:
        """Leave link targets out of the line, which has some; count images, and letters inside brackets."""
        cdef uint32_t* codes = &self.codes[0]
        cdef uint32_t* folded = &self.folded[0]
        cdef uint8_t* properties = &self.properties[0]
        cdef Py_ssize_t i, size = self.size, out = 0, depth = 0, inside = 0, hidden_from = -1, inside_before = 0, pictures = 0
        cdef uint32_t code, before = 0
        for i in range(size):
            code = codes[i]
            if LOWER <= (properties[i] & KIND) <= DIGIT:
                inside += depth > 0
            elif code == c"(" and before == c"]" and hidden_from < 0:
                hidden_from, inside_before = out, inside
            elif code == c"[":
                depth += 1
            elif code == c"]":
                depth -= 1
            elif code == c"!" and i + 1 < size and codes[i + 1] == c"[":
                properties[i] = MARKUP
                pictures += 1
            before = code
            codes[out], folded[out], properties[out] = code, folded[i], properties[i]
            out += 1
            if code == c")" and hidden_from >= 0:
                out, inside, hidden_from = hidden_from, inside_before, -1
        self.size, images[0], letters[0] = out, pictures, inside


def scan(lines):
    """Twin of `scan.scan`."""
    cdef Strings strings = Strings(lines)
    cdef Text old = Text(strings, MAX_CHARS), new = None
    if old.broken:  # a caller's line may hold line ends of its own
        strings = Strings(scanning._joined(lines).removesuffix("\n").split("\n"))
        old = Text(strings, MAX_CHARS)
    cdef Py_ssize_t n = strings.count
    irregular, odd = np.zeros((2, n), np.uint8)
    cdef uint8_t[::1] rewrite = irregular, strange = odd
    with nogil:
        old.find_irregular(rewrite, strange)
    rewritten = irregular.nonzero()[0].tolist()
    if rewritten:
        texts = [strings.lines[i][:MAX_CHARS].strip() for i in rewritten]
        visible = scanning._visible(texts, odd[rewritten].nonzero()[0].tolist())
        new = Text(Strings(visible.removesuffix("\n").split("\n")), len(visible))
        if new.masks.shape[0] != len(rewritten):
            raise ValueError(f"{len(rewritten)} lines were rewritten as {new.masks.shape[0]}")
    return Scanned(old, new, rewrite).scan()


cdef class Scanned:
    """The lines of a `Scan`, as they are put together: regular ones of a text, rewritten ones of another."""

    cdef Text old, new
    cdef const uint8_t[::1] rewrite
    cdef Writer line
    cdef object chars, classes, accented
    cdef uint32_t[::1] out
    cdef uint8_t[::1] kinds, accents
    cdef Py_ssize_t size

    def __init__(self, Text old, Text new, const uint8_t[::1] rewrite):
        self.old, self.new, self.rewrite = old, new, rewrite
        cdef Py_ssize_t most = old.starts[rewrite.shape[0]] + (0 if new is None else new.starts[new.masks.shape[0]])
        self.chars = np.empty(most, np.uint32)
        self.classes, self.accented = np.empty((2, most), np.uint8)
        self.out, self.kinds, self.accents = self.chars, self.classes, self.accented
        self.line = Writer(max(longest(old), 0 if new is None else longest(new)))

    def scan(self):
        """Return the scan."""
        starts, facts = np.zeros(self.rewrite.shape[0] + 1, np.int64), np.zeros((4, self.rewrite.shape[0]), np.int64)
        cdef int64_t[::1] begins = starts
        cdef int64_t[:, ::1] found = facts
        cdef Py_ssize_t line, again = 0
        cdef bint linked = self.old.linked or (self.new is not None and self.new.linked)
        with nogil:
            for line in range(self.rewrite.shape[0]):
                if self.rewrite[line]:
                    self.write(self.new, again, True, linked, line, found)
                    again += 1
                else:
                    self.write(self.old, line, False, linked, line, found)
                begins[line + 1] = self.size
        chars, classes, accented = (array[: self.size] for array in (self.chars, self.classes, self.accented))
        return Scan(chars, classes, accented.view(np.bool_), starts, *facts)

    cdef void write(self, Text text, Py_ssize_t at, bint rewritten, bint linked, Py_ssize_t line, int64_t[:, ::1] found) noexcept nogil:
        """Write line `at` of a text as line `line`, and its length, links, images and letters in links to `found` (4, n)."""
        cdef Py_ssize_t start = text.starts[at], stop = text.starts[at + 1], links = 0
        cdef uint32_t mask = text.masks[at]
        if not rewritten and not mask & HAS_PAIRS and not (linked and mask & 1 << OPEN):
            found[0, line] = stop - start
            self.settle(&text.folded[start], &text.properties[start], stop - start, mask)
            return
        self.line.size = 0
        if rewritten:
            self.line.put_rewritten(text, start, stop)
        else:
            self.line.put_regular(text, start, stop, mask & HAS_PAIRS != 0)
        found[0, line] = self.line.size
        if linked:
            links = self.line.count_links()
        if links:
            found[1, line] = links
            self.line.hide_targets(&found[2, line], &found[3, line])
        self.settle(&self.line.folded[0], &self.line.properties[0], self.line.size, mask)

    cdef void settle(self, const uint32_t* folded, const uint8_t* properties, Py_ssize_t size, uint32_t mask) noexcept nogil:
        """Write characters, classes and accents of a line, with tone marks moved; see `_move_tones`."""
        cdef uint32_t* chars = &self.out[self.size]
        cdef uint8_t* kinds = &self.kinds[self.size]
        cdef uint8_t* accents = &self.accents[self.size]
        cdef Py_ssize_t i, j
        memcpy(chars, folded, size * sizeof(uint32_t))
        for i in range(size):
            kinds[i] = properties[i] & KIND
            accents[i] = (properties[i] & ACCENT) != 0
        self.size += size
        if not mask & HAS_TONE:
            return
        for i in range(1, size - 1):
            if not properties[i] & TONE or (chars[i - 1] != c"o" and chars[i - 1] != c"u") or LOWER <= kinds[i + 1] <= DIGIT:
                continue
            if chars[i - 1] == c"u" and i > 1 and chars[i - 2] == c"q":
                continue
            for j in range(MOVES.shape[0]):
                if MOVES[j, 0] == chars[i - 1] and MOVES[j, 1] == chars[i]:
                    chars[i - 1], chars[i] = MOVES[j, 2], MOVES[j, 3]
                    break


cdef Py_ssize_t longest(Text text) noexcept nogil:
    """Return the length of the longest line of a text."""
    cdef Py_ssize_t line, most = 1
    for line in range(text.masks.shape[0]):
        most = max(most, text.starts[line + 1] - text.starts[line])
    return most
