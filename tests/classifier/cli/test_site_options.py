"""Site rules on the command line: site selection, every record format, and error messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import classifier
from classifier.cli import main
from classifier.sites.rules import SiteRules

SITES = """[[rules]]
phrase = "Thu Hạnh"
force = "body"

[[sites."bao-bai-song.vn"]]
regex = "^Sáng 4/3"
force = "promo"
"""
OWN, OTHER = "https://www.bao-bai-song.vn/van-hoa/1.html", "bao-khac.vn"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, sample_page):
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text(sample_page, encoding="utf-8")
    Path("sites.toml").write_text(SITES, encoding="utf-8")
    rows = [{"url": OWN, "text": sample_page}, {"text": sample_page}, {"url": OTHER, "text": sample_page}, {"url": 3, "text": "Thu Hạnh"}]
    Path("crawl.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def want(sample_page) -> dict[str, str]:
    """Return the sample page's article by site."""
    ruled = classifier.load(rules=SiteRules.read("sites.toml"))
    found = {"own": ruled.at("bao-bai-song.vn").clean_text(sample_page), "any": ruled.clean_text(sample_page)}
    assert "Thu Hạnh" in found["own"]
    assert ("Sáng 4/3" in found["own"], "Sáng 4/3" in found["any"]) == (False, True)
    return found


def test_text_is_cleaned_by_the_rules_of_the_site(want, capsysbinary):
    for site, expected in (("bao-bai-song.vn", "own"), (OWN, "own"), (None, "any")):
        assert main(["clean", "page.txt", "--sites", "sites.toml", *(["--site", site] if site else [])]) == 0
        out, err = capsysbinary.readouterr()
        assert (out.decode(), err) == (want[expected] + "\n", b"")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.usefixtures("started_workers")
def test_records_are_cleaned_by_the_rules_of_their_sites(want, capsysbinary, jobs):
    assert main(["clean", "crawl.jsonl", "--sites", "sites.toml", "--site-field", "url", "--jobs", jobs]) == 0
    out, err = capsysbinary.readouterr()
    assert [json.loads(line)["text"] for line in out.splitlines()] == [want["own"], want["any"], want["any"], "Thu Hạnh"]
    assert err.decode() == "tinsach: 2 records have no site in 'url'; the rules for every site apply to them\n"


def test_records_without_a_site_are_of_the_one_named(want, capsysbinary):
    assert main(["clean", "crawl.jsonl", "--sites", "sites.toml", "--site-field", "url", "--site", "bao-bai-song.vn"]) == 0
    out, err = capsysbinary.readouterr()
    assert [json.loads(line)["text"] for line in out.splitlines()] == [want["own"], want["own"], want["any"], "Thu Hạnh"]
    assert b"the rules of --site bao-bai-song.vn apply to them" in err


def test_labels_are_by_site_in_both_outputs(capsysbinary):
    options = ["label", "crawl.jsonl", "--sites", "sites.toml", "--site-field", "url"]
    assert main(options) == 0
    pages = capsysbinary.readouterr().out.decode().split("\f")
    assert [("promo\t1.0000\tSáng 4/3" in page, "body\t1.0000\tThu Hạnh" in page) for page in pages] == [
        (True, True), (False, True), (False, True), (False, True),
    ]  # fmt: skip
    assert main([*options, "--as", "jsonl"]) == 0
    found = [json.loads(line)["attributes"] for line in capsysbinary.readouterr().out.splitlines()]
    assert [[span[2] for span in spans["tinsach__body"]].count(1.0) for spans in found] == [1, 1, 1, 1]
    assert [1.0 in [span[2] for span in spans.get("tinsach__promo", [])] for spans in found] == [True, False, False, False]


def test_explain_shows_the_label_that_a_rule_decided(capsys):
    assert main(["explain", "page.txt", "--sites", "sites.toml", "--site", "bao-bai-song.vn", "--line", "13", "--color", "never"]) == 0
    out = capsys.readouterr().out
    assert "promo     100%" in out
    assert "promo against body, log odds -" in out


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "warc"])
def test_every_format_of_records_can_name_a_site(want, sample_page, form, capsysbinary):
    name, field = f"crawl.{form}", "WARC-Target-URI" if form == "warc" else "url"
    if form == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"url": [OWN, None, OTHER], "text": [sample_page] * 3}), name)
    elif form == "warc":
        pytest.importorskip("fastwarc")
        head = "WARC/1.0\r\nWARC-Type: conversion\r\n{}Content-Length: " + f"{len(sample_page.encode())}\r\n\r\n{sample_page}\r\n\r\n"
        uris = [f"WARC-Target-URI: {uri}\r\n" for uri in (f"<{OWN}>", f"http://{OTHER}/")]
        Path(name).write_bytes("".join(head.format(uri) for uri in (uris[0], "", uris[1])).encode())
    else:
        quoted, comma = '"' + sample_page.replace('"', '""') + '"', {"csv": ",", "tsv": "\t"}[form]
        rows = [f"{url}{comma}{quoted}\n" for url in (OWN, "", OTHER)]
        Path(name).write_text(f"url{comma}text\n" + "".join(rows), encoding="utf-8")
    assert main(["label", name, "--sites", "sites.toml", "--site-field", field]) == 0
    out, err = capsysbinary.readouterr()
    assert ["promo\t1.0000\tSáng 4/3" in page for page in out.decode().split("\f")] == [True, False, False]
    assert f"1 record has no site in '{field}'".encode() in err


def test_a_field_that_no_record_has_does_not_go_unnoticed(capsys):
    assert main(["clean", "crawl.jsonl", "--sites", "sites.toml", "--site-field", "ulr"]) == 0
    assert "4 records have no site in 'ulr'" in capsys.readouterr().err


def test_a_site_without_rules_does_not_go_unnoticed(capsys):
    assert main(["clean", "page.txt", "--sites", "sites.toml", "--site", "bao-bai-sogn.vn"]) == 0
    assert capsys.readouterr().err == "tinsach: sites.toml has no rules for 'bao-bai-sogn.vn'; those for every site apply\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["clean", "page.txt", "--site", "a.vn"], "--site selects the rules of a site; name the file"),
        (["label", "crawl.jsonl", "--site-field", "url"], "--site-field selects the rules of a site"),
        (["clean", "page.txt", "--sites", "sites.toml", "--site-field", "url"], "name their site with --site"),
        (["clean", "page.txt", "--sites", "none.toml"], "none.toml: No such file"),
        (["clean", "page.txt", "--sites", "page.txt"], "page.txt: no TOML"),
        (["clean", "page.txt", "--sites", "."], "directory"),
        (["clean", "page.txt", "--sites", "sites.toml", "--output", "sites.toml"], "the same file as the input sites.toml"),
        (["explain", "page.txt", "--sites", "sites.toml", "--html", "sites.toml"], "the same file as the input sites.toml"),
    ],
)
def test_mistakes_get_one_line_and_status_2(options, message, capsys):
    before = Path("sites.toml").read_bytes()
    assert main(options) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert Path("sites.toml").read_bytes() == before


def test_resume_begins_anew_with_other_rules(capsys):
    def finished(*more: str) -> str:
        options = ["clean", "crawl.jsonl", "--output-dir", "out", "--resume", "--summary", "--sites", "sites.toml"]
        assert main([*options, *more]) == 0
        return next(line for line in capsys.readouterr().err.splitlines() if "found" in line)

    new, old = "cleaned 1 file, found 0 finished", "cleaned 0 files, found 1 finished"
    assert [finished(), finished()] == [new, old]
    for more in (["--site", "bao-bai-song.vn"], ["--site-field", "url"]):
        assert [finished(*more), finished(*more)] == [new, old]
    Path("sites.toml").write_text(SITES.replace("promo", "media"), encoding="utf-8")
    assert finished() == new


def test_labelled_files_are_drafted_by_the_rules(capsys):
    assert main(["label", "page.txt", "--output-dir", "out", "--sites", "sites.toml", "--site", "bao-bai-song.vn"]) == 0
    rows = Path("out/page.tsv").read_text(encoding="utf-8").splitlines()
    assert [row.split("\t")[0] for row in rows if "Sáng 4/3" in row or "Thu Hạnh" in row] == ["promo", "body"]
