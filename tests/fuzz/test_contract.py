"""The contract of the public calls on hostile pages, for a few seconds; `make fuzz` runs longer."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import contract, strategies

slowly = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])


@slowly
@given(strategies.randoms, st.integers(1, 5))
def test_every_promise_holds_on_hostile_pages(cleaner, random, count):
    contract.all_calls_agree(cleaner, strategies.pages(random, count), random)


@slowly
@given(strategies.randoms)
def test_lines_with_line_ends_inside_come_back(cleaner, random):
    lines = [strategies.line(random) + random.choice(("", "\n", "\r\n", "\ra", "\n\n")) for _ in range(random.randrange(12))]
    contract.any_lines_come_back(cleaner, lines)


@slowly
@given(strategies.randoms)
def test_bytes_of_any_kind_are_lines(cleaner, random):
    contract.bytes_are_lines(cleaner, strategies.bytes_of(random, strategies.pages(random, 1)[0]), random)


@slowly
@given(strategies.randoms)
def test_lines_are_cut_as_told(random):
    contract.splitter_cuts_as_told(strategies.pages(random, 1)[0], random)


@settings(max_examples=200)
@given(st.text(alphabet="a\r\n\u2028\x85\x0b\x0c ", max_size=30), strategies.randoms)
def test_line_ends_are_lf_cr_and_crlf(text, random):
    contract.splitter_cuts_as_told(text, random)


def test_the_largest_inputs_in_one_page(cleaner):
    """Each kind of flood at full length among ordinary lines; `strategies` draws short ones only."""
    text = strategies.ordinary()[0]
    floods = [
        "[a](b)" * 100_000,
        "a" + "\u0301" * 10_000,
        "[" * 50_000 + "]" * 50_000,
        "](" * 50_000,
        "![" * 50_000,
        "|" * 100_000,
        "\ud800" * 9999,
    ]
    lines = [line for flood in floods for line in (*text[:9], flood)] + [""] * 5000 + text[:3] * 900
    found = list(cleaner.label_lines(lines))
    assert [line.text for line in found] == lines
    assert list(cleaner.label_lines(iter(lines))) == found
    contract.sound(cleaner, "\n".join(lines), found)
