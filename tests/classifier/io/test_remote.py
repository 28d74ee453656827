"""Addresses of other storage: fsspec's memory:// and a rename-only storage in this process; S3 is in `cli/test_remote_jobs.py`."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from classifier.cli import main
from classifier.formats.sources import find_sources
from classifier.io import remote, storage
from classifier.io.compression import open_decompressed
from classifier.io.files import OWN, atomic_write
from classifier.io.urls import shown
from tests.support.paths import CASES, ROOT

fsspec = pytest.importorskip("fsspec")

PAGE = (CASES / "sample_page.txt").read_bytes()


@pytest.fixture
def memory() -> Iterator[object]:
    found = fsspec.filesystem("memory")
    yield found
    found.store.clear()
    found.pseudo_dirs[:] = [""]


@pytest.fixture
def without_waiting(monkeypatch) -> None:
    monkeypatch.setattr(storage, "WAITS", (0.0, 0.0, 0.0))


def write_and_stop(url: str) -> None:
    with atomic_write(url) as out:
        out.write(b"new" * 100_000)
        raise KeyboardInterrupt


def test_a_folder_of_urls_is_cleaned_as_a_local_one(memory, tmp_path):
    crawl = "".join(json.dumps({"id": number, "text": PAGE.decode()}, ensure_ascii=False) + "\n" for number in range(3))
    files = {"page.txt": PAGE, "b/crawl.jsonl.gz": gzip.compress(crawl.encode(), mtime=0), "a/page.txt": PAGE, ".hidden/page.txt": PAGE}
    for name, data in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
        memory.pipe_file(f"/crawl/in/{name}", data)
    memory.pipe_file("/crawl/in/notes.xyz", b"?")
    assert main(["clean", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out")]) == 0
    assert main(["clean", "memory://crawl/in", "--output-dir", "memory://crawl/in/out"]) == 0
    local = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in (tmp_path / "out").rglob("[!.]*.*")}
    below = "/crawl/in/out/"
    assert {name.removeprefix(below): memory.cat(name) for name in memory.find(below) if f"/{OWN}" not in name} == local
    # Its own outputs are no inputs, neither of a folder nor of a pattern.
    names = [source.path for source in find_sources(["memory://crawl/in"], None, "memory://crawl/in/out")]
    assert names == [f"memory://crawl/in/{name}" for name in ("page.txt", "a/page.txt", "b/crawl.jsonl.gz")]
    found = find_sources(["memory://crawl/in/**/*.txt"], None, "memory://crawl/in/out")
    assert [source.place for source in found] == ["a/page.txt", "page.txt"]


def test_an_upload_appears_whole_or_not_at_all(memory):
    memory.pipe_file("/out/old.txt.gz", b"old")
    with pytest.raises(KeyboardInterrupt):
        write_and_stop("memory://out/old.txt.gz")
    assert {name: memory.cat(name) for name in memory.find("/out")} == {"/out/old.txt.gz": b"old"}
    with atomic_write("memory://out/old.txt.gz") as out:
        out.write(b"new")
        assert memory.cat("/out/old.txt.gz") == b"old"
    assert memory.find("/out") == ["/out/old.txt.gz"]
    with open_decompressed("memory://out/old.txt.gz") as file:
        assert file.read() == b"new"


def test_parquet_is_read_by_ranges(memory):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"id": range(60), "noise": [os.urandom(90_000) for _ in range(60)], "text": [PAGE.decode()] * 60})
    file = io.BytesIO()
    parquet.write_table(table, file, row_group_size=20)
    memory.pipe_file("/in.parquet", file.getvalue())
    assert main(["clean", "memory://in.parquet", "--output", "memory://out.parquet"]) == 0
    with remote.open_for_reading("memory://out.parquet") as found:
        cleaned = parquet.read_table(found)
    assert cleaned["noise"].equals(table["noise"])
    assert len(set(cleaned["text"].to_pylist())) == 1


def test_reading_goes_on_where_it_failed_in_passing(memory, monkeypatch, without_waiting):
    data = os.urandom(3 * remote.BLOCK)
    memory.pipe_file("/a.bin", data)
    reading = iter([True, False] * 10)
    read = type(memory.open("/a.bin")).read

    def failing(self, size=-1):
        if next(reading):
            raise ConnectionResetError(104, "Connection reset by peer")
        return read(self, size)

    monkeypatch.setattr(type(memory.open("/a.bin")), "read", failing)
    with remote.open_for_reading("memory://a.bin") as file:
        assert b"".join(iter(partial(file.read, remote.BLOCK), b"")) == data


@pytest.mark.parametrize(("url", "message"), [
    ("memory://no/such.txt", r"^tinsach: memory://no/such\.txt: there is no such file; check"),
    ("memory://no/*.txt", "no file matches it as a pattern"),
    ("gs://crawl/page.txt", r"gs://crawl/page.txt: .*gcsfs.*; install that package"),
    ("nowhere://crawl/page.txt", "nowhere"),
    ("file:///tmp/page.txt", "name its path, without file://"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(memory, capsys, url, message):
    if url.startswith("gs:"):
        with suppress(ImportError):
            import gcsfs  # noqa: F401

            pytest.skip("gcsfs is installed")
    assert main(["clean", url]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert re.search(message, said)


@pytest.mark.parametrize("words", [
    ["clean", "page.txt", "--site-memory", "s3://b/memory"],
    ["clean", "page.txt", "--sites", "s3://b/sites.toml"],
    ["review", "s3://b/labelled"],
    ["ask", "s3://b/pages", "--output-dir", "asked"],
])  # fmt: skip
def test_files_of_this_machine_are_asked_for_as_such(words, capsys):
    assert main(words) == 2
    assert "takes files of this machine" in capsys.readouterr().err


class _Moody(SimpleHTTPRequestHandler):
    """Serves files; the first answers to a request are errors."""

    failures = 0

    def do_GET(self) -> None:
        if self.path.startswith("/403"):
            self.send_error(403)
        elif type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path) -> Iterator[str]:
    (tmp_path / "page.txt").write_bytes(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Moody, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://minh:bimat@127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_http_is_read_and_repeated_and_tells_no_secrets(web, capsys, monkeypatch, without_waiting):
    monkeypatch.setattr(_Moody, "failures", 2)
    assert main(["clean", f"{web}/page.txt?token=bimat"]) == 0
    clean = capsys.readouterr().out
    assert main(["clean", str(CASES / "sample_page.txt")]) == 0
    assert clean == capsys.readouterr().out
    for name, reason in (("403.txt", "no permission (HTTP status 403)"), ("none.txt", "there is no such file")):
        assert main(["clean", f"{web}/{name}?token=bimat"]) == 2
        said = capsys.readouterr().err
        assert reason in said
        assert "bimat" not in said
        assert "minh" not in said
    assert main(["clean", str(CASES / "sample_page.txt"), "--output", f"{web}/out.txt"]) == 2
    assert "HTTP is read only" in capsys.readouterr().err


def test_storage_without_uploads_gets_a_scratch_file_and_a_rename(tmp_path):
    """As HDFS does, whose class in fsspec this is."""
    arrow = pytest.importorskip("pyarrow.fs")
    from fsspec.implementations.arrow import ArrowFSWrapper

    class Renaming(ArrowFSWrapper):
        protocol = "renaming"

        def __init__(self, **kwargs: object) -> None:
            super().__init__(arrow.LocalFileSystem())

    fsspec.register_implementation("renaming", Renaming, clobber=True)
    url = f"renaming://{tmp_path}/out/page.txt"
    with atomic_write(url) as out:
        out.write(b"whole")
        assert [path.name[: len(OWN)] for path in (tmp_path / "out").iterdir()] == [OWN]
    with pytest.raises(KeyboardInterrupt):
        write_and_stop(url)
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"whole"]
    with remote.open_for_reading(url) as file:
        assert file.read() == b"whole"


def test_paths_do_not_import_fsspec():
    code = "import sys; from classifier.cli import main; main(['clean', sys.argv[1]]); sys.exit('fsspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(CASES / "sample_page.txt")], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_what_is_shown_has_no_secrets():
    assert shown("s3://bao/a?b.txt: no") == "s3://bao/a?b.txt: no"
    assert shown("GET https://u:p@h/x?sig=1 failed, hdfs://u@n:9000/y too") == "GET https://h/x failed, hdfs://n:9000/y too"
