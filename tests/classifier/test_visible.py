"""HTML left in text, and characters that show nothing."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from classifier.visible import CATEGORIES, INVISIBLE, TABLED, WHITE_SPACE, is_invisible, without_html


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Gi&aacute; v&agrave;ng", "Giá vàng"),
        ("Gi&#225; v&#xE0;ng", "Giá vàng"),
        ("&amp;quot;Rằm&amp;quot;", '"Rằm"'),
        ("&amp;amp;nbsp;", "&nbsp;"),  # three times is no accident
        ("một&#10;hai&#13;ba", "một hai ba"),  # no entity makes a line
        ("Q&A; R&D", "Q&A; R&D"),
        ("a &lt; b", "a < b"),
        ("<p>Sáng 4/3</p>", " Sáng 4/3 "),
        ('<a href="/x" title="y">Làng</a> <b>gốm</b>', "Làng gốm"),
        ("H<sub>2</sub>O", "H2O"),
        ("dòng một<br />dòng hai<BR>", "dòng một dòng hai "),
        ("<!-- quảng cáo -->Giá", " Giá"),
        ("<https://a.vn/b> và <mailto:a@b.vn>", "https://a.vn/b và mailto:a@b.vn"),
        ("<Ảnh: Vũ Lâm> a <b và c> d 3 < 4", "<Ảnh: Vũ Lâm> a <b và c> d 3 < 4".replace("<b và c>", "")),
        ("<Trung bình>", "<Trung bình>"),
    ],
)
def test_entities_are_read_and_tags_left_out(text, seen):
    assert without_html(text) == seen


def test_lines_stay_lines():
    text = "<p>\n&#10;\n<b\n>&nbsp;\n"
    assert without_html(text).count("\n") == text.count("\n")


def test_tables_agree_with_unicode():
    assert len(CATEGORIES) == TABLED
    every = list(map(chr, range(TABLED)))
    assert set(INVISIBLE) == {char for char in every if is_invisible(char)} | {"\ufeff"}
    assert set(WHITE_SPACE) == {char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace()}


def test_format_characters_are_invisible_and_letters_are_not():
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category == "Cf":
            assert is_invisible(chr(code)), hex(code)
        elif category[0] in "LNPSZ" and not unicodedata.name(chr(code), "").endswith("FILLER"):
            assert not is_invisible(chr(code)), hex(code)
