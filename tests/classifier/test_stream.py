"""A longer look-ahead: the same results for any length and chunking, each line returned in time, in larger blocks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import classifier
from classifier.core.pipeline import LOOKAHEAD
from classifier.lines import split_lines
from tests.fuzz.contract import CountingLines

LOOKAHEADS = st.integers(LOOKAHEAD, 400) | st.sampled_from([LOOKAHEAD, 304, 5000])


@settings(max_examples=50)
@given(st.data(), LOOKAHEADS)
def test_any_lookahead_and_chunking_give_the_same_lines_in_time(cleaner, composed_pages, data, lookahead):
    pages = data.draw(st.lists(st.sampled_from(composed_pages), min_size=1, max_size=3))
    stream = cleaner.stream(lookahead=lookahead)
    for page in pages:
        lines, found, fed = split_lines(page), [], 0
        while fed < len(lines):
            size = data.draw(st.integers(1, 30) | st.sampled_from([1, 1000]))
            chunk = lines[fed : fed + size]
            fed += len(chunk)
            found += stream.feed_lines(chunk) if data.draw(st.booleans()) else stream.feed("".join(line + "\n" for line in chunk))
            assert fed - len(found) <= lookahead
        assert found + stream.end_page() == list(cleaner.label_lines(lines))


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["", " ", "Trang chủ", "Đọc nhiều", "Sáng nay, mưa đã tạnh trên bến sông cũ."]), max_size=700), LOOKAHEADS)
def test_lazy_lines_are_read_in_time(cleaner, lines, lookahead):
    source, found = CountingLines(lines), []
    for line in cleaner.label_lines(source, lookahead=lookahead):
        assert source.read - line.number <= lookahead
        found.append(line)
    assert found == list(cleaner.label_lines(lines)) == list(cleaner.label_lines(lines, lookahead=lookahead))
    assert list(cleaner.clean_lines(iter(lines), lookahead=lookahead)) == [line.text for line in found if line.kept]


def test_a_longer_lookahead_means_fewer_and_larger_blocks(cleaner, composed_pages):
    lines = [line for page in composed_pages[:8] for line in split_lines(page)][:1500]

    def blocks(lookahead: int | None) -> int:
        stream = cleaner.stream(lookahead=lookahead)
        return sum(bool(stream.feed_lines([line])) for line in lines)

    assert blocks(None) == blocks(LOOKAHEAD)
    assert blocks(304) < blocks(None) / 6


def test_the_default_stays_and_a_stream_knows_its_own(cleaner):
    assert (cleaner.lookahead, cleaner.stream().lookahead, cleaner.stream(lookahead=304).lookahead) == (48, 48, 304)
    with pytest.raises(classifier.InputError, match="give 48 or more, or None"):
        cleaner.stream(lookahead=LOOKAHEAD - 1)
