"""Conversions: the name of the output decides its format, whatever the format of the input."""

from __future__ import annotations

import csv
import datetime
import io
import json

import pytest

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.names import conversion

PAGE = "Trang chủ\nLò gốm đỏ lửa"
RECORDS = [{"id": 1, "text": PAGE, "more": {"n": [1]}}, {"id": 2, "text": None, "more": None}]
WANTED = [PAGE, None]


def lay_out(folder, form):
    path = folder / f"in.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    elif form == "json":
        path.write_text(json.dumps(RECORDS, indent=2), encoding="utf-8")
    elif form in ("csv", "tsv"):
        path.write_text(f'id,text,more\n1,"{PAGE}",x\n2,,\n'.replace(",", "," if form == "csv" else "\t"), encoding="utf-8")
    elif form == "parquet":
        arrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(RECORDS), path)
    else:
        path.write_text(f"{PAGE}\f", encoding="utf-8")
    return path


def texts_of(path):
    if path.suffix == ".parquet":
        return pytest.importorskip("pyarrow.parquet").read_table(path)["text"].to_pylist()
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line)["text"] for line in source.splitlines()]
    if path.suffix == ".json":
        return [record["text"] for record in json.loads(source)]
    if path.suffix == ".txt":
        return [page.removesuffix("\n") for page in source.split("\f")]
    return [row["text"] for row in csv.DictReader(io.StringIO(source), delimiter="," if path.suffix == ".csv" else "\t")]


@pytest.mark.parametrize("target", ["jsonl", "json", "csv", "tsv", "parquet", "txt"])
@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "parquet", "txt"])
def test_every_format_becomes_every_other(tmp_path, form, target):
    if "parquet" in (form, target):
        pytest.importorskip("pyarrow")
    out = tmp_path / f"out.{target}"
    assert main(["clean", str(lay_out(tmp_path, form)), "--threshold", "0", "--output", str(out)]) == 0
    found = texts_of(out)
    assert found[0] == PAGE
    if form == "txt":
        assert found[1:] in ([], [""])
    else:
        assert len(found) == 2
        assert not found[1]
        assert found[1] is None or target in ("csv", "tsv", "txt") or form in ("csv", "tsv")


def test_the_other_fields_come_along(tmp_path):
    path = lay_out(tmp_path, "jsonl")
    assert main(["clean", str(path), "--threshold", "0", "--output", str(tmp_path / "out.csv")]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"))))
    assert [(row["id"], row["more"]) for row in rows] == [("1", '{"n": [1]}'), ("2", "")]
    pytest.importorskip("pyarrow")
    assert main(["clean", str(path), "--threshold", "0", "--labels", "--output", str(tmp_path / "out.parquet")]) == 0
    table = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "out.parquet")
    assert table.column_names == ["id", "text", "more", "attributes"]
    assert table["more"].to_pylist() == [{"n": [1]}, None]


def test_dates_bytes_and_nan_of_parquet_become_json(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"text": ["a"], "day": [datetime.date(2025, 3, 4)], "raw": [b"x"], "n": [float("nan")]})
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "in.parquet")
    assert main(["clean", str(tmp_path / "in.parquet"), "--threshold", "0", "--output", str(tmp_path / "out.jsonl")]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"text": "a", "day": "2025-03-04", "raw": "x", "n": None}


def test_what_a_format_cannot_hold_is_refused(tmp_path, capsys):
    pytest.importorskip("pyarrow")
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}\n{"text": "b", "x": 1}\n', encoding="utf-8")
    assert main(["clean", str(source), "--output", str(tmp_path / "out.csv")]) == 2
    assert "in.jsonl, record 2: has a field 'x', which is no column" in capsys.readouterr().err
    source.write_text('{"text": "a", "x": 1}\n{"text": "b", "x": "y"}\n', encoding="utf-8")
    assert main(["clean", str(source), "--output", str(tmp_path / "out.parquet")]) == 2
    assert "field 'x' of this or an earlier record fits no column type" in capsys.readouterr().err
    assert main(["clean", str(source), "--labels", "--output", str(tmp_path / "out.txt")]) == 2
    assert "text has no fields for --labels" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_columns_of_one_name_are_refused(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("a,a,text\n1,2,một\n", encoding="utf-8")
    assert main(["clean", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.jsonl")]) == 2
    assert "in.csv: has two columns 'a'" in capsys.readouterr().err
    assert main(["clean", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv")]) == 0


def test_rows_can_be_read_again(tmp_path):
    (tmp_path / "in.csv").write_text('id;text\n"a\rb";một\n', encoding="utf-8", newline="")
    clean = ["clean", str(tmp_path / "in.csv"), "--delimiter", ";", "--threshold", "0"]
    for name, row in (("out.csv", b'"a\rb";m'), ("out.tsv", b'"a\rb"\tm'), ("out.jsonl", b'{"id": "a\\rb"')):
        assert main([*clean, "--output", str(tmp_path / name)]) == 0
        assert row in (tmp_path / name).read_bytes()
    assert main(["clean", str(tmp_path / "out.jsonl"), "--output", str(tmp_path / "again.csv")]) == 0
    assert main(["clean", str(tmp_path / "again.csv"), "--output", str(tmp_path / "last.csv")]) == 0


def test_inputs_of_several_formats_share_an_output_whose_name_says_the_format(tmp_path, capsys):
    names = [str(lay_out(tmp_path, form)) for form in ("jsonl", "csv", "json", "txt")]
    assert main(["clean", *names, "--threshold", "0", "--output", str(tmp_path / "out.jsonl")]) == 0
    assert [text for text in texts_of(tmp_path / "out.jsonl") if text] == [PAGE] * 4
    assert main(["clean", *names, "--output", str(tmp_path / "out")]) == 2
    assert "--output clean.jsonl" in capsys.readouterr().err


def test_names_that_ask_for_nothing_possible():
    assert conversion("a.jsonl.gz", ["parquet"]) == "jsonl"
    assert conversion("a.wet", ["warc"]) is conversion("a.txt", ["html", "text"]) is conversion(None, ["csv"]) is None
    for name, message in (
        ("a.html", "HTML is read, not written"),
        ("a.wet", "from WARC and WET only"),
        ("a.parquet.gz", "name the output a.parquet"),
    ):
        with pytest.raises(InputError, match=message):
            conversion(name, ["jsonl"])
