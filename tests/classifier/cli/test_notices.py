"""Notices of the commands: one line for each kind, counts in --stats, and records refused by --on-error."""

from __future__ import annotations

import io
import json
import re
import sys
import unicodedata
from types import SimpleNamespace

import pytest

from classifier.cli import main
from classifier.io.notices import KINDS, NO_ARTICLE, NOTHING_KEPT
from tests.support.paths import ROOT

INPUTS = ROOT / "tests" / "cases" / "inputs"
HTML = json.loads((INPUTS / "html-in-jsonl.jsonl").read_text(encoding="utf-8"))["text"]
ENGLISH = "The kiln by the river was lit again this spring, after two years in which nobody had ordered a pot.\n" * 6


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs a command and returns its status and the lines on standard error."""

    def call(*args: object, stdin: bytes = b"") -> tuple[int, list[str]]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        status = main(list(map(str, args)))
        return status, capsys.readouterr().err.splitlines()

    return call


REPORTED = {
    "br-page.txt": "line ends written out",
    "one-line.txt": "the whole text on one line",
    "u0085-page.txt": "U+0085",
    "vt-page.txt": "VT",
    "mojibake-macroman.txt": "UTF-8 read as mac-roman",
    "question-marks.txt": "question marks in place of letters",
}


@pytest.mark.parametrize("command", ["clean", "label"])
@pytest.mark.parametrize("name", REPORTED)
def test_text_is_named_with_the_way_out(run, command, name):
    status, said = run(command, INPUTS / name)
    assert status == 0
    assert said[0].startswith("tinsach: 1 page has ")
    assert f": {INPUTS / name}" in said[0]
    assert REPORTED[name] in said[0]
    assert (len(said) == 1) is (command == "label" or name == "question-marks.txt")


REFUSED = {
    "mojibake-article-only.txt": "looks like UTF-8",
    "mojibake-cp1252-lossy.txt": "looks like UTF-8",
    "mojibake-cp1258.txt": "looks like UTF-8",
    "mojibake-latin1-lossy.txt": "looks like UTF-8",
    "mojibake-vnexpress-title.txt": "looks like UTF-8",
    "windows-1258.txt": "windows-1258",
}


@pytest.mark.parametrize("name", REFUSED)
def test_garbled_files_are_refused(run, name):
    status, said = run("clean", INPUTS / name)
    assert (status, len(said)) == (2, 1)
    assert REFUSED[name] in said[0]


READ_RIGHT = {  # with the options that the reports name
    "bom-every-line.txt": [],
    "crcrlf.txt": [],
    "bom-joined-files.txt": [],  # form feeds separate its three pages
    "br-page.txt": ["--format", "html"],
    "windows-1258.txt": ["--encoding", "cp1258"],
    "crlf-jsonl.jsonl": ["--text-field", "content"],
    "html-in-jsonl.jsonl": ["--text-format", "html"],
    "list-text.jsonl": ["--join-lists"],
}
TITLES = ("Thuế khoán bị bỏ, hộ kinh doanh lo khâu hóa đơn", "Chim cò nhạn về làm tổ ở đầm Vạc")


@pytest.mark.parametrize("name", READ_RIGHT)
def test_what_is_read_right_is_not_mentioned(run, tmp_path, name):
    if "html" in READ_RIGHT[name]:
        pytest.importorskip("resiliparse")
    out = tmp_path / name
    assert run("clean", INPUTS / name, *READ_RIGHT[name], "--output", out) == (0, [])
    clean = unicodedata.normalize("NFC", out.read_text(encoding="utf-8"))
    assert any(title in clean for title in TITLES)
    assert "Giấy phép" not in clean
    assert "Tìm kiếm" not in clean


NOT_RECORDS = {"crlf-jsonl.jsonl": "no field 'text'; name the text field", "list-text.jsonl": "a list of strings; --join-lists"}


@pytest.mark.parametrize("name", NOT_RECORDS)
def test_records_without_a_text_name_the_option(run, name):
    status, said = run("clean", INPUTS / name)
    assert (status, len(said)) == (2, 1)
    assert f"{name}:1: " in said[0]
    assert NOT_RECORDS[name] in said[0]


OF_RECORDS = {
    "html-in-jsonl.jsonl": "1 page is HTML, not lines of text: {}, record 1; ",
    "jsonl-first-mojibake.jsonl": "1 page has garbled letters: {}, record 1 (UTF-8 read as windows-1252); ",
    "jsonl-one-line.jsonl": "1 page has the whole text on one line: {}, record 1; ",
}


@pytest.mark.parametrize("name", OF_RECORDS)
def test_records_are_named_with_the_way_out(run, tmp_path, name):
    status, said = run("clean", INPUTS / name, "--output", tmp_path / "out.jsonl")
    assert status == 0
    assert said[0].startswith("tinsach: " + OF_RECORDS[name].format(INPUTS / name))


def test_every_input_is_tried():
    tried = {*REPORTED, *REFUSED, *READ_RIGHT, *NOT_RECORDS, *OF_RECORDS}
    assert tried == {path.name for path in INPUTS.iterdir()}


def test_html_and_json_on_standard_input(run):
    status, said = run("clean", stdin=HTML.encode())
    assert status == 0
    assert said[0].startswith("tinsach: 1 page is HTML, not lines of text: standard input; read files with --format html, ")
    lines = (INPUTS / "jsonl-one-line.jsonl").read_bytes()
    status, said = run("clean", stdin=lines)
    assert (status, len(said)) == (2, 1)
    assert "standard input: looks like JSON lines, not text" in said[0]
    status, said = run("clean", "--format", "text", stdin=lines)
    assert status == 0
    assert said[0].startswith("tinsach: 1 page is JSON, not lines of text: standard input; read it with --format jsonl ")


def test_pages_are_counted_and_the_first_named(run, tmp_path, sample_page):
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(5):
        (pages / f"{number}.txt").write_text(HTML, encoding="utf-8")
    (pages / "9.txt").write_text(sample_page + "\f" + ENGLISH, encoding="utf-8")
    stats = tmp_path / "stats.json"
    status, said = run("clean", pages, "--output-dir", tmp_path / "out", "--stats", stats)
    assert status == 0
    assert said[0].startswith("tinsach: 5 pages are HTML, not lines of text: ")
    assert f"{pages / '0.txt'}, {pages / '1.txt'}, {pages / '2.txt'}, ...; " in said[0]
    assert said[1].startswith(f"tinsach: 1 page is not in Vietnamese: {pages / '9.txt'}, page 2; ")
    found = json.loads(stats.read_text())
    assert found["notices"]["html"] == 5
    assert found["notices"]["not_vietnamese"] == 1
    assert found["notices"]["garbled"] == 0
    assert found["language"] == {"vi": round(6 / 7, 6), "vi_without_accents": 0.0, "other": round(1 / 7, 6)}
    alone = said, {**found, "seconds": 0, "pages_per_second": 0, "megabytes_per_second": 0}
    _, said = run("clean", pages, "--output-dir", tmp_path / "two", "--stats", stats, "--jobs", "2")
    found = json.loads(stats.read_text())
    assert (said, {**found, "seconds": 0, "pages_per_second": 0, "megabytes_per_second": 0}) == alone


def test_finished_files_are_reported_after_resuming(run, tmp_path, sample_page):
    for name, text in (("a", HTML), ("b", sample_page)):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    command = ["clean", tmp_path / "a.txt", tmp_path / "b.txt", "--output-dir", tmp_path / "out", "--resume"]
    first = run(*command)
    assert first[1][0].startswith(f"tinsach: 1 page is HTML, not lines of text: {tmp_path / 'a.txt'}; ")
    (tmp_path / "out" / "b.txt").unlink()
    assert run(*command) == first


def test_pages_of_html_and_text_are_no_bad_records(run, tmp_path):
    pytest.importorskip("resiliparse")
    (tmp_path / "a.html").write_text(f"<html><body><p>{ENGLISH}</p></body></html>".replace("ll", "??l??l??"), encoding="utf-8")
    (tmp_path / "b.txt").write_text(HTML, encoding="utf-8")
    status, said = run("clean", tmp_path, "--output-dir", tmp_path / "out", "--on-error", "skip")
    assert status == 0
    assert any(line.startswith("tinsach: 1 page is HTML, ") for line in said)


def test_the_filter_reports_records_that_keep_nothing(run, tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Trang chủ\nThời sự"}) + "\n", encoding="utf-8")
    run("label", tmp_path / "a.jsonl", "--as", "jsonl", "--output", tmp_path / "spans")
    status, said = run("filter", tmp_path / "a.jsonl", "--attributes", tmp_path / "spans", "--output", tmp_path / "out.jsonl")
    assert status == 0
    assert [line.partition(";")[0] for line in said] == ["tinsach: 1 page has no line kept"]


VALUES = {
    "--format": "jsonl",
    "--text-field": "text",
    "--text-format": "text",
    "--page-separator": "#",
    "--keep": "body",
    "--threshold": "0.5",
}


@pytest.mark.parametrize(("command", "unreported"), [("clean", NO_ARTICLE), ("extract", NOTHING_KEPT)])
def test_the_advice_of_a_notice_names_only_options_that_its_command_takes(run, tmp_path, command, unreported):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Trang chủ\nThời sự"}) + "\n", encoding="utf-8")
    advice = " ".join(kind.advice for name, kind in KINDS.items() if name != unreported)
    for option in sorted(set(re.findall("--[a-z-]+", advice))):
        status, said = run(command, tmp_path / "a.jsonl", option, VALUES[option])
        assert status == 0, said
        assert not any(KINDS[unreported].predicate.partition(" ")[2] in line for line in said)


# -- records ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("form", ["tsv", "jsonl"])
@pytest.mark.usefixtures("started_workers")
def test_labelled_records_are_named_whatever_the_processes(run, tmp_path, jobs, form):
    source = INPUTS / "jsonl-one-line.jsonl"
    status, said = run("label", source, "--as", form, "--jobs", jobs, "--output", tmp_path / "out")
    assert (status, len(said)) == (0, 1)
    assert said[0].startswith(f"tinsach: 1 page has the whole text on one line: {source}, record 1; ")


def test_json_arrays_are_judged_record_by_record(run, tmp_path):
    lines = (INPUTS / "jsonl-first-mojibake.jsonl").read_bytes().splitlines()
    (tmp_path / "a.json").write_bytes(b"[" + b",\n".join(lines) + b"]")
    status, said = run("clean", tmp_path / "a.json", "--on-error", "quarantine", tmp_path / "bad", "--output", tmp_path / "out.json")
    assert (status, said[1:]) == (1, [f"tinsach: 4 records in, 3 out, 1 put into {tmp_path / 'bad'}"])
    assert said[0].startswith(f"tinsach: put aside: {tmp_path}")
    assert (tmp_path / "bad").read_bytes() == lines[0] + b"\n"


def test_the_first_record_does_not_stand_for_the_others(run, tmp_path):
    source = INPUTS / "jsonl-first-mojibake.jsonl"
    status, said = run("clean", source, "--output", tmp_path / "out.jsonl")
    assert status == 0
    assert said[:1] == [
        f"tinsach: 1 page has garbled letters: {source}, record 1 (UTF-8 read as windows-1252); decode the source as UTF-8 again, "
        "or repair the text, for example with ftfy"
    ]
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 4


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
def test_garbled_records_and_html_are_bad(run, tmp_path, policy):
    lines = (INPUTS / "jsonl-first-mojibake.jsonl").read_bytes().splitlines()
    odd = b'{"text":\t"<p>L\\u00e0ng</p><p>G\\u1ed1m</p><p>S\xc3\xb4ng</p><p>a</p><p>b</p><p>c</p>" }'
    foreign = json.dumps({"text": ENGLISH}).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*lines, odd, foreign]) + b"\n")
    where = [tmp_path / "bad"] if policy == "quarantine" else []
    status, said = run("clean", tmp_path / "a.jsonl", "--on-error", policy, *where, "--output", tmp_path / "out.jsonl")
    assert status == 1
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 4
    assert said[0].startswith("tinsach: 1 page is not in Vietnamese: ")
    assert said[-1].startswith("tinsach: 6 records in, 4 out, 2 ")
    if where:
        assert where[0].read_bytes() == lines[0] + b"\n" + odd + b"\n"


def test_csv_rows_are_judged_one_by_one(run, tmp_path, sample_page):
    garbled = sample_page.encode().decode("mac_roman", "replace")
    rows = "id,text\n" + "\n".join(f'{number},"{text.replace(chr(34), chr(34) * 2)}"' for number, text in ((1, garbled), (2, sample_page)))
    (tmp_path / "a.csv").write_text(rows + "\n", encoding="utf-8")
    status, said = run("clean", tmp_path / "a.csv", "--on-error", "quarantine", tmp_path / "bad", "--output", tmp_path / "out.csv")
    assert (status, said[1:]) == (1, [f"tinsach: 2 records in, 1 out, 1 put into {tmp_path / 'bad'}"])
    assert said[0].startswith(f"tinsach: put aside: {tmp_path}")
    assert (tmp_path / "bad").read_text(encoding="utf-8") == rows[rows.index("1,") : rows.index('\n2,"')] + "\n"


# -- other commands --------------------------------------------------------------------------------------------------------


def test_records_to_label(run):
    _, said = run("label", INPUTS / "jsonl-first-mojibake.jsonl")
    assert [line.startswith("tinsach: 1 page has garbled letters: ") for line in said] == [True]
    _, said = run("label", "--as", "jsonl", INPUTS / "jsonl-first-mojibake.jsonl")
    assert "record 1 (UTF-8 read as windows-1252)" in said[0]


def test_pick_and_drift(run, tmp_path, composed_pages):
    for number, page in enumerate([*composed_pages[:12], HTML]):
        (tmp_path / f"{number:02}.txt").write_text(page, encoding="utf-8")
    pages = sorted(tmp_path.iterdir())
    for command in (["pick"], ["drift", "--write-baseline", tmp_path / "base.json"]):
        _, said = run(*command, *pages)
        assert [line for line in said if line.startswith(f"tinsach: 1 page is HTML, not lines of text: {pages[-1]}; ")]
