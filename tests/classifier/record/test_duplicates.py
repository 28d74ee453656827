"""Copies inside a page: one stays; what only looks like a copy stays too."""

from __future__ import annotations

import pytest

from classifier.record.duplicates import copies, text_key

LEAD, ONE, TWO, THREE = (
    f"{text} và người dân bãi giữa đã trở về nhà sau ba ngày nước lớn ở hạ lưu sông"
    for text in ("Chợ họp lại từ sáng", "Hàng rau đông nhất", "Đò ngang chạy lại", "Trường học mở cửa")
)
LAW = "Phạt tiền từ một triệu đồng đến hai triệu đồng đối với một trong các hành vi sau:"


@pytest.mark.parametrize(
    ("texts", "dropped"),
    [
        ([LEAD, ONE, TWO], []),
        ([LEAD, LEAD, ONE], [1]),  # under the headline, and above the text
        ([LEAD, "Nghe đọc bài", LEAD, ONE], [2]),
        ([LEAD[:60] + "...", LEAD, ONE], [0]),  # cut off: the longer one stays
        ([LEAD, LEAD[:60] + "…", ONE], [1]),
        ([LEAD, ONE, TWO, "Ảnh", LEAD, ONE, TWO], [4, 5, 6]),  # a print copy
        ([LEAD, ONE, LEAD, ONE, TWO, THREE], [2, 3]),  # and what only the copy has stays
        ([ONE, TWO, LEAD, ONE, THREE, TWO], [0, 1]),  # the longer copy stays
        ([LEAD, ONE, TWO, LEAD, ONE, TWO, LEAD, ONE, TWO], [3, 4, 5, 6, 7, 8]),
        ([LAW, ONE, TWO * 3, LEAD, LAW, THREE], []),  # recurs, and is no copy
        (["Có", "Không", "Có", "Không"], []),  # short texts recur
    ],
)
def test_copies(texts, dropped):
    assert sorted(copies([text_key(text) for text in texts])) == dropped


def test_white_space_and_normal_form_do_not_matter():
    import unicodedata

    assert copies([text_key(LEAD), text_key(unicodedata.normalize("NFD", LEAD).replace(" ", "\u00a0 "))]) == {1}
