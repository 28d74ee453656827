# Code points of lines and what they are, for the twin of scan.py.

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


# What the characters of a line have, as bits of a mask: 1 << kind for each class, and:
cdef enum:
    PROPERTY_SHIFT = 18  # from the bits of properties to those of a mask
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
        cdef Py_ssize_t line, at = 0, begin, stop
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
