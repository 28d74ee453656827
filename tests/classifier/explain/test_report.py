"""The HTML report: complete, self-contained, readable, and safe for any page text."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from classifier.errors import InputError
from classifier.explain.report import explained_page
from classifier.html_page import MAX_LINES, MAX_SHOWN, html_page, template
from classifier.labels import LABELS
from classifier.lines import split_lines
from tests.support.explaining import explain_lines
from tests.support.paths import ROOT

SAMPLE = ROOT / "tests" / "cases" / "sample_page.txt"

HOSTILE = {
    "ends the script": "</script><script>alert(1)</script>",
    "opens a comment": "<!--<script>",
    "markup": "<img src=x onerror=alert(1)> ảnh",
    "quotes": "\"'`${alert(1)}",
    "entities": "&lt;&#60;&amp",
    "controls": "\x00\x07\x1b[2J\x7f\x85",
    "bidi": "\u202eđảo ngược\u2066",
    "separators": "một\u2028hai\u2029ba",
    "lone surrogates": "\ud800 \udfff",
    "a place holder": "@data@ @script@ \\1 \\g<0>",
    "beyond the basic plane": "🏺" * 3,
}


class Reader(HTMLParser):
    """Collects the elements, and the text of each script, style and title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style", "title"):
            self.texts.append((tag, ""))
            self._open = True

    def handle_endtag(self, tag):
        self._open = False

    def handle_data(self, data):
        if self.texts and self._open:
            tag, text = self.texts.pop()
            self.texts.append((tag, text + data))


def page_of(cleaner, lines: list[str], name: str = "page.txt") -> str:
    return explained_page(name, [(name, explain_lines(cleaner, lines))])


def data_in(page: str) -> dict:
    return json.loads(Reader(page).texts[-2][1])


def test_every_line_is_in_it(cleaner, sample_page):
    lines = split_lines(sample_page)
    data = data_in(page_of(cleaner, lines))
    ((name, rows),) = data["pages"]
    assert name == data["name"] == "page.txt"
    assert len(rows) == len(lines)
    for row, line in zip(rows, cleaner.label_lines(lines)):
        if line.label is None:
            assert row == 0
            continue
        number, text, cut, code, guess, probability, kept, runner_up, first_pass, context_pass = row
        assert (number, text, cut) == (line.number, line.text, 0)
        assert (LABELS[code], LABELS[guess], bool(kept)) == (line.label, line.first_guess, line.kept)
        assert probability == pytest.approx(line.probability, abs=1e-4)
        assert runner_up != code
        for odds, rest, features in (first_pass, context_pass):
            assert odds == pytest.approx(rest + sum(weight for _, _, weight in features), abs=0.01)
            assert all(data["names"][name] and reading for name, reading, _ in features)


@pytest.mark.parametrize("kind", HOSTILE)
def test_lines_and_names_stay_text(cleaner, kind):
    text = HOSTILE[kind]
    page = page_of(cleaner, [text, f"Trang chủ {text}"], name=text)
    reader, harmless = Reader(page), Reader(page_of(cleaner, ["x"]))
    assert [tag for tag, _ in reader.tags] == [tag for tag, _ in harmless.tags]
    data = data_in(page)
    assert [row[1] for row in data["pages"][0][1]] == [text, f"Trang chủ {text}"]
    assert data["name"] == data["pages"][0][0] == text
    embedded = reader.texts[-2][1]
    assert embedded.isascii()
    assert not set("<>&") & set(embedded)
    page.encode()  # lone surrogates too


def test_only_its_own_style_and_script_may_run(cleaner):
    reader = Reader(page_of(cleaner, ["Trang chủ"]))
    policy = next(attrs["content"] for tag, attrs in reader.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    texts = {tag: text for tag, text in reader.texts if tag != "title"}  # the last script is the executable one
    for tag, text in texts.items():
        assert f"{tag}-src 'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    for tag, attrs in reader.tags:
        assert not {name for name in attrs if name.startswith("on") or name in ("style", "src", "action")}, tag
        assert attrs.get("href", "data:,") == "data:,"


def test_the_script_makes_no_markup_and_no_requests():
    script = template("base.js") + template("lines.js") + template("explain.js")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "XMLHttp",
        "import(",
        "http",
    ):
        assert word not in script
    assert "url(" not in template("explain.css") + template("lines.css") + template("base.css")


def test_long_lines_and_long_pages_have_limits(cleaner):
    row = data_in(page_of(cleaner, ["a " * 30_000]))["pages"][0][1][0]
    assert len(row[1]) == MAX_SHOWN
    assert row[1:3] == ["a " * (MAX_SHOWN // 2), 60_000 - MAX_SHOWN]
    blank = explain_lines(cleaner, [""] * (MAX_LINES // 2 + 1))
    with pytest.raises(InputError, match="too many"):
        explained_page("page.txt", [("a.txt", blank), ("b.txt", blank)])


def test_two_thousand_lines_are_a_few_megabytes(cleaner, composed_pages):
    lines = [line for page in composed_pages for line in page.split("\n") if line.strip()]
    lines = (lines * 3)[:2000]
    assert len(page_of(cleaner, lines).encode()) < 3_000_000


def test_blank_lines_show_what_is_in_them(cleaner):
    """A line of tags or invisible characters is blank, and yet not nothing."""
    lines = ["Trang chủ", "", " \t", "<img src=x onerror=alert(1)>", "\ufeff", "Thời sự"]
    ((_, rows),) = data_in(page_of(cleaner, lines))["pages"]
    assert rows[1:5] == [0, 0, *lines[3:5]]


def test_a_page_of_nothing(cleaner):
    assert data_in(page_of(cleaner, []))["pages"] == [["page.txt", []]]
    assert "<title>x</title>" in html_page("x", "", "")


# -- colours -------------------------------------------------------------------------------------------------------------


def luminance(colour: tuple[float, ...]) -> float:
    """Return the relative luminance (WCAG 2.2) of sRGB components from 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette(dark: bool) -> dict[str, tuple[float, ...]]:
    found = re.findall(r"--([a-z_]+): light-dark\(#(\w{6}), #(\w{6})\)", template("base.css"))
    return {name: tuple(int(pair[dark][i : i + 2], 16) / 255 for i in (0, 2, 4)) for name, *pair in found}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_readable_on_every_tint(dark):
    colours = palette(dark)
    strong, weak = (float(share) / 100 for share in re.search(r"--tint: (\d+)%; --tint-dropped: (\d+)%", template("lines.css")).groups())
    assert {label.value for label in LABELS} <= set(colours)
    for label in LABELS:
        hue, paper = colours[label.value], colours["paper"]
        kept, dropped = (tuple(share * a + (1 - share) * b for a, b in zip(hue, paper)) for share in (strong, weak))
        for ground, inks in ((kept, ("ink", "faded", label.value)), (dropped, ("faded", label.value))):
            for ink in inks:
                assert contrast(colours[ink], ground) >= 4.5, (label, ink)
    assert contrast(colours["paper"], colours["against"]) >= 4.5  # the mark of doubtful lines
    for ink in ("ink", "faded", "for", "against", *(label.value for label in LABELS)):
        assert contrast(colours[ink], colours["raised"]) >= 4.5, ink
    assert contrast(colours["focus"], colours["paper"]) >= 3


# -- the command ---------------------------------------------------------------------------------------------------------


def run(*args: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "classifier", "explain", *args]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=60, env=os.environ | env)


def test_the_command_writes_a_report(tmp_path, cleaner, sample_page):
    target = tmp_path / "report.html"
    done = run(str(SAMPLE), "--html", str(target))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    expected = explained_page("sample_page.txt", [(str(SAMPLE), explain_lines(cleaner, split_lines(sample_page)))])
    assert data_in(target.read_text(encoding="utf-8")) == data_in(expected)
    assert os.listdir(tmp_path) == ["report.html"]


def test_pages_and_files_share_a_report(tmp_path):
    target = tmp_path / "report.html"
    run("-", str(SAMPLE), "--html", str(target), stdin="Trang chủ\n\fThời sự\n".encode())
    data = data_in(target.read_text(encoding="utf-8"))
    assert [(name, len(page)) for name, page in data["pages"]] == [
        ("standard input", 1),
        ("standard input, page 2", 1),
        (str(SAMPLE), 42),
    ]
    assert data["name"] == "standard input and 1 more"


def test_every_page_has_the_name_of_its_file(tmp_path):
    pytest.importorskip("resiliparse")
    records = '{"text": "Trang chủ\\nThời sự"}\n{"text": "Kinh tế"}\n'
    files = {"a.txt": "Trang chủ\n", "b.jsonl": records, "c.html": "<p>Thời sự</p>", "d.txt": "", "tin/e.txt": "Văn hóa\n\f\fThể thao\n\f"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    target = tmp_path / "report.html"
    done = run(*(str(tmp_path / name) for name in (*files, "a.txt", "a.txt")), "--html", str(target))
    assert (done.returncode, done.stderr) == (0, b"")
    data = data_in(target.read_text(encoding="utf-8"))
    sizes = [("a.txt", 1), ("b.jsonl, record 1", 2), ("b.jsonl, record 2", 1), ("c.html", 1), ("d.txt", 0), ("tin/e.txt", 1)]
    sizes += [("tin/e.txt, page 3", 1), ("a.txt", 1), ("a.txt", 1)]
    assert [(name, len(page)) for name, page in data["pages"]] == [(str(tmp_path / name), size) for name, size in sizes]
    assert data["name"] == "a.txt and 6 more"


def test_a_folder_is_its_files(tmp_path):
    (tmp_path / "trang").mkdir()
    for name in ("b.txt", "a.txt"):
        (tmp_path / "trang" / name).write_text("Trang chủ\n", encoding="utf-8")
    target = tmp_path / "report.html"
    assert run(str(tmp_path / "trang"), "--html", str(target)).returncode == 0
    names = [name for name, _ in data_in(target.read_text(encoding="utf-8"))["pages"]]
    assert names == [str(tmp_path / "trang" / name) for name in ("a.txt", "b.txt")]


def test_open_hands_the_report_to_the_browser(tmp_path):
    target, opened = tmp_path / "báo cáo.html", tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}"\n')
    browser.chmod(0o755)
    assert run(str(SAMPLE), "--html", str(target), "--open", BROWSER=f"{browser} %s").returncode == 0
    assert opened.read_text() == target.as_uri()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--open"], "name its file with --html"),
        (["--html", "r.html", "--line", "3"], "--line is for the terminal"),
        (["--line", "0"], "lines are numbered from 1"),
        (["--html", str(SAMPLE)], "the same file as the input"),
        (["--html", "nowhere/r.html"], "there is no folder"),
    ],
)
def test_misuse_is_refused(args, message):
    done = run(str(SAMPLE), *args)
    assert done.returncode == 2
    assert message in done.stderr.decode()
