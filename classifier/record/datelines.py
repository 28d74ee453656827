"""Dateline parsing: when an article was published and updated, from the date lines of its page.

Reads the forms of `tests/cases/datelines.tsv`. Of general libraries, dateparser 1.5 reads 56 of its 87 dates exactly, dateutil 49,
htmldate 17; they miss time before date, `7h15`, `11:05 tối`, `Tháng 3 4, 2025`, and find dates where there is none
(training/EXPERIMENTS.md, "Dates and names"). Days come before months. Relative times ("2 giờ trước") name no date, since a page does
not say when it was read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

__all__ = ["FIRST_YEAR", "INDOCHINA_TIME", "Dates", "dates_of", "without_dates"]

INDOCHINA_TIME = timezone(timedelta(hours=7), "ICT")


class Dates(NamedTuple):
    """When an article was published and last updated; None where its page does not print it."""

    published: datetime | None  # aware; midnight if no time is printed
    updated: datetime | None


# -- grammar -------------------------------------------------------------------------------------------------------------------

_NUMBERS = "một|hai|ba|tư|năm|sáu|bảy|tám|chín|mười một|mười hai|mười"
_MONTH_NUMBER = {name: number for number, name in enumerate(_NUMBERS.split("|"), 1)} | {"mười": 10, "mười một": 11, "mười hai": 12}
_MONTH_NUMBER |= {"giêng": 1, "bốn": 4, "bẩy": 7, "chạp": 12}
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_YEAR, _DAY, _MONTH = r"(?P<year>(?:19|20)\d\d)", r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})"
_NAMED = rf"(?:tháng|th\.?)\s?(?P<named>\d{{1,2}}|{_NUMBERS}|giêng|bốn|bẩy|chạp)\b"
_OF_ENGLISH = rf"(?P<english>{'|'.join(_ENGLISH)})[a-z]*\.?"
_TH = r"(?:st|nd|rd|th)?"
_BREAK = r"(?!\d)"


def _date(form: str) -> re.Pattern[str]:
    """Compile a form of a date; it may be printed twice without a space, as WordPress does for published and updated."""
    return re.compile(rf"(?<!\d)(?<!\d[/.-])(?P<date>{form})(?:(?=(?P=date))|{_BREAK})", re.I)


# Forms, behind a pattern that any text in small letters with a date of these forms matches, and which is many times faster.
_DATES = (
    (
        re.compile(r"[-/.]"),
        _date(rf"{_YEAR}(?P<sign>[-/.])(?P<month>\d\d?)(?P=sign){_DAY}"),
        _date(rf"{_DAY}\s?(?P<sign>[-/.])\s?{_MONTH}\s?(?P=sign)\s?{_YEAR}"),
    ),
    (re.compile(" 19| 20"), _date(rf"{_DAY} {_MONTH} {_YEAR}")),
    (
        re.compile(r"tháng|th[.\s\d]"),
        _date(rf"{_DAY}\s+{_NAMED}[\s,./]+(?:năm\s+)?{_YEAR}"),
        _date(rf"{_NAMED}\s+{_DAY}\s?,\s?{_YEAR}"),
    ),
    (
        re.compile("|".join(_ENGLISH)),
        _date(rf"{_DAY}{_TH}\s+{_OF_ENGLISH},?\s+{_YEAR}"),
        _date(rf"{_OF_ENGLISH}\s+{_DAY}{_TH},?\s+{_YEAR}"),
    ),
    # A year of two digits only behind a weekday or the word for day: "24/12/12" alone may be a score or a fraction.
    (re.compile("ngày "), _date(rf"(?<=ngày ){_DAY}/{_MONTH}/(?P<year>\d\d)")),
    (re.compile("thứ |chủ nhật|cn"), _date(rf"(?:thứ [\w]+|chủ nhật|cn),?\s{_DAY}/{_MONTH}/(?P<year>\d\d)")),
)
_YEAR_SIGN = re.compile(r"(?:19|20)\d\d|/\d\d")  # every date has one; few other lines have
_TIME = re.compile(
    r"(?<![\d:.,/])(?P<hour>[01]?\d|2[0-3])(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?|\s?(?:h|giờ)\s?(?:(?P<past>[0-5]\d)(?:\s?phút)?)?)"
    r"(?![\d:])'?(?:\s?(?P<half>[AP]\.?M\b|SA\b|CH\b|sáng|trưa|chiều|tối|đêm))?"
    r"(?P<zone>\s*\(?(?:(?:GMT|UTC)\s?(?P<named>[+-]\d{1,2}(?::?\d\d)?)?|Z\b|(?P<offset>[+-]\d\d:?\d\d))\)?)?",
    re.I,
)
_AFTERNOON = ("p", "c", "t", "đ")  # how PM, CH, trưa, chiều, tối, đêm begin
_NOON_BEGINS = 10  # trưa: from ten in the morning to some time after one
_REACH = 24  # characters between a date and its time: a weekday, "lúc", signs


class _Printed(NamedTuple):
    """A date as a line prints it."""

    day: date
    time: time | None
    before: str  # the words in front of it, back to the date before
    start: int
    stop: int  # with its time

    @property
    def moment(self) -> datetime:
        at = self.time or time(0, 0, tzinfo=INDOCHINA_TIME)
        return datetime.combine(self.day, at)


# -- one line ------------------------------------------------------------------------------------------------------------------


def _day(found: re.Match[str]) -> date | None:
    """Return the day that a match names, None if there is no such day."""
    parts = found.groupdict()
    year, day = int(parts["year"]), int(parts["day"])
    if named := parts.get("named"):
        month = int(named) if named.isdigit() else _MONTH_NUMBER[named.lower()]
    elif english := parts.get("english"):
        month = 1 + _ENGLISH.index(english.lower())
    else:
        month = int(parts["month"])
    try:
        return date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return None


def _time(found: re.Match[str]) -> time:
    hour, minute = int(found["hour"]), int(found["minute"] or found["past"] or 0)
    half = (found["half"] or "").lower()
    if half.startswith(_AFTERNOON) and hour < (_NOON_BEGINS if half == "trưa" else 12) and not (half == "đêm" and hour < 6):
        hour += 12
    elif half in ("am", "a.m", "sa", "đêm") and hour == 12:
        hour = 0
    return time(hour, minute, int(found["second"] or 0), tzinfo=_zone(found))


def _zone(found: re.Match[str]) -> timezone:
    written = found["named"] or found["offset"]
    if not found["zone"]:
        return INDOCHINA_TIME
    if not written:
        return timezone.utc
    hours, minutes = re.fullmatch(r"[+-](\d\d?):?(\d\d)?", written).groups("0")  # type: ignore[union-attr]
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset == timedelta(hours=7) and written[0] == "+":
        return INDOCHINA_TIME
    return timezone(-offset if written[0] == "-" else offset) if offset < timedelta(days=1) else INDOCHINA_TIME


@lru_cache(maxsize=64)
def _dates_in(text: str) -> Sequence[_Printed]:
    """Return the dates of a line of plain text, in order; cached, since a line is read for dates and then for names."""
    days = sorted(_days_in(text)) if _YEAR_SIGN.search(text) else []
    if not days:
        return ()
    times = [found for found in _TIME.finditer(text) if all(found.end() <= a or found.start() >= b for a, b, _ in days)]
    printed: list[_Printed] = []
    for start, stop, day in days:
        if printed and printed[-1].day == day and start - printed[-1].stop < 1:
            printed[-1] = printed[-1]._replace(stop=stop)  # printed twice
            continue
        at = _nearest(times, start, stop, text)
        first, last = (start, stop) if at is None else (min(start, at.start()), max(stop, at.end()))
        before = text[printed[-1].stop if printed else 0 : first]
        printed.append(_Printed(day, None if at is None else _time(at), before, first, last))
        if at is not None:
            times.remove(at)
    return tuple(printed)


def _days_in(text: str) -> list[tuple[int, int, date]]:
    """Return where in a text days are named, and which; of two that overlap, the one of the earlier form."""
    days: list[tuple[int, int, date]] = []
    small = text.lower()
    for signs, *forms in _DATES:
        for form in forms if signs.search(small) else ():
            for found in form.finditer(text):
                day = _day(found)
                if day and all(found.end() <= start or found.start() >= stop for start, stop, _ in days):
                    days.append((found.start(), found.end(), day))
    return days


def _nearest(times: list[re.Match[str]], start: int, stop: int, text: str) -> re.Match[str] | None:
    """Return the time that belongs to a date: no other number and at most _REACH characters in between."""
    near = []
    for at in times:
        gap = text[at.end() : start] if at.end() <= start else text[stop : at.start()]
        if len(gap) <= _REACH and (not any(map(str.isdigit, gap)) or re.search(r"\bthứ \d\b", gap, re.I)):
            near.append((len(gap.strip()), at.start(), at))
    return min(near)[2] if near else None


def without_dates(text: str) -> tuple[str, bool]:
    """Return plain text with a bar in place of each date and its time, and whether there was one.

    >>> without_dates("Lam Khê - Thứ ba, 04/03/2025 07:15 (GMT+7)")
    ('Lam Khê - | ', True)
    """
    printed = _dates_in(text)
    for found in reversed(printed):
        text = f"{text[: found.start]} | {text[found.stop :]}"
    return _AROUND.sub("| ", text) if printed else text, bool(printed)


_AROUND = re.compile(r"(?:(?:thứ\s(?:\w+)|chủ nhật|cn|ngày|lúc|vào|on|at)[\s,:.-]*)*\s*\|\s*", re.I)


# -- the page ------------------------------------------------------------------------------------------------------------------

_WORDS_OF_UPDATES = re.compile(r"cập nhật|chỉnh sửa|sửa (?:đổi|lần cuối)|updated|modified", re.I)
_WORDS_OF_PUBLICATION = re.compile(r"đăng|xuất bản|publi|posted|phát hành", re.I)
_OTHER_DATES = re.compile(  # a crawler's, a law's, a person's, a licence's
    r"crawl|convert|scrap|fetch|download|truy cập|tải về|ban hành|hiệu lực|áp dụng|công báo|ngày ký|hết hạn|hạn nộp|sinh ngày"
    r"|giấy phép|cấp ngày",
    re.I,
)
FIRST_YEAR = 1997  # of Vietnamese newspapers on the web; earlier dates belong to the story
MOST_AROUND = 100  # characters around the dates of a dateline: sections, an author
_ONLY_TIME = re.compile(rf"[\s|,;·–-]*(?P<all>{_TIME.pattern})[\s|,;·–-]*", re.I)
_ONLY_SIGNS = re.compile(r"[\s|,;·–—/-]*")


def dates_of(texts: Sequence[str]) -> Dates:
    """Return the dates of an article, from the lines that may print them (those labelled meta), as plain text in the order of the page.

    Of several dates, one that says what it is ("Ngày đăng", "Cập nhật") comes first, then one with a time, then one without seconds,
    which the clock of a site has, then the first.

    >>> dates_of(["Thứ ba, 4/3/2025, 07:15 (GMT+7)", "Lam Khê", "Cập nhật 05/03/2025"])[0].isoformat()
    '2025-03-04T07:15:00+07:00'
    """
    published: list[tuple[bool, bool, bool, _Printed]] = []
    updated: list[_Printed] = []
    for found in _of_page(texts):
        if _OTHER_DATES.search(found.before) or found.day.year < FIRST_YEAR:
            continue
        if _WORDS_OF_UPDATES.search(found.before):
            updated.append(found)
        else:
            named = _WORDS_OF_PUBLICATION.search(found.before) is not None
            published.append((named, found.time is not None, found.time is None or found.time.second == 0, found))
    first = max(published, key=lambda each: each[:3], default=None)
    return Dates(first and _with_time(first[3], published), updated[0].moment if updated else None)


def _with_time(chosen: _Printed, others: list[tuple[bool, bool, bool, _Printed]]) -> datetime:
    """Return the moment of a date; if it has no time, that of the same day printed elsewhere with one."""
    same = [found for _, timed, _, found in others if timed and found.day == chosen.day]
    return (chosen if chosen.time or not same else same[0]).moment


def _dates_of(text: str) -> Sequence[_Printed]:
    """Return the dates of a line; of a sentence, only those that say what they are."""
    printed = _dates_in(text)
    if sum(len(found.before) for found in printed) + (len(text) - printed[-1].stop if printed else 0) <= MOST_AROUND:
        return printed
    return [found for found in printed if _WORDS_OF_UPDATES.search(found.before) or _WORDS_OF_PUBLICATION.search(found.before)]


def _of_page(texts: Sequence[str]) -> list[_Printed]:
    """Return the dates of all lines; one without a time gets that of a neighbouring line which holds nothing else."""
    found: list[_Printed] = []
    texts = [text for text in texts if not _ONLY_SIGNS.fullmatch(text)]
    for number, text in enumerate(texts):
        printed = _dates_of(text)
        if len(printed) == 1 and printed[0].time is None:
            around = texts[number + 1 : number + 2] + texts[max(0, number - 1) : number]
            alone = next((match for match in map(_ONLY_TIME.fullmatch, around) if match), None)
            printed = [printed[0]._replace(time=alone and _time(alone))]
        if number and len(printed) == 1 and not printed[0].before.strip() and texts[number - 1].endswith(":"):
            printed = [printed[0]._replace(before=texts[number - 1])]
        found += printed
    return found
