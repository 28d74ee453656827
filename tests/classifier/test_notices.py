"""Notices of the API: warnings, `Labels.notices` and `Stream.notices`; labels are the same as ever."""

from __future__ import annotations

import warnings

import pytest

import classifier
from classifier.io.notices import KINDS
from classifier.lines import split_lines
from tests.support.paths import ROOT

INPUTS = ROOT / "tests" / "cases" / "inputs"
GARBLED = (INPUTS / "mojibake-article-only.txt").read_text(encoding="utf-8")
ONE_LINE = (INPUTS / "one-line.txt").read_text(encoding="utf-8")
MENU = "Trang chủ\nThời sự\nKinh tế\n"


def kinds(notices):
    return [[found.kind for found in of_page] for of_page in notices]


def caught(work):
    """Return the result of a call, and the messages of its warnings; all have to be attributed to this file."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = work()
    assert all(warning.category is classifier.InputWarning and warning.filename == __file__ for warning in found)
    return result, [str(warning.message) for warning in found]


def test_label_pages_notes_each_page_and_warns_once_for_each_kind(cleaner, sample_page):
    pages = [sample_page, GARBLED, MENU, "", ONE_LINE, GARBLED]
    labels, said = caught(lambda: cleaner.label_pages(pages))
    assert kinds(labels.notices) == [[], ["garbled"], ["nothing_kept"], [], ["one_line", "nothing_kept"], ["garbled"]]
    assert [message.partition(";")[0] for message in said] == [
        "1 page has the whole text on one line",
        "2 pages have garbled letters: UTF-8 read as windows-1252",
        "2 pages have no line kept",
    ]
    assert kinds(page.notices[0] for page in labels.pages()) == kinds(labels.notices)
    assert list(classifier.Labels._fields)[:7] == [
        "codes", "probabilities", "kept", "keep_probabilities", "first_guesses", "offsets", "lines",
    ]  # fmt: skip


def test_sound_pages_are_quiet(cleaner, sample_page):
    labels, said = caught(lambda: cleaner.label_pages([sample_page, "", " \n"]))
    assert (labels.notices, said) == (((), (), ()), [])
    assert caught(lambda: [*cleaner.label_lines(split_lines(sample_page)), *cleaner.clean_pages([sample_page])])[1] == []


@pytest.mark.parametrize(
    "call",
    [
        lambda cleaner: list(cleaner.label_lines(GARBLED.split("\n"))),
        lambda cleaner: list(cleaner.label_lines(iter(GARBLED.split("\n")))),
        lambda cleaner: list(cleaner.clean_lines(GARBLED.split("\n"))),
        lambda cleaner: cleaner.clean_text(GARBLED),
        lambda cleaner: list(cleaner.clean_pages([GARBLED])),
        lambda cleaner: list(cleaner.clean_pages([GARBLED], jobs=2)),
        lambda cleaner: [stream := cleaner.stream(), stream.feed(GARBLED), stream.end_page()],
        lambda cleaner: [stream := cleaner.stream(), stream.feed(GARBLED), stream.flush()],
    ],
)
@pytest.mark.usefixtures("started_workers")
def test_every_call_warns(cleaner, call):
    _, said = caught(lambda: call(cleaner))
    assert [message.partition(":")[0] for message in said] == ["1 page has garbled letters"]


def test_clean_pages_counts_over_all_batches(cleaner):
    _, said = caught(lambda: list(cleaner.clean_pages([GARBLED] * 150)))
    assert [message.partition(":")[0] for message in said] == ["150 pages have garbled letters"]


def test_a_stream_holds_the_notices_of_the_pages_just_closed(cleaner, sample_page):
    stream = cleaner.stream()
    assert stream.notices == []
    for end in range(0, len(GARBLED), 100):
        stream.feed(GARBLED[end : end + 100])
    stream.close_pages([[], ["Trang chủ", "Thời sự"], [], sample_page.split("\n")])
    assert kinds(stream.notices) == [["garbled"], ["nothing_kept"], [], []]
    stream.feed(sample_page)
    stream.end_page()
    assert stream.notices == [()]


def test_stream_and_pages_agree(cleaner, composed_pages):
    pages = [*composed_pages[:6], GARBLED, ONE_LINE, MENU, "", "x\u2028x\u2028x\u2028\ny\nz\nw\n"]
    pages += [(INPUTS / name).read_text(encoding="utf-8") for name in NAMES]
    stream = cleaner.stream()
    stream.close_pages([split_lines(page) for page in pages])
    assert tuple(stream.notices) == cleaner.label_pages(pages).notices


NAMES = ("br-page.txt", "vt-page.txt", "crcrlf.txt", "bom-every-line.txt", "question-marks.txt", "mojibake-macroman.txt")


def test_warnings_can_be_errors(cleaner):
    with warnings.catch_warnings():
        warnings.simplefilter("error", classifier.InputWarning)
        with pytest.raises(classifier.InputWarning, match="decode the source as UTF-8"):
            cleaner.label_pages([GARBLED])


def test_cr_cr_lf_is_a_line_end_and_a_blank_line(cleaner):
    text = (INPUTS / "crcrlf.txt").read_bytes().decode()
    labels, said = caught(lambda: cleaner.label_pages([text]))
    assert said == []
    assert labels.texts() == [cleaner.clean_text(text.replace("\r\r\n", "\n\n"))]


def test_a_mark_before_every_line_changes_nothing(cleaner):
    text = (INPUTS / "bom-every-line.txt").read_text(encoding="utf-8")
    assert cleaner.clean_text(text).replace("\ufeff", "") == cleaner.clean_text(text.replace("\ufeff", ""))


def test_every_kind_is_documented():
    page = (ROOT / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in page] == []
