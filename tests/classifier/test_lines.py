"""Line splitting, blank lines, and the visible text and features of a line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.distinct import blank_flags
from classifier.core.features import COLUMN, STEP, extract_features
from classifier.core.scan import MAX_CHARS, PROPERTIES, UNSETTLED, scan
from classifier.errors import InputError
from classifier.lines import FORM_FEED, LineBlock, LineSplitter, cut_pages, is_blank, line_starts, split_lines, split_pages


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("một", ["một"]),
        ("một\n", ["một"]),
        ("\n", [""]),
        ("một\r\nhai\rba\n\nbốn", ["một", "hai", "ba", "", "bốn"]),
        ("\r\n\r\n", ["", ""]),
        ("\r\r\n", ["", ""]),
        ("một\u2028hai\u0085ba\x0bbốn\x0cnăm", ["một\u2028hai\u0085ba\x0bbốn\x0cnăm"]),
        ("\ufeffmột\n", ["\ufeffmột"]),
    ],
)
def test_only_lf_cr_and_crlf_end_a_line(text, lines):
    assert split_lines(text) == lines


@given(st.text(alphabet="ab\r\nế"), st.lists(st.integers(0, 30)), st.booleans())
def test_splitting_does_not_depend_on_chunks(text, cuts, as_bytes):
    whole = text.encode() if as_bytes else text
    cuts = sorted(min(cut, len(whole)) for cut in cuts)
    splitter = LineSplitter()
    chunks = [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)])]
    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush()
    assert lines == split_lines(text)


def test_invalid_utf8_is_replaced_and_nothing_is_lost():
    splitter = LineSplitter()
    assert splitter.feed(b"m\xe1\xbb") + splitter.feed(b"\nhai") + splitter.flush() == ["m\ufffd", "hai"]


def test_text_after_a_truncated_character_replaces_it():
    splitter = LineSplitter()
    assert splitter.feed("ế".encode()[:2]) + splitter.feed("sau\n") == ["\ufffdsau"]


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("", []),
        ("\f", [""]),
        ("một", ["một"]),
        ("một\n\fhai\n\f", ["một\n", "hai\n"]),
        ("một\f\nhai", ["một", "hai"]),
        ("một\f\r\n\r\nhai\f\f\rba\f\n", ["một", "\r\nhai", "", "ba"]),
        ("một\vhai\u2028ba", ["một\vhai\u2028ba"]),
    ],
)
def test_form_feeds_separate_the_pages_of_a_text(text, pages):
    assert split_pages(text) == pages


@given(st.text(alphabet="a\r\n\f ", max_size=20))
def test_pages_of_a_text_have_the_lines_of_the_pages_of_a_file(text):
    lines = split_lines(text)
    of_a_file = cut_pages(LineBlock(lines, line_starts(text, lines)), FORM_FEED)
    found = [page.lines for page in of_a_file]
    assert [split_lines(page) for page in split_pages(text)] == (found if found[-1] else found[:-1])
    assert all(text.startswith(line, start) for page in of_a_file for line, start in zip(*page))


def test_pages_of_bytes_are_refused():
    with pytest.raises(InputError, match="is bytes, not text"):
        split_pages(b"a\fb")


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "\t\u00a0",
        "\ufeff",
        "\u200b\u200b",
        "\n",
        " \x0c ",
        "&nbsp;",
        "&amp;nbsp;",
        "<p></p>",
        "<br />&#8203;",
        "\ufe0f",
        "\U000e0041",
        "\u00ad",
        "<!-- a -->",
    ],
)
def test_blank(line):
    assert is_blank(line)


def test_blank_flags_are_is_blank_of_each_line():
    lines = [
        "",
        "a",
        " \u200b ",
        "\u3000",
        ".",
        "\ufeff",
        "\x00",
        "<b>&nbsp;</b>",
        "a > b",
        "R&D;",
        "\U000e0041",
        "🔥",
        "\ufe0f",
        "x\ufe0f",
        "；",
    ]
    assert blank_flags(lines).tolist() == [is_blank(line) for line in lines]


def may_change(text: str) -> bool:
    return any(PROPERTIES[ord(char)] & UNSETTLED for char in text)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FFE, blacklist_categories=["Cs"]), max_size=40))
def test_text_without_unsettled_characters_is_in_nfc(text):
    if not may_change(text):
        assert unicodedata.is_normalized("NFC", text)


def test_composed_vietnamese_prose_is_settled():
    assert not may_change("Ông Đỗ Quỳnh ở Ý Yên, “rằm” – 38°C…")
    assert may_change(unicodedata.normalize("NFD", "Ông Đỗ"))


def test_not_blank():
    assert not any(map(is_blank, (".", "&lt;", "<Ảnh>", "a;", "🔥", "\uf105", "&nbsp;x")))
    assert not is_blank("\ufeffa")


def visible(line: str) -> int:
    return int(extract_features([line]).size[0])


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("Kinh tế", 6),
        ('  * [Kinh tế](/kinh-te.htm "Kinh tế")', 6),
        ("![ảnh](http://a.vn/b.jpg)", 3),
        ("![](http://a.vn/b.jpg)", 0),
        ("### **Kinh tế**", 6),
        ("[chưa đóng](/kinh", 14),
        ("(trong ngoặc)", 12),
    ],
)
def test_link_targets_and_decoration_are_not_visible(line, size):
    assert visible(line) == size


def test_features_do_not_depend_on_the_batch():
    lines = ["[Video] Một ngày", "![", "[1] [2] a](b", "Chợ [gốm](/gom) họp", "a\nb", "x" * (MAX_CHARS + 5), "Ty\u0302"]
    together = extract_features(lines)
    for number, line in enumerate(lines):
        alone = extract_features([line])
        assert alone.columns[:, 0].tolist() == together.columns[:, number].tolist()
        assert alone.hashes[:, 0].tolist() == together.hashes[:, number].tolist()


def test_counts_of_links_and_images():
    found = scan(["[a](b) ![c](d) [e](f)", "không có gì"])
    assert found.links.tolist() == [3, 0]
    assert found.images.tolist() == [1, 0]
    assert found.link_chars.tolist() == [3, 0]


def columns(line: str) -> dict[str, int]:
    row = extract_features([line]).columns[:, 0]
    return {name: int(row[index]) for name, index in COLUMN.items()}


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("Sáng 4/3/2025 lúc 07:15", {"date", "clock", "ends_digit", "starts_upper"}),
        ("Vũ Lâm Hải", {"name_like", "starts_upper"}),
        ("ĐỌC NHIỀU", {"shouting", "starts_upper"}),
        ("lang gom ben song anh ttxvn", {"unaccented", "starts_lower"}),
        ("Xem tiếp...", {"ends_ellipsis", "ends_sentence"}),
        ("“Lửa còn thì nghề còn”", {"starts_quote", "ends_quote"}),
        ("  * [Kinh tế](/a)", {"bullet"}),
        ("## Tiểu mục", {"heading"}),
        ("| An | 9,5 |", {"table"}),
        ("- Ông nghĩ sao?", {"starts_dash", "ends_sentence", "bullet"}),
        ("Làng gốm bên sông Làng gốm bên sông", {"doubled"}),
    ],
)
def test_flags(line, flags):
    found = columns(line)
    for name in flags:
        assert found[name] >= STEP, name
    for name in {"date", "clock", "shouting", "table", "doubled", "heading", "unaccented"} - flags:
        assert found[name] == 0, name


def test_shares():
    found = columns("Ab12")
    assert found["upper"] == STEP  # one of two letters, in sixteenths of two units
    assert found["digits"] == STEP
    assert columns("[abcd](x) efgh")["linked"] == STEP
