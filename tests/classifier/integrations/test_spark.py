"""Spark on two local cores: a data frame, and the folder job."""

from __future__ import annotations

import errno
import gzip
import json

import pytest

from classifier.errors import InputError

pytest.importorskip("pyspark")
from classifier.integrations.spark import _execute, clean, clean_folder, main
from classifier.integrations.splits import Split

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # sockets of py4j
]


@pytest.fixture
def frame(spark, rows):
    return spark.createDataFrame(
        [(row["id"], row["text"], row["url"]) for row in rows] + [(-1, None, None)], "id int, text string, url string"
    )


def test_a_frame_gives_what_clean_pages_gives(cleaner, frame, rows):
    cleaned = clean(frame)
    assert cleaned.schema == frame.schema
    found = {row.id: (row.text, row.url) for row in cleaned.collect()}
    want = {row["id"]: (text, row["url"]) for row, text in zip(rows, cleaner.clean_pages(row["text"] for row in rows))}
    assert found == {**want, -1: (None, None)}


def test_wrong_columns_and_labels_are_refused_before_anything_runs(frame):
    with pytest.raises(InputError, match=r"'content' does not exist.*id, text, url"):
        clean(frame, "content")
    with pytest.raises(InputError, match="holds int, not text"):
        clean(frame, "id")
    with pytest.raises(InputError, match="artcle"):
        clean(frame, keep="artcle")


def test_the_job_over_json_lines_gives_what_the_command_line_gives(spark, lines_in, tmp_path, wanted_lines, lines_of):
    assert main([str(lines_in), str(tmp_path / "out")]) == 0
    assert lines_of(tmp_path / "out") == wanted_lines


def test_the_job_reads_compressed_files(spark, lines_in, tmp_path, wanted_lines, lines_of):
    plain = lines_in / "1.jsonl"
    (lines_in / "1.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert main([str(lines_in), str(tmp_path / "out")]) == 0
    assert lines_of(tmp_path / "out") == wanted_lines
    report = clean_folder(str(lines_in), str(tmp_path / "out"), resume=True)
    assert (report["splits"], report["pages"], report["bad"]) == (2, len(wanted_lines), 0)


def test_the_job_over_parquet(spark, parquet_in, tmp_path, cleaner, rows, parquet_of):
    assert main([str(parquet_in), str(tmp_path / "out"), "--text-field", "content", "--keep", "title,body"]) == 0
    want = dict(enumerate(cleaner.clean_pages(row["text"] for row in rows)))
    assert parquet_of(tmp_path / "out") == {**want, -1: None}


def test_a_bad_record_ends_the_job_with_one_line(spark, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jsonl").write_text(json.dumps({"content": "một"}) + "\n")
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 2
    assert "in/1.jsonl:1: no field 'text'; name the text field" in capsys.readouterr().err


def test_bad_texts_stay_in_the_frame_with_the_reason(spark, cleaner, rows):
    frame = spark.createDataFrame([(1, bytearray(rows[0]["text"].encode())), (2, bytearray(b"Ch\xe1")), (3, None)], "id int, raw binary")
    cleaned = clean(frame.selectExpr("id", "cast(raw as string) text"), quarantine="why")
    found = {row.id: (bytes(row.raw or b""), row.why) for row in cleaned.selectExpr("id", "cast(text as binary) raw", "why").collect()}
    assert found == {
        1: (next(cleaner.clean_pages([rows[0]["text"]])).encode(), None),
        2: (b"Ch\xe1", "the text is not valid UTF-8"),
        3: (b"", None),
    }
    with pytest.raises(InputError, match="'id' already, which quarantine= adds"):
        clean(frame.selectExpr("id", "cast(raw as string) text"), quarantine="id")


def test_a_storage_that_refuses_ends_the_job_with_its_address(spark):
    def refused(split):
        raise PermissionError(errno.EACCES, "no permission", "s3://bao/out/part-00000.jsonl")

    with pytest.raises(InputError, match=r"^s3://bao/out/part-00000.jsonl: no permission; check the path"):
        _execute(refused, [Split(0, "", 0, 0)])
