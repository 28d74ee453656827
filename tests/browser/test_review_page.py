"""`tinsach review` in Chromium, with the file on disk checked after each change."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from classifier.labels import LABELS
from classifier.lines import split_lines
from classifier.review.labelled_page import labelled_row, read_page
from classifier.review.page import ReviewedPage
from classifier.review.server import ReviewServer
from tests.browser.chromium import CONTROL, SHIFT, Chromium
from tests.classifier.explain.test_report import HOSTILE
from tests.classifier.review.test_server import started
from tests.support.processes import wait_until

pytestmark = pytest.mark.browser

HERE = "document.querySelector('.cursor .place').textContent"
CHOSEN = "[...document.querySelectorAll('[aria-selected=true] .place')].map(e => Number(e.textContent))"
STATE = "document.querySelector('#state').textContent"
ALARM = "document.querySelector('#alarm').textContent"
TAGS = "[...document.querySelectorAll('.line .tag')].map(e => e.textContent)"


class Reviewed:
    """A folder of labelled pages under review, with the first page open in the browser."""

    def __init__(self, browser: Chromium, server: ReviewServer, path: Path) -> None:
        self.browser, self.server, self.path = browser, server, path

    @property
    def labels(self) -> list[str]:
        return read_page(self.path).labels

    def saved(self) -> list[str]:
        """Wait until everything is saved and return the labels in the file."""
        wait_until(lambda: self.browser.run(STATE) == "Saved")
        return self.labels


@pytest.fixture
def serve(chromium, tmp_path, cleaner) -> Iterator[Callable[..., Reviewed]]:
    servers = []

    def start(*texts: str) -> Reviewed:
        paths = [tmp_path / f"{number}.tsv" for number in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_bytes(text.encode())
        server = ReviewServer([ReviewedPage(str(path), cleaner) for path in paths])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        chromium.open(server.url)
        return Reviewed(chromium, server, paths[0])

    yield start
    chromium.run("sequence = saved")  # else the browser asks before leaving the page
    chromium.open("about:blank")
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def draft(cleaner, sample_page) -> str:
    return "".join(labelled_row(line) for line in cleaner.label_lines(split_lines(sample_page)))


@pytest.fixture
def reviewed(serve, draft) -> Iterator[Reviewed]:
    page = serve(draft)
    yield page
    assert page.browser.complaints() == []
    assert set(page.browser.requests()) == {page.server.url}


def test_the_page_shows_the_file(reviewed):
    page = read_page(reviewed.path)
    solid = [row for row in page.rows if row.label != "-"]
    texts = reviewed.browser.run("[...document.querySelectorAll('.line .text')].map(e => e.textContent)")
    assert texts == [row.line for row in solid]
    assert reviewed.browser.run(TAGS) == [row.label for row in solid]
    names = reviewed.browser.run("[...document.querySelectorAll('#legend .name')].map(e => e.textContent)")
    assert names == [label.value for label in LABELS]
    doubtful = sum(row.probability < 0.6 for row in solid)
    assert doubtful > 0
    assert reviewed.browser.run("document.querySelectorAll('.ring').length") == doubtful
    assert f"{len(solid)} lines, {doubtful} doubtful, 0 labelled" in reviewed.browser.run("document.querySelector('#summary').textContent")


def test_a_key_labels_a_line_and_the_file_has_it(reviewed):
    before = reviewed.path.read_bytes().decode().split("\n")
    reviewed.browser.press("ArrowDown")
    reviewed.browser.press("a")
    assert reviewed.saved()[1] == "promo"
    after = reviewed.path.read_bytes().decode().split("\n")
    assert [i for i, (one, other) in enumerate(zip(before, after)) if one != other] == [1]
    assert after[1] == "promo\t1.0000\tThời sự"
    assert reviewed.browser.run(TAGS)[1] == "promo"
    assert reviewed.browser.run("document.querySelector('#line-1 .heard').textContent") == "labelled by you: "


def test_saved_is_said_after_a_save_only(reviewed):
    assert reviewed.browser.run(STATE) == "No changes"
    for key in ("j", "n", "p", "d", "Escape", "t"):  # nothing of this changes a label
        reviewed.browser.press(key)
    reviewed.browser.click("#line-2 .text")
    time.sleep(0.3)  # longer than a save waits for more changes
    assert reviewed.browser.run(STATE) == "No changes"
    before = reviewed.path.read_bytes()
    reviewed.browser.press("9")
    assert reviewed.browser.run(STATE) == "Saving …" or reviewed.path.read_bytes() != before
    reviewed.saved()
    assert reviewed.path.read_bytes() != before
    reviewed.browser.open(reviewed.server.url)
    assert reviewed.browser.run(STATE) == "No changes"


def test_doubtful_rows_are_marked_until_they_are_labelled(reviewed):
    rows = [row for row in read_page(reviewed.path).rows if row.label != "-"]
    doubtful = [str(row.number) for row in rows if row.probability < 0.6]
    marked = "[...document.querySelectorAll('.line.doubtful:has(.ring) .place')].map(e => e.textContent)"
    assert reviewed.browser.run(marked) == doubtful
    assert reviewed.browser.run("getComputedStyle(document.querySelector('.doubtful .percent')).backgroundColor") == "rgb(179, 84, 30)"
    reviewed.browser.press("n")
    done = reviewed.browser.run(HERE)
    reviewed.browser.press("9")
    assert reviewed.browser.run(marked) == [number for number in doubtful if number != done]
    reviewed.browser.press("u")
    assert reviewed.browser.run(marked) == doubtful


def test_a_label_set_by_hand_is_not_the_model_s(serve, draft):
    """The caption of the sample page is set to footer by hand."""
    rows = draft.split("\n")
    index = next(index for index, row in enumerate(rows) if row.startswith("caption"))
    rows[index] = "footer\t1.0000\t" + rows[index].split("\t", 2)[2]
    page = serve("\n".join(rows))
    line = f"[...document.querySelectorAll('.line')].find(e => e.querySelector('.place').textContent === '{index + 1}')"
    assert page.browser.run(f"{line}.querySelector('.percent').textContent") == "set"
    assert page.browser.run(f"{line}.querySelector('.disc') !== null && !{line}.classList.contains('doubtful')")
    page.browser.run(f"{line}.click()")
    verdict = page.browser.run("document.querySelector('#verdict').textContent")
    assert f"Line {index + 1}. The model says caption, " in verdict
    assert verdict.endswith("%; a person or a rule has set footer, to which the model gives 0%.")
    assert "100%" not in page.browser.run("document.body.innerText")
    assert "1 set earlier" in page.browser.run("document.querySelector('#summary').textContent")
    for _ in rows:
        page.browser.press("n")
        assert page.browser.run(HERE) != str(index + 1)  # nothing is left to check
    page.browser.run(f"{line}.click()")
    page.browser.press("3")
    page.saved()
    assert page.browser.run(f"{line}.querySelector('.percent').textContent") == "you"
    page.browser.open(page.server.url)
    assert page.browser.run(f"{line}.querySelector('.percent').textContent") == "set"
    page.browser.run(f"{line}.click()")
    assert page.browser.run("document.querySelector('#verdict').textContent").endswith("%; a person or a rule has set it, too.")


SHOWN = "[...document.querySelectorAll('#lines li:not([hidden]) .tag')].map(e => e.textContent)"


def test_a_filter_by_label(reviewed):
    run, click = reviewed.browser.run, reviewed.browser.click
    every, chip = run(TAGS), "#labels button:nth-child({})"
    assert run("[...document.querySelectorAll('#labels .count')].map(e => Number(e.textContent))") == [
        every.count(label) for label in LABELS
    ]
    click(chip.format(5))
    assert run(SHOWN) == [label for label in every if label != "nav"]
    assert run(HERE) == "8"  # the first line that is left
    click("#kinds button:first-child")
    assert run(SHOWN) == every
    click("#kinds button:first-child")
    assert run(SHOWN) == []
    assert run("document.querySelector('#nothing').checkVisibility()")
    reviewed.browser.press("9")  # there is no line to label
    assert run(STATE) == "No changes"
    click(chip.format(6))
    assert set(run(SHOWN)) == {"related"}
    reviewed.browser.press("Escape")
    assert run(SHOWN) == every
    reviewed.browser.press("d")
    assert run("document.querySelectorAll('#lines li:not([hidden]) .line').length") == run("document.querySelectorAll('.doubtful').length")


def test_hidden_lines_are_not_labelled(reviewed):
    """A range over lines that the filter hides is those that are seen."""
    before = reviewed.labels
    reviewed.browser.click("#kinds button:first-child")
    for code in (1, 6):
        reviewed.browser.click(f"#labels button:nth-child({code})")
    seen = reviewed.browser.run(SHOWN)
    assert set(seen) == {"title", "related"}
    reviewed.browser.press("Home")
    reviewed.browser.press("End", SHIFT)
    assert len(reviewed.browser.run(CHOSEN)) == len(seen)
    assert reviewed.browser.run("document.querySelector('#verdict').textContent") == f"{len(seen)} lines selected."
    reviewed.browser.press("9")
    assert reviewed.saved() == ["weather" if label in ("title", "related") else label for label in before]
    assert set(reviewed.browser.run(SHOWN)) == {"weather"}  # they stay until the filter is changed
    assert len(reviewed.browser.run(SHOWN)) == len(seen)
    reviewed.browser.click("#labels button:nth-child(2)")
    assert set(reviewed.browser.run(SHOWN)) == {"body"}
    reviewed.browser.press("u")  # what is undone is shown
    assert reviewed.saved() == before
    assert {"title", "related"} < set(reviewed.browser.run(SHOWN))


def test_the_map_shows_doubt_and_jumps(serve, composed_pages, chromium):
    lines = [line for page in composed_pages for line in page.split("\n") if line.strip()]
    page = serve("".join(f"nav\t{line}\n" for line in (lines * 3)[:1000]))
    chromium.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    doubtful, chosen = chromium.run("""(() => {
        const map = document.querySelector('#map');
        const {data} = map.getContext('2d').getImageData(0, 0, map.width, map.height);
        const red = (at) => data[at + 3] === 255 && data[at];
        const full = (x) => [...Array(map.height).keys()].map(y => red(4 * (y * map.width + x)));
        return [full(map.width - 2), full(1)];
    })()""")
    assert 179 in doubtful  # red, as of the marks in the list
    assert any(chosen[:100])
    chromium.click("#map")
    assert chromium.run("scrollY") > 5000
    assert page.browser.complaints() == []


COVERED = """(() => {
    const box = document.querySelector('.cursor').getBoundingClientRect();
    const panel = document.querySelector('aside').getBoundingClientRect();
    const header = document.querySelector('header');
    const alarm = document.querySelector('#alarm').getBoundingClientRect();
    const top = getComputedStyle(header).position === 'sticky' ? header.getBoundingClientRect().bottom : Math.max(0, alarm.bottom);
    return box.top < top || box.bottom > innerHeight || (panel.left < box.right && panel.top < box.bottom);
})()"""


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_covers_the_selected_line(serve, draft, chromium, monkeypatch, width):
    page = serve(draft)
    chromium.open(page.server.url, width=width, height=844)
    assert not chromium.run(COVERED)
    for key in ("n", "n", "n", "p", "End", "k", "Home", "j", "d", "Escape"):
        chromium.press(key)
        assert not chromium.run(COVERED), key
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
    for name in ("#undo", "#next", "#legend button:last-child", "#state"):  # in reach wherever the page is scrolled to
        box = chromium.run(f"document.querySelector('{name}').getBoundingClientRect().toJSON()")
        assert 0 <= box["top"] < box["bottom"] <= 844, name
        assert 0 <= box["left"] < box["right"] <= width, name
    chromium.press("n")
    chromium.click("#legend button:nth-child(3)")
    page.saved()
    assert page.browser.complaints() == []
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    chromium.run("choose(20); scrollTo(0, rows[20].item.offsetTop - 10)")  # at the top of the screen, where the alarm appears
    chromium.press("9")
    wait_until(lambda: chromium.run(STATE) == "Not saved")
    assert not chromium.run(COVERED)


def test_blank_lines_show_what_is_in_them(serve):
    page = serve("nav\tTrang chủ\n-\t<img src=x onerror=alert(1)>\nnav\t<br>\n")
    assert page.browser.run("document.querySelector('.blank').textContent") == "<img src=x onerror=alert(1)>"
    page.browser.press("End")
    assert "To the model, the line is blank; the file says nav" in page.browser.run("document.querySelector('#verdict').textContent")
    assert page.browser.complaints() == []


def test_every_label_has_its_key(reviewed):
    for key, label in zip("1234567890ab", LABELS):
        reviewed.browser.press(key)
        assert reviewed.browser.run(TAGS)[0] == label
    assert reviewed.saved()[0] == "footer"


def test_moving(reviewed):
    run, press = reviewed.browser.run, reviewed.browser.press
    assert run(HERE) == "1"
    press("ArrowUp")
    assert run(HERE) == "1"
    press("End")
    assert run(HERE) == "42"
    press("ArrowDown")
    press("k")
    assert run(HERE) == "41"
    press("Home")
    press("j")
    assert run(HERE) == "2"
    assert run("document.querySelector('#lines').getAttribute('aria-activedescendant')") == "line-1"
    assert "The model says nav" in run("document.querySelector('#verdict').textContent")


def test_a_range_is_labelled_undone_and_redone(reviewed):
    before = reviewed.labels
    for _ in range(8):
        reviewed.browser.press("ArrowDown")
    for _ in range(4):
        reviewed.browser.press("ArrowDown", SHIFT)
    assert reviewed.browser.run(CHOSEN) == [9, 10, 11, 13, 14]  # 12 is blank
    reviewed.browser.press("ArrowUp", SHIFT)
    assert reviewed.browser.run(CHOSEN) == [9, 10, 11, 13]
    reviewed.browser.press("9")
    labels = reviewed.saved()
    assert labels[8:14] == ["weather", "weather", "weather", "-", "weather", before[13]]
    reviewed.browser.press("Escape")
    reviewed.browser.press("3")
    assert reviewed.saved()[12] == "caption"
    reviewed.browser.press("u")
    assert reviewed.saved() == labels
    reviewed.browser.press("z", CONTROL)
    assert reviewed.saved() == before
    assert reviewed.browser.run(CHOSEN) == [9, 10, 11, 13]
    reviewed.browser.press("u")  # nothing left to undo
    reviewed.browser.press("y", CONTROL)
    assert reviewed.saved() == labels
    reviewed.browser.press("r")
    assert reviewed.saved()[12] == "caption"
    assert reviewed.browser.run("document.querySelector('#redo').disabled")


def test_undone_means_as_it_was_to_the_byte(reviewed):
    before = reviewed.path.read_bytes()
    reviewed.browser.press("End", SHIFT)
    reviewed.browser.press("7")
    assert set(reviewed.saved()) == {"most_read", "-"}
    reviewed.browser.click("#undo")
    reviewed.saved()
    assert reviewed.path.read_bytes() == before


def test_n_goes_to_the_least_certain_first(reviewed):
    sure = {row.number: row.probability for row in read_page(reviewed.path).rows if row.label != "-"}
    ranked = sorted(sure, key=lambda number: (sure[number], number))
    seen = []
    for _ in range(4):
        reviewed.browser.press("n")
        seen.append(int(reviewed.browser.run(HERE)))
    assert [sure[number] for number in seen] == [sure[number] for number in ranked[:4]]
    reviewed.browser.press("p")
    reviewed.browser.press("p")
    assert int(reviewed.browser.run(HERE)) == seen[1]
    reviewed.browser.press("Home")  # moving the cursor does not change the position in the order of doubt
    reviewed.browser.click("#next")
    assert int(reviewed.browser.run(HERE)) == seen[2]
    reviewed.browser.press("p")
    reviewed.browser.run(
        f"[...document.querySelectorAll('.line')].find(e => e.querySelector('.place').textContent === '{seen[2]}').click()"
    )
    reviewed.browser.press("b")  # a line labelled by the user is skipped
    reviewed.browser.press("n")
    assert int(reviewed.browser.run(HERE)) == seen[3]


def test_the_mouse_does_it_too(reviewed):
    reviewed.browser.click("#line-2 .text")
    reviewed.browser.click("#line-4 .text", SHIFT)
    assert reviewed.browser.run(CHOSEN) == [3, 4, 5]
    assert reviewed.browser.run("getSelection().toString()") == ""
    reviewed.browser.click("#legend button:nth-child(12)")
    assert reviewed.saved()[2:5] == ["footer"] * 3


def test_a_burst_of_keys_ends_in_the_file(reviewed):
    for key in "123456789012345678":
        reviewed.browser.press(key)
        reviewed.browser.press("ArrowDown")
    shown = reviewed.browser.run(TAGS)
    assert [label for label in reviewed.saved() if label != "-"] == shown


def test_a_confirmed_label_is_certain(reviewed):
    reviewed.browser.press("n")
    index = int(reviewed.browser.run(HERE)) - 1
    row = read_page(reviewed.path).rows[index]
    reviewed.browser.press("1234567890ab"[[label.value for label in LABELS].index(row.label)])
    reviewed.saved()
    assert read_page(reviewed.path).rows[index] == row._replace(probability=1.0)


def test_two_columns_and_their_row_ends_stay(serve):
    text = "\ufeffnav\tTrang chủ\r\n\r\n-\t\r\nbody\tLửa còn\tthì nghề còn\r\n"
    page = serve(text)
    page.browser.press("End")
    page.browser.press("1")
    page.saved()
    assert page.path.read_bytes().decode() == text.replace("body", "title")


def test_a_failing_save_is_said_loudly_and_tried_again(reviewed, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    before = reviewed.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        reviewed.browser.press("9")
        wait_until(lambda: reviewed.browser.run(STATE) == "Not saved")
        assert "No space left on device; make room" in reviewed.browser.run(ALARM)
        assert reviewed.browser.run("getComputedStyle(document.querySelector('#alarm')).backgroundColor") == "rgb(156, 35, 24)"
        assert reviewed.browser.run("document.querySelector('#alarm').getAttribute('role')") == "alert"
        assert reviewed.path.read_bytes() == before
        ignore_failed_requests(reviewed.browser, "500")
    reviewed.browser.click("#alarm button")
    assert reviewed.saved()[0] == "weather"
    assert reviewed.browser.run(ALARM) == ""


def test_the_browser_asks_before_it_leaves_what_is_not_saved(reviewed, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    reviewed.browser.press("9")
    wait_until(lambda: reviewed.browser.run(STATE) == "Not saved")
    reviewed.browser.run("void setTimeout(() => location.reload())")
    reviewed.browser.wait_for("Page.javascriptDialogOpening")
    reviewed.browser.send("Page.handleJavaScriptDialog", accept=False)
    assert reviewed.browser.run(TAGS)[0] == "weather"
    monkeypatch.undo()
    reviewed.browser.run("(async () => { await running; await save(); })()")  # the save started by leaving, then another
    assert reviewed.saved()[0] == "weather"
    ignore_failed_requests(reviewed.browser, "500")


def ignore_failed_requests(browser: Chromium, *words: str) -> None:
    """Remove the browser's log entries about failed requests from the events."""
    browser.run("0")
    browser.events = [
        event
        for event in browser.events
        if not (event.get("method") == "Log.entryAdded" and any(word in json.dumps(event) for word in words))
    ]


def test_another_s_changes_are_not_overwritten(reviewed, draft):
    theirs = draft.replace("nav\t", "meta\t", 1).encode()
    reviewed.path.write_bytes(theirs)
    reviewed.browser.press("9")
    wait_until(lambda: reviewed.browser.run(STATE) == "Not saved")
    assert "was changed by somebody else; nothing was overwritten" in reviewed.browser.run(ALARM)
    reviewed.browser.press("8")
    assert reviewed.browser.run(STATE) == "Not saved"
    assert reviewed.path.read_bytes() == theirs
    ignore_failed_requests(reviewed.browser, "409")
    reviewed.browser.events.clear()
    reviewed.browser.click("#alarm button")
    reviewed.browser.wait_for("Page.loadEventFired")
    assert reviewed.browser.run(TAGS)[0] == "meta"
    reviewed.browser.press("9")
    assert reviewed.saved()[0] == "weather"


def test_a_server_that_has_ended_is_said(chromium, tmp_path, draft):
    (tmp_path / "a.tsv").write_text(draft, encoding="utf-8")
    with started(str(tmp_path / "a.tsv")) as (_, url):
        chromium.open(url)
        chromium.press("8")
        wait_until(lambda: chromium.run(STATE) == "Saved")
    chromium.press("9")
    wait_until(lambda: chromium.run(STATE) == "Not saved")
    assert "tinsach does not answer; start it again" in chromium.run(ALARM)
    assert read_page(tmp_path / "a.tsv").labels[0] == "media"
    chromium.run("sequence = saved")  # else the browser asks before leaving the page
    chromium.open("about:blank")


def test_pages_turn_with_everything_saved(serve, draft):
    page = serve(draft, draft.replace("\n", "\r\n"))
    assert page.browser.run("document.querySelector('#pages').textContent") == "page 1 of 2, the least certain firstnext page ]"
    page.browser.press("9")
    page.browser.events.clear()
    page.browser.press("]")  # before the delayed save starts
    page.browser.wait_for("Page.loadEventFired")
    assert page.browser.run("document.querySelector('#name').textContent") == "1.tsv"
    assert page.labels[0] == "weather"
    page.browser.events.clear()
    page.browser.click("#pages a")
    page.browser.wait_for("Page.loadEventFired")
    assert page.browser.run("document.querySelector('#name').textContent") == "0.tsv"
    assert page.browser.run(TAGS)[0] == "weather"
    page.browser.press("[")
    assert page.browser.complaints() == []


def test_help_takes_the_keys(reviewed):
    before = reviewed.path.read_bytes()
    reviewed.browser.press("?")
    assert reviewed.browser.run("document.querySelector('#help').open")
    reviewed.browser.press("9")
    reviewed.browser.click("#help form button")
    assert not reviewed.browser.run("document.querySelector('#help').open")
    assert reviewed.browser.run(STATE) == "No changes"
    assert reviewed.path.read_bytes() == before


def test_focus_is_seen_and_roles_are_told(reviewed):
    for _ in range(24):
        reviewed.browser.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reviewed.browser.send("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert reviewed.browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if reviewed.browser.run("document.activeElement.id") == "lines":
            break
    assert reviewed.browser.run("document.activeElement.id") == "lines"
    tree = [node for node in reviewed.browser.send("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [node["role"]["value"] for node in tree]
    assert (roles.count("listbox"), roles.count("option"), roles.count("status")) == (1, 38, 1)
    names = [node["name"]["value"] for node in tree if node["role"]["value"] == "option"]
    assert any("doubtful" in name for name in names)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_lines_stay_text(serve, kind):
    text = HOSTILE[kind].encode("utf-8", "replace").decode()
    page = serve(f"nav\t{text}\nbody\tLửa còn thì nghề còn.\n")
    before = page.path.read_bytes()
    assert page.browser.run("document.querySelectorAll('.line').length") == 2
    assert page.browser.run("document.querySelectorAll('script').length") == 2
    assert page.browser.run("document.querySelectorAll('.text *:not(.unseen)').length") == 0
    page.browser.press("6")
    page.saved()
    assert page.path.read_bytes() == before.replace(b"nav\t", b"related\t", 1)
    assert page.browser.complaints() == []
    assert set(page.browser.requests()) == {page.server.url}


def test_two_thousand_lines_are_quick(serve, composed_pages):
    lines = [line for page in composed_pages for line in page.split("\n") if line.strip()]
    page = serve("".join(f"nav\t{line}\n" for line in (lines * 3)[:2000]))
    page.browser.press("End", SHIFT)
    page.browser.press("2")
    assert set(page.saved()) == {"body"}
    took = page.browser.run(
        "(async () => { const start = performance.now(); for (let i = 0; i < 20; i++) {"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'n'}));"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp'}));"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: String(i % 10)}));"
        " await new Promise(done => requestAnimationFrame(done)); } return performance.now() - start; })()"
    )
    assert took < 4000  # twenty corrections
    assert [label for label in page.saved() if label != "-"] == page.browser.run(TAGS)


def test_light_and_dark_and_narrow(chromium, serve, draft, artifacts, monkeypatch):
    page = serve(draft)
    pictures = []
    for dark in (False, True):
        chromium.open(page.server.url, dark=dark)
        chromium.press("n")
        chromium.press("ArrowDown", SHIFT)
        chromium.press("ArrowDown", SHIFT)
        chromium.press("6")
        page.saved()
        pictures.append(chromium.screenshot(artifacts / f"review-{'dark' if dark else 'light'}.png"))
    assert pictures[0] != pictures[1]
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    chromium.press("9")
    wait_until(lambda: chromium.run(STATE) == "Not saved")
    chromium.screenshot(artifacts / "review-not-saved.png")
    chromium.run("sequence = saved")
    monkeypatch.undo()
    for dark in (False, True):
        chromium.open(page.server.url, width=390, height=844, dark=dark)
        chromium.press("n")
        chromium.screenshot(artifacts / f"review-390-{'dark' if dark else 'light'}.png")
    monkeypatch.setattr("os.replace", lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    chromium.press("9")
    wait_until(lambda: chromium.run(STATE) == "Not saved")
    assert chromium.run("document.querySelector('#alarm').getBoundingClientRect().top") >= 0
    assert chromium.run("document.documentElement.scrollWidth <= window.innerWidth")
    chromium.screenshot(artifacts / "review-390-not-saved.png")
