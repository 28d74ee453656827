"""Contract of the public API: one result per line, in order, whichever call receives the text."""

from __future__ import annotations

import io
import shutil
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifier
from classifier.cleaner import Cleaner
from classifier.core.model import Model
from classifier.core.model_file import default_path
from classifier.core.pipeline import BLANK_REACH, BLOCK_LINES, LOOKAHEAD, _block_bounds
from classifier.lines import split_lines
from classifier.parallel import BATCHES_AHEAD
from classifier.results import LabelledLine
from tests.fuzz.contract import CountingLines
from tests.support import tiny_model

PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên vào chiếc lò bầu mà cha ông đắp từ năm 1958."


def push(cleaner: Cleaner, chunks: list[str] | list[bytes]) -> list[LabelledLine]:
    stream = cleaner.stream()
    return [line for chunk in chunks for line in stream.feed(chunk)] + stream.end_page()


def test_one_result_for_each_line_in_order_text_untouched(cleaner, composed_pages):
    for page in composed_pages:
        lines = page.split("\n")
        found = list(cleaner.label_lines(lines))
        assert [line.text for line in found] == lines
        assert [line.number for line in found] == list(range(1, len(lines) + 1))


def test_blank_lines_have_no_label_and_others_have_one(cleaner, composed_pages):
    for line in cleaner.label_lines(composed_pages[0].split("\n")):
        assert (line.label is None) == (not line.text.strip())
        assert line.label is None or (line.first_guess is not None and 1 / 12 <= line.probability <= 1)


def test_all_calls_agree(cleaner, composed_pages):
    one_by_one = [list(cleaner.label_lines(split_lines(page))) for page in composed_pages]
    lazily = [list(cleaner.label_lines(iter(split_lines(page)))) for page in composed_pages]
    pushed = [push(cleaner, [page]) for page in composed_pages]
    assert lazily == one_by_one
    assert pushed == one_by_one
    kept = ["\n".join(line.text for line in page if line.kept) for page in one_by_one]
    assert [cleaner.clean_text(page) for page in composed_pages] == kept
    assert list(cleaner.clean_pages(composed_pages)) == kept
    assert ["\n".join(cleaner.clean_lines(split_lines(page))) for page in composed_pages] == kept


def test_columns_agree_with_lines(cleaner, composed_pages):
    columns = cleaner.label_pages(composed_pages)
    lines = [line for page in composed_pages for line in cleaner.label_lines(split_lines(page))]
    names = [*classifier.LABELS, None]
    assert [names[code] for code in columns.codes] == [line.label for line in lines]
    assert columns.probabilities.tolist() == [line.probability for line in lines]
    assert columns.kept.tolist() == [line.kept for line in lines]
    assert [names[code] for code in columns.first_guesses] == [line.first_guess for line in lines]
    assert columns.lines == [line.text for line in lines]
    assert len(columns.offsets) == len(composed_pages) + 1


@pytest.mark.usefixtures("started_workers")
def test_processes_give_the_same_pages_in_order(cleaner, composed_pages):
    many = composed_pages * 4
    assert list(cleaner.clean_pages(many, jobs=2)) == list(cleaner.clean_pages(many))


@pytest.mark.usefixtures("started_workers")
def test_processes_use_the_model_of_the_cleaner(composed_pages, tmp_path):
    for suffix in (".npz", ".json"):
        shutil.copy(default_path().with_suffix(suffix), tmp_path)
    own = Cleaner(Model.load(tmp_path))
    assert own.model.path == (tmp_path / default_path().name).resolve()
    assert list(own.clean_pages(composed_pages[:3], jobs=2)) == list(own.clean_pages(composed_pages[:3]))
    own.model.path = None
    with pytest.raises(classifier.InputError, match="jobs=1"):
        own.clean_pages(composed_pages[:3], jobs=2)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("started_workers")
def test_a_slow_consumer_stops_the_producer(cleaner, jobs):
    taken = 0
    page = "\n".join([PROSE] * (BLOCK_LINES // 4))  # four pages per batch

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield page

    cleaned = cleaner.clean_pages(endless(), jobs=jobs)
    for _ in range(9):
        next(cleaned)
    time.sleep(0.5)  # unthrottled workers would consume hundreds of pages meanwhile
    assert taken <= 9 + 4 * (BATCHES_AHEAD * jobs + 2)
    cleaned.close()


def test_long_lines_make_small_blocks_and_the_same_results(cleaner, composed_pages):
    lines = split_lines(composed_pages[0])
    long = [PROSE * 120 + str(number) for number in range(40)]
    assert len(_block_bounds(long)) > 2
    assert max(end - start for start, end in pairwise(_block_bounds(["a"] * 10_000))) <= BLOCK_LINES
    page = [*lines, *long, *lines]
    one_by_one = list(cleaner.label_lines(iter(page)))
    assert list(cleaner.label_lines(page)) == one_by_one
    assert cleaner.label_pages(["\n".join(page)]).probabilities.tolist() == [line.probability for line in one_by_one]


def test_pages_closed_together_are_the_pages_closed_one_by_one(cleaner, composed_pages):
    pages = [[], *(split_lines(page) for page in composed_pages[:5]), [""], ["a"], []]
    one, many = cleaner.stream(), cleaner.stream()
    early = [stream.feed("Trang chủ\nLàng g") for stream in (one, many)]
    assert early[0] == early[1] == []
    assert many.close_pages(pages) == [one.end_page(page) for page in pages]
    assert many.close_pages([]) == []
    assert many.feed("một\n") == one.feed("một\n")
    assert many.end_page() == one.end_page()
    with pytest.raises(classifier.InputError, match=r"line 1 .* is int"):
        many.close_pages([["a"], [1]])
    assert many.end_page() == []


def test_clean_pages_is_lazy(cleaner, composed_pages):
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield composed_pages[taken % len(composed_pages)]

    cleaned = cleaner.clean_pages(endless())
    for _ in range(5):
        next(cleaned)
    assert taken <= BLOCK_LINES


@given(st.data())
def test_any_chunking_gives_the_same_lines(cleaner, composed_pages, data):
    page = data.draw(st.sampled_from(composed_pages[:12]))
    ending = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = page.replace("\n", ending)
    whole: str | bytes = text.encode() if data.draw(st.booleans()) else text
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=40)))
    chunks = [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)])]
    found = push(cleaner, chunks)
    assert [line[:6] for line in found] == [line[:6] for line in cleaner.label_lines(split_lines(text))]
    assert [text[line.start : line.end] for line in found] == [line.text for line in found]


def test_every_single_cut_of_a_short_text_gives_the_same_lines(cleaner):
    data = ("Đọc nhiều\r\n\r\n" + PROSE + "\rẢnh: Vũ Lâm\n").encode()
    want = push(cleaner, [data])
    assert [line.text for line in want] == ["Đọc nhiều", "", PROSE, "Ảnh: Vũ Lâm"]
    for cut in range(len(data) + 1):  # inside characters, and between CR and LF
        assert push(cleaner, [data[:cut], data[cut:]]) == want
    assert push(cleaner, [data[i : i + 1] for i in range(len(data))]) == want


@given(st.lists(st.text(alphabet=st.characters(blacklist_characters="\r\n"), max_size=60), max_size=80))
def test_any_lines_at_all_come_back(cleaner, lines):
    found = list(cleaner.label_lines(lines))
    assert [line.text for line in found] == lines
    assert list(cleaner.label_lines(iter(lines))) == found


def test_lookahead_is_a_bound(cleaner, composed_pages):
    assert cleaner.lookahead == LOOKAHEAD <= 48
    blank_runs = [PROSE, *[""] * 40, PROSE, *[""] * 15, "Đọc nhiều", *["", PROSE] * 60, *[""] * 500, PROSE]
    for lines in [*(page.split("\n") for page in composed_pages[:10]), blank_runs, [""] * 300, [PROSE] * 200]:
        source = CountingLines(lines)
        for line in cleaner.label_lines(source):
            assert source.read - line.number <= cleaner.lookahead


def test_lookahead_bounds_the_push_stream_as_well(cleaner, composed_pages):
    lines = composed_pages[1].split("\n")
    stream, returned = cleaner.stream(), 0
    for number, line in enumerate(lines, 1):
        returned += len(stream.feed(line + "\n"))
        assert number - returned <= cleaner.lookahead


def test_a_line_does_not_depend_on_what_follows_the_lookahead(cleaner, composed_pages):
    head = composed_pages[2].split("\n")[:120]
    one = list(cleaner.label_lines(head + ["Đọc nhiều"] * 50))
    other = list(cleaner.label_lines(head + [PROSE] * 50))
    sure = len(head) - cleaner.lookahead
    assert one[:sure] == other[:sure]


def test_no_state_crosses_a_page(cleaner, composed_pages):
    alone = [cleaner.clean_text(page) for page in composed_pages]
    assert list(cleaner.clean_pages(reversed(composed_pages))) == alone[::-1]
    stream = cleaner.stream()
    for page in composed_pages[:6]:
        found = stream.feed(page) + stream.end_page()
        assert found == list(cleaner.label_lines(split_lines(page)))


def test_long_pages_cross_block_borders_unchanged(cleaner, composed_pages):
    long_page = "\n".join(composed_pages * 2)
    lines = split_lines(long_page)
    assert len(lines) > 2 * BLOCK_LINES
    assert list(cleaner.label_lines(lines)) == push(cleaner, [long_page[i : i + 5000] for i in range(0, len(long_page), 5000)])


def test_blank_lines_are_kept_only_between_kept_lines(cleaner):
    everything = classifier.load(keep=[label.value for label in classifier.LABELS])
    lines = ["", PROSE, "", PROSE, *[""] * 30, PROSE, "", ""]
    kept = [line.kept for line in everything.label_lines(lines)]
    assert kept[:4] == [False, True, True, True]
    assert kept[4:34] == [False] * (30 - BLANK_REACH) + [True] * BLANK_REACH  # the excess of a long run is dropped
    assert kept[34:] == [True, False, False]


def test_lines_of_markup_alone_are_not_kept():
    everything = classifier.load(keep=[label.value for label in classifier.LABELS])
    lines = [PROSE, "", '<div class="ads"></div>', "&nbsp;", PROSE]
    assert [line.kept for line in everything.label_lines(lines)] == [True, True, False, False, True]


def test_blank_line_before_a_dropped_line_is_dropped():
    promo_only = classifier.load(keep="promo")
    assert not any(line.kept for line in promo_only.label_lines([PROSE, "", PROSE]) if not line.text)


def test_keep_set_decides_what_is_kept(composed_pages):
    for keep in ("title,body", "caption", "comment,promo"):
        wanted = set(keep.split(","))
        for line in classifier.load(keep=keep).label_lines(composed_pages[3].split("\n")):
            if line.label:
                assert line.kept == (line.label in wanted)


def test_threshold_applies_to_the_sum_of_kept_labels(cleaner, composed_pages):
    strict, lax = (classifier.load(threshold=value) for value in (0.9, 0.1))
    columns = cleaner.label_pages(composed_pages)
    text = columns.codes >= 0
    for other, threshold in ((strict, 0.9), (lax, 0.1)):
        kept = other.label_pages(composed_pages).kept
        assert np.array_equal(kept[text], columns.keep_probabilities[text] >= threshold)


@pytest.mark.slow  # asserts memory, which other processes on the machine may disturb
def test_memory_does_not_grow_with_the_page(cleaner, composed_pages):
    lines = "\n".join(composed_pages[:6]).split("\n")

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in cleaner.label_lines(lines[i % len(lines)] for i in range(count)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1000)  # fills the tables that grow on first use
    assert peak(6000) < 600_000  # bytes: about a third of a megabyte at any length; 6,000 labelled lines alone would take 2 MB


def test_empty_input(cleaner):
    assert list(cleaner.label_lines([])) == []
    assert cleaner.clean_text("") == ""
    assert list(cleaner.clean_pages([])) == []
    assert list(cleaner.clean_pages(["", "", ""])) == ["", "", ""]
    assert cleaner.label_pages([]).offsets.tolist() == [0]
    stream = cleaner.stream()
    assert stream.feed("") == stream.feed(b"") == stream.end_page() == stream.flush() == []


def test_empty_pages_among_others_keep_their_place(cleaner, composed_pages):
    pages = ["", composed_pages[0], "\n\n", "", composed_pages[1], ""]
    assert list(cleaner.clean_pages(pages)) == [cleaner.clean_text(page) for page in pages]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.label_lines("một dòng"), "split_lines"),
        (lambda c: c.clean_lines("một dòng"), "split_lines"),
        (lambda c: list(c.label_lines([PROSE, b"bytes"])), r"line 2 \(counted from 1\) is bytes, not text \(str\); decode"),
        (lambda c: list(c.label_lines([PROSE, None])), r"line 2 \(counted from 1\) is None"),
        (lambda c: list(c.label_lines([*[PROSE] * 5000, None])), r"line 5001 \(counted from 1\) is None"),
        (lambda c: list(c.label_lines(iter([*[PROSE] * 200, 3]))), r"line 201 \(counted from 1\) is int"),
        (lambda c: c.label_lines({PROSE: 1}), r"values\(\)"),
        (lambda c: c.clean_text(b"bytes"), "is bytes, not text"),
        (lambda c: c.clean_pages("một trang"), r"\[page\]"),
        (lambda c: list(c.clean_pages([b"bytes"])), "decode"),
        (
            lambda c: list(c.clean_pages([PROSE] * 200 + [None])),
            r"row 200 of the pages \(counted from 0\) is None.*leave missing texts out",
        ),
        (lambda c: list(c.clean_pages(iter([PROSE, float("nan")]))), "row 1 of the pages .* is NaN"),
        (lambda c: c.label_pages([PROSE, float("nan"), None]), "row 1 of the pages .* is NaN.*leave missing"),
        (lambda c: c.label_pages([PROSE, 1.5]), "row 1 of the pages .* is float.*convert"),
        (lambda c: c.label_pages({"a": PROSE}), r"its keys; pass its values\(\)"),
        (lambda c: c.clean_pages({"a": PROSE}), r"its keys; pass its values\(\)"),
        (lambda c: c.clean_pages([], jobs=0), "jobs=0 means no process"),
        (lambda c: c.clean_pages([], jobs="2"), "jobs='2' is not a whole number"),
        (lambda c: c.clean_pages([], jobs=None), "jobs=None"),
        (lambda c: c.stream(lookahead=47), "lookahead=47 is too short.*48"),
        (lambda c: c.label_lines([], lookahead=0), "lookahead=0 is too short"),
        (lambda c: c.clean_lines([], lookahead="many"), "lookahead='many' is not a number"),
        (lambda c: c.stream().feed(3), "not int"),
        (lambda c: classifier.load(threshold=1.5), "0 to 1"),
        (lambda c: classifier.load(threshold="0.5"), "0 to 1"),
        (lambda c: classifier.load(keep=None), "keep takes label names, not NoneType"),
        (lambda c: c.at(5), "not int"),
        (lambda c: c.clean_pages(None), "clean_pages takes an iterable of texts, not NoneType"),
        (lambda c: c.label_lines(5), "not int"),
        (lambda c: c.articles(io.StringIO(PROSE)), r"a file yields its lines; pass \[file.read\(\)\]"),
        (lambda c: c.stream().end_page(PROSE), "a string is one text, not lines"),
        (lambda c: c.stream().feed_lines(PROSE), "a string is one text, not lines"),
        (lambda c: classifier.load(keep="title,artcle"), "artcle"),
        (lambda c: classifier.load(keep=[]), "no label"),
    ],
)
def test_misuse_is_refused_with_advice(cleaner, call, message):
    with pytest.raises(classifier.InputError, match=message):
        call(cleaner)


class Frame:
    """What pandas and polars frames have in common: iterating one yields the names of its columns."""

    def __init__(self, **columns: list[object]) -> None:
        self._columns = columns

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))

    def __getitem__(self, name: str) -> list[object]:
        return self._columns[name]


class LazyFrame:
    """A plan for a frame, as in polars and Spark."""

    columns = ("text",)

    def __getitem__(self, name: str) -> list[object]:
        raise TypeError


CALLS = {
    "label_pages": lambda c, pages: c.label_pages(pages).texts(),
    "clean_pages": lambda c, pages: list(c.clean_pages(pages)),
    "label_lines": lambda c, lines: [line.text for line in c.label_lines(lines) if line.kept],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_only_column_of_a_frame_is_taken_and_names_of_columns_never(cleaner, composed_pages, call):
    want = call(cleaner, composed_pages)
    assert call(cleaner, Frame(text=composed_pages)) == want
    assert call(cleaner, np.array(composed_pages)) == call(cleaner, np.array(composed_pages)[:, None]) == want
    with pytest.raises(classifier.InputError, match=r"a Frame of 2 columns \(id, text\); name the column that holds them: frame\['text'\]"):
        call(cleaner, Frame(id=[1], text=[PROSE]))
    with pytest.raises(classifier.InputError, match="a LazyFrame has no rows here; collect one column first"):
        call(cleaner, LazyFrame())
    with pytest.raises(classifier.InputError, match="a Frame of 0 columns"):
        call(cleaner, Frame())
    with pytest.raises(classifier.InputError, match=r"not 2 columns; pass one of them: array\[:, 0\]"):
        call(cleaner, np.array([["a", "b"]]))
    with pytest.raises(classifier.InputError, match="is NaN"):
        call(cleaner, Frame(text=[PROSE, float("nan")]))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_arrow_columns_and_tables_are_texts(cleaner, composed_pages, call):
    pa = pytest.importorskip("pyarrow")
    table, want = pa.table({"text": composed_pages}), call(cleaner, composed_pages)
    for given_ in (table, table["text"], table["text"].combine_chunks(), table.to_batches()[0]):
        assert call(cleaner, given_) == want
    with pytest.raises(classifier.InputError, match=r"a Table of 2 columns \(text, id\).*frame\['text'\]"):
        call(cleaner, table.append_column("id", table["text"]))
    with pytest.raises(classifier.InputError, match="is None"):
        call(cleaner, pa.table({"text": [PROSE, None]}))


def test_repr_says_what_a_cleaner_does(tmp_path):
    assert repr(classifier.load()) == "Cleaner(model='vi-news 0.1.0', keep='title,body', threshold=None)"
    path = tiny_model.tiny(tmp_path)
    rules = classifier.SiteRules({"": (), "bao-bai-song.vn": ()})
    own = classifier.load(model=path, keep="body,title,caption", threshold=0.5, rules=rules).at("www.bao-bai-song.vn")
    shown = repr(own.remembering(classifier.SiteMemory(pages=3)))
    assert shown.startswith(
        f"Cleaner(model='{path.resolve()}', keep='title,body,caption', threshold=0.5, rules=<SiteRules: 0 rules for every"
    )
    assert shown.endswith("bao-bai-song.vn>, site='bao-bai-song.vn', memory=<SiteMemory: 0 pages counted, pages=3>)")


def test_a_form_feed_is_white_space_of_its_line_and_separates_the_pages_of_a_text(cleaner, composed_pages):
    """Lines in a page are the caller's: n in, n out. `split_pages` gives the pages that the command line finds in a file."""
    lines = ["Trang chủ", f"\f{PROSE}", "Đọc\fnhiều", "\f"]
    found = list(cleaner.label_lines(lines))
    assert [line.text for line in found] == lines
    assert [line.label is None for line in found] == [False, False, False, True]
    assert push(cleaner, ["\n".join(lines)]) == found
    assert cleaner.label_pages(["\n".join(lines)]).probabilities.tolist() == [line.probability for line in found]
    text = "\n\f".join(composed_pages[:4])
    assert list(cleaner.clean_pages(classifier.split_pages(text))) == list(cleaner.clean_pages(composed_pages[:4]))


def test_normal_form_does_not_matter_and_is_not_changed(cleaner, sample_page):
    import unicodedata

    decomposed = unicodedata.normalize("NFD", sample_page)
    composed = list(cleaner.label_lines(split_lines(sample_page)))
    found = list(cleaner.label_lines(split_lines(decomposed)))
    without_text = [[line._replace(text="", start=0, end=0) for line in lines] for lines in (found, composed)]
    assert without_text[0] == without_text[1]
    assert "\n".join(line.text for line in found) + "\n" == decomposed


def test_a_very_long_line_is_labelled(cleaner):
    line = "từ " * 2_000_000
    assert [found.text for found in cleaner.label_lines([PROSE, line, PROSE])] == [PROSE, line, PROSE]
