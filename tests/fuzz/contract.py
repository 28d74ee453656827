"""Contract of the public calls, as checks that hold for any pages. A violation raises AssertionError.

`all_calls_agree` takes `label_pages` as the reference, checks its result by itself, and then compares every other call with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from random import Random

import classifier
from classifier.cleaner import Cleaner
from classifier.core import pipeline
from classifier.core.pipeline import BLANK_REACH
from classifier.lines import LineSplitter, is_blank, split_lines
from classifier.results import LabelledLine
from tests.fuzz.strategies import bytes_of, cut

__all__ = [
    "all_calls_agree", "any_lines_come_back", "block_lines", "bytes_are_lines", "memory_is_the_same_in_a_stream", "splitter_cuts_as_told",
]  # fmt: skip

NAMES = [*classifier.LABELS, None]
LINE_END = re.compile("\r\n|\r|\n")


def reference_lines(text: str) -> list[str]:
    """Return the lines of a text, as the contract defines them, by a plain and slow method."""
    lines = LINE_END.split(text)
    return lines[:-1] if not lines[-1] else lines


class CountingLines:
    """An iterator that counts the lines read from it."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = next(self._lines)
        self.read += 1
        return text


@contextmanager
def block_lines(count: int) -> Iterator[None]:
    """Set the block size of the pipeline; results must not depend on it."""
    before = pipeline.BLOCK_LINES, pipeline.BLOCK_CHARS
    pipeline.BLOCK_LINES, pipeline.BLOCK_CHARS = count, 60 * count
    try:
        yield
    finally:
        pipeline.BLOCK_LINES, pipeline.BLOCK_CHARS = before


# -- one page's result --------------------------------------------------------------------------------------------------------


def labelled(cleaner: Cleaner, pages: Sequence[str]) -> list[list[LabelledLine]]:
    """Return the result of `label_pages` as labelled lines of each page."""
    columns = cleaner.label_pages(pages)
    assert columns.offsets[0] == 0
    assert columns.offsets[-1] == len(columns.lines) == len(columns.codes) == len(columns.kept)
    assert all(0 <= p <= 1 + 1e-9 for p in columns.keep_probabilities.tolist())
    arrays = (columns.codes, columns.probabilities, columns.kept, columns.first_guesses, columns.starts, columns.ends)
    rows = zip(columns.lines, *(array.tolist() for array in arrays))
    lines = [LabelledLine(0, text, NAMES[code], p, kept, NAMES[guess], *ends) for text, code, p, kept, guess, *ends in rows]
    bounds = columns.offsets.tolist()
    return [[found._replace(number=n) for n, found in enumerate(lines[a:b], 1)] for a, b in pairwise(bounds)]


def sound(cleaner: Cleaner, text: str, lines: Sequence[LabelledLine]) -> None:
    """Check one page's result by itself."""
    assert [line.text for line in lines] == [text[line.start : line.end] for line in lines] == reference_lines(text)
    for line in lines:
        assert (line.label is None) == is_blank(line.text) == (line.first_guess is None)
        if line.label is None:
            assert line.probability == 0.0
        else:
            assert math.isfinite(line.probability)
            assert 1 / len(classifier.LABELS) - 1e-9 <= line.probability <= 1
            assert line.kept == (line.label in cleaner.keep)
    _blanks_between(lines)


def _blanks_between(lines: Sequence[LabelledLine]) -> None:
    """Check that a blank line is kept only between kept lines, the next at most BLANK_REACH lines away, and only if it holds no markup."""
    before, following = False, [(0, False)] * len(lines)
    after = (len(lines) + BLANK_REACH + 1, False)
    for at in range(len(lines) - 1, -1, -1):
        following[at] = after
        if lines[at].label is not None:
            after = (at, lines[at].kept)
    for at, line in enumerate(lines):
        if line.label is None:
            between = before and following[at][1] and following[at][0] - at <= BLANK_REACH
            assert line.kept == (between and "<" not in line.text and "&" not in line.text)
        else:
            before = line.kept


LOOKAHEADS = (None, None, 48, 51, 304, 10_000)  # results must not depend on it


# -- the calls ----------------------------------------------------------------------------------------------------------------


def from_list(cleaner: Cleaner, text: str, random: Random) -> list[LabelledLine]:
    """Label a list of lines."""
    return list(cleaner.label_lines(split_lines(text)))


def from_iterator(cleaner: Cleaner, text: str, random: Random) -> list[LabelledLine]:
    """Label an iterator's lines, and check the look-ahead."""
    source, found, lookahead = CountingLines(split_lines(text)), [], random.choice(LOOKAHEADS)
    for line in cleaner.label_lines(source, lookahead=lookahead):
        assert source.read - line.number <= (lookahead or cleaner.lookahead)
        found.append(line)
    return found


def from_chunks(cleaner: Cleaner, text: str, random: Random) -> list[LabelledLine]:
    """Push a page in chunks of text."""
    return _pushed(cleaner, cut(random, text), random.choice(LOOKAHEADS))


def from_bytes(cleaner: Cleaner, text: str, random: Random) -> list[LabelledLine]:
    """Push a page in chunks of UTF-8, or of text if it has lone surrogates."""
    try:
        return _pushed(cleaner, cut(random, text.encode()))
    except UnicodeEncodeError:
        return from_chunks(cleaner, text, random)


def line_by_line(cleaner: Cleaner, text: str, random: Random) -> list[LabelledLine]:
    """Push one line at a time, and check the look-ahead."""
    stream, found = cleaner.stream(lookahead=random.choice(LOOKAHEADS)), []
    for read, line in enumerate(split_lines(text), 1):
        found += stream.feed_lines([line])
        assert read - len(found) <= stream.lookahead
    return found + stream.end_page()


def _pushed(cleaner: Cleaner, chunks: Sequence[str] | Sequence[bytes], lookahead: int | None = None) -> list[LabelledLine]:
    stream = cleaner.stream(lookahead=lookahead)
    found = [line for chunk in chunks for line in stream.feed(chunk)] + stream.end_page()
    assert stream.flush() == []
    return found


CALLS: list[Callable[[Cleaner, str, Random], list[LabelledLine]]] = [from_list, from_iterator, from_chunks, from_bytes, line_by_line]
OF_LINES = (from_list, from_iterator, line_by_line)  # calls that do not see the line ends, so each counts as one character


def of_lines(lines: Sequence[LabelledLine]) -> list[LabelledLine]:
    """Return labelled lines with the offsets that they have if each line ends with one character."""
    starts = accumulate((len(line.text) + 1 for line in lines), initial=0)
    return [line._replace(start=start, end=start + len(line.text)) for line, start in zip(lines, starts)]


def all_calls_agree(cleaner: Cleaner, pages: Sequence[str], random: Random, calls: int = len(CALLS)) -> int:
    """Check the whole contract on some pages, each by `calls` random calls; return the number of checks."""
    want = labelled(cleaner, pages)
    for text, lines in zip(pages, want):
        sound(cleaner, text, lines)
        for call in random.sample(CALLS, calls):
            assert call(cleaner, text, random) == (of_lines(lines) if call in OF_LINES else lines), call.__name__
    kept = ["\n".join(line.text for line in lines if line.kept) for lines in want]
    assert list(cleaner.clean_pages(iter(pages))) == kept
    number = random.randrange(len(pages))
    assert cleaner.clean_text(pages[number]) == kept[number]
    order = list(range(len(pages)))
    random.shuffle(order)
    with block_lines(random.choice((1, 2, 7, 50, 4096))):
        assert labelled(cleaner, [pages[i] for i in order]) == [want[i] for i in order]
    _one_stream(cleaner, pages, want, random)
    return len(pages) * (calls + 4) + 1


def _one_stream(cleaner: Cleaner, pages: Sequence[str], want: Sequence[list[LabelledLine]], random: Random) -> None:
    """Check that a stream carries no state from one page to the next."""
    stream = cleaner.stream()
    for text, lines in zip(pages, want):
        found = [line for chunk in cut(random, text) for line in stream.feed(chunk)]
        assert found + stream.end_page() == lines


def memory_is_the_same_in_a_stream(cleaner: Cleaner, pages: Sequence[str]) -> None:
    """Check that pages that are read and counted by a memory of their site get the same labels at once and in a stream."""
    want = labelled(cleaner.remembering(classifier.SiteMemory(2)), [*pages, *pages])
    stream = cleaner.remembering(classifier.SiteMemory(2)).stream()
    assert [stream.feed(text) + stream.end_page() for text in (*pages, *pages)] == want


def any_lines_come_back(cleaner: Cleaner, lines: list[str]) -> None:
    """Check that lines come back unchanged even if a caller puts line ends into them, from a list and from an iterator."""
    found = list(cleaner.label_lines(lines))
    assert [line.text for line in found] == lines
    assert list(cleaner.label_lines(iter(lines))) == found


def bytes_are_lines(cleaner: Cleaner, data: bytes, random: Random) -> None:
    """Check that any bytes are labelled as their decoded text is."""
    text = data.decode("utf-8", "replace")
    found = _pushed(cleaner, cut(random, data))
    assert of_lines(found) == list(cleaner.label_lines(reference_lines(text)))
    assert [text[line.start : line.end] for line in found] == [line.text for line in found]


def splitter_cuts_as_told(text: str, random: Random) -> None:
    """Check the line splitter against the reference, for text, bytes, and both mixed."""
    want = reference_lines(text)
    splitter = LineSplitter()
    found = [line for chunk in cut(random, text) for line in splitter.feed(chunk)] + splitter.flush()
    assert found == want == split_lines(text)
    data = bytes_of(random, text)
    mixed = [chunk if random.random() < 0.5 else chunk.decode("utf-8", "replace") for chunk in cut(random, data)]
    found = [line for chunk in mixed for line in splitter.feed(chunk)] + splitter.flush()
    assert found == reference_lines(_decoded(mixed))


def _decoded(chunks: Sequence[str | bytes]) -> str:
    """Decode runs of byte chunks together; a text chunk ends a run, even inside a character."""
    text, pending = "", b""
    for chunk in [*chunks, ""]:
        if isinstance(chunk, bytes):
            pending += chunk
        else:
            text, pending = text + pending.decode("utf-8", "replace") + chunk, b""
    return text
