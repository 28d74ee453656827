import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.record.bylines import Source, find_authors, find_source
from tests.support.tables import rows_of

CASES = rows_of("bylines.tsv")


def names(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(cell.split("; "))


@pytest.mark.parametrize(("authors", "source", "agency", "page"), CASES)
def test_the_forms_of_bylines(authors, source, agency, page):
    lines = page.split(" ¦ ")
    assert find_authors(lines) == names(authors)
    assert find_source(lines) == Source(*(None if cell == "-" else cell for cell in (source, agency)))


@given(st.lists(st.text("Lam KhêTSNguồnTheobàiảnh.,:;-–/|()[]*#&\u0301 1", max_size=60), max_size=5))
def test_any_line_gives_names_that_stand_in_it(lines):
    from classifier.record.plain_text import plain

    page = " ".join(plain(line, addresses=True) for line in lines)
    for name in find_authors(lines):
        assert name
        assert name in page
    assert (source := find_source(lines).source) is None or source
