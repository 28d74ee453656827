import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.record.bylines import Byline, find_byline
from tests.support.tables import rows_of

CASES = rows_of("bylines.tsv")


def names(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(cell.split("; "))


@pytest.mark.parametrize(("authors", "source", "agency", "page"), CASES)
def test_the_forms_of_bylines(authors, source, agency, page):
    from_page = (None if cell == "-" else cell for cell in (source, agency))
    assert find_byline(page.split(" ¦ ")) == Byline(names(authors), *from_page)


@given(st.lists(st.text("Lam KhêTSNguồnTheobàiảnh.,:;-–/|()[]*#&\u0301 1", max_size=60), max_size=5))
def test_any_line_gives_names_that_stand_in_it(lines):
    from classifier.record.plain_text import plain

    page = " ".join(plain(line, addresses=True) for line in lines)
    found = find_byline(lines)
    for name in found.authors:
        assert name
        assert name in page
    assert found.source is None or found.source
