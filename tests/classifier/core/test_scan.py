"""Visible text: lines that look alike have the same features, and characters the class that Unicode gives them."""

from __future__ import annotations

import random
import unicodedata

import pytest

from classifier.core.features import LINE_COLUMNS, extract_features
from classifier.core.scan import CharClass, scan
from classifier.lines import is_blank

PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi - nơi ông Tấn “xếp mẻ gốm” đầu tiên... Giá từ 180.000 đến 250.000 đồng (tăng 3%)."


def seen(line: str) -> str:
    return "".join(map(chr, scan([line]).chars[:-1].tolist()))


def classes(text: str) -> list[int]:
    return scan([text]).classes[:-1].tolist()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("  Làng\u00a0 gốm\u2003bên\u3000sông\t", "làng gốm bên sông"),
        ("gố\u00adm \u200bbên\u2060 sông\u200d\ufeff", "gốm bên sông"),
        ("\u202aLàng gốm\u202c\U000e0041", "làng gốm"),
        ("🔥 Giá vàng ❤️", "giá vàng"),
        ("\uf105 Xem thêm \uf105", "xem thêm"),
        ("hoà thuý oà HOÈ huỷ", "hòa thúy òa hòe hủy"),
        ("hoàng quý quỳ toán", "hoàng quý quỳ toán"),
        ("Ðà Nẵng", "đà nẵng"),
        ("“Rằm” – «rằm» — ‘rằm’…", '"rằm" - "rằm" - \'rằm\'…'),
        ("Xem tiếp....", "xem tiếp…"),
        ("１２，３４．ＡＢ！（Ảnh： Ａ）", "00,00.ab!(ảnh: a)"),
        ("Hết。", "hết."),
        ("𝐓𝐢𝐧 𝒏𝒐́𝒏𝒈", "tin nóng"),
        ("Gi&aacute;&nbsp;v&amp;agrave;ng&#8203;", "giá vàng"),
        ("<p>Làng <b>gốm</b></p>", "làng gốm"),
        ("a\\-b\\.c\\!", "a-b.c!"),
        ("> " + PROSE[:60], seen(PROSE[:60])),
        ("**" + PROSE[:60] + "**", seen(PROSE[:60])),
        (
            ">> Bài liên quan: làng gốm bên sông đỏ lửa trở lại sau hai năm",
            ">> bài liên quan: làng gốm bên sông đỏ lửa trở lại sau hai năm",
        ),
        ("**Đọc nhiều**", "**đọc nhiều**"),  # what bold says of short lines stays
        ("Q & A: 3 < 4", "q & a: 0 < 0"),
    ],
)
def test_what_a_reader_sees(line, text):
    assert seen(line) == text


@pytest.mark.parametrize(
    ("line", "links", "images", "text"),
    [
        ("![x](/a%20(4).jpg)", 1, 1, "![x]"),
        ('[x](a\\(b\\).jpg "t (1)")', 1, 0, "[x]"),
        ('[x](/a "một (hai) ba") sau', 1, 0, "[x] sau"),
        ("[x](/a_(b_(c))d) [y](z)", 2, 0, "[x] [y]"),
        ("[Kinh tế][1] và [Thời sự][ts]", 2, 0, "[kinh tế] và [thời sự]"),
        ("[1]: https://a.vn/b 'c'", 1, 0, "[0]"),
        ("[Video]: Một ngày ở làng", 0, 0, "[video]: một ngày ở làng"),
        ("[chưa đóng](/kinh", 0, 0, "[chưa đóng](/kinh"),
        ("\\[không\\](phải liên kết)", 0, 0, "`không`(phải liên kết)"),
        ("[a](b) (c)", 1, 0, "[a] (c)"),
    ],
)
def test_link_targets_are_hidden(line, links, images, text):
    found = scan([line])
    assert (seen(line), found.links.tolist(), found.images.tolist()) == (text, [links], [images])


UNSEEN = {
    "spaces behind": lambda line: line + "  \t\u00a0",
    "spaces in front": lambda line: "   " + line,
    "double spaces": lambda line: line.replace(" ", "  "),
    "no-break spaces": lambda line: line.replace(" ", "\u00a0"),
    "soft hyphens": lambda line: "\u00ad".join(line),
    "zero-width marks": lambda line: "\u200b" + line.replace("n", "n\u200d") + "\ufeff",
    "bidi marks": lambda line: "\u202a" + line + "\u202c",
    "NFD": lambda line: unicodedata.normalize("NFD", line),
    "numeric entities": lambda line: "".join(f"&#{ord(char)};" if ord(char) > 127 else char for char in line),
    "entities twice": lambda line: "".join(f"&amp;#x{ord(char):x};" if ord(char) > 127 else char for char in line),
    "tags around": lambda line: f'<p class="a">{line}</p>',
    "inline tags": lambda line: line.replace("gốm", "<b>gốm</b>"),
    "a line break": lambda line: line + "<br />",
    "emoji": lambda line: line + " ❤️🔥",
    "icons": lambda line: "\uf105 " + line,
    "full-width marks": lambda line: line.translate(str.maketrans(",.:;?!()", "，．：；？！（）")),
    "curly and straight": lambda line: line.replace("“", '"').replace("”", '"'),
    "one ellipsis": lambda line: line.replace("...", "…"),
    "dashes": lambda line: line.replace(" - ", " – "),
    "escapes": lambda line: line.replace("-", "\\-").replace(".", "\\."),
}


@pytest.mark.parametrize("change", UNSEEN, ids=str)
def test_what_cannot_be_seen_changes_no_feature(change, composed_pages):
    lines = [PROSE, *(line for page in composed_pages[:12] for line in page.split("\n") if not is_blank(line))]
    plain = [line for line in lines if not set("\\<&>[]*") & set(line)]  # markup inside markup is another matter
    before, after = extract_features(plain), extract_features(list(map(UNSEEN[change], plain)))
    for row, name in enumerate(LINE_COLUMNS):
        assert before.columns[row].tolist() == after.columns[row].tolist(), name
    assert before.hashes.tolist() == after.hashes.tolist()
    assert before.grams.bigrams.tolist() == after.grams.bigrams.tolist()


@pytest.mark.parametrize(
    ("chars", "kind"),
    [
        ("aạđьβжאあ漢ﬁ", CharClass.LOWER),
        ("AẠĐЖΩ", CharClass.UPPER),
        ("0٣９", CharClass.DIGIT),
        (".!?…。．", CharClass.ENDER),
        (",;、，", CharClass.COMMA),
        ("-–—−", CharClass.DASH),
        ("\"'“”‘’«»", CharClass.QUOTE),
        ("(（", CharClass.OPEN),
        ("©®°%@", CharClass.SYMBOL),
    ],
)
def test_classes_follow_unicode(chars, kind):
    for char in chars:
        assert classes(f"a{char}a")[1] == kind, char


def test_scan_does_not_depend_on_the_batch(composed_pages):
    """Lines are rewritten in groups: neighbours must not matter."""
    draw = random.Random(3)
    lines = [line for page in composed_pages[:6] for line in page.split("\n") if not is_blank(line)][:300]
    changes = list(UNSEEN.values())
    lines = [draw.choice(changes)(line) if draw.random() < 0.5 else line for line in lines]
    whole = extract_features(lines)
    for start in range(0, len(lines), 37):
        part = extract_features(lines[start : start + 37])
        assert part.columns.tolist() == whole.columns[:, start : start + 37].tolist()
        assert part.hashes.tolist() == whole.hashes[:, start : start + 37].tolist()


def test_every_character_has_one_of_the_classes_that_features_count():
    lines = ["".join(map(chr, range(first, first + 64))) for first in range(0, 0x110000, 64)]
    classes = scan([line for line in lines if not is_blank(line)]).classes
    assert classes.max() < CharClass.INVISIBLE


@pytest.mark.parametrize("sign", ["\ufe60", "\ufe64", "\ufe68"])
def test_small_forms_of_signs_begin_no_markup(sign):
    assert extract_features([f"Giá {sign} phí"]).columns.shape[1] == 1
    assert len(classes(f"{sign}nbsp;")) == len("&nbsp;")


@pytest.mark.parametrize("behind", ["&nbsp;", "&#9;", "\u00a6", "&emsp;"])
def test_white_space_behind_a_bold_paragraph_hides_no_markup(behind):
    line = f"**{PROSE}**"
    for before, after in zip(scan([line]), scan([line + behind])):
        assert before.tolist() == after.tolist()
