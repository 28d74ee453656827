"""Jobs whose inputs and outputs are in S3: a real server in a process of its own, behind a proxy that fails (`support.s3_server`)."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from classifier.cli import main
from classifier.integrations.job import run
from classifier.integrations.splits import Split
from classifier.io import storage, upload
from tests.docs.examples import commands, run_shell
from tests.support.paths import ROOT
from tests.support.processes import running, wait_until
from tests.support.remote_crawl import PAGE, below, cleaned_locally, crawl
from tests.support.s3_server import ENVIRONMENT, Fault, FaultyProxy, faulty_proxy, s3_server

pytestmark = pytest.mark.remote
pytest.importorskip("moto")


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    with pytest.MonkeyPatch.context() as patch, s3_server() as port, faulty_proxy(port) as found:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": found.url}.items():
            patch.setenv(name, value)
        patch.setenv("FSSPEC_S3", json.dumps({"config_kwargs": {"read_timeout": 1}}))
        patch.setattr(storage, "WAITS", (0.0, 0.1, 0.2))
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        yield found


@pytest.fixture
def store(proxy) -> Iterator[Any]:
    """An empty bucket `bao` but for the crawl below `in`, and a proxy without faults."""
    import s3fs

    proxy.faults, found = [], s3fs.S3FileSystem()
    found.mkdir("bao")
    for name, data in crawl().items():
        found.pipe_file(f"bao/in/{name}", data)
    proxy.seen.clear()
    yield found
    proxy.faults = []
    found.invalidate_cache()
    found.rm("bao", recursive=True)


LINES = "".join(json.dumps({"id": n, "text": PAGE.decode()}, ensure_ascii=False) + "\n" for n in range(9)).encode() + b'{"id": 9}\n'


def engine_job(*words: object, watch: Callable[[Split], object] = id) -> int:
    """Run the command of an engine, its tasks one by one."""
    return run("ray", lambda task, splits: [(watch(split), task(split)) for split in splits] and None, list(map(str, words)))


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory) -> dict[str, bytes]:
    """The crawl cleaned in local folders."""
    return cleaned_locally(tmp_path_factory.mktemp("local"))


def test_every_job_takes_addresses(store, cleaned, tmp_path, capsys):
    assert main(["clean", "s3://bao/in", "--output-dir", "s3://bao/out", "--stats", "s3://bao/stats.json"]) == 0
    assert below(store, "bao/out") == cleaned
    assert json.loads(store.cat("bao/stats.json"))["records"] == 25
    assert main(["clean", "s3://bao/in/a/**/*.jsonl.*", "--output", "s3://bao/both.jsonl.gz", "--dropped", str(tmp_path / "dropped")]) == 0
    assert gzip.decompress(store.cat("bao/both.jsonl.gz")).count(b"\n") == 10
    assert main(["label", "s3://bao/in/a/crawl.jsonl.gz", "--as", "jsonl", "--output", "s3://bao/spans.jsonl.zst"]) == 0
    words = ["filter", "s3://bao/in/a/crawl.jsonl.gz", "--attributes", "s3://bao/spans.jsonl.zst", "--output", "s3://bao/filtered.jsonl.gz"]
    assert main(words) == 0
    assert store.cat("bao/filtered.jsonl.gz") == cleaned["a/crawl.jsonl.gz"]
    assert main(["extract", "s3://bao/in/table.parquet", "--output", "s3://bao/articles.jsonl"]) == 0
    assert store.cat("bao/articles.jsonl").count(b'"article": {') == 10
    store.pipe_file("bao/pages/1.txt", PAGE)
    for already in ("", "1 labelled page is in s3://bao/labelled already"):
        capsys.readouterr()
        assert main(["label", "s3://bao/pages", "--output-dir", "s3://bao/labelled"]) == 0
        assert already in capsys.readouterr().err
    assert store.cat("bao/labelled/1.tsv").count(b"\n") == PAGE.count(b"\n")


def test_a_job_of_an_engine_goes_from_bucket_to_bucket(store, proxy, tmp_path, capsys):
    """The bytes are those of local folders, whatever fails in passing, and a resumed job does what is left."""
    for name, data in {"1.jsonl": LINES, "a/2.jsonl.gz": gzip.compress(LINES), "_SUCCESS": b""}.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
        store.pipe_file(f"bao/lines/{name}", data)
    options = ("--on-error", "quarantine", "--split-size", "9K")
    assert engine_job(tmp_path / "in", tmp_path / "out", *options) == 1
    capsys.readouterr()
    proxy.faults = [Fault("500", "PUT ", 1), Fault("reset", "GET .*/lines/", 2), Fault("lost", "PUT .*/part-", 1)]
    assert engine_job("s3://bao/lines", "s3://bao/out", *options) == 1
    assert not any(fault.times for fault in proxy.faults)
    assert capsys.readouterr().err.splitlines()[-1] == "tinsach: 20 records in, 18 out, 2 put into s3://bao/out/_quarantine"
    local = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    local = {name: data.replace(str(tmp_path / "in").encode(), b"s3://bao/lines") for name, data in local.items()}
    found, manifest = below(store, "bao/out"), "_tinsach/manifest.json"
    assert {**found, manifest: b""} == {**local, manifest: b""}  # which tells sizes and times of the inputs
    store.rm("bao/out/part-00001.jsonl")
    todo: list[Split] = []
    assert engine_job("s3://bao/lines", "s3://bao/out", *options, "--resume", watch=todo.append) == 1
    assert [split.number for split in todo] == [1]
    assert below(store, "bao/out") == found
    store.pipe_file("bao/lines/1.jsonl", LINES.replace(b"9", b"8"))
    capsys.readouterr()
    assert engine_job("s3://bao/lines", "s3://bao/out", *options, "--resume") == 2
    assert "s3://bao/lines/1.jsonl: has changed since s3://bao/out was begun" in capsys.readouterr().err


def test_a_job_of_an_engine_reads_parquet_and_http_and_tells_no_secrets(store, proxy, tmp_path, cleaned, capsys):
    assert engine_job("s3://bao/in/table.parquet", "s3://bao/out") == 0
    assert store.cat("bao/out/part-00000.parquet") == cleaned["table.parquet"]
    url = f"{proxy.url.replace('://', '://minh:bimat@')}/bao/in/a/crawl.jsonl.gz?token=bimat"
    for more in ((), ("--resume",)):
        assert engine_job(url, tmp_path / "out", *more) == 0
    assert (tmp_path / "out" / "part-00000.jsonl").read_bytes() == gzip.decompress(cleaned["a/crawl.jsonl.gz"])
    store.pipe_file("bao/in/a/plain.jsonl", gzip.decompress(store.cat("bao/in/a/crawl.jsonl.gz")))
    assert engine_job(url.replace("crawl.jsonl.gz", "plain.jsonl"), tmp_path / "plain", "--split-size", "1K") == 0  # one split all the same
    assert (tmp_path / "plain" / "part-00000.jsonl").read_bytes() == gzip.decompress(cleaned["a/crawl.jsonl.gz"])
    assert b"bimat" not in (tmp_path / "out" / "_tinsach" / "manifest.json").read_bytes()
    for words, message in (
        (("s3://khong/in", "s3://bao/new"), "s3://khong/in: there is no bucket khong"),
        (("s3://bao/in/a/crawl.jsonl.gz", "s3://khong/new"), "s3://khong: there is no bucket khong"),
        (("s3://bao/nothing", "s3://bao/new"), "s3://bao/nothing: no such folder, or one without files"),
        (("s3://bao/in/a/crawl.jsonl.gz", "s3://bao/new"), "s3://bao/new/part-00000.jsonl: no permission (Access Denied"),
        ((url.replace("crawl", "none"), "s3://bao/new"), "/bao/in/a/none.jsonl.gz: there is no such file"),
    ):
        proxy.faults = [Fault("403", "PUT .*/part-")]
        assert engine_job(*words) == 2
        said = capsys.readouterr().err
        assert message in said
        assert len(said.splitlines()) == 1
        assert not any(secret in said for secret in ("bimat", ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]))


def test_large_outputs_are_multipart_uploads(store, proxy, monkeypatch):
    monkeypatch.setattr(upload, "PART", 5 << 20)
    noise = "".join(json.dumps({"text": "", "noise": os.urandom(200_000).hex()}) + "\n" for _ in range(30)).encode()
    store.pipe_file("bao/noise.jsonl", noise)
    proxy.faults = [Fault("500", "PUT .*partNumber=2", 1), Fault("reset", "GET .*/noise.jsonl", 2)]
    assert main(["clean", "s3://bao/noise.jsonl", "--output", "s3://bao/clean.jsonl"]) == 0
    assert store.cat("bao/clean.jsonl") == noise
    assert not proxy.faults[0].times
    proxy.faults = [Fault("403", "PUT .*partNumber=2")]
    assert main(["clean", "s3://bao/noise.jsonl", "--output", "s3://bao/none.jsonl"]) == 2
    assert not store.exists("bao/none.jsonl")
    assert not store.call_s3("list_multipart_uploads", Bucket="bao").get("Uploads")


@pytest.mark.parametrize("fault", [
    Fault("500", "GET .*/in/", 3), Fault("reset", "GET .*/in/", 5), Fault("lost", "(PUT|GET) ", 6),
    Fault("slow", "GET .*/in/", 1, seconds=1.5), Fault("500", "PUT ", 1), Fault("500", "HEAD ", 3), Fault("reset", r"GET .*list-type", 2),
], ids=lambda fault: f"{fault.kind} {fault.requests}")  # fmt: skip
def test_what_fails_in_passing_is_repeated(store, proxy, cleaned, fault):
    proxy.failed.clear()
    proxy.faults = [fault]
    assert main(["clean", "s3://bao/in", "--output-dir", "s3://bao/out"]) == 0
    assert proxy.failed[fault.kind] == fault.times
    assert below(store, "bao/out") == cleaned


@pytest.mark.parametrize(("words", "message"), [
    (["s3://khong/page.txt"], "s3://khong/page.txt: there is no bucket khong; check"),
    (["s3://bao/in/khong.txt"], "s3://bao/in/khong.txt: there is no such object; check"),
    (["s3://bao/in/page.txt", "--output", "s3://khong/page.txt"], "there is no bucket khong"),
    (["s3://bao/in/page.txt", "--output", "s3://bao/denied.txt"], "s3://bao/denied.txt: no permission"),
    (["s3://bao/in/a/crawl.jsonl.gz"], "s3://bao/in/a/crawl.jsonl.gz: no permission"),
    (["s3://bao/in/table.parquet", "--output", "s3://bao/table.jsonl"], "s3://bao/in/table.parquet: no permission (Access Denied"),
    (["s3://bao/in"], "s3://bao/in: a folder; name the files in it"),
])  # fmt: skip
def test_what_fails_for_good_is_one_line(store, proxy, capsys, words, message):
    proxy.faults = [Fault("403", "crawl.jsonl.gz|PUT .*denied|GET .*/table.parquet")]
    assert main(["clean", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in said
    assert not store.exists("bao/denied.txt")


def test_a_storage_that_stays_broken_is_given_up(store, proxy, capsys):
    proxy.faults = [Fault("500", "GET .*/in/page.txt")]
    assert main(["clean", "s3://bao/in/page.txt"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tinsach: s3://bao/in/page.txt: the storage fails again and again (")


def test_missing_credentials_are_said_to_be_missing(store, monkeypatch, capsys):
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    assert main(["clean", "s3://bao/in/page.txt"]) == 2
    assert "s3://bao/in/page.txt: no usable credentials (Unable to locate credentials); check" in capsys.readouterr().err
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_object_follows_on_error(store, proxy, cleaned, tmp_path, capsys, jobs):
    """One key is denied, and one vanishes between the listing and the reading."""
    store.pipe_file("bao/in/vanishing.txt", PAGE)
    proxy.faults = [Fault("403", "/in/a/crawl.jsonl.gz"), Fault("404", "/in/vanishing.txt")]
    words = ["clean", "s3://bao/in", "--output-dir", "s3://bao/out", "--jobs", jobs, "--on-error"]
    assert main([*words, "skip", "--stats", str(tmp_path / "stats")]) == 1
    said = capsys.readouterr().err
    assert "left out: s3://bao/in/a/crawl.jsonl.gz: no permission" in said
    assert "left out: s3://bao/in/vanishing.txt: there is no such object" in said
    assert json.loads((tmp_path / "stats").read_text())["files_left_out"] == 2
    assert below(store, "bao/out") == {name: data for name, data in cleaned.items() if name != "a/crawl.jsonl.gz"}


def test_resume_cleans_what_is_missing_or_has_changed(store, proxy, cleaned, capsys):
    words = ["clean", "s3://bao/in", "--output-dir", "s3://bao/out", "--resume", "--summary"]
    assert main(words) == 0
    store.rm("bao/out/page.txt")
    store.pipe_file("bao/out/a/crawl.jsonl.gz", b"damaged")
    store.pipe_file("bao/in/table.parquet", crawl()["table.parquet"])  # as before, but newer
    capsys.readouterr()
    assert main(words) == 0
    assert "cleaned 3 files, found 2 finished" in capsys.readouterr().err
    assert below(store, "bao/out") == cleaned
    assert main(words[:-2]) == 0  # without --resume, the journal starts anew
    assert len(store.find("bao/out/.tinsach-resume")) == 5


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "SIGKILL"])
def test_a_stopped_job_leaves_whole_objects_and_goes_on(store, proxy, cleaned, stop):
    proxy.faults = [Fault("slow", "GET .*/in/a/b", seconds=0.9)]
    words = [sys.executable, "-m", "classifier", "clean", "s3://bao/in", "--output-dir", "s3://bao/out", "--resume"]
    with running(words, stderr=subprocess.PIPE) as job:
        wait_until(lambda: proxy.faults[0].times < 1 << 30)
        job.send_signal(stop)
        assert job.wait(60) == (130 if stop == signal.SIGINT else -9)
        assert job.stderr.read() == b""
    partly = below(store, "bao/out")
    assert partly.items() <= cleaned.items()
    assert len(partly) < len(cleaned)
    proxy.faults = []
    assert main(words[3:]) == 0
    assert below(store, "bao/out") == cleaned


def test_a_run_of_the_chaos(tmp_path):
    words = [sys.executable, "-m", "tests.slow.chaos_remote", "--runs", "1", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "figures.json").read_text())["runs"] == 1


def test_the_commands_of_the_page_about_scale(store, proxy, tmp_path):
    own = (ROOT / "docs" / "SCALE.md").read_text(encoding="utf-8").partition("## Credentials")[0]
    store.mkdir("crawl")
    store.mkdir("clean")
    names = {"a.txt": "page.txt", "b.jsonl.gz": "a/crawl.jsonl.gz", "c.wet.gz": "a/b/crawl.wet.gz"}
    for name, source in names.items():
        store.pipe_file(f"crawl/2025/{name}", crawl()[source])
    settings = [f"export {name}={os.environ[name]}" for name in (*ENVIRONMENT, "AWS_ENDPOINT_URL")]
    done = run_shell([*settings, *commands(own)], tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(below(store, "clean/2025")) == sorted(names)
    assert {"wet.jsonl.zst", "b.attributes.jsonl.zst", "articles.parquet", "2025.json"} < set(below(store, "clean"))
    assert (tmp_path / "clean.jsonl").read_bytes() == gzip.decompress(store.cat("clean/2025/b.jsonl.gz"))
    for bucket in ("crawl", "clean"):
        store.rm(bucket, recursive=True)
