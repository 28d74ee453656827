"""The report of `tinsach explain --html` in Chromium: display, keys, filters, hostile lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.explain.report import explained_page
from classifier.lines import split_lines
from tests.classifier.explain.test_report import HOSTILE
from tests.support.explaining import explain_lines

pytestmark = pytest.mark.browser

CHOSEN = "document.querySelector('[aria-selected=true] .place').textContent"
SHOWN = "document.querySelectorAll('#lines li:not([hidden]) .line').length"


@pytest.fixture(scope="module")
def report(tmp_path_factory, cleaner, sample_page) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    page = explained_page("sample_page.txt", [explain_lines(cleaner, split_lines(sample_page))])
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def opened(chromium, report):
    """Return the browser with the report open; check afterwards that it logged nothing and requested nothing else."""
    chromium.open(report)
    yield chromium
    assert chromium.complaints() == []
    assert chromium.requests() == [report.as_uri()]


def test_lines_look_like_their_labels(opened, cleaner, sample_page):
    lines = [line for line in cleaner.label_lines(split_lines(sample_page)) if line.label]
    texts = opened.run("[...document.querySelectorAll('.line .text')].map(e => e.textContent)")
    tags = opened.run("[...document.querySelectorAll('.line .tag')].map(e => e.textContent)")
    struck = opened.run("[...document.querySelectorAll('.line .text')].map(e => getComputedStyle(e).textDecorationLine === 'line-through')")
    assert texts == [line.text for line in lines]
    assert tags == [line.label for line in lines]
    assert struck == [not line.kept for line in lines]
    tints = opened.run("[...document.querySelectorAll('.line.kept')].map(e => getComputedStyle(e).backgroundColor)")
    assert len(set(tints)) == len({(line.label, f"{line.probability:.4f}") for line in lines if line.kept})


def test_first_guess_on_hover(opened):
    guess = "document.querySelector('#line-1 + .guess')"
    shown = f"getComputedStyle({guess}).display"
    assert opened.run(shown) == "none"
    opened.hover("#line-1 .text")
    assert opened.run(shown) == "block"
    assert opened.run(f"{guess}.textContent").startswith("first guess media, then nav")


def test_keys_move_and_the_reasons_follow(opened):
    assert opened.run(CHOSEN) == "9"
    opened.press("j")
    assert opened.run(CHOSEN) == "10"
    opened.press("ArrowDown")
    opened.press("j")
    assert opened.run(CHOSEN) == "13"  # 12 is blank
    opened.press("k")
    opened.press("ArrowUp")
    assert opened.run(CHOSEN) == "10"
    assert opened.run("document.querySelector('#why h2').textContent").startswith("Line 10: nav")
    opened.press("G")
    assert opened.run(CHOSEN) == "42"
    opened.press("j")
    assert opened.run(CHOSEN) == "42"
    opened.press("g")
    assert opened.run(CHOSEN) == "1"
    opened.press("n")
    sure = opened.run("document.querySelector('[aria-selected=true] .percent').textContent")
    assert int(sure.rstrip("%")) < 60
    assert opened.run("document.querySelector('#lines').getAttribute('aria-activedescendant')") == opened.run(
        "document.querySelector('[aria-selected=true]').id"
    )


def test_a_click_chooses_a_line(opened):
    opened.click("#line-3 .text")
    assert opened.run(CHOSEN) == "4"


def test_filters_hide_lines(opened):
    every = opened.run(SHOWN)
    navs = opened.run("[...document.querySelectorAll('.line .tag')].filter(e => e.textContent === 'nav').length")
    opened.click("#labels button:nth-child(5)")
    assert opened.run(SHOWN) == every - navs
    assert opened.run("document.querySelector('#labels button:nth-child(5)').getAttribute('aria-pressed')") == "false"
    opened.press("5")
    assert opened.run(SHOWN) == every
    opened.press("x")
    assert opened.run(SHOWN) == opened.run("document.querySelectorAll('.line.kept').length")
    opened.press("j")
    assert opened.run("document.querySelector('[aria-selected=true]').className") == "line kept"
    opened.press("c")
    assert opened.run(SHOWN) == opened.run("document.querySelectorAll('.line.kept .ring').length")
    opened.press("Escape")
    assert opened.run(SHOWN) == every


def test_help_opens_and_takes_the_keys(opened):
    opened.press("?")
    assert opened.run("document.querySelector('#help').open")
    opened.press("j")
    assert opened.run(CHOSEN) == "9"
    opened.click("#help form button")
    assert not opened.run("document.querySelector('#help').open")


def test_focus_is_seen_and_roles_are_told(opened):
    opened.press("Tab")
    outline = opened.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    for _ in range(40):
        if opened.run("document.activeElement.id") == "lines":
            break
        opened.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        opened.send("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert opened.run("document.activeElement.id") == "lines"
    tree = opened.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert roles.count("listbox") == 1
    assert roles.count("option") == 38
    names = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") == "option"]
    assert "dropped" in names[0]


def test_the_map_jumps(chromium, tmp_path, cleaner, composed_pages):
    path = tmp_path / "long.html"
    lines = [line for page in composed_pages for line in page.split("\n") if line.strip()]
    lines = (lines * 3)[:2000]
    path.write_text(explained_page("long.txt", [explain_lines(cleaner, lines)]), encoding="utf-8")
    chromium.open(path)
    chromium.run("document.body.offsetHeight")
    assert chromium.run("document.querySelectorAll('.line').length") == 2000
    chromium.click("#map")
    assert chromium.run("window.scrollY") > 5000
    took = chromium.run(
        "(async () => { const start = performance.now(); for (let i = 0; i < 20; i++) {"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j'}));"
        " await new Promise(done => requestAnimationFrame(done)); } return performance.now() - start; })()"
    )
    assert took < 4000  # 20 moves; 0.4 s on an idle machine
    assert chromium.complaints() == []


def test_light_and_dark(chromium, report, artifacts):
    pictures, papers = [], []
    for dark in (False, True):
        chromium.open(report, dark=dark)
        pictures.append(chromium.screenshot(artifacts / f"explain-{'dark' if dark else 'light'}.png"))
        papers.append(chromium.run("getComputedStyle(document.body).backgroundColor"))
    assert pictures[0] != pictures[1]
    assert papers == ["rgb(251, 250, 247)", "rgb(23, 25, 29)"]
    chromium.press("t")
    assert chromium.run("getComputedStyle(document.body).backgroundColor") == papers[0]
    assert chromium.complaints() == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_lines_stay_text(chromium, tmp_path, cleaner, kind):
    path = tmp_path / "hostile.html"
    path.write_bytes(explained_page(HOSTILE[kind], [explain_lines(cleaner, [HOSTILE[kind]])]).encode())
    chromium.open(path)
    assert chromium.complaints() == []
    assert chromium.requests() == [path.as_uri()]
    assert chromium.run("document.querySelectorAll('.line').length") == 1
    assert chromium.run("document.querySelectorAll('script').length") == 2
    assert chromium.run("document.querySelectorAll('.text *:not(.unseen)').length") == 0
    shown = chromium.run("document.querySelector('.text').textContent")
    wanted = "".join(f"U+{ord(char):04X}" if char in _UNSEEN else char for char in HOSTILE[kind])
    assert shown == wanted, json.dumps(shown)


_UNSEEN = "\x00\x07\x1b\x7f\x85\u202e\u2066\u2028\u2029\ud800\udfff"


def test_the_policy_stops_what_does_not_belong(chromium, tmp_path, report):
    """An injected script does not run, and `complaints` reports it."""
    path = tmp_path / "slipped.html"
    page = report.read_text(encoding="utf-8").replace("<main>", "<script>document.title = 'slipped'</script><main>")
    path.write_text(page, encoding="utf-8")
    chromium.open(path)
    assert chromium.run("document.title") == "sample_page.txt - tinsach"
    chromium.run("0")
    assert any("Content Security Policy" in complaint for complaint in chromium.complaints())
