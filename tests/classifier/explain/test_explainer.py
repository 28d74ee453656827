"""Feature attribution: contributions that sum to the model's scores, and their terminal output."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.core.context import NO_LINES
from classifier.core.features import COLUMN, LINE_COLUMNS, extract_features
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.ngrams import ngrams
from classifier.core.scan import scan
from classifier.core.stacked import STACKED_COLUMNS, StackedBuffer, StackedState, extract_stacked
from classifier.explain.explainer import Explainer
from classifier.explain.feature_text import meaning, reading
from classifier.explain.terminal import printable, wants_colour
from classifier.labels import EVIDENCE, LABELS, Label
from classifier.lines import is_blank, split_lines
from tests.support import tiny_model
from tests.support.explaining import explain_lines
from tests.support.paths import ROOT

SAMPLE = ROOT / "tests" / "cases" / "sample_page.txt"


# -- analysis ------------------------------------------------------------------------------------------------------------


def test_explained_lines_are_the_labelled_ones(cleaner, sample_page):
    lines = split_lines(sample_page)
    assert [why.line for why in explain_lines(cleaner, lines)] == list(cleaner.label_lines(lines))


@pytest.mark.parametrize("top", [3, 8, 10_000])
def test_shares_and_rest_add_up_to_the_odds(cleaner, composed_pages, top):
    for page in composed_pages[:6]:
        for why in explain_lines(cleaner, split_lines(page), top):
            for reasons in filter(None, (why.first_pass, why.context_pass)):
                assert reasons.rest + sum(feature.weight for feature in reasons.features) == pytest.approx(reasons.odds, abs=1e-7)
                assert len(reasons.features) <= top
                sizes = [abs(feature.weight) for feature in reasons.features]
                assert sizes == sorted(sizes, reverse=True)


def scores(cleaner, lines):
    """Return the scores of both passes for a page's non-blank lines, by the model's own methods: (18, n), (12, n)."""
    solid = [line for line in lines if not is_blank(line)]
    position = np.array([number for number, line in enumerate(lines) if not is_blank(line)])
    line_features = extract_features(solid)
    first = cleaner.model.first_pass(line_features)
    evidence = scaled_evidence(first)
    blanks, starts = np.diff(position, prepend=-1) - 1, np.arange(len(solid)) == 0
    columns, _ = extract_history(line_features, evidence, blanks, starts, PageState.fresh())
    buffer = NO_LINES.extended(line_features, evidence, columns, np.zeros(len(solid), np.int64), position)
    found = scaled_evidence(cleaner.model.context_pass(buffer, 0, len(solid)))
    page_columns, _ = extract_stacked(buffer.own, found, starts, StackedState.fresh())
    stacked = StackedBuffer.of(buffer, page_columns, found)
    return first, cleaner.model.stacked_pass(stacked, 0, len(solid))


def test_the_odds_are_those_of_the_model(cleaner, sample_page):
    lines = split_lines(sample_page)
    first, final = scores(cleaner, lines)
    explained = [why for why in explain_lines(cleaner, lines) if why.context_pass]
    assert len(explained) == final.shape[1]
    for i, why in enumerate(explained):
        ranking = final[:, i].argsort()[::-1]
        assert [why.line.label, why.runner_up] == [LABELS[code] for code in ranking[:2]]
        assert why.context_pass.odds == pytest.approx(final[ranking[0], i] - final[ranking[1], i], abs=1e-9)
        best = [
            max(p for name, p in zip(EVIDENCE, first[:, i]) if name.split(" ")[0] == label) for label in (why.line.label, why.runner_up)
        ]
        assert why.first_pass.odds == pytest.approx(best[0] - best[1], abs=1e-9)


def test_a_stream_is_explained_as_the_page(cleaner, sample_page):
    explainer = Explainer(cleaner)
    stream, streamed = explainer.cleaner.stream(), []
    for start in range(0, len(sample_page), 97):
        streamed += explainer.explain(stream.feed(sample_page[start : start + 97]))
    streamed += explainer.explain(stream.end_page())
    whole = explain_lines(cleaner, split_lines(sample_page))
    assert [why.line for why in streamed] == [why.line for why in whole]
    for one, other in zip(streamed, whole):
        assert one.context_pass == other.context_pass or np.allclose(one.context_pass.rest, other.context_pass.rest)


def test_lines_of_several_pages_can_be_explained_at_once(cleaner):
    explainer = Explainer(cleaner)
    stream = explainer.cleaner.stream()
    pages = [["Trang chủ", "", "Thời sự"], ["", "Theo hợp tác xã, đơn hàng đủ cho làng làm đến hết tháng chín."]]
    lines = [line for page in pages for line in stream.end_page(page)]
    apart = [why for page in pages for why in explain_lines(cleaner, page)]
    together = explainer.explain(lines)
    assert [(why.line, why.runner_up) for why in together] == [(why.line, why.runner_up) for why in apart]


def by_hand(folder: Path) -> classifier.Cleaner:
    """Return a cleaner whose model has weights for the word "ảnh", the column "short", and hidden units that read "short"."""
    zeros = {name: np.zeros_like(array) for name, array in tiny_model.arrays().items()}
    caption = LABELS.index(Label.CAPTION)
    zeros["vocabulary"] = tiny_model.arrays()["vocabulary"]
    zeros["vocabulary"][-1] = ngrams(scan(["ảnh"])).unigrams[0]
    zeros["text"][-1, caption] = 1 << 18  # 1/4
    zeros["columns"][COLUMN["short"], caption] = 1 / 32
    zeros["bias"][caption] = 2
    zeros["stacked_hidden"][STACKED_COLUMNS.index("short")] = 1 / 16, -1 / 16, 0
    zeros["stacked_hidden_bias"][:] = -0.5, 0.5, 0  # a short line sets the first unit to 0.5 and deactivates the second
    zeros["stacked_output"][:, caption] = 2, 7, 0
    zeros["stacked_output_bias"][LABELS.index(Label.BODY)] = 0.25
    return classifier.load(tiny_model.tiny(folder, zeros))


def test_a_model_worked_out_by_hand(tmp_path):
    why = explain_lines(by_hand(tmp_path), ["Ảnh!"])[0]
    assert (why.line.label, why.runner_up) == (Label.CAPTION, Label.BODY)
    assert [tuple(feature) for feature in why.first_pass.features] == [("short", 1.0, 0.5), ("“ảnh”", 1, 0.25)]
    assert why.first_pass.rest == 2
    assert why.first_pass.odds == pytest.approx(2.75)
    assert [tuple(feature) for feature in why.context_pass.features] == [("short", 1.0, 2.0)]
    assert why.context_pass.rest == pytest.approx(-1 - 0.25)
    assert why.context_pass.odds == pytest.approx(0.75)


def test_words_are_those_of_the_line(cleaner):
    text = "Theo báo cáo quý 3/2025, doanh thu của hợp tác xã gốm tăng gấp đôi so với cùng kỳ năm trước, ông Tấn nói."
    tokens = ["⊢", *re.findall(r"\w+|[^\w\s]", re.sub(r"\d", "0", text.lower())), "⊣"]
    known = {f"“{one}”" for one in tokens} | {f"“{one} {two}”" for one, two in pairwise(tokens)}
    words = [feature.name for feature in explain_lines(cleaner, [text], 200)[0].first_pass.features if feature.name.startswith("“")]
    assert len(words) > 10
    assert set(words) <= known


def test_every_feature_has_words():
    for name in (*LINE_COLUMNS, *STACKED_COLUMNS):
        assert meaning(name)
        assert "log2" not in meaning(name)
        assert reading(name, 1.0)
    assert reading("lines since date", 6.5) == "none so far"
    assert reading("prose over +4", 0.5) == "50%"
    assert reading("found footer since body", 1.0) == "yes"
    assert reading("blank lines before at -2", 3) == "3 or more"


def test_lines_that_are_no_text_are_explained(cleaner):
    lines = ["", "\ud800", "\x00\x1b[31m", "a" * 30_000, "!!!", "​", "ﷺ" * 50, "-" * 40]
    assert [why.line.text for why in explain_lines(cleaner, lines)] == lines
    assert explain_lines(cleaner, []) == []


# -- in the terminal -----------------------------------------------------------------------------------------------------


def run(*args: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "classifier", "explain", *args]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=60, env=plain | env)


def test_a_pipe_gets_plain_text(cleaner, sample_page):
    done = run(str(SAMPLE))
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    for row, line in zip(done.stdout.decode().splitlines(), cleaner.label_lines(split_lines(sample_page))):
        assert row.split()[0] == str(line.number)
        if line.label:
            assert row.split()[1:3] == ["+" if line.kept else "-", line.label]
            assert (f"< {line.first_guess} " in row) == (line.first_guess is not line.label)
            assert row.endswith(line.text)


def test_the_reasons_of_a_line():
    shown = run(str(SAMPLE), "--line", "9").stdout.decode()
    assert "the line by itself: title against " in shown
    assert "which decides: title against " in shown
    assert shown.count("everything else, including the bias") == 2


def numbers(shown: bytes) -> list[str]:
    """Return the first word of each row of output, reasons left out."""
    return [row.split()[0] for row in shown.decode().splitlines() if not row.startswith(" " * 8)]


def test_a_line_asked_for_is_the_only_one():
    assert numbers(run(str(SAMPLE), "--line", "9").stdout) == ["9"]
    shown = run(str(SAMPLE), "--line", "14", "--line", "12", "--line", "9").stdout
    assert numbers(shown) == ["9", "12", "14"]
    assert b"a blank line has no label" in shown
    assert b"+ kept, - dropped" not in run(str(SAMPLE), "--line", "9", "--color", "always").stdout  # the legend of whole pages


def test_a_line_that_is_not_there():
    missing = run(str(SAMPLE), "--line", "900", "--line", "9")
    assert (missing.returncode, numbers(missing.stdout)) == (2, ["9"])
    assert missing.stderr == b"tinsach: --line 900: no such line; the longest page has 42 lines\n"


def test_pages_are_told_apart(tmp_path):
    (tmp_path / "a.txt").write_text("Trang chủ\nThời sự\n\fKinh tế\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "Văn hóa"}\n', encoding="utf-8")
    first, other = str(tmp_path / "a.txt"), str(tmp_path / "b.jsonl")
    assert numbers(run("-", stdin="Trang chủ\n\fThời sự\n".encode()).stdout) == ["1", "standard", "1"]
    shown = run(first, other).stdout.decode().splitlines()
    assert [row for row in shown if row.startswith("/")] == [first, f"{first}, page 2", f"{other}, record 1"]
    assert [row.split()[0] for row in shown if not row.startswith("/")] == ["1", "2", "1", "1"]
    shown = run(first, other, "--line", "2").stdout.decode().splitlines()
    assert [row for row in shown if not row.startswith(" " * 8)] == [first, next(row for row in shown if "Thời sự" in row)]


def test_a_blank_line_shows_what_is_in_it():
    shown = run("-", stdin="Trang chủ\n<br>\n \n".encode()).stdout.decode().splitlines()
    assert [row.split() for row in shown[1:]] == [["2", "<br>"], ["3"]]


def test_dropped_lines_are_dimmed_and_not_struck():
    shown = run(str(SAMPLE), "--color", "always").stdout.decode()
    assert "\x1b[2mTrang chủ\x1b[0m" in shown
    assert not re.search(r"\x1b\[(\d+;)*9[;m]", shown)


def test_colour_on_request_and_never_against_no_color():
    assert b"\x1b[" in run(str(SAMPLE), "--color", "always").stdout
    assert b"\x1b[" not in run(str(SAMPLE), "--color", "never").stdout


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)])
def test_a_terminal_gets_colour(env, coloured):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "classifier", "explain", "-"]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    subprocess.run(command, input="Trang chủ\n".encode(), stdout=theirs, cwd=ROOT, env=plain | env, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert ("\x1b[" in shown) == coloured
    assert "Trang chủ" in shown


def test_a_line_cannot_command_the_terminal():
    hostile = "đỏ\x1b[2J\x07\u202evàng\x9b31m"
    shown = run("-", "--color", "always", "--encoding", "utf-8", stdin=hostile.encode()).stdout.decode()
    assert "\x1b[2J" not in shown
    assert not {"\x07", "\u202e", "\x9b"} & set(shown)
    assert printable(hostile) == "đỏ\\x1b[2J\\x07\\u202evàng\\x9b31m"


def test_no_stream_no_colour():
    assert not wants_colour(None)
    assert wants_colour(None, "always")
