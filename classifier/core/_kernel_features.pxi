# Twin of features.py and ngrams.py: columns, hashes and n-grams of scanned lines, line by line.

from classifier.core import features as describing, ngrams as hashing
from classifier.core.features import CEILING, KICKER, LINE_COLUMNS, LOG_SCALE, STEP, LineFeatures
from classifier.core.ngrams import HEAD, OPENING, TAIL, NGrams

# Each group in its order in features.py.
cdef enum:
    SIZE, WORDS, SENTENCES, COMMAS, COLONS, SLASHES, QUOTES, PARENS, BARS, DASHES, SYMBOLS, EMPHASIS, LINKS, IMAGES, LOGS
cdef enum:
    UPPERS, TITLED, DIGITS, ACCENTS, LINKED, HIDDEN, SHARES
cdef enum:
    SHORT, MEDIUM, LONG, EMPTY, SHOUTING, UNACCENTED, DATE, CLOCK, ENDS_SENTENCE, ENDS_QUOTE, ENDS_COLON, ENDS_CLOSE, ENDS_DIGIT
    ENDS_COMMA, ENDS_ELLIPSIS, STARTS_UPPER, STARTS_LOWER, STARTS_DIGIT, STARTS_QUOTE, STARTS_OPEN, STARTS_DASH, BULLET, HEADING, TABLE
    DOUBLED, NAME_LIKE, KICKERS, PROSE, FLAGS

_ORDER = """
    size words sentences commas colons slashes quotes parens bars dashes symbols emphasis links images
    upper titled digits accents linked hidden
    short medium long empty shouting unaccented date clock ends_sentence ends_quote ends_colon ends_close ends_digit ends_comma
    ends_ellipsis starts_upper starts_lower starts_digit starts_quote starts_open starts_dash bullet heading table doubled name_like
    kicker prose"""
_COLUMN_ORDER = (*describing.LOGS, *describing.SHARES, *sorted(describing.FLAGS, key=_ORDER.split().index))
if _COLUMN_ORDER != tuple(_ORDER.split()):
    raise ImportError("the kernel was built for other line columns; reinstall tinsach")

cdef enum:
    COLUMNS = 48
    CLASSES = 32
cdef const int64_t[::1] COLUMN_AT = np.array([describing.COLUMN[name] for name in _COLUMN_ORDER], np.int64)
cdef const int16_t[::1] LOG_OF = LOG_SCALE
cdef const uint32_t[::1] BARE_OF = BARE
cdef int64_t STEPS = STEP, MOST = CEILING, KICKER_REACH = KICKER
cdef Py_ssize_t HEAD_TOKENS = HEAD, EDGE_TOKENS = HEAD + TAIL + 1, OPENING_WORDS = OPENING
cdef uint64_t BASE = hashing._BASE, MIX = int(hashing._MIX), SECOND = int(hashing._SECOND)
if len(LINE_COLUMNS) != COLUMNS or LOGS + SHARES + FLAGS != COLUMNS:
    raise ImportError("the kernel was built for another number of line columns; reinstall tinsach")


cdef inline bint is_word(uint8_t kind) noexcept nogil:
    return LOWER <= kind <= DIGIT


cdef inline bint is_visible(uint8_t kind) noexcept nogil:
    return kind < SPACE or kind > MARKUP


cdef inline uint64_t scramble(uint64_t hash) noexcept nogil:
    hash = (hash ^ (hash >> 32)) * MIX
    return hash ^ (hash >> 32)


cdef struct Line:
    # One line: `size` code points, the last its newline.
    const uint32_t* chars
    const uint8_t* kinds
    const uint8_t* accents
    Py_ssize_t size


cdef enum:
    POWERS = 1024  # a longer span is hashed in pieces
cdef uint64_t[POWERS + 1] POWER_OF
for _power in range(POWERS + 1):
    POWER_OF[_power] = pow(hashing._BASE, _power, 1 << 64)


cdef uint64_t base_power(Py_ssize_t exponent) noexcept nogil:
    cdef uint64_t power = 1
    while exponent > POWERS:
        power *= POWER_OF[POWERS]
        exponent -= POWERS
    return power * POWER_OF[exponent]


cdef uint64_t span_hash(const uint32_t* chars, Py_ssize_t size) noexcept nogil:
    """Return the hash of all characters, before `scramble`. Tabulated powers wait for no multiplication."""
    cdef uint64_t power = 1, hash = 0, part
    cdef Py_ssize_t i, count
    while size > 0:
        count, part = min(size, POWERS), 0
        for i in range(count):
            part += (chars[i] + <uint64_t>1) * POWER_OF[i]
        hash += part * power
        power *= POWER_OF[POWERS]
        chars, size = chars + count, size - count
    return hash


cdef inline uint64_t token_hash(Line* line, Py_ssize_t at) noexcept nogil:
    """Return the hash of the token that starts at a place in a line: a word, or one other character."""
    cdef Py_ssize_t stop = at + 1
    if is_word(line.kinds[at]):
        while is_word(line.kinds[stop]):  # a newline closes the line
            stop += 1
    return scramble(span_hash(line.chars + at, stop - at))


cdef Py_ssize_t find_tokens(Line* line, Py_ssize_t offset, int64_t* tokens) noexcept nogil:
    """Write the start of each token of a line, counted from the start of the batch; return how many there are."""
    cdef Py_ssize_t i, count = 0
    cdef bint before = False, word
    cdef uint8_t kind
    for i in range(line.size):
        kind = line.kinds[i]
        word = is_word(kind)
        tokens[count] = offset + i
        count += (word and not before) | (kind >= COMMA) | (kind == NEWLINE)
        before = word
    return count


cdef Py_ssize_t write_grams(
    Line* line, Py_ssize_t offset, const int64_t* tokens, Py_ssize_t count, uint64_t end, uint64_t* bigrams, uint64_t* unigrams
) noexcept nogil:
    """Write the n-grams at both ends of a line; return how many of each order. A line begins behind the line end, of hash `end`."""
    cdef Py_ssize_t kept = min(count, EDGE_TOKENS), k, token
    cdef uint64_t first = end, second
    for k in range(kept):
        token = k if k < HEAD_TOKENS else k + count - kept
        if k == HEAD_TOKENS and count > kept:
            first = token_hash(line, tokens[token - 1] - offset)
        second = token_hash(line, tokens[token] - offset)
        bigrams[k] = scramble(first * SECOND + second)
        unigrams[k] = second
        first = second
    unigrams[kept - 1] = 0
    return kept


cdef bint write_hashes(Line* line, uint32_t* letters, uint64_t* whole, uint64_t* opening) noexcept nogil:
    """Write the hashes of a line's letters, and of its first words without accents; return whether its second half repeats the first.

    `letters` has room for the line.
    """
    cdef Py_ssize_t i = 0, size = 0, words = 0, until = -1, half
    cdef uint64_t first, second
    cdef const uint8_t* kinds = line.kinds
    cdef const uint32_t* chars = line.chars
    while i < line.size and until < 0:
        if is_word(kinds[i]):
            if i == 0 or not is_word(kinds[i - 1]):
                if words == OPENING_WORDS:
                    until = size
                words += 1
            letters[size] = chars[i]
            size += 1
        i += 1
    for i in range(i, line.size):
        letters[size] = chars[i]
        size += is_word(kinds[i])
    half = size // 2
    first = span_hash(letters, half)
    second = span_hash(letters + half, size - half)
    whole[0] = scramble(first + base_power(half) * second)
    if until < 0:
        until = size
    for i in range(until):
        letters[i] = BARE_OF[min(letters[i], TABLE_END - 1)]
    opening[0] = scramble(span_hash(letters, until))
    return size >= 16 and size % 2 == 0 and scramble(first) == scramble(second)


cdef void write_columns(Line* line, const int64_t* facts, Py_ssize_t stride, Py_ssize_t tokens, bint doubled, int16_t* columns, int64_t* visible) noexcept nogil:
    """Write the columns of a line; `facts` are its raw length, links, images and letters in links."""
    cdef uint32_t counted[4][CLASSES]  # in turn, since an addition waits for the one before it to the same place
    cdef int64_t counts[CLASSES]
    cdef int64_t logs[LOGS]
    cdef int64_t parts[SHARES]
    cdef int64_t wholes[SHARES]
    cdef int64_t flags[FLAGS]
    cdef int64_t capitals = 0, accents = 0, inner = 0, dates = 0, clocks = 0, size, letters, words, punctuation = 0
    cdef Py_ssize_t i, first = 0, last = line.size - 1, opening = 0, before_closing = line.size - 2, dash = -1
    cdef uint8_t kind, first_kind, last_kind, before = NEWLINE, following
    cdef const uint8_t* kinds = line.kinds
    memset(counted, 0, sizeof(counted))
    for i in range(line.size):
        accents += line.accents[i]
    for i in range(line.size):
        kind = kinds[i]
        counted[i & 3][kind & (CLASSES - 1)] += 1
        capitals += (kind == UPPER) & (not is_word(before))
        if kind >= ENDER:
            following = kinds[i + 1]
            if kind == ENDER:
                inner += following == SPACE and kinds[i + 2] != NEWLINE
            elif kind == SLASH:
                dates += before == DIGIT and following == DIGIT
            elif kind == COLON:
                clocks += before == DIGIT and following == DIGIT
            elif kind == DASH and dash < 0 and before != DASH and following == SPACE:
                dash = i
        before = kind
    for i in range(CLASSES):
        counts[i] = <int64_t>counted[0][i] + counted[1][i] + counted[2][i] + counted[3][i]
    while first < line.size and not is_visible(kinds[first]):
        first += 1
    while last >= 0 and not is_visible(kinds[last]):
        last -= 1
    while kinds[opening] == SPACE:  # a newline closes the line
        opening += 1
    while before_closing >= 0 and kinds[before_closing] == SPACE:
        before_closing -= 1
    for i in range(COMMA, SYMBOL + 1):
        punctuation += counts[i]
    letters = counts[LOWER] + counts[UPPER]
    size = line.size - counts[SPACE] - counts[MARKUP] - 1
    words = tokens - punctuation - 1
    visible[0] = size

    logs[SIZE], logs[WORDS], logs[SENTENCES] = size, words, inner
    logs[COMMAS], logs[COLONS], logs[SLASHES], logs[QUOTES] = counts[COMMA], counts[COLON], counts[SLASH], counts[QUOTE]
    logs[PARENS], logs[BARS], logs[DASHES], logs[SYMBOLS] = counts[OPEN], counts[BAR], counts[DASH], counts[SYMBOL]
    logs[EMPHASIS], logs[LINKS], logs[IMAGES] = max(counts[MARKUP] - 2 * facts[stride], 0), facts[stride], facts[2 * stride]
    parts[UPPERS], wholes[UPPERS] = counts[UPPER], letters
    parts[TITLED], wholes[TITLED] = capitals, words
    parts[DIGITS], wholes[DIGITS] = counts[DIGIT], size
    parts[ACCENTS], wholes[ACCENTS] = accents, letters
    parts[LINKED], wholes[LINKED] = facts[3 * stride], letters + counts[DIGIT]
    parts[HIDDEN], wholes[HIDDEN] = facts[0] - line.size, facts[0] - 1

    first_kind = kinds[first] if first < line.size else NEWLINE
    if last < 0:
        last = line.size - 1
    last_kind = kinds[last]
    flags[SHORT], flags[MEDIUM], flags[LONG] = size < 24, 24 <= size < 100, size >= 100
    flags[EMPTY] = letters + counts[DIGIT] == 0
    flags[SHOUTING] = counts[LOWER] == 0 and counts[UPPER] >= 4
    flags[UNACCENTED] = letters >= 12 and accents == 0
    flags[DATE], flags[CLOCK] = dates >= 2, clocks >= 1
    flags[ENDS_SENTENCE], flags[ENDS_QUOTE], flags[ENDS_COLON] = last_kind == ENDER, last_kind == QUOTE, last_kind == COLON
    flags[ENDS_CLOSE], flags[ENDS_DIGIT], flags[ENDS_COMMA] = last_kind == CLOSE, last_kind == DIGIT, last_kind == COMMA
    flags[ENDS_ELLIPSIS] = last_kind == ENDER and (line.chars[last] == 0x2026 or (last > 0 and kinds[last - 1] == ENDER))
    flags[STARTS_UPPER], flags[STARTS_LOWER], flags[STARTS_DIGIT] = first_kind == UPPER, first_kind == LOWER, first_kind == DIGIT
    flags[STARTS_QUOTE], flags[STARTS_OPEN] = first_kind == QUOTE, first_kind == OPEN
    flags[STARTS_DASH] = first_kind == DASH or first_kind == BAR
    flags[BULLET] = (
        opening + 1 < line.size
        and kinds[opening + 1] == SPACE
        and (line.chars[opening] == c"*" or line.chars[opening] == c"-" or line.chars[opening] == 0x2022)
    )
    flags[HEADING] = line.chars[opening] == c"#"
    flags[TABLE] = before_closing >= 0 and (line.chars[opening] == c"|" or line.chars[before_closing] == c"|")
    flags[DOUBLED] = doubled
    flags[NAME_LIKE] = counts[COMMA] + counts[ENDER] + counts[COLON] + counts[DIGIT] == 0 and 2 <= words <= 5 and capitals == words
    flags[KICKERS] = 1 < dash < KICKER_REACH and line.size > 2 * KICKER_REACH
    for i in range(SHARES):
        parts[i] = 2 * STEPS * parts[i] // max(wholes[i], 1)
    flags[PROSE] = not flags[EMPTY] and size >= 60 and (last_kind == ENDER or last_kind == QUOTE) and parts[LINKED] < STEPS

    for i in range(LOGS):
        columns[COLUMN_AT[i]] = LOG_OF[min(max(logs[i], 0), LOG_OF.shape[0] - 1)]
    for i in range(SHARES):
        columns[COLUMN_AT[LOGS + i]] = <int16_t>min(parts[i], MOST)
    for i in range(FLAGS):
        columns[COLUMN_AT[LOGS + SHARES + i]] = <int16_t>(flags[i] * STEPS)


def line_features(scanned):
    """Twin of `features.line_features`."""
    cdef const uint32_t[::1] chars = scanned.chars
    cdef const uint8_t[::1] kinds = scanned.classes, accents = scanned.accented.view(np.uint8)
    cdef const int64_t[::1] starts = scanned.starts
    cdef const int64_t[:, ::1] facts = np.array((scanned.raw_length, scanned.links, scanned.images, scanned.link_chars), np.int64)
    cdef Py_ssize_t n = starts.shape[0] - 1, m = chars.shape[0], i, longest = 0, most = 0
    if facts.shape[1] != n or kinds.shape[0] != m or accents.shape[0] != m or starts[0] != 0 or starts[n] != m:
        raise ValueError("the arrays of a scan do not fit together")
    for i in range(n):
        if starts[i + 1] <= starts[i] or kinds[starts[i + 1] - 1] != NEWLINE:
            raise ValueError("a line of a scan is not closed by a line end")
        longest = max(longest, starts[i + 1] - starts[i])
        most += min(starts[i + 1] - starts[i], EDGE_TOKENS)
    table, hashes, sizes = np.empty((n, COLUMNS), np.int16), np.empty((2, n), np.uint64), np.empty(n, np.int64)
    bigrams, unigrams = np.empty((2, most), np.uint64)
    begins, lengths = np.empty((2, n), np.int64)
    tokens, letters = np.empty(m, np.int64), np.empty(longest, np.uint32)
    cdef int16_t[:, ::1] table_view = table
    cdef uint64_t[:, ::1] hashes_view = hashes
    cdef int64_t[::1] sizes_view = sizes, begins_view = begins, lengths_view = lengths, tokens_view = tokens
    cdef uint64_t[::1] bigrams_view = bigrams, unigrams_view = unigrams
    cdef uint32_t[::1] letters_view = letters
    cdef Py_ssize_t grams = 0, count = 0
    cdef uint64_t end = scramble(c"\n" + 1)
    cdef Line line
    cdef bint doubled
    with nogil:
        for i in range(n):
            line = Line(&chars[starts[i]], &kinds[starts[i]], &accents[starts[i]], starts[i + 1] - starts[i])
            lengths_view[i] = find_tokens(&line, starts[i], &tokens_view[count])
            begins_view[i] = grams
            grams += write_grams(
                &line, starts[i], &tokens_view[count], lengths_view[i], end, &bigrams_view[grams], &unigrams_view[grams]
            )
            doubled = write_hashes(
                &line, &letters_view[0], &hashes_view[0, i], &hashes_view[1, i]
            )
            write_columns(&line, &facts[0, i], n, lengths_view[i], doubled, &table_view[i, 0], &sizes_view[i])
            count += lengths_view[i]
    grams_found = NGrams(bigrams[:grams], unigrams[:grams], begins, tokens[:count], lengths)
    return LineFeatures(table.T, hashes, sizes, grams_found)
