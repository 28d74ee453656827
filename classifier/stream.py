"""Lines pushed in as they come, labelled lines out as soon as they are decided.

A `Stream` holds what one page needs: the undecided lines, and a `Pipeline`. What it leaves out: how results are kept or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, pairwise
from itertools import count as count_from

from classifier.core.pipeline import LOOKAHEAD, Decided, Pipeline
from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import AtBlankLines, LineSplitter, between_pages, split_pages
from classifier.results import LabelledLine

__all__ = ["Stream", "label_blocks"]


class Stream:
    """Labels lines that arrive in chunks, cut anywhere.

    >>> import classifier
    >>> stream = classifier.load().stream()
    >>> early = stream.feed("Trang chủ\\nLàng gốm bên sông ")
    >>> late = stream.feed("đỏ lửa trở lại\\n") + stream.end_page()
    >>> [line.text for line in early + late]
    ['Trang chủ', 'Làng gốm bên sông đỏ lửa trở lại']
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Start before the first line of a page; use `Cleaner.stream`."""
        self._pipeline = pipeline
        self._splitter = LineSplitter()
        self._fresh: list[str] = []  # read, but not handed to the pipeline yet
        self._texts: list[str] = []  # handed to the pipeline, and not returned yet
        self._number = 0

    @property
    def wanted(self) -> int:
        """How many further lines can be taken before one has to be returned."""
        return LOOKAHEAD + 1 - len(self._texts) - len(self._fresh)

    def feed(self, chunk: str | bytes) -> list[LabelledLine]:
        """Take text or UTF-8 bytes, cut anywhere; return the lines that are decided now.

        Raises:
            InputError: the chunk is neither text nor bytes.
        """
        if not isinstance(chunk, (str, bytes)):
            raise InputError(f"feed takes str or bytes, not {type(chunk).__name__}")
        return self._take(self._splitter.feed(chunk))

    def feed_lines(self, lines: Sequence[str]) -> list[LabelledLine]:
        """Take whole lines; return the lines that are decided now.

        Raises:
            InputError: one of them is not a string; none is taken then.
        """
        _require_lines(lines)
        return self._take(lines)

    def _take(self, lines: Sequence[str]) -> list[LabelledLine]:
        self._fresh += lines
        if self.wanted > 0:  # nothing is due: wait, since a block costs about the same for 1 line as for 16
            return []
        fresh, self._fresh = self._fresh, []
        done = self._pipeline.advance(fresh)
        texts, count = self._texts + fresh, len(done.codes)
        self._texts = texts[count:]
        self._number += count
        return _labelled(done, texts, count_from(self._number - count + 1))

    def end_page(self, lines: Sequence[str] = ()) -> list[LabelledLine]:
        """Close the page, after some last whole lines if any are given; return all lines still undecided.

        The next line is number 1 of a new page.

        Raises:
            InputError: one of the lines is not a string; the page stays open then.
        """
        return self.close_pages([lines])[0]

    def close_pages(self, pages: Sequence[Sequence[str]]) -> list[list[LabelledLine]]:
        """Close the open page after some last whole lines, then label whole pages; return the lines of each.

        For many small pages: closing a page takes the same time, under a millisecond, for one page or for fifty.

        Raises:
            InputError: one of the lines is not a string; nothing is taken then.
        """
        for page in pages:
            _require_lines(page)
        if not pages:
            return []
        fresh = [*self._fresh, *self._splitter.flush(), *chain.from_iterable(pages)]
        ends = [*accumulate(map(len, pages), initial=len(fresh) - sum(map(len, pages)))][1:]
        done = self._pipeline.advance(fresh, ends)
        waiting = len(self._texts)
        bounds = [0, *(waiting + end for end in ends)]
        numbers = chain(
            range(self._number + 1, self._number + 1 + bounds[1]), *(range(1, 1 + stop - start) for start, stop in pairwise(bounds[1:]))
        )
        every = _labelled(done, self._texts + fresh, numbers)
        self._fresh, self._texts, self._number = [], [], 0
        return [every[start:stop] for start, stop in pairwise(bounds)]

    def flush(self) -> list[LabelledLine]:
        """Close the last page; the same as `end_page()`."""
        return self.end_page()


def _labelled(done: Decided, texts: list[str], numbers: Iterable[int]) -> list[LabelledLine]:
    """Return decided lines with their texts, which may be more, and numbers."""
    labels, guesses = map(_NAMES.__getitem__, done.codes.tolist()), map(_NAMES.__getitem__, done.guesses.tolist())
    columns = zip(done.probabilities.tolist(), done.kept.tolist(), guesses, labels, texts, numbers)
    return [_AS_LINE((number, text, label, p, kept, guess)) for p, kept, guess, label, text, number in columns]


_NAMES: tuple[Label | None, ...] = (*LABELS, None)  # by code; a blank line's is -1, the last
_AS_LINE = partial(tuple.__new__, LabelledLine)  # what LabelledLine._make does, without a Python call for each line


def _require_lines(lines: Sequence[str]) -> None:
    if {str}.issuperset(map(type, lines)):
        return
    for line in lines:  # a subclass of str will do
        if not isinstance(line, str):
            raise InputError(f"a line must be a str, not {type(line).__name__}; decode bytes first, or feed them to stream()")


def label_blocks(
    stream: Stream, blocks: Iterable[list[str]], separator: str, blank_lines: int = 0
) -> Iterator[list[list[LabelledLine] | str]]:
    """Yield, for each block of lines, the lines decided, and what separates pages as a string between them.

    So many `blank_lines` in a row separate pages instead of the separator, if they are not 0.
    """
    at_blanks = AtBlankLines(blank_lines)
    for lines in blocks:
        *closed, still_open = at_blanks.cut(lines) if blank_lines else split_pages(lines, separator)
        found: list[list[LabelledLine] | str] = []
        for page in stream.close_pages(closed):
            found += (page, between_pages(separator))
        yield [*found, stream.feed_lines(still_open)]
    yield [stream.end_page()]
