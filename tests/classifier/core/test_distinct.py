"""Distinct lines of a block, by numpy and by the compiled kernel."""

import pytest

from classifier.core import kernel
from classifier.core.distinct import distinct_lines
from tests.support.kernel import needs_kernel


@pytest.fixture(params=["numpy", pytest.param("compiled", marks=needs_kernel)])
def computed_by(request):
    with kernel.switched(request.param == "compiled"):
        yield request.param


def test_each_text_is_there_once_in_the_order_of_reading(computed_by):
    found = distinct_lines(["Trang chủ", "", "Chợ quê", "Trang chủ", "\t ", "Trang chủ ", "Chợ quê"])
    assert found.texts == ["Trang chủ", "Chợ quê", "Trang chủ "]
    assert found.copies.tolist() == [0, 1, 0, 2, 1]
    assert found.blank.tolist() == [False, True, False, False, True, False, False]
    assert not found.markup.any()


def test_blank_lines_are_those_that_show_nothing(computed_by):
    found = distinct_lines(["<br>", "\ufeff", "&nbsp;", "a;", "<b>x</b>", "\u3000", "<br>", "\U0001f4f0", "\u200b"])
    assert found.texts == ["a;", "<b>x</b>", "\U0001f4f0"]
    assert found.blank.tolist() == [True, True, True, False, False, True, True, False, True]
    assert found.markup.tolist() == [True, False, True, False, False, False, True, False, False]


def test_texts_that_differ_in_one_character_of_any_width_are_told_apart(computed_by):
    texts = [start + end for start in ("", "a" * 7, "a" * 8, "ư" * 20) for end in ("é", "e", "ế", "𝒆", "\ud800", "e\0", "e\0\0", "\0e")]
    assert distinct_lines(texts * 2).texts == texts


def test_many_lines(computed_by):
    lines = [str(number % 700) for number in range(4096)]
    found = distinct_lines(lines)
    assert [found.texts[i] for i in found.copies.tolist()] == lines
    assert len(found.texts) == 700


def test_lines_made_to_collide_are_told_apart(computed_by):
    """A change of the highest bits of eight bytes, taken back in the next eight: the kernel's hash of all of these is the same."""

    def text(number):
        flips = [0x8000 * (number >> bit & 1) for bit in range(11)]
        return "".join("ếếế" + chr(0x1EBF ^ flip) + "ế" + chr(0x1EBF ^ flip) + "ế" + chr(0x1EBF ^ flip) for flip in flips)

    lines = list(map(text, range(2048)))
    found = distinct_lines(lines * 2)
    assert found.texts == lines
    assert found.copies.tolist() == list(range(2048)) * 2


def test_what_is_no_string_is_refused(computed_by):
    with pytest.raises(TypeError):
        distinct_lines(["Trang chủ", b"Trang"])
