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
    page = explained_page("sample_page.txt", [("sample_page.txt", explain_lines(cleaner, split_lines(sample_page)))])
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
    assert texts == [line.text for line in lines]
    assert tags == [line.label for line in lines]
    tints = opened.run("[...document.querySelectorAll('.line.kept')].map(e => getComputedStyle(e).backgroundColor)")
    assert len(set(tints)) == len({(line.label, f"{line.probability:.4f}") for line in lines if line.kept})


STRUCK = "[...document.querySelectorAll('.line .text')].filter(e => getComputedStyle(e).textDecorationLine === 'line-through')"


def test_dropped_lines_are_dimmed_and_struck_on_hover_only(opened):
    inks = "[...new Set([...document.querySelectorAll('.line.{} .text')].map(e => getComputedStyle(e).color))]"
    assert opened.run(inks.format("kept")) == ["rgb(29, 32, 37)"]
    assert opened.run(inks.format("dropped")) == ["rgb(76, 80, 87)"]
    assert opened.run(f"{STRUCK}.length") == 0
    for line, struck in (("#line-1", ["Thời sự"]), ("#line-8", [])):  # the second is the headline, which is kept
        opened.hover(f"{line} .text")
        assert opened.run(f"{STRUCK}.map(e => e.textContent)") == struck
    opened.hover("#name")


def test_first_guess_on_hover(opened):
    line = opened.run("document.querySelector('.line .ring').closest('.line').id")
    guess = f"document.querySelector('#{line} + .guess')"
    shown = f"getComputedStyle({guess}).display"
    assert opened.run(shown) == "none"
    opened.hover(f"#{line} .text")
    assert opened.run(shown) == "block"
    first, then = opened.run(f"/first guess (\\w+), then (\\w+),/.exec({guess}.textContent).slice(1)")
    assert then == opened.run(f"document.querySelector('#{line} .tag').textContent")
    assert first != then


def test_doubtful_lines_are_marked(opened):
    doubtful = opened.run("[...document.querySelectorAll('.doubtful .percent')].map(e => parseInt(e.textContent))")
    every = opened.run("[...document.querySelectorAll('.percent')].map(e => parseInt(e.textContent))")
    assert doubtful == [share for share in every if share < 60]


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


def test_all_or_no_labels(opened):
    every, switch = opened.run(SHOWN), "#kinds button:first-child"
    text = f"document.querySelector('{switch}').textContent"
    assert opened.run(text) == "None"
    opened.click(switch)
    assert (opened.run(SHOWN), opened.run(text)) == (0, "All")
    assert opened.run("document.querySelector('#nothing').checkVisibility()")
    opened.press("2")
    bodies = opened.run("[...document.querySelectorAll('#lines li:not([hidden]) .tag')].map(e => e.textContent)")
    assert set(bodies) == {"body"}
    assert not opened.run("document.querySelector('#nothing').checkVisibility()")
    assert opened.run("document.querySelector('[aria-selected=true] .tag').textContent") == "body"  # the headline is hidden
    opened.click(switch)
    assert opened.run(SHOWN) == every


# A line is in view if neither the header nor the details cover it.
IN_VIEW = """(() => {
    const box = document.querySelector('[aria-selected=true]').getBoundingClientRect();
    const why = document.querySelector('#why').getBoundingClientRect();
    const header = document.querySelector('header');
    const top = getComputedStyle(header).position === 'sticky' ? header.getBoundingClientRect().bottom : 0;
    const apart = why.height === 0 || why.left >= box.right || why.top >= box.bottom;
    return box.top >= top && box.bottom <= innerHeight && apart;
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_selected_line_is_in_view(chromium, tmp_path, cleaner, sample_page, artifacts, width, dark):
    path = tmp_path / "late.html"
    lines = ["Trang chủ", "Thời sự", "Kinh tế", "Văn hóa"] * 20 + split_lines(sample_page)
    path.write_text(explained_page("late.txt", [("late.txt", explain_lines(cleaner, lines))]), encoding="utf-8")
    chromium.open(path, width=width, height=844, dark=dark)
    assert chromium.run("document.querySelector('[aria-selected=true]').className.includes('kept')")
    assert chromium.run("document.querySelector('#why').checkVisibility()")
    assert chromium.run(IN_VIEW)
    assert chromium.run("scrollY") > 500
    chromium.screenshot(artifacts / f"explain-{width}-{'dark' if dark else 'light'}.png")
    for key in "jjjjjjjjGkkkgjnnpp":
        chromium.press(key)
        assert chromium.run(IN_VIEW), key
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
    assert chromium.complaints() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_details_close_and_open_again(chromium, report, width):
    chromium.open(report, width=width, height=844)
    is_open = "document.querySelector('#why').checkVisibility()"
    room = chromium.run("document.querySelector('#lines').offsetWidth")
    chromium.click("#close")
    assert not chromium.run(is_open)
    assert chromium.run("document.querySelector('#details').getAttribute('aria-expanded')") == "false"
    assert (chromium.run("document.querySelector('#lines').offsetWidth") > room) == (width > 960)
    chromium.press("j")
    assert not chromium.run(is_open)  # closed until somebody asks for them
    chromium.run("scrollTo(0, 400)")
    last = chromium.run("[...document.querySelectorAll('.line')].findLast(e => e.getBoundingClientRect().bottom < innerHeight).id")
    chromium.click(f"#{last} .text")  # at the bottom of the screen, where the details open on a narrow one
    assert chromium.run(is_open)
    assert chromium.run("document.querySelector('[aria-selected=true]').id") == last
    assert chromium.run(IN_VIEW)
    chromium.press("i")
    assert not chromium.run(is_open)
    chromium.press("i")
    assert chromium.run(is_open)
    assert chromium.complaints() == []


def test_pages_have_the_names_of_their_files(chromium, tmp_path, cleaner):
    path = tmp_path / "two.html"
    page = explain_lines(cleaner, ["Trang chủ", "Thời sự"])
    path.write_text(explained_page("a.txt and 1 more", [("tin/a.txt", page), ("tin/b.txt", page), ("tin/c.txt", [])]), encoding="utf-8")
    chromium.open(path)
    assert chromium.run("[...document.querySelectorAll('.divider')].map(e => e.textContent)") == ["tin/a.txt", "tin/b.txt", "tin/c.txt"]
    assert chromium.run("document.querySelector('#lines').lastChild.textContent") == "no lines"
    chromium.press("G")
    assert chromium.run("document.querySelector('#why').textContent.includes('tin/b.txt')")
    assert "Page" not in chromium.run("document.body.innerText")


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
    path.write_text(explained_page("long.txt", [("long.txt", explain_lines(cleaner, lines))]), encoding="utf-8")
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
    path.write_bytes(explained_page(HOSTILE[kind], [(HOSTILE[kind], explain_lines(cleaner, [HOSTILE[kind]]))] * 2).encode())
    chromium.open(path)
    assert chromium.complaints() == []
    assert chromium.requests() == [path.as_uri()]
    assert chromium.run("document.querySelectorAll('.line').length") == 2
    assert chromium.run("document.querySelectorAll('script').length") == 2
    assert chromium.run("document.querySelectorAll('.text *:not(.unseen), .divider *:not(.unseen)').length") == 0
    wanted = "".join(f"U+{ord(char):04X}" if char in _UNSEEN else char for char in HOSTILE[kind])
    for place in (".text", ".divider"):
        shown = chromium.run(f"document.querySelector('{place}').textContent")
        assert shown == wanted, json.dumps(shown)


def test_blank_lines_show_what_is_in_them(chromium, tmp_path, cleaner):
    path = tmp_path / "blank.html"
    lines = ["Trang chủ", "<img src=x onerror=alert(1)>", "", "Thời sự"]
    path.write_text(explained_page("a.txt", [("a.txt", explain_lines(cleaner, lines))]), encoding="utf-8")
    chromium.open(path)
    assert chromium.run("[...document.querySelectorAll('.blank')].map(e => e.innerHTML)") == ["&lt;img src=x onerror=alert(1)&gt;", ""]
    assert (chromium.complaints(), chromium.requests()) == ([], [path.as_uri()])


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
