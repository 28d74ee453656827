# Twin of scan.py. Text that a reader sees otherwise than it is written is rewritten by scan.py itself; the rest is done here.

from classifier.core import scan as scanning
from classifier.core.scan import ACCENTED, BARE, CLASS, FOLDED, LONGEST_ENTITY, PROPERTIES, TONED, UNSETTLED, CharClass, Scan

cdef enum:
    OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, MARKUP
    COMMA, ENDER, COLON, SLASH, QUOTE, OPEN, CLOSE, BAR, DASH, SYMBOL
    INVISIBLE, MARKED

_NAMES = "OTHER LOWER UPPER DIGIT SPACE NEWLINE MARKUP COMMA ENDER COLON SLASH QUOTE OPEN CLOSE BAR DASH SYMBOL INVISIBLE MARKED"
if [getattr(CharClass, name) for name in _NAMES.split()] != list(range(MARKED + 1)):
    raise ImportError("the kernel was built for other character classes; reinstall tinsach")

cdef uint8_t ACCENT = ACCENTED, TONE = TONED, LOOSE = UNSETTLED, KIND = CLASS
cdef Py_ssize_t ENTITY = LONGEST_ENTITY
cdef const uint8_t[::1] PROPERTY_OF = PROPERTIES
cdef const uint32_t[::1] FOLDED_OF = FOLDED
# The moves of tone marks: first vowel, toned vowel, and what they become (moves, 4).
cdef const uint32_t[:, ::1] MOVES = np.array([(*pair, *moved) for pair, moved in scanning._MOVED_TONES.items()], np.uint32)


# What the characters of a line have, as bits of a mask: 1 << kind for each class, and:
cdef enum:
    PROPERTY_SHIFT = 18  # properties of a character are bits 0 to 7 of its own
    HAS_LOOSE = 1 << 24  # what may change in NFC
    HAS_TONE = 1 << 25
    HAS_PAIRS = 1 << 26  # white space behind white space, or a sentence's end behind another
    HAS_BEYOND = 1 << 27  # what is not tabulated
    PAIRED = 1 << SPACE | 1 << ENDER
    # A line that has none of these is as it should be, if it neither begins nor ends with certain signs.
    NEEDS_LOOK = HAS_LOOSE | HAS_PAIRS | 1 << INVISIBLE | 1 << MARKED | 1 << MARKUP | 1 << OPEN | 1 << CLOSE
if (UNSETTLED << PROPERTY_SHIFT, TONED << PROPERTY_SHIFT) != (HAS_LOOSE, HAS_TONE):
    raise ImportError("the kernel was built for other properties of characters; reinstall tinsach")


cdef inline uint32_t kind_bit(uint8_t properties) noexcept nogil:
    return <uint32_t>1 << (properties & KIND)


cdef inline uint32_t property_bits(uint8_t properties) noexcept nogil:
    return <uint32_t>(properties & (LOOSE | TONE)) << PROPERTY_SHIFT


cdef class Text:
    """Code points of lines, with the properties and the canonical form of each; a newline closes each line.

    Lines are cut at `most` characters, and have no white space at their ends.
    """

    cdef uint32_t[::1] codes
    cdef uint8_t[::1] properties
    cdef uint32_t[::1] folded
    cdef int64_t[::1] starts  # (n + 1,)
    cdef uint32_t[::1] masks  # (n,)
    cdef bint linked  # whether an inline link's target may begin in it
    cdef bint broken  # whether lines have line ends in them
    cdef bint beyond  # whether there are code points that are not tabulated

    def __init__(self, Strings strings, Py_ssize_t most):
        cdef Py_ssize_t i, size = strings.count
        for i in range(strings.count):
            size += min(strings.of[i].size, most)
        self.codes, self.folded = np.empty((2, size), np.uint32)
        self.properties = np.empty(size, np.uint8)
        self.starts, self.masks = np.empty(strings.count + 1, np.int64), np.empty(strings.count, np.uint32)
        with nogil:
            self.read(strings, most)
        if self.beyond:
            self.look_up()

    cdef void read(self, Strings strings, Py_ssize_t most) noexcept nogil:
        """Fill in lines, and what is tabulated of their characters."""
        cdef Py_ssize_t line, i, at = 0, begin, stop
        cdef const String* string
        for line in range(strings.count):
            string = &strings.of[line]
            stop, begin = stripped_size(string, min(string.size, most)), 0
            while begin < stop and Py_UNICODE_ISSPACE(PyUnicode_READ(string.kind, string.data, begin)):
                begin += 1
            self.starts[line] = at
            copy_codes(string, begin, stop, &self.codes[at])
            self.codes[at + stop - begin] = c"\n"
            self.masks[line] = self.classify(at, at + stop - begin + 1)
            at += stop - begin + 1
        self.starts[strings.count] = at

    cdef uint32_t classify(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Fill in what is tabulated of the characters of a line; return its mask."""
        cdef const uint32_t* codes = &self.codes[0]
        cdef uint8_t* properties = &self.properties[0]
        cdef uint32_t* folded = &self.folded[0]
        cdef const uint8_t* property_of = &PROPERTY_OF[0]
        cdef const uint32_t* folded_of = &FOLDED_OF[0]
        cdef uint32_t code, before = 0, bit, bit_before = 0, seen = 0, beyond = 0, pairs = 0
        cdef uint8_t found, united = 0
        cdef bint linked = False
        cdef Py_ssize_t i
        for i in range(start, stop):
            code = codes[i]
            linked |= (code == c"(") & (before == c"]")
            before = code
            if code >= TABLE_END:
                beyond = HAS_BEYOND
                code = TABLE_END - 1
            found = property_of[code]
            properties[i], folded[i] = found, folded_of[code]
            united |= found
            seen |= bit_before
            bit = kind_bit(found)
            pairs |= bit & bit_before & PAIRED
            bit_before = bit
        self.linked |= linked
        self.broken |= (seen >> NEWLINE) & 1
        self.beyond |= beyond != 0
        return seen | beyond | property_bits(united) | (HAS_PAIRS if pairs else 0)

    def look_up(self):
        """Fill in properties and canonical form of the code points that are not tabulated."""
        cdef Py_ssize_t line, i
        for line in range(self.masks.shape[0]):
            if not self.masks[line] & HAS_BEYOND:
                continue
            for i in range(self.starts[line], self.starts[line + 1]):
                if self.codes[i] >= TABLE_END:
                    self.properties[i], self.folded[i] = scanning._beyond(self.codes[i])
                    self.masks[line] |= kind_bit(self.properties[i]) | property_bits(self.properties[i]) | HAS_PAIRS

    cdef void settle(self, Py_ssize_t i) noexcept nogil:
        """Give a sign that begins no markup the class that it has otherwise."""
        if self.codes[i] == c"&":
            self.properties[i] = SYMBOL
        elif self.codes[i] == c"<":
            self.properties[i] = OTHER
        elif self.codes[i] == c"\\":
            self.properties[i] = MARKUP

    cdef void find_irregular(self, uint8_t[::1] irregular, uint8_t[::1] odd) noexcept nogil:
        """Flag the lines to rewrite, and those of them that hold odd characters (n,); settle signs that may begin markup."""
        cdef Py_ssize_t line, first, last, target = -1
        for line in range(irregular.shape[0]):
            first, last = self.starts[line], self.starts[line + 1] - 2
            last = max(first, last)
            if self.codes[first] == c">" or self.codes[last] == c"*":
                irregular[line] = True
            if (self.properties[first] & KIND) == SPACE or (self.properties[last] & KIND) == SPACE:
                irregular[line] = True
            if self.masks[line] & NEEDS_LOOK:
                self.look_closely(line, &target, irregular, odd)

    cdef void look_closely(self, Py_ssize_t line, Py_ssize_t* target, uint8_t[::1] irregular, uint8_t[::1] odd) noexcept nogil:
        """Flag a line; `target` is the line where the last link's target began, until it ends, or -1."""
        cdef const uint32_t* codes = &self.codes[0]
        cdef const uint8_t* found = &self.properties[0]
        cdef Py_ssize_t i
        cdef uint32_t code
        cdef uint8_t properties, kind
        cdef bint strange = False
        for i in range(self.starts[line], self.starts[line + 1]):
            properties = found[i]
            kind = properties & KIND
            if kind <= SPACE and not properties & LOOSE:
                continue
            code = codes[i]
            if properties & LOOSE:
                strange = True
            if kind >= INVISIBLE:
                if code > c"\\" or code < c"&" or self.begins_markup(i):
                    strange = True
                self.settle(i)
            elif code == c".":
                if (found[i + 1] & KIND) == ENDER:
                    irregular[line] = True
            elif code == c"]":
                if codes[i + 1] == c"[" or codes[i + 1] == c":":
                    irregular[line] = True
            elif code == c"(" or code == c")":
                # A target with a parenthesis in it: the next one after its own is no closing one, be it on a later line.
                if code == c"(" and target[0] >= 0:
                    irregular[target[0]] = True
                target[0] = line if code == c"(" and i > 0 and codes[i - 1] == c"]" else -1
        if strange:
            odd[line] = irregular[line] = True

    cdef bint begins_markup(self, Py_ssize_t i) noexcept nogil:
        """Return whether a sign may begin an entity, a tag or an escape."""
        cdef Py_ssize_t j
        if self.codes[i + 1] == c" " or self.codes[i + 1] == c"\n":
            return False
        if self.codes[i] != c"&":
            return True
        for j in range(i, min(i + ENTITY, self.starts[self.masks.shape[0]])):
            if self.codes[j] == c";":
                return True
        return False


cdef void copy_codes(const String* string, Py_ssize_t start, Py_ssize_t stop, uint32_t* out) noexcept nogil:
    """Write the code points of a part of a string."""
    cdef Py_ssize_t i, count = stop - start
    cdef const uint8_t* bytes = <const uint8_t*>string.data + start
    cdef const uint16_t* pairs = <const uint16_t*>string.data + start
    if string.kind == 1:
        for i in range(count):
            out[i] = bytes[i]
    elif string.kind == 2:
        for i in range(count):
            out[i] = pairs[i]
    else:
        memcpy(out, <const uint32_t*>string.data + start, count * sizeof(uint32_t))


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
