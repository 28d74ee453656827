"""Labelled pages: both column formats, lossless round trips, and errors that name the row."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.labels import LABELS, Label
from classifier.lines import is_blank
from classifier.results import LabelledLine
from classifier.review.labelled_page import BLANK_LABEL, labelled_row, parse_page, read_page

GOLD = "nav\tTrang chủ\n-\t\nbody\tLửa còn\tthì nghề còn\n"
DRAFT = "nav\t0.9876\tTrang chủ\n-\t0.0000\t\nbody\t0.5000\tLửa còn\tthì nghề còn\n"


def parsed(text: str):
    return parse_page(text.encode(), "trang.tsv")


@pytest.mark.parametrize(("text", "columns"), [(GOLD, 2), (DRAFT, 3)])
def test_either_spelling_is_read(text, columns):
    page = parsed(text)
    assert page.columns == columns
    assert page.labels == ["nav", BLANK_LABEL, "body"]
    assert page.lines == ["Trang chủ", "", "Lửa còn\tthì nghề còn"]
    assert [row.number for row in page.rows] == [1, 2, 3]
    assert [row.probability for row in page.rows] == ([None] * 3 if columns == 2 else [0.9876, 0.0, 0.5])


@pytest.mark.parametrize("text", [GOLD, DRAFT])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_row_ends_and_marks_stay(tmp_path, text, end, mark):
    path = tmp_path / "trang.tsv"
    path.write_bytes((mark + text.replace("\n", end)).encode())
    page = read_page(path)
    assert page.lines == parsed(text).lines
    assert page.encoded() == path.read_bytes()
    changed = page.relabelled({2: "title"}).encoded().decode()
    want = text.replace("body\t0.5000", "title\t1.0000").replace("body", "title")
    assert changed == mark + want.replace("\n", end)


def test_a_row_of_nothing_is_no_line_and_stays():
    text = "\nnav\tTrang chủ\n\n\nfooter\tGiấy phép\n"
    page = parsed(text)
    assert [row.number for row in page.rows] == [2, 5]
    assert page.relabelled({1: "nav"}).encoded().decode() == text.replace("footer", "nav")


def test_the_whole_file_decides():
    """A line that starts with a number stays a line, unless every row of the page starts with a probability."""
    assert parsed("nav\t0.5\tmột\nnav\thai\n").lines == ["0.5\tmột", "hai"]
    assert parsed("nav\t0.5\tmột\nnav\t1.0000\thai\n").lines == ["một", "hai"]
    for almost in ("1.5", "1", ".5", "0,5", "5e-1", "-0.5", "1.01", "٠.٥"):
        assert parsed(f"nav\t{almost}\tmột\n").columns == 2, almost
    assert parsed("nav\t0.5\n").lines == ["0.5"]


def test_blank_lines_whose_tabs_an_editor_has_removed():
    assert parsed("-\nnav\tmột\n").lines == ["", "một"]
    assert parsed("-\nnav\t0.5\tmột\n-\t0.0000\n").lines == ["", "một", ""]
    assert parsed("-\n").columns == 2
    assert parsed("-\t \u200b\n").lines == [" \u200b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "trang.tsv:1: no rows in it"),
        ("\n\r\n\n", "trang.tsv:1: no rows in it"),
        ("nav\tmột\ntitel\thai\n", "trang.tsv:2: 'titel' is no label; a row is label<TAB>line or"),
        ("nav\tmột\nhai\n", "trang.tsv:2: 'hai' is no label"),
        ("Nav\tmột\n", "trang.tsv:1: 'Nav' is no label"),
        ("nav\n", "trang.tsv:1: no tab after the label"),
        ("nav\tmột\r\n\f\r\nnav\thai\n", "trang.tsv:2: a form feed, which separates pages; put each page into a file"),
        ("-\tcó chữ\n", "trang.tsv:1: text without a label; - is for blank lines, choose from body,"),
        ("nav\t0.5\tmột\nbody\thai\nnav\t0.5\tba\n", "trang.tsv:2: second field is not a probability, but most rows have one"),
    ],
)
def test_mistakes_are_named_by_row(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        parsed(text)


@pytest.mark.parametrize(
    ("data", "number"), [("nav\tmột\r\nnav\tTin ".encode() + b"\xe0\n", 2), ("nav\tmột\n".encode("utf-16"), 1), (b"\x1f\x8b\x08", 1)]
)
def test_what_is_not_utf8_is_named_by_row(data, number):
    with pytest.raises(InputError, match=rf"^trang\.tsv:{number}: not UTF-8; save the file as UTF-8$"):
        parse_page(data, "trang.tsv")


@pytest.mark.parametrize("labels", [{1: "nav"}, {0: "titel"}, {0: BLANK_LABEL}, {3: "nav"}, {-1: "nav"}])
def test_only_lines_with_text_get_labels_that_exist(labels):
    with pytest.raises(InputError, match="cannot be labelled"):
        parsed(GOLD).relabelled(labels)


lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
labels = st.sampled_from([label.value for label in LABELS])


@given(st.lists(st.tuples(labels, st.floats(0, 1), lines), min_size=1), st.data())
def test_drafts_come_back_and_corrections_touch_nothing_else(drawn, data):
    page = [
        LabelledLine(number, text, None if is_blank(text) else Label(label), 0.0 if is_blank(text) else p, False, None, 0, len(text))
        for number, (label, p, text) in enumerate(drawn, 1)
    ]
    text = "".join(map(labelled_row, page))
    read = parsed(text)
    assert read.columns == 3
    assert read.lines == [line.text for line in page]
    assert read.labels == [str(line.label or BLANK_LABEL) for line in page]
    assert read.encoded().decode() == text
    solid = [index for index, line in enumerate(page) if line.label]
    changes = data.draw(st.dictionaries(st.sampled_from(solid), labels)) if solid else {}
    again = parse_page(read.relabelled(changes).encoded(), "trang.tsv")
    assert again.rows == read.relabelled(changes).rows
    assert again.lines == read.lines
    assert again.labels == [changes.get(index, label) for index, label in enumerate(read.labels)]
    assert [row.probability for row in again.rows] == [1.0 if i in changes else row.probability for i, row in enumerate(read.rows)]


@given(st.binary(max_size=60) | st.text("nav-\t\r\n0.1\f\ufeffé", max_size=40).map(str.encode))
def test_any_bytes_are_read_as_they_are_or_refused_in_one_line(data):
    try:
        page = parse_page(data, "trang.tsv")
    except InputError as error:
        message = str(error)
    else:
        assert page.encoded() == data
        return
    assert re.fullmatch(r"trang\.tsv:\d+: .+; .+", message)
