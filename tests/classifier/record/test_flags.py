import numpy as np
import pytest

import classifier
from classifier.io.notices import KINDS, NO_ACCENTS, NOT_VIETNAMESE, SEVERAL, notice
from classifier.labels import LABELS
from classifier.record.flags import FLAGS, LITTLE, LONG, MANY, language, page_flags

SENTENCE = "Sáng nay, khói trắng lại bay lên từ cuối bãi, nơi ba lò gốm đầu tiên của làng được nhóm lửa."
PARAGRAPH = " ".join([SENTENCE] * 3)
TEASER = ("related", "Người giữ bí quyết men tro")
CODES = {label.value: code for code, label in enumerate(LABELS)} | {"-": -1}


def page(*rows: tuple[str, str], kinds: tuple[str, ...] = ()) -> classifier.Labels:
    codes = np.array([CODES[label] for label, _ in rows], np.int8)
    kept = np.isin(codes, [CODES["title"], CODES["body"]])
    shares = kept * 1.0
    return classifier.Labels(
        codes,
        shares,
        kept,
        shares,
        codes,
        np.array([0, len(codes)]),
        [text for _, text in rows],
        codes,
        codes,
        notices=(tuple(map(notice, kinds)),),
    )


def test_an_article_has_no_flags():
    assert page_flags(page(("title", "Làng gốm đỏ lửa"), ("body", PARAGRAPH), *[TEASER] * 40)) == ()


def test_an_article_has_a_line_of_body():
    assert page_flags(page(("nav", "Trang chủ"), ("title", "Làng gốm đỏ lửa"))) == ("no_article",)
    assert page_flags(page()) == ("no_article",)


@pytest.mark.parametrize(("body", "teasers", "flagged"), [(LITTLE - 1, MANY, True), (LITTLE, MANY, False), (LITTLE - 1, MANY - 1, False)])
def test_a_list_has_many_links_and_little_text(body, teasers, flagged):
    assert ("list_page" in page_flags(page(("body", PARAGRAPH[:body]), *[TEASER] * teasers))) == flagged


@pytest.mark.parametrize(
    ("end", "flagged"),
    [
        ("khói trắng lại bay", True),
        ("khói trắng, lửa đỏ,", True),
        ("khói trắng lại bay.", False),
        ("khói trắng lại bay…", False),
        ("“khói trắng lại bay.”", False),
        ("đường dây nóng 0225 3555 118", False),
        ("viết về lo@lang-gom.example.vn", False),
    ],
)
def test_a_page_that_ends_within_a_sentence_is_truncated(end, flagged):
    rows = [("body", PARAGRAPH), ("body", SENTENCE + " Ở đó " + end), ("-", "")]
    assert page_flags(page(*rows)) == (("truncated",) if flagged else ())
    assert page_flags(page(*rows, ("footer", "Tổng biên tập"))) == ()
    assert page_flags(page(("body", PARAGRAPH), ("body", end[: LONG - 1]))) == ()


@pytest.mark.parametrize(
    ("kind", "flags", "tongue"),
    [(SEVERAL, ("several_pages",), "vi"), (NOT_VIETNAMESE, ("not_vietnamese",), None), (NO_ACCENTS, ("unaccented",), "vi")],
)
def test_notices_about_the_text_become_flags(kind, flags, tongue):
    found = page(("body", PARAGRAPH), kinds=(kind,))
    assert (page_flags(found), language(found)) == (flags, tongue)


def test_flags_come_in_one_order():
    assert page_flags(page(*[TEASER] * MANY, kinds=tuple(KINDS))) == tuple(flag for flag in FLAGS if flag != "truncated")
