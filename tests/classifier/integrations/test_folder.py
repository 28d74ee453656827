"""Distributed jobs without an engine: tasks repeated, interrupted and resumed give what the command line gives, and count once."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet

from classifier.cli import main
from classifier.errors import InputError
from classifier.integrations.folder import HIDDEN, STATS, clean_folder, folder_job
from classifier.io.files import SCRATCH
from classifier.io.listing import files_below
from classifier.sites.memory import SiteMemory

BROKEN = '{"content": "một"}'
SIZE = 20_000  # of a split


class Stopped(Exception):
    """The driver ended."""


def one_by_one(task, splits):
    for split in splits:
        task(split)


def twice(task, splits):
    """Run each task twice, as an engine does that has lost a machine."""
    for split in [*splits, *reversed(splits)]:
        task(split)


def stopping_after(number):
    def execute(task, splits):
        one_by_one(task, splits[:number])
        raise Stopped

    return execute


@pytest.fixture
def folder(tmp_path, composed_pages) -> Path:
    """Two files of records, some of them bad."""
    (tmp_path / "in").mkdir()
    for part in range(2):
        records = [
            json.dumps({"id": number, "url": f"https://bao-{number % 3}.vn/", "text": page}, ensure_ascii=False)
            for number, page in enumerate(composed_pages[part::2])
        ]
        records[5:5] = [BROKEN] * (part + 1)
        (tmp_path / "in" / f"{part}.jsonl").write_text("\n".join(records), encoding="utf-8")
    return tmp_path


@pytest.fixture
def wanted(folder) -> tuple[bytes, bytes]:
    """The clean records and the bad ones of the command line."""
    bad = folder / "bad.jsonl"
    assert main(["clean", str(folder / "in"), "--output-dir", str(folder / "wanted"), "--on-error", "quarantine", str(bad)]) == 1
    return b"".join(path.read_bytes() for path in sorted((folder / "wanted").glob("[!.]*.jsonl"))), bad.read_bytes()


def result(out: Path) -> tuple[bytes, bytes]:
    return tuple(b"".join(path.read_bytes() for path in sorted(below.glob("part-*"))) for below in (out, out / "_quarantine"))


def job_of(folder: Path, out: str = "out", **options):
    return folder_job(str(folder / "in"), str(folder / out), **{"on_error": "quarantine", **options})


@pytest.mark.parametrize("execute", [one_by_one, twice])
def test_it_gives_what_the_command_line_gives(folder, wanted, execute):
    report, _ = clean_folder(job_of(folder), execute, split_size=SIZE)
    assert result(folder / "out") == wanted
    assert (report["files"], report["records"], report["bad"], report["pages"]) == (2, 33, 3, 30)
    assert report["splits"] > 5
    assert json.loads((folder / "out" / STATS).read_bytes()) == report
    assert not list((folder / "out").rglob(f"{SCRATCH}*"))


def test_storage_that_shows_what_is_being_written_gets_parts_by_renaming(folder, wanted):
    storage = pytest.importorskip("fsspec").filesystem("memory")
    storage.put(str(folder / "in"), "/crawl/in", recursive=True)
    job = folder_job("memory://crawl/in", "memory://crawl/out", on_error="quarantine")
    try:
        with pytest.raises(Stopped):
            clean_folder(job, stopping_after(2), split_size=SIZE)
        clean_folder(job, twice, resume=True)
        storage.get("/crawl/out", str(folder / "out"), recursive=True)
    finally:
        storage.rm("/crawl", recursive=True)
    assert result(folder / "out") == wanted
    assert not list((folder / "out").rglob(f"{SCRATCH}*"))


def test_a_resumed_job_cleans_what_is_missing_or_changed_and_nothing_else(folder, wanted):
    job = job_of(folder)
    with pytest.raises(Stopped):
        clean_folder(job, stopping_after(4), split_size=SIZE)
    with pytest.raises(InputError, match=r"exists already; .* continue its job with --resume"):
        clean_folder(job, one_by_one, split_size=SIZE)
    (folder / "out" / "part-00002.jsonl").unlink()
    (folder / "out" / "part-00003.jsonl").write_bytes(b"half")
    cleaned = []
    report, _ = clean_folder(job, lambda task, splits: cleaned.extend(splits) or one_by_one(task, splits), resume=True)
    assert [split.number for split in cleaned] == list(range(2, report["splits"]))
    assert result(folder / "out") == wanted
    clean_folder(job_of(folder, "other"), one_by_one, split_size=SIZE)
    assert (folder / "other" / STATS).read_bytes() == (folder / "out" / STATS).read_bytes()
    clean_folder(job, lambda *_: pytest.fail("all was finished"), resume=True)


def test_a_task_that_an_engine_forgot_is_missed(folder):
    with pytest.raises(InputError, match="1 parts are not there, part-00001 the first; run it again with --resume"):
        clean_folder(job_of(folder), lambda task, splits: one_by_one(task, [splits[0], *splits[2:]]), split_size=SIZE)


def test_another_job_is_refused_by_name(folder):
    clean_folder(job_of(folder), one_by_one)
    memory = SiteMemory()
    for options, name in (
        ({"keep": "title"}, r"--keep \(\['body', 'title'\], not \['title'\]\)"),
        ({"threshold": 0.5}, "--threshold"),
        ({"text_field": "url"}, "--text-field"),
        ({"memory": memory}, "--site-memory"),
        ({"form": "parquet"}, "--format"),
    ):
        with pytest.raises(InputError, match=f"out: was begun with another {name}"):
            clean_folder(job_of(folder, **options), one_by_one, resume=True)
    (folder / "in" / "2.jsonl").write_bytes(b"{}")
    with pytest.raises(InputError, match=r"in/2.jsonl: is new since .*out was begun"):
        clean_folder(job_of(folder), one_by_one, resume=True)
    (folder / "in" / "2.jsonl").replace(folder / "in" / "1.jsonl")
    with pytest.raises(InputError, match=r"in/1.jsonl: has changed since"):
        clean_folder(job_of(folder), one_by_one, resume=True)
    (folder / "in" / "1.jsonl").unlink()
    with pytest.raises(InputError, match=r"in/1.jsonl: is gone since"):
        clean_folder(job_of(folder), one_by_one, resume=True)
    (folder / "wanted").mkdir()
    with pytest.raises(InputError, match="wanted: holds no job of this command to resume"):
        clean_folder(job_of(folder, "wanted"), one_by_one, resume=True)


def test_a_bad_record_ends_the_job_and_another_policy_resumes_it(folder, wanted):
    with pytest.raises(InputError, match=r"in/0.jsonl.*:\d+: no field 'text'.*--on-error skip or quarantine"):
        clean_folder(job_of(folder, on_error="fail"), one_by_one, split_size=SIZE)
    report, _ = clean_folder(job_of(folder, on_error="skip"), one_by_one, resume=True)
    assert report["bad"] == 3
    assert result(folder / "out") == (wanted[0], b"")
    clean_folder(job_of(folder), one_by_one, resume=True)
    assert result(folder / "out") == wanted
    clean_folder(job_of(folder, on_error="skip"), one_by_one, resume=True)
    assert result(folder / "out") == (wanted[0], b"")


def test_a_file_that_cannot_be_used_is_named_and_tried_again(folder, wanted):
    plain = folder / "in" / "0.jsonl"
    packed = gzip.compress(plain.read_bytes())
    plain.unlink()
    (folder / "in" / "0.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    report, messages = clean_folder(job_of(folder), one_by_one)
    assert (report["files_left_out"], report["records"], report["bad"]) == (1, 17, 2)
    assert re.search(r"in/0.jsonl.gz: damaged or cut \(Compressed file ended .*\); download or create it again", messages[-1])
    named, *bad = result(folder / "out")[1].splitlines()
    assert json.loads(named)["file"].endswith("0.jsonl.gz")
    assert bad == [BROKEN.encode()] * 2
    tried = []
    clean_folder(job_of(folder), lambda task, splits: tried.extend(splits) or one_by_one(task, splits), resume=True)
    assert [split.number for split in tried] == [0]
    (folder / "in" / "0.jsonl.gz").write_bytes(packed)
    clean_folder(job_of(folder, "whole"), one_by_one)
    assert result(folder / "whole") == wanted


def test_a_record_that_is_too_long_is_named_and_the_others_are_cleaned(folder):
    lines = [line for name in ("0.jsonl", "1.jsonl") for line in (folder / "in" / name).read_bytes().split(b"\n")]
    limit = sorted(map(len, lines))[-3]
    report, _ = clean_folder(job_of(folder, max_record_size=limit), one_by_one, split_size=SIZE)
    entries = [json.loads(line) for line in result(folder / "out")[1].splitlines() if line != BROKEN.encode()]
    found = []
    for entry in entries:
        path, _, start = entry["file"].partition(" from byte ")
        data = Path(path).read_bytes()
        first = data.index(b"\n", int(start) - 1) + 1 if start else 0
        found.append(data[first:].split(b"\n")[entry["record"] - 1])
    assert found == [line for line in lines if len(line) > limit]
    assert len(entries) == 2
    assert (report["records"], report["bad"], len(result(folder / "out")[0].splitlines())) == (33, 5, 28)
    with pytest.raises(InputError, match=r"0.jsonl:1: [\d,]+ bytes, more than the 100 of --max-record-size"):
        clean_folder(job_of(folder, "failed", max_record_size=100, on_error="fail"), one_by_one)


def test_parquet_and_site_memory(tmp_path, crawl, cleaned_crawl, cleaner):
    """The schema stays, nulls stay null, and a memory judges the pages of its sites."""
    from classifier.jobs.batches import learned_by_site

    memory = SiteMemory()
    texts, urls = zip(*[(row["text"], row["url"] or "") for row in crawl if row["text"]])
    for learned in learned_by_site(cleaner, texts, urls):
        memory.add(learned)
    (tmp_path / "in").mkdir()
    table = pyarrow.Table.from_pylist(crawl)
    parquet.write_table(table, tmp_path / "in" / "0.parquet", row_group_size=7)
    clean_folder(folder_job(str(tmp_path / "in"), str(tmp_path / "out"), memory=memory), one_by_one)
    found = parquet.read_table(tmp_path / "out" / "part-00000.parquet")
    assert found.schema == table.schema
    assert dict(zip(found["id"].to_pylist(), found["text"].to_pylist())) == cleaned_crawl


def test_an_input_folder_is_listed_once(folder, monkeypatch):
    listed = []
    monkeypatch.setattr("classifier.integrations.folder.files_below", lambda *where: listed.append(where) or files_below(*where))
    clean_folder(job_of(folder), one_by_one)
    assert listed == [(str(folder / "in"), HIDDEN)]


def test_linked_folders_and_files_are_inputs_and_hidden_ones_are_not(folder):
    (folder / "linked").mkdir()
    (folder / "linked" / "a").symlink_to(folder / "in", target_is_directory=True)
    (folder / "linked" / "b.jsonl").symlink_to(folder / "in" / "0.jsonl")
    os.mkfifo(folder / "linked" / "pipe.jsonl")
    for name in ("_temporary/0.jsonl", ".0.jsonl.crc", "a-b.jsonl"):
        (folder / "linked" / name).parent.mkdir(exist_ok=True)
        (folder / "linked" / name).write_text(BROKEN + "\n")
    report, _ = clean_folder(folder_job(str(folder / "linked"), str(folder / "out"), on_error="skip"), one_by_one)
    assert (report["files"], report["records"], report["bad"]) == (4, 33 + 16 + 1, 5)
    (first, *_) = json.loads((folder / "out" / "_tinsach" / "manifest.json").read_bytes())["splits"]
    assert first[1].endswith("linked/a-b.jsonl")  # in order of the paths


@pytest.mark.parametrize(
    ("options", "message"),
    [({"on_error": "ignore"}, "choose one of fail, skip, quarantine"), ({"max_record_size": 0}, "give a number of bytes of 1 or more")],
)
def test_wrong_options_are_refused(folder, options, message):
    with pytest.raises(InputError, match=message):
        job_of(folder, **options)
