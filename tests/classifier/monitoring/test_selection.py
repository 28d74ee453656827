"""Selection of pages to label: worked out by hand, on composed pages, and at the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cleaner import Cleaner
from classifier.labels import LABELS
from classifier.monitoring.selection import DOUBTFUL, Choice, Summaries, choose, summaries
from classifier.results import Labels
from tests.support.paths import ROOT

NAV, BODY, RELATED = ([label.value for label in LABELS].index(name) for name in ("nav", "body", "related"))

Page = list[tuple[str, int, float]]  # text, code, keep probability


def summary(*pages: Page) -> Summaries:
    rows = [row for page in pages for row in page]
    texts, codes, keep = map(list, zip(*rows)) if rows else ([], [], [])
    codes = np.array(codes, np.int8)
    names = [f"trang {number}" for number in range(len(pages))]
    offsets = np.cumsum([0, *map(len, pages)])
    return summaries(names, Labels(codes, np.array(keep), codes == BODY, np.array(keep), codes, offsets, texts, codes, codes))


def order(pages: Summaries, count: int = 99) -> list[str]:
    return [choice.page for choice in choose(pages, count)]


SURE: Page = [("Trang chủ", NAV, 0.0), ("Khói trắng bay lên.", BODY, 1.0)]
TORN: Page = [("Người giữ bí quyết men tro", RELATED, 0.5), ("Chợ gốm cuối tuần", RELATED, 0.25)]
OTHER: Page = [("Ba lò gốm đầu tiên được nhóm lửa.", BODY, 0.5)]


def test_expected_errors_are_the_probabilities_of_being_wrong():
    pages = summary(SURE, TORN, [("Lửa còn thì nghề còn", BODY, 0.75), ("", -1, 0.0)], [])
    assert pages.expected.tolist() == [0, 0.75, 0.25, 0]
    assert pages.lines.tolist() == [2, 2, 1, 0]


def test_the_page_of_most_expected_errors_comes_first_and_empty_ones_never():
    assert order(summary(SURE, [], OTHER, [("", -1, 0.0)], TORN)) == ["trang 4", "trang 2", "trang 0"]


def test_a_copy_teaches_nothing_more():
    first, second, third = choose(summary(TORN, TORN, OTHER), 3)
    assert [first.page, second.page, third.page] == ["trang 0", "trang 2", "trang 1"]
    assert third.score == 0
    assert third.expected == 0.75


def test_shared_doubtful_lines_count_once():
    """Page 1 shares its doubtful line with page 0; page 2 is less doubtful, but shares none."""
    shared = ("Người giữ bí quyết men tro", RELATED, 0.5)
    one, two = [shared, ("a", NAV, 0.4)], [shared, ("Khói trắng bay lên.", BODY, 0.95), ("Lửa còn.", BODY, 0.95)]
    three = [("Bảng giá đất", RELATED, 0.3), ("Khói trắng.", BODY, 1.0), ("Lửa.", BODY, 1.0)]
    assert order(summary(one, two, three)) == ["trang 0", "trang 2", "trang 1"]


def test_likeness_discounts_by_the_share_of_the_layout_in_common():
    chosen = [("một", RELATED, 0.5), ("hai", RELATED, 0.5)]
    half = [("ba", RELATED, 0.4), ("bốn", BODY, 1.0)]  # half of the layout in common: "related" in the first half
    _, second = choose(summary(chosen, half), 2)
    assert second.score == pytest.approx(0.4 * 0.5)


def test_ties_go_to_the_first_page():
    assert order(summary(OTHER, [("Sông cạn.", BODY, 0.5)]))[0] == "trang 0"


def test_why_says_where_and_what():
    lines = [("Trang chủ", NAV, 0.0)] * 6 + [("Men tro", RELATED, 0.5), ("Chợ gốm", RELATED, 0.3)]
    assert next(choose(summary(lines), 1)).why == "2 of 8 lines uncertain, most in its last quarter, most taken for related"
    assert next(choose(summary(OTHER), 1)).why == "1 of 1 lines uncertain, in its first quarter, taken for body"
    assert next(choose(summary(SURE), 1)).why == "none of 2 lines uncertain"
    scattered = [("a", NAV, 0.5), ("b", BODY, 0.5), ("c", RELATED, 0.5)] * 2
    assert next(choose(summary(scattered), 1)).why == "6 of 6 lines uncertain"


def test_long_pages_keep_a_bounded_summary():
    pages = summary([(f"dòng {number}", NAV, 0.5) for number in range(5000)])
    assert pages.hashes.shape == (1, DOUBTFUL)
    assert pages.expected[0] == 2500


LINE = st.tuples(st.sampled_from(["một", "hai", "ba", "bốn"]), st.sampled_from([NAV, BODY, -1]), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
PAGES = st.lists(st.lists(LINE, max_size=5), min_size=1, max_size=6)


@given(PAGES, st.integers(1, 8))
def test_every_page_at_most_once_and_scores_fall(pages, count):
    pages = [[(text, code, keep if code >= 0 else 0.0) for text, code, keep in page] for page in pages]
    found = list(choose(summary(*pages), count))
    with_lines = sum(any(code >= 0 for _, code, _ in page) for page in pages)
    assert len({choice.page for choice in found}) == len(found) == min(count, with_lines)
    scores = [choice.score for choice in found]
    assert all(one >= other - 1e-6 for one, other in pairwise(scores))
    assert all(-1e-9 <= choice.score <= choice.expected + 1e-6 for choice in found)


def test_parts_make_the_whole(cleaner: Cleaner, composed_pages):
    names = [str(number) for number in range(len(composed_pages))]
    whole = summaries(names, cleaner.label_pages(composed_pages))
    parts = [summaries(names[low : low + 8], cleaner.label_pages(composed_pages[low : low + 8])) for low in range(0, len(names), 8)]
    assert list(choose(whole, 10)) == list(choose(Summaries.joined(parts), 10))


def test_the_first_choices_hold_more_wrong_lines_than_others_do(cleaner):
    """On held-out composed pages with known labels."""
    from training.learning.dataset import make_pages
    from training.scoring.gold import gold_pages
    from training.scoring.scores import evaluate

    gold = gold_pages(make_pages(500, 9, folds=(0,))[0])
    wrong = {page.name: len(page.errors) for page in evaluate(cleaner, gold).pages}
    found = summaries([page.name for page in gold], cleaner.label_pages("".join(line + "\n" for line in page.lines) for page in gold))
    chosen = [choice.page for choice in choose(found, 20)]
    by_chance = 20 * sum(wrong.values()) / len(gold)
    assert sum(wrong[name] for name in chosen) > 1.4 * by_chance  # 1.6 when written; 2.3 to 3.3 on real pages (training/EXPERIMENTS.md)


# -- the command ---------------------------------------------------------------------------------------------------------------


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "classifier", "pick", *args], input=stdin, capture_output=True, cwd=ROOT, timeout=60)


@pytest.fixture
def folder(tmp_path, composed_pages) -> Path:
    for number, page in enumerate(composed_pages[:12]):
        (tmp_path / f"{number:02}.txt").write_text(page, encoding="utf-8")
    return tmp_path


def choices(cleaner: Cleaner, folder: Path, count: int) -> list[Choice]:
    paths = sorted(folder.iterdir())
    return list(
        choose(summaries([str(path) for path in paths], cleaner.label_pages(path.read_text(encoding="utf-8") for path in paths)), count)
    )


def test_pick_lists_pages(cleaner, folder):
    want = choices(cleaner, folder, 5)
    rows = [row.split("\t") for row in run(str(folder), "-n", "5").stdout.decode().splitlines()]
    assert [row[0] for row in rows] == list("12345")
    assert [row[3:] for row in rows] == [[choice.page, choice.why] for choice in want]
    assert [row[1] for row in rows] == [f"{choice.score:.2f}" for choice in want]
    records = [json.loads(row) for row in run(str(folder), "-n", "5", "--as", "jsonl").stdout.decode().splitlines()]
    assert [record["page"] for record in records] == run(str(folder), "-n", "5", "--as", "names").stdout.decode().splitlines()
    assert set(records[0]) == {"rank", "page", "score", "expected_errors", "why"}


def test_more_pages_than_there_are_is_no_mistake(folder):
    assert len(run(str(folder), "-n", "999").stdout.splitlines()) == 12


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["no-such-folder"], "no-such-folder: No such file"),
        (["-n", "0", "README.md"], "-n 0: give a number"),
        (["/dev/null"], "no page with a line in it"),
        (["README.md", "--page-separator", ""], "--page-separator"),
    ],
)
def test_mistakes_get_one_line_and_exit_2(args, message):
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_an_empty_folder_is_a_mistake(tmp_path):
    done = run(str(tmp_path))
    assert done.returncode == 2
    assert b"there is no file in it" in done.stderr
