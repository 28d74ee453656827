"""The evaluation report: it shows the figures of `Scores`, and page text cannot become markup."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.classifier.explain.test_report import contrast, palette
from training.evaluate import main as evaluate_main
from training.scoring.gold import Gold
from training.scoring.html_elements import STYLE
from training.scoring.report import HEAT_STEPS, WORST, evaluation_page
from training.scoring.scores import Scores, evaluate, merged

HOSTILE = "</td><script>alert(1)</script> \ud800\x00\x1b\u202e & \"'"


@pytest.fixture(scope="module")
def styles(cleaner) -> dict[str, Scores]:
    lines = ["Trang chủ", "Làng gốm đỏ lửa", HOSTILE + " gốm" * 40 + ".", "Theo hợp tác xã, đơn hàng đủ cho làng làm đến hết tháng chín."]
    pages = [Gold(f"a__{number}", "a", ["nav", "title", "body", "body"], lines) for number in range(WORST)]
    wrong = Gold("b__1", "b", ["body", "nav", "nav", "nav"], lines)
    return {"plain": evaluate(cleaner, pages), "bs4 <b>": evaluate(cleaner, [wrong])}


@pytest.fixture(scope="module")
def page(styles) -> str:
    return evaluation_page("gold <i>", styles)


def test_shares_and_worst_pages_worked_out_by_hand():
    scores = Scores([], {("body", "body"): 6, ("body", "nav"): 2, ("nav", "nav"): 5}, [])
    assert scores.share("body", "nav") == 0.25
    assert scores.share("nav", "body") == scores.share("title", "body") == 0


def test_it_tells_the_figures(styles, page):
    every = merged(list(styles.values()))
    assert re.findall(r"<dd>([\d.]+)</dd>", page) == [f"{value:.3f}" for value in every.summary().values()]
    for scores in styles.values():
        assert f"<span>{scores.macro:.3f}</span>" in page
    for precision, recall, score, lines in every.labels().values():
        if lines:
            for value in (precision, recall, score):
                assert f"<span>{value:.3f}</span>" in page
    assert page.count("<circle") == len(every.reliability)
    for predicted, actual, count in every.reliability:
        assert f"predicted {predicted:.2f}, actual {actual:.2f}: {count} lines" in page


def test_the_heat_map_shows_every_confusion(styles, page):
    every = merged(list(styles.values()))
    cells = re.findall(r'<td class="h(\d)( right)?" title="(\w+) labelled (\w+): (\d+) lines', page)
    assert len(cells) == 144
    for step, right, want, got, count in cells:
        assert int(count) == every.confusion.get((want, got), 0)
        assert bool(right) == (want == got)
        assert 0 <= int(step) <= HEAT_STEPS


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_numbers_are_readable_on_the_darkest_cell(dark):
    colours = palette(dark)
    shares = [int(share) / 100 for share in re.findall(r"var\(--heat\) (\d+)%", STYLE.read_text(encoding="utf-8"))]
    assert len(shares) == HEAT_STEPS
    for hue in ("for", "against"):
        ground = tuple(max(shares) * a + (1 - max(shares)) * b for a, b in zip(colours[hue], colours["raised"]))
        assert contrast(colours["ink"], ground) >= 4.5


def test_the_worst_pages_come_first_with_their_errors(styles, page):
    summaries = re.findall(r'<summary><span class="score">([\d.]+)</span>(.*?), (\d+) wrong lines', page)
    assert len(summaries) == WORST
    scores = [float(score) for score, _, _ in summaries]
    assert scores == sorted(scores)
    assert unescape(summaries[0][1]) == "bs4 <b>: b__1"
    worst = merged(list(styles.values())).worst(1)[0]
    assert int(summaries[0][2]) == len(worst.errors)


def test_page_text_stays_text(page):
    assert page.count("<script") == 2  # of the page frame, both empty
    assert "<b>" not in page
    assert "<i>" not in page
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ud800]", page)
    assert "&lt;/td&gt;&lt;script&gt;alert(1)" in page
    page.encode()


def test_the_command_writes_it(tmp_path, capsys):
    (tmp_path / "a__1.tsv").write_text("title\tLàng gốm đỏ lửa\nnav\tTrang chủ\n", encoding="utf-8")
    target = tmp_path / "build" / "evaluation.html"
    assert evaluate_main([str(tmp_path), "--html", str(target)]) == 0
    assert "article_f1" in capsys.readouterr().out
    assert "1 pages, 2 non-blank lines" in target.read_text(encoding="utf-8")
    assert evaluate_main([str(tmp_path), "--html", str(tmp_path)]) == 2
    assert "a folder; name a file" in capsys.readouterr().err
