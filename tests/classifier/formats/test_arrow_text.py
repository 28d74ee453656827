"""Texts in Arrow arrays, read up to a limit."""

from __future__ import annotations

import pytest

pa = pytest.importorskip("pyarrow")
from classifier.formats.arrow_text import utf8_of  # noqa: E402

TEXTS = ["Hạ", None, "Làng gốm", "", "Hạ"]
SIZE = len("Làng gốm".encode())


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_of_a_text_beyond_the_limit_only_the_size_is_read(kind):
    array = pa.array(TEXTS).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(TEXTS).cast(kind)
    whole = [text if text is None else text.encode() for text in TEXTS]
    assert utf8_of(array, SIZE, pa) == whole
    assert utf8_of(array.slice(1), SIZE - 1, pa) == [None, SIZE, *whole[3:]]


def test_lists_are_measured_with_their_line_ends():
    array = pa.array([["Hạ", None, "Hạ"], None, [], ["Hạ"]])
    size = len("Hạ\n\nHạ".encode())
    assert utf8_of(array, size, pa) == ["Hạ\n\nHạ".encode(), None, b"", "Hạ".encode()]
    assert utf8_of(array, size - 1, pa) == [size, None, b"", "Hạ".encode()]


def test_nulls():
    assert utf8_of(pa.nulls(2), 1, pa) == [None, None]
