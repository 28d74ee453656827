"""Regex cost bound: which patterns are accepted, and that accepted ones are never slow."""

from __future__ import annotations

import re
import time
from random import Random

import pytest

from classifier.errors import InputError
from classifier.sites.regex_cost import MOST_STEPS, SEEN_CHARS, require_cheap, steps_of

# Seconds. On the build machine, the slowest of 30,000 accepted patterns took 0.025 s, and 0.11 s under load.
SLOWEST = 0.5


@pytest.mark.parametrize(
    "regex",
    [
        r"^\d+ bình luận$", r"^Ảnh: .*", r"\d{1,2}/\d{1,2}/\d{4}", r"\d+ bình luận", r"^Xem thêm:? .{0,80}$", r"\(Ảnh: [^)]*\)",
        r"(?i)^(ảnh|video|clip)\s*:", r"^.*bình luận.*$", r"Tin .* nhiều", r"Tin liên quan|Đọc thêm", r"^[^|]*\|[^|]*\|[^|]*$",
        r"\b\d{4}\b", r"^(\w+ )+x", r"^https?://\S+$", "Theo dõi", r"^(?:Video|Ảnh)+ ",
    ],
)  # fmt: skip
def test_ordinary_patterns_pass(regex):
    require_cheap(regex)


@pytest.mark.parametrize(
    "regex",
    [
        r"(a+)+$", r"(a|a)*b", ".*.*.*x", r"x.*y.*z", r"(x+x+)+y", r"(\d+,)*\d+$", r"(?:a?){30}a{30}", r"a{0,500}a{0,500}$",
        r"(?:.|\n)*(?:.|\s)*!", r"(?i)^(k+\u212a)+$", r"^(?:\w*é)*$", r"^(?:[^\d]*-?)*$", r"((a{0,30}){0,30}){0,30}$",
        r"(?i)^(?:ia|ıa)+$",
    ],
)  # fmt: skip
def test_patterns_that_explode_are_refused_with_a_way_out(regex):
    with pytest.raises(InputError, match=r"2,000,000 ways.*\^.*\{0,20\}"):
        require_cheap(regex)


@pytest.mark.parametrize(
    ("regex", "fault"),
    [
        (r"(a)\1", "backreferences"), (r"(?P<x>a)(?P=x)", "backreferences"), ("(?=a)b", "lookarounds"), ("(?<!a)b", "lookarounds"),
        ("a(?!)", "lookarounds"),
        ("(a)?(?(1)b|c)", "conditions"), ("(a", "is invalid"), ("a{2,1}", "is invalid"), ("*", "is invalid"),
        ("a{99999999999999999999}", "is invalid"), ("(" * 5000 + ")" * 5000, "nested too deeply"),
    ],
)  # fmt: skip
def test_what_has_no_bound_is_refused(regex, fault):
    with pytest.raises(InputError, match=fault):
        require_cheap(regex)


@pytest.mark.parametrize(
    ("regex", "steps"),
    [
        ("^a", 1000 + 2),  # one step per position, then ^ and a
        ("^a{2,5}", 1000 + 1 + 5 + 4),  # five letters, four lengths
        ("^(?:ab|cd)", 1000 + 1 + 2 * 2 + 2),  # two mutually exclusive alternatives
        ("^a{1,3}b", 1000 + 1 + 3 + 3 + 3),  # b is tried after each of three lengths
        ("^a{1,3}a{1,2}", 1000 + 1 + 6 + 3 * 4),  # each length of one with each length of the other
    ],
)
def test_the_bound_matches_counts_by_hand(regex, steps):
    assert steps_of(regex) == steps


def test_a_pattern_that_can_begin_anywhere_costs_a_thousand_times_more():
    assert steps_of(r"\d{1,3}x") > 900 * (steps_of(r"^\d{1,3}x") - SEEN_CHARS)
    assert steps_of(r"(?m)^.*x") > 100 * steps_of(r"^.*x")  # with (?m), ^ also matches after a line break inside the line


ATOMS = ["a", "b", " ", ".", r"\w", r"\d", r"\s", "[ab]", "[^b]", "ab", "aab", r"\S", "a b", "é", "(?i:ab)"]
REPEATS = ["*", "+", "?", "*?", "+?", "{0,20}", "{1,3}", "{2,}", "{0,80}"]


def some_regex(random: Random, depth: int) -> str:
    kind = random.random()
    if depth == 0 or kind < 0.35:
        return random.choice(ATOMS)
    if kind < 0.6:
        return random.choice(("(?:%s)", "(%s)")) % some_regex(random, depth - 1) + random.choice(REPEATS)
    parts = [some_regex(random, depth - 1) for _ in range(random.randint(2, 3))]
    return "(?:" + "|".join(parts) + ")" if kind < 0.72 else "".join(parts)


def hostile_lines() -> list[str]:
    """Return lines on which most patterns almost match."""
    units = ("a", "ab", "aab", "a ", "a b ", "1", "1a", "aaaaaaaab", "é")
    lines = [(unit * SEEN_CHARS)[:SEEN_CHARS] for unit in units]
    return [end for line in lines for end in (line, line[:-1] + "!", line[:500] + "!" + line[501:])]


@pytest.mark.slow  # asserts CPU time, which a busy machine may disturb
def test_no_accepted_pattern_is_slow():
    random, lines, close = Random(5), hostile_lines(), 0
    while close < 120:
        regex = random.choice(("", "^", "(?i)")) + some_regex(random, random.randint(2, 5)) + random.choice(("", "$", "!", "x"))
        steps = steps_of(regex)
        if not MOST_STEPS / 20 < steps <= MOST_STEPS:  # patterns with a low bound are fast anyway
            continue
        close += 1
        pattern = re.compile(regex)
        for line in lines:
            assert min(seconds(pattern, line) for _ in range(2)) < SLOWEST, (regex, line[:20])


def seconds(pattern: re.Pattern[str], line: str) -> float:
    started = time.process_time()
    pattern.search(line)
    return time.process_time() - started
