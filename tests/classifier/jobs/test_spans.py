"""Label spans: they are lines, filtering by them gives the result of cleaning, and spans of another text are refused."""

from __future__ import annotations

import io
import json
import re
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifier
from classifier.cli import main
from classifier.errors import InputError
from classifier.jobs.batches import Batch, span_batch
from classifier.jobs.spans import PREFIX, _with_blanks, keep_spans, parse_thresholds
from classifier.labels import DEFAULT_KEEP, Label
from classifier.lines import line_starts, split_lines

BODY = {Label.BODY: 0.0}


@pytest.fixture
def crawl(tmp_path, composed_pages):
    path = tmp_path / "crawl.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, page in enumerate(composed_pages):
            file.write(json.dumps({"id": f"a-{number}", "text": page.replace("\n", "\r\n") if number % 2 else page}) + "\n")
    return path


@pytest.fixture
def annotated(crawl, tmp_path, capsysbinary):
    assert main(["label", str(crawl), "--as", "jsonl"]) == 0
    path = tmp_path / "attributes.jsonl"
    path.write_bytes(capsysbinary.readouterr().out)
    return path


@given(st.lists(st.sampled_from(["một", "\r", "\n", "\r\n", "", "hai ba", "\u2028"]), max_size=8))
def test_starts_are_where_lines_begin(parts):
    text = "".join(parts)
    lines = split_lines(text)
    starts = line_starts(text, lines)
    assert [text[start : start + len(line)] for start, line in zip(starts, lines)] == lines
    assert all(start == 0 or text[start - 1] in "\r\n" for start in starts)


def test_spans_are_the_lines_of_the_text(cleaner, crawl, annotated):
    pages = [json.loads(line) for line in crawl.read_bytes().splitlines()]
    for page, entry in zip(pages, map(json.loads, annotated.read_bytes().splitlines()), strict=True):
        assert list(entry) == ["id", "attributes"]
        assert entry["id"] == page["id"]
        found = {(start, end, name, p) for name, spans in entry["attributes"].items() for start, end, p in spans}
        lines = split_lines(page["text"])
        labelled = zip(line_starts(page["text"], lines), cleaner.label_lines(lines))
        assert found == {
            (start, start + len(line.text), PREFIX + line.label, round(line.probability, 4)) for start, line in labelled if line.label
        }


@pytest.mark.parametrize("keep", ["title,body", "title,body,caption", "nav"])
def test_filtering_is_cleaning(crawl, annotated, tmp_path, keep):
    assert main(["clean", str(crawl), "--keep", keep, "--output", str(tmp_path / "clean.jsonl")]) == 0
    assert main(["filter", str(crawl), "--attributes", str(annotated), "--keep", keep, "--output", str(tmp_path / "again.jsonl")]) == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "clean.jsonl").read_bytes()


@given(st.lists(st.sampled_from(["", " ", "một", "Sáng nay trời nắng."]), max_size=60))
def test_blank_lines_are_kept_as_in_cleaning(lines):
    cleaner = classifier.load(keep=["body", "nav"])
    text = "\n".join(lines)
    assert keep_spans(text, span_batch(cleaner, Batch([text]))[0][0], {Label.BODY: 0.0, Label.NAV: 0.0}) == cleaner.clean_text(text)


def test_reach_of_blank_lines():
    reach = 16
    assert _with_blanks([True, *[None] * reach, True]) == [True] * (reach + 2)
    assert _with_blanks([True, *[None] * (reach + 2), True]) == [True, False, False, *[True] * (reach + 1)]
    assert _with_blanks([None, True, None, False, None, True, None]) == [False, True, False, False, False, True, False]


def test_thresholds():
    attributes = {"tinsach__body": [[0, 3, 0.5], [4, 7, 0.9]], "other__tag": [[0, 9, 1.0]], "tinsach__nav": [[8, 10, 1.0]]}
    assert keep_spans("một\nhai\nba", attributes, BODY) == "một\nhai"
    assert keep_spans("một\nhai\nba", attributes, {Label.BODY: 0.6}) == "hai"
    assert keep_spans("một\nhai\nba", {}, BODY) == ""
    keep = frozenset(DEFAULT_KEEP)
    assert parse_thresholds(keep, None) == {Label.TITLE: 0.0, Label.BODY: 0.0}
    assert parse_thresholds(keep, "0.2, body=0.6") == {Label.TITLE: 0.2, Label.BODY: 0.6}
    for wrong in ("2", "body", "nav=0.5", "body=x", "nan"):
        with pytest.raises(InputError, match=r"--threshold .*body=0.6"):
            parse_thresholds(keep, wrong)


@pytest.mark.parametrize(
    "span", [[0, 2, 0.5], [1, 3, 0.5], [0, 99, 0.5], [0, 3], ["0", 3, 0.5], [3, 0, 0.5], None, [0, 3, "p"], [-4, 3, 0.5]]
)
def test_spans_of_another_text_are_refused(span):
    with pytest.raises(InputError, match="not a line of this text; label it again"):
        keep_spans("một\nhai", {"tinsach__body": [span]}, BODY)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('{"id": 1, "attributes": {}}\n', "ends before record 2"),
        ('{"id": 1, "attributes": {}}\n{"id": 3, "attributes": {}}\n', "attributes.jsonl:2: of record 3, but .* has 2 there"),
        ('{"id": 1, "attributes": {}}\n{"id": null, "attributes": {}}\n{"id": 3, "attributes": {}}\n', "goes on behind the last"),
        ('{"id": 1, "attributes": {"tinsach__body": [[0, 9, 1]]}}\n', "attributes.jsonl:1: span"),
        ('{"page": 1}\n', "attributes.jsonl:1: not what `tinsach label --as jsonl` writes"),
        ("no\n", "attributes.jsonl:1: not what"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(tmp_path, capsys, attributes, message):
    (tmp_path / "crawl.jsonl").write_text('{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n')
    (tmp_path / "attributes.jsonl").write_text(attributes)
    command = ["filter", str(tmp_path / "crawl.jsonl"), "--attributes", str(tmp_path / "attributes.jsonl")]
    assert main([*command, "--output", str(tmp_path / "out.jsonl")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(message, said), said
    assert not (tmp_path / "out.jsonl").exists()


def test_wrong_uses(tmp_path, capsys, crawl):
    (tmp_path / "a.txt").write_text("a")
    assert main(["filter", str(tmp_path / "a.txt"), "--attributes", str(crawl)]) == 2
    assert "text has no records to filter" in capsys.readouterr().err
    (tmp_path / "b.jsonl").write_text("{}")
    assert main(["filter", f"{tmp_path}/*.jsonl", "--attributes", str(crawl)]) == 2
    assert "stands for 2 files" in capsys.readouterr().err
    assert main(["filter", str(crawl), "--attributes", str(crawl), "--output", str(crawl)]) == 2
    assert "the same file as the input" in capsys.readouterr().err
    assert main(["label", str(crawl), str(tmp_path / "a.txt"), "--as", "jsonl"]) == 2
    assert "label text and records in separate runs" in capsys.readouterr().err


# -- fields added to records -----------------------------------------------------------------------------------------------


def test_labels_are_spans_of_the_clean_text(cleaner, crawl, tmp_path):
    out = tmp_path / "clean.jsonl"
    assert main(["clean", str(crawl), "--labels", "--output", str(out)]) == 0
    for line in out.read_bytes().splitlines():
        record = json.loads(line)
        assert list(record) == ["id", "text", "attributes"]
        assert set(record["attributes"]) <= {"tinsach__title", "tinsach__body"}
        assert keep_spans(record["text"], record["attributes"], {Label.TITLE: 0.0, Label.BODY: 0.0}) == record["text"]
    assert main(["clean", str(out), "--labels", "--output", str(tmp_path / "x")]) == 2


JUNK = "Trang chủ\nThời sự\nKinh tế\nVăn hóa\nThể thao\nĐăng nhập\nĐọc nhiều"


def test_pages_that_lose_too_much_are_flagged(sample_page, tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in (sample_page, JUNK, "")), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert main(["clean", str(tmp_path / "a.jsonl"), "--max-dropped", "0.9", "--output", str(out), "--stats", str(tmp_path / "s")]) == 0
    records = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert [record["needs_review"] for record in records] == [False, True, False]
    assert records[1]["text"] == ""
    nothing, lost = capsys.readouterr().err.splitlines()
    assert nothing.startswith(f"tinsach: 1 page has no line kept: {tmp_path / 'a.jsonl'}, record 2; ")
    assert lost == f"tinsach: 1 page lost more than 90% of its text: {tmp_path / 'a.jsonl'}, record 2"
    assert json.loads((tmp_path / "s").read_text())["needs_review"] == 1
    (tmp_path / "a.txt").write_text(f"{sample_page}\f{JUNK}\f" + "\f".join([JUNK] * 6), encoding="utf-8")
    assert main(["clean", str(tmp_path / "a.txt"), "--max-dropped", "0.9", "--output", str(tmp_path / "out.txt")]) == 0
    said = capsys.readouterr().err.partition("\n")[2]
    assert said.startswith(f"tinsach: 7 pages lost more than 90% of their text: {tmp_path / 'a.txt'}, page 2; ")
    assert said.endswith("page 6; ...\n")
    for wrong in ("1.5", "-1", "nan"):
        assert main(["clean", str(tmp_path / "a.txt"), "--max-dropped", wrong]) == 2
        assert "--max-dropped" in capsys.readouterr().err


def test_labels_need_records(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a")))
    assert main(["clean", "--labels"]) == 2
    assert "tinsach label --as jsonl" in capsys.readouterr().err
