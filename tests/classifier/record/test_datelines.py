from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.record.datelines import FIRST_YEAR, INDOCHINA_TIME, Dates, dates_of, without_dates
from classifier.record.plain_text import plain_lines
from tests.support.tables import rows_of

CASES = rows_of("datelines.tsv")


def moment(text: str) -> datetime | None:
    return None if text == "-" else datetime.fromisoformat(text)


@pytest.mark.parametrize(("published", "updated", "page"), CASES)
def test_the_forms_of_datelines(published, updated, page):
    found = dates_of(plain_lines(page.split(" ¦ ")))
    wanted = Dates(moment(published), moment(updated))
    assert found == wanted
    assert [at and at.utcoffset() for at in found] == [at and at.utcoffset() for at in wanted]


def test_no_lines_have_no_dates():
    assert dates_of([]) == Dates(None, None)


@given(
    st.datetimes(datetime(FIRST_YEAR, 1, 1), datetime(2099, 12, 31)),
    st.sampled_from(["%H:%M | %d/%m/%Y", "%d-%m-%Y - %H:%M", "%Hh%M, ngày %d tháng %m năm %Y"]),
)
def test_every_minute_is_read_back(at, form):
    at = at.replace(second=0, microsecond=0, tzinfo=INDOCHINA_TIME)
    assert dates_of(["Lam Khê", at.strftime(form)]) == Dates(at, None)


@given(st.lists(st.text("0123456789/-.: |,;hapmHAPMGTZthứngày\u0301ộ[]()*\\", max_size=60), max_size=4))
def test_any_line_gives_aware_dates_or_none(lines):
    for found in dates_of(plain_lines(lines)):
        assert found is None or timedelta(hours=-24) < found.utcoffset() < timedelta(hours=24)


def test_text_around_a_date_stays():
    assert without_dates("Bài: Lam Khê, ngày 04/03/2025") == ("Bài: Lam Khê, | ", True)
    assert without_dates("Lam Khê - Phùng Sơn") == ("Lam Khê - Phùng Sơn", False)
