"""Push-style labelling: feed chunks or lines as they arrive, get each labelled line as soon as it is decided.

A `Stream` holds a `Pipeline` and the undecided lines of the current page.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from itertools import count as count_from
from typing import SupportsIndex

import numpy as np

from classifier.core.pipeline import LOOKAHEAD, Decided, Pipeline
from classifier.errors import InputError
from classifier.io.inspection import Inspector
from classifier.io.notices import NOTHING_KEPT, Notice, counted, notice, warn_of
from classifier.lines import AtBlankLines, LineBlock, LineSplitter, between_pages, cut_pages, not_text
from classifier.results import LabelledLine, counts_by_page, labelled_lines

__all__ = ["Stream", "label_blocks"]


class Stream:
    """Incremental labeller for lines that arrive in arbitrary chunks.

    >>> import tinsach
    >>> stream = tinsach.load().stream()
    >>> early = stream.feed("Trang chủ\\nLàng gốm bên sông ")
    >>> late = stream.feed("đỏ lửa trở lại\\n") + stream.end_page()
    >>> [line.text for line in early + late]
    ['Trang chủ', 'Làng gốm bên sông đỏ lửa trở lại']
    """

    def __init__(self, pipeline: Pipeline, lookahead: SupportsIndex | None = None) -> None:
        """Start before the first line of a page; use `Cleaner.stream`.

        Raises:
            InputError: `lookahead` is less than the model needs, or not a whole number.
        """
        self.lookahead = _checked_lookahead(lookahead)
        """Upper bound of the further lines that are read before a line is returned."""
        self._pipeline = pipeline
        self._splitter = LineSplitter()
        self._queued: list[str] = []  # received, not yet passed to the pipeline
        self._undecided: list[str] = []  # passed to the pipeline, not yet decided
        self._starts: list[int] = []  # offsets of the undecided and the queued lines, in the coordinates of what gave them
        self._origin: int | None = None  # offset of the open page's first line there; None before it
        self._number = 0
        self._inspector = Inspector()
        self._texts = self._kept = 0  # decided lines of the open page: those that are not blank, and those kept
        self.notices: list[tuple[Notice, ...]] = []
        """Notices about the pages that the last call closed, in order: why their labels are doubtful, mostly ()."""

    @property
    def wanted(self) -> int:
        """Number of further lines that fit into the look-ahead before a line is returned."""
        return self.lookahead + 1 - len(self._undecided) - len(self._queued)

    def feed(self, chunk: str | bytes) -> list[LabelledLine]:
        """Process text or UTF-8 bytes, cut anywhere; return the newly decided lines.

        A form feed is white space of its line; `end_page` ends a page, and `split_pages` cuts a text at form feeds.

        Raises:
            InputError: the chunk is neither text nor bytes.
        """
        if not isinstance(chunk, (str, bytes)):
            raise InputError(f"feed takes str or bytes, not {type(chunk).__name__}")
        lines = self._splitter.feed(chunk)
        return self._push(lines, self._splitter.starts)

    def feed_lines(self, lines: Sequence[str]) -> list[LabelledLine]:
        """Process whole lines; return the newly decided lines.

        Raises:
            InputError: one of the lines is not a string; none is processed then.
        """
        _require_lines(lines, self._number + len(self._undecided) + len(self._queued))
        return self._push(lines, self._splitter.insert(lines))

    def feed_block(self, block: LineBlock) -> list[LabelledLine]:
        """Process whole lines whose offsets in their text are known; a stream gets all its lines in this way, or none."""
        return self._push(*block)

    def _push(self, lines: Sequence[str], starts: Sequence[int]) -> list[LabelledLine]:
        self._queued += lines
        self._add_starts(starts)
        self._inspector.add_lines(lines)
        if self.wanted > 0:  # no line is due: wait, since a block of 1 line costs about as much as one of 16
            return []
        queued, self._queued = self._queued, []
        done = self._pipeline.advance(queued)
        self._texts += int(np.count_nonzero(done.codes >= 0))
        self._kept += int(np.count_nonzero(done.kept))
        texts, count = self._undecided + queued, len(done.codes)
        self._undecided = texts[count:]
        self._number += count
        starts, self._starts = self._starts[:count], self._starts[count:]
        return _labelled(done, texts, count_from(self._number - count + 1), starts)

    def _add_starts(self, starts: Sequence[int]) -> None:
        """Add the offsets of lines of the open page, as offsets in the page."""
        if starts:
            origin = self._origin = starts[0] if self._origin is None else self._origin
            self._starts += [start - origin for start in starts] if origin else starts

    def end_page(self, lines: Sequence[str] = ()) -> list[LabelledLine]:
        """Close the page, optionally after some last whole lines; return all lines still undecided.

        The next line is number 1 of a new page.

        Warns:
            InputWarning: the page is not plain lines of Vietnamese text, or nothing of it is kept; see `notices`.

        Raises:
            InputError: one of the lines is not a string; the page stays open then.
        """
        return self.close_pages([lines])[0]

    def close_pages(self, pages: Sequence[Sequence[str]]) -> list[list[LabelledLine]]:
        """Append `pages[0]` to the open page and close it, label the others as whole pages, and return the lines of each.

        Meant for many small pages: the call takes under a millisecond, for one page or for fifty.

        Raises:
            InputError: one of the lines is not a string; nothing is processed then.
        """
        for number, page in enumerate(pages):
            _require_lines(page, 0 if number else self._number + len(self._undecided) + len(self._queued))
        rest = LineBlock(self._splitter.flush(), self._splitter.starts) if pages else LineBlock([], [])
        return self._close(rest, [LineBlock(list(page), self._splitter.insert(page)) for page in pages])

    def close_blocks(self, pages: Sequence[LineBlock]) -> list[list[LabelledLine]]:
        """Close pages as `close_pages` does; see `feed_block`."""
        return self._close(LineBlock([], []), pages)

    def _close(self, rest: LineBlock, pages: Sequence[LineBlock]) -> list[list[LabelledLine]]:
        self.notices = []
        if not pages:
            return []
        sizes = [len(page.lines) for page in pages]
        queued = [*self._queued, *rest.lines, *chain.from_iterable(page.lines for page in pages)]
        ends = [*accumulate(sizes, initial=len(queued) - sum(sizes))][1:]
        done = self._pipeline.advance(queued, ends)
        waiting = len(self._undecided)
        bounds = [0, *(waiting + end for end in ends)]
        numbers = chain(
            range(self._number + 1, self._number + 1 + bounds[1]), *(range(1, 1 + stop - start) for start, stop in pairwise(bounds[1:]))
        )
        for starts in (rest.starts, pages[0].starts):
            self._add_starts(starts)
        later = [[start - page.starts[0] for start in page.starts] for page in pages[1:]]
        labelled = _labelled(done, self._undecided + queued, numbers, chain(self._starts, *later))
        self._queued, self._undecided, self._starts, self._origin, self._number = [], [], [], None, 0
        self.notices = self._notices([[*rest.lines, *pages[0].lines], *(page.lines for page in pages[1:])], done, bounds)
        self._texts = self._kept = 0
        warn_of(counted(self.notices))
        return [labelled[start:stop] for start, stop in pairwise(bounds)]

    def _notices(self, pages: list[Sequence[str]], done: Decided, bounds: list[int]) -> list[tuple[Notice, ...]]:
        """Return the notices of each page, of which the first is the rest of the open one."""
        texts, kept = (counts_by_page(flags, bounds).tolist() for flags in (done.codes >= 0, done.kept))
        texts[0], kept[0] = texts[0] + self._texts, kept[0] + self._kept
        found = []
        for lines, has_text, keeps in zip(pages, texts, kept):
            self._inspector.add_lines(lines)
            found.append((*self._inspector.end_page(), *((notice(NOTHING_KEPT),) if has_text and not keeps else ())))
        return found

    def flush(self) -> list[LabelledLine]:
        """Close the last page; the same as `end_page()`."""
        return self.end_page()


def _labelled(done: Decided, texts: list[str], numbers: Iterable[int], starts: Iterable[int]) -> list[LabelledLine]:
    """Return decided lines with their numbers, texts and offsets, of which there may be more than decided lines."""
    return labelled_lines(numbers, texts, starts, done.codes, done.probabilities, done.kept, done.guesses)


def _require_lines(lines: Sequence[str], before: int) -> None:
    """Raise an error if `lines` is one string, or else names the first that is none; `before` lines of the page came earlier."""
    if isinstance(lines, str):
        raise InputError("a string is one text, not lines; give split_lines(text), or pass the text to feed")
    if not {str}.issuperset(map(type, lines)):
        for number, line in enumerate(lines, before + 1):  # subclasses of str are fine
            if not isinstance(line, str):
                raise not_text(line, f"line {number} (counted from 1)")


def _checked_lookahead(lookahead: SupportsIndex | None) -> int:
    try:
        lines = LOOKAHEAD if lookahead is None else operator.index(lookahead)
    except TypeError:
        raise InputError(f"lookahead={lookahead!r} is not a number of lines; give {LOOKAHEAD} or more, or None") from None
    if lines < LOOKAHEAD:
        raise InputError(f"lookahead={lines} is too short: the model needs {LOOKAHEAD} lines; give {LOOKAHEAD} or more, or None")
    return lines


def label_blocks(
    stream: Stream, blocks: Iterable[LineBlock], separator: str, blank_lines: int = 0
) -> Iterator[list[list[LabelledLine] | str]]:
    """Yield, for each block of lines, the newly decided lines, with the page separator as a string between pages.

    If `blank_lines` is not 0, that many blank lines in a row separate pages instead of `separator`.
    """
    at_blanks = AtBlankLines(blank_lines)
    for block in blocks:
        *closed, still_open = at_blanks.cut(block) if blank_lines else cut_pages(block, separator)
        decided: list[list[LabelledLine] | str] = []
        for page in stream.close_blocks(closed):
            decided += (page, between_pages(separator))
        yield [*decided, stream.feed_block(still_open)]
    yield [stream.end_page()]
