"""Inspection of pages: what is noticed, what is not, at which cost, and that nothing depends on how the text arrived."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.io import inspection, joined, letters
from classifier.io.inspection import Inspector, inspect
from classifier.io.notices import KINDS, Notice, notice, sentence
from classifier.lines import split_lines
from tests.fuzz import strategies
from tests.support.paths import ROOT
from tests.support.text import unaccented

INPUTS = ROOT / "tests" / "cases" / "inputs"


def text_of(name: str) -> str:
    return (INPUTS / name).read_bytes().decode()


def kinds(text: str) -> dict[str, str]:
    return {found.kind: found.detail for found in inspect("\n".join(split_lines(text)))}


PAGE = text_of("u0085-page.txt").replace("\x85", "\n")
OTHER = text_of("bom-joined-files.txt").split("\ufeff")[2].replace("\f", "")
LINES = PAGE.split("\n")
ARTICLE = max(range(len(LINES)), key=lambda line: len(LINES[line]))


@pytest.mark.parametrize("name", ["bom-every-line.txt", "crcrlf.txt"])
def test_what_is_read_right_is_not_noticed(name):
    assert kinds(text_of(name)) == {}


@pytest.mark.parametrize(
    ("name", "kind", "detail"),
    [
        ("mojibake-article-only.txt", "garbled", "UTF-8 read as windows-1252"),
        ("mojibake-cp1252-lossy.txt", "garbled", "UTF-8 read as windows-1252"),
        ("mojibake-cp1258.txt", "garbled", "UTF-8 read as windows-1258"),
        ("mojibake-latin1-lossy.txt", "garbled", "UTF-8 read as windows-1252"),
        ("mojibake-macroman.txt", "garbled", "UTF-8 read as mac-roman"),
        ("mojibake-vnexpress-title.txt", "garbled", "UTF-8 read as windows-1252"),
        ("question-marks.txt", "garbled", "question marks in place of letters"),
        ("one-line.txt", "one_line", ""),
        ("br-page.txt", "written_line_ends", "<br>"),
        ("u0085-page.txt", "line_ends", "U+0085"),
        ("vt-page.txt", "line_ends", "VT, U+000B"),
        ("bom-joined-files.txt", "several_pages", ""),
        ("html-in-jsonl.jsonl", "json", ""),
    ],
)
def test_reported_inputs_are_noticed(name, kind, detail):
    assert kinds(text_of(name).replace("\f", "")) == {kind: detail}


# -- garbled letters -------------------------------------------------------------------------------------------------------


def misread(encoding: str, errors: str = "replace") -> Callable[[str], str]:
    return lambda text: text.encode().decode(encoding, errors)


GARBLINGS = {
    **{name: misread(name) for name in ("mac_roman", "cp437", "cp850", "cp866", "cp1250", "cp1251", "koi8_r", "gbk", "latin-1", "cp1258")},
    "cp1252, what is undefined dropped": misread("cp1252", "ignore"),
    "cp437, what is undefined dropped": misread("cp437", "ignore"),
    "twice": lambda text: misread("latin-1")(misread("latin-1")(text)),
    "ASCII only": lambda text: text.encode("ascii", "replace").decode(),
    "Latin-1 only": lambda text: text.encode("latin-1", "replace").decode("latin-1"),
    "replacement characters": lambda text: text.encode().decode("ascii", "replace"),
    "windows-1258 read as Latin-1": lambda text: unicodedata.normalize("NFD", text).encode("cp1258", "ignore").decode("latin-1"),
}


@pytest.mark.parametrize("name", GARBLINGS)
def test_garbled_pages_are_noticed(name):
    assert set(kinds("\n".join(map(GARBLINGS[name], LINES)))) == {"garbled"}


@pytest.mark.parametrize("name", ["mac_roman", "cp437", "latin-1", "cp1258", "twice", "replacement characters"])
def test_one_garbled_line_among_sound_ones_is_noticed(name):
    assert set(kinds("\n".join([*LINES[:ARTICLE], GARBLINGS[name](LINES[ARTICLE]), *LINES[ARTICLE + 1 :]]))) == {"garbled"}


SOUND = {
    "French quotes": PAGE.replace('"', "«").replace("hóa", "há»"),
    "degrees and masculine ordinals": PAGE.replace(" năm ", " 30º năm "),
    "questions and addresses": PAGE + "Ai? Ở đâu?Khi nào?\nhttps://bao.example/a?b=c&d=e?f\n" * 3,
    "a broken character": PAGE + "h\ufffd\n",
    "NFD": unicodedata.normalize("NFD", PAGE),
    "one Danish name": PAGE + "Æroskøbing\n",
    "upper case": PAGE.upper(),
    "few lines": "\n".join(LINES[:3]),
    "a paragraph": LINES[ARTICLE],
    "stray tags": PAGE.replace("\n", "<br />\n", 2).replace("Menu", "<b>Menu</b>"),
    "a quoted brace": "[Video] " + PAGE,
    "nothing": "",
    "white space": " \n\t\n\ufeff",
    "digits": "123 456\n" * 50,
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_text_is_not_noticed(name):
    assert kinds(SOUND[name]) == {}


def test_composed_pages_are_not_noticed(composed_pages):
    assert [page for page in composed_pages if kinds(page)] == []


# -- markup and line ends ----------------------------------------------------------------------------------------------------

HTML = {
    "a document": "<!DOCTYPE html>\n<html><head><title>Báo</title></head>\n<body>" + PAGE.replace("\n", "</p>\n<p>") + "</body></html>",
    "indented": "\n".join(f"      <div class='a'>{line}</div>" for line in LINES),
    "one line": "".join(f"<p>{line}</p>" for line in LINES),
    "a list": "\n".join(f"<li><a href='/a'>{line}</a></li>" for line in LINES),
}


@pytest.mark.parametrize("name", HTML)
def test_html_is_noticed(name):
    assert kinds(HTML[name]) == {"html": ""}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"text": PAGE}), json.dumps({"text": PAGE}, indent=2, ensure_ascii=False), json.dumps([{"text": PAGE}]),
        json.dumps(LINES), '\ufeff\n{"id": 1, "text": "Trang chủ"}\n{"id": 2, "text": "Thời sự"}\n',
    ],
)  # fmt: skip
def test_json_is_noticed(text):
    assert "json" in kinds(text)


@pytest.mark.parametrize("end", ["\x85", "\x0b", "\x0c", "\u2028", "\u2029"])
@pytest.mark.parametrize("times", [1, 20])
def test_other_line_ends_are_noticed(end, times):
    assert set(kinds((PAGE * times).replace("\n", end))) == {"line_ends"}


@pytest.mark.parametrize(
    ("end", "detail"), [("\\n", "\\n"), ("\\r\\n", "\\n"), ("<br>", "<br>"), ("<BR />", "<br>"), ("&lt;br&gt;", "<br>")]
)
def test_written_line_ends_are_noticed(end, detail):
    assert kinds(PAGE.replace("\n", end)) == {"written_line_ends": detail}


# -- language ----------------------------------------------------------------------------------------------------------------


ENGLISH = (
    "The kiln by the river was lit again this spring, after two years in which nobody had ordered a single pot from the village.\n" * 8
)
FRENCH = "Le four près de la rivière a été rallumé au printemps, après deux années où personne n'avait commandé une poterie.\n" * 8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (unaccented(PAGE), "no_accents"),
        ("\n".join([*LINES[:12], *map(unaccented, LINES[12:])]), "no_accents"),
        (ENGLISH, "not_vietnamese"),
        (FRENCH, "not_vietnamese"),
        ("Печь у реки снова зажгли весной, после двух лет без заказов.\n" * 8, "not_vietnamese"),
        ("河边的窑在春天重新点燃，两年来没有人订购过一件陶器。\n" * 12, "not_vietnamese"),
    ],
)
def test_language(text, kind):
    assert kinds(text) == {kind: ""}


def test_an_english_quote_does_not_make_a_page_english():
    assert kinds(PAGE + ENGLISH[:130]) == {}


# -- several pages -------------------------------------------------------------------------------------------------------------


def test_pages_run_together_are_noticed():
    assert kinds(PAGE + "\n" + "\ufeff" + OTHER) == {"several_pages": ""}
    assert joined.boundaries("\ufeff" + PAGE + "\n\ufeff" + OTHER) == 1
    news = [LINES[:10] + [f"{line} ({number})" for line in LINES[10:]] for number in range(3)]
    assert joined.boundaries("\n".join("\n".join(page) for page in news)) == 2


def test_a_page_that_repeats_itself_is_one_page():
    assert kinds(PAGE + "\n" + PAGE) == {}
    assert kinds("\n".join([*LINES[:12], *LINES])) == {}


# -- properties ----------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=200) | strategies.randoms.map(lambda random: "\n".join(strategies.page(random))))
def test_any_text_is_inspected(text):
    found = inspect(text)
    assert all(type(one) is Notice and one == notice(one.kind, one.detail) for one in found)
    assert len({one.kind for one in found}) == len(found)
    assert inspect(text) == found


@given(
    st.randoms(use_true_random=False),
    st.sampled_from([PAGE, HTML["indented"], ENGLISH, "\n".join(map(misread("cp437"), LINES)), OTHER * 3]),
)
def test_the_way_text_arrives_does_not_matter(random: Random, text):
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(inspection, "WINDOW", 512)
        lines, inspector = text.split("\n"), Inspector()
        while lines:
            count = random.randrange(1, 9)
            inspector.add_lines(lines[:count])
            lines = lines[count:]
        assert inspector.end_page() == inspect(text)
        assert inspector.end_page() == ()


def test_memory_is_one_window():
    inspector = Inspector()
    for _ in range(50):
        inspector.add_lines(["a" * 10_000])
        assert inspector._size <= inspection.WINDOW


HOSTILE = [
    "<", "<a ", "&lt;", "&", "?", "a?", "\\n", '{"', '["', "[", "](", "](a", "\x85", "\ufeff", "\n\ufeff", "º", "║", "\u0301",
    "iấy phép", "\niấy phép biên tập", "<br>", "Trang chủ\nThời sự\nKinh tế\n", "www.", ".", ". ", " ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_cost_is_linear(unit, monkeypatch):
    """Each window is inspected once, and the detailed check reads no more text than the page has."""
    checked: list[int] = []
    evidence = letters.evidence
    monkeypatch.setattr(letters, "evidence", lambda text, *more: checked.append(len(text)) or evidence(text, *more))
    windows: list[int] = []
    inspect_window = Inspector._inspect
    monkeypatch.setattr(Inspector, "_inspect", lambda self, text: windows.append(len(text)) or inspect_window(self, text))
    text = unit * (300_000 // len(unit))
    inspect(text)
    assert sum(windows) == len(text)
    assert max(windows) <= inspection.WINDOW
    assert sum(checked) <= len(text)


# -- words ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_what_it_is_and_the_way_out(kind):
    predicate, advice = KINDS[kind]
    assert predicate.split()[0] in ("is", "has")
    assert advice
    assert notice(kind, "so").message.startswith(predicate + " (so); ")
    assert sentence(kind, 1, ["a.txt"]).startswith("1 page ")
    assert sentence(kind, 5, ["a.txt", "b.txt"]).startswith("5 pages ")
    assert ": a.txt, b.txt, ...; " in sentence(kind, 5, ["a.txt", "b.txt"])
