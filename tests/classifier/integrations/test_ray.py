"""Ray Data on a local cluster: a dataset, and the folder job."""

from __future__ import annotations

import errno
import gzip
import json

import pytest

from classifier.errors import InputError

ray = pytest.importorskip("ray")
data = pytest.importorskip("ray.data")

from classifier.integrations.ray import _execute, clean, clean_folder, main
from classifier.integrations.splits import Split

pytestmark = [
    pytest.mark.engines,
    pytest.mark.usefixtures("ray_cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
]


@pytest.fixture
def dataset(rows):
    return data.from_items([{"id": row["id"], "text": row["text"]} for row in rows] + [{"id": -1, "text": None}])


def test_a_dataset_gives_what_clean_pages_gives(cleaner, dataset, rows):
    found = {row["id"]: row["text"] for row in clean(dataset, batch_size=7).take_all()}
    assert found == {**dict(enumerate(cleaner.clean_pages(row["text"] for row in rows))), -1: None}


def test_wrong_labels_are_refused_before_anything_runs_and_columns_then(dataset):
    with pytest.raises(InputError, match="artcle"):
        clean(dataset, keep="artcle")
    with pytest.raises(Exception, match="no column 'content'; name the one that holds the text: id, text"):
        clean(dataset, "content").materialize()


def test_the_job_over_json_lines_gives_what_the_command_line_gives(lines_in, tmp_path, wanted_lines, lines_of):
    assert main([str(lines_in), str(tmp_path / "out")]) == 0
    assert lines_of(tmp_path / "out") == wanted_lines


def test_the_job_reads_compressed_files(lines_in, tmp_path, wanted_lines, lines_of):
    plain = lines_in / "1.jsonl"
    (lines_in / "1.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert main([str(lines_in), str(tmp_path / "out")]) == 0
    assert lines_of(tmp_path / "out") == wanted_lines
    report = clean_folder(str(lines_in), str(tmp_path / "out"), resume=True)
    assert (report["splits"], report["pages"], report["bad"]) == (2, len(wanted_lines), 0)


def test_the_job_over_parquet(parquet_in, tmp_path, cleaner, rows, parquet_of):
    assert main([str(parquet_in), str(tmp_path / "out"), "--text-field", "content", "--keep", "title,body"]) == 0
    want = dict(enumerate(cleaner.clean_pages(row["text"] for row in rows)))
    assert parquet_of(tmp_path / "out") == {**want, -1: None}


def test_a_bad_record_ends_the_job_with_one_line(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jsonl").write_text(json.dumps({"content": "một"}) + "\n")
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 2
    assert "in/1.jsonl:1: no field 'text'; name the text field" in capsys.readouterr().err


def test_bad_texts_stay_in_the_dataset_with_the_reason(cleaner, rows):
    import pyarrow as pa

    texts = pa.array([rows[0]["text"].encode(), b"Ch\xe1", None], pa.binary())
    cleaned = clean(data.from_arrow(pa.table({"text": texts.view(pa.string())})), quarantine="why")
    tables = pa.concat_tables(ray.get(cleaned.to_arrow_refs()))
    assert tables["text"].cast(pa.large_string()).cast(pa.binary()).to_pylist() == [
        next(cleaner.clean_pages([rows[0]["text"]])).encode(),
        b"Ch\xe1",
        None,
    ]
    assert tables["why"].to_pylist() == [None, "the text is not valid UTF-8", None]


def test_a_storage_that_refuses_ends_the_job_with_its_address(monkeypatch):
    monkeypatch.setattr("classifier.integrations.ray.RETRIES", 0)

    def refused(split):
        raise PermissionError(errno.EACCES, "no permission", "s3://bao/out/part-00000.jsonl")

    with pytest.raises(PermissionError, match=r"no permission: 's3://bao/out/part-00000.jsonl'"):
        _execute(refused, [Split(0, "", 0, 0)])
