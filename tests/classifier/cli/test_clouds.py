"""Jobs whose inputs and outputs are in Google Cloud Storage or Azure: emulators in processes of their own."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier.cli import main
from tests.support.paths import ROOT
from tests.support.remote_crawl import PAGE, below, cleaned_locally, crawl
from tests.support.s3_server import server_process

pytestmark = pytest.mark.clouds

BINARIES = Path(sys.prefix) / "bin"
AZURITE = Path(sys.prefix) / "node_modules" / ".bin" / "azurite-blob"
# The account that every Azurite has.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="module", params=["gs", "abfs"])
def store(request, tmp_path_factory) -> Iterator[tuple[str, Any]]:
    """An address `SCHEME://bao` with the crawl below `in`, and the file system that it is in."""
    import fsspec

    commands = {
        "gs": [str(BINARIES / "gcp-storage-emulator"), "start", "--port", "PORT", "--in-memory"],
        "abfs": [str(AZURITE), "--silent", "--inMemoryPersistence", "--blobPort", "PORT", "--skipApiVersionCheck"],
    }
    with server_process(commands[request.param]) as port, pytest.MonkeyPatch.context() as patch:
        endpoint = f"http://127.0.0.1:{port}"
        patch.setenv("STORAGE_EMULATOR_HOST", endpoint)
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asks a service that the emulator lacks, and waits for it
        azure = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint}/{ACCOUNT};"
        patch.setenv("AZURE_STORAGE_CONNECTION_STRING", azure)
        found = fsspec.filesystem(request.param)
        found.mkdir("bao")
        for name, data in crawl().items():
            found.pipe_file(f"bao/in/{name}", data)
        yield f"{request.param}://bao", found


def test_every_job_takes_addresses(store, tmp_path, capsys):
    address, files = store
    folders = ["clean", f"{address}/in", "--output-dir", f"{address}/out", "--resume"]
    assert main([*folders, "--stats", f"{address}/stats.json"]) == 0
    assert below(files, "bao/out") == cleaned_locally(tmp_path)
    assert json.loads(files.cat("bao/stats.json"))["records"] == 25
    assert main([*folders, "--summary"]) == 0
    assert "cleaned 0 files, found 5 finished" in capsys.readouterr().err
    assert main(["clean", f"{address}/in/a/**/*.jsonl.*", "--output", f"{address}/both.jsonl.gz"]) == 0
    assert gzip.decompress(files.cat("bao/both.jsonl.gz")).count(b"\n") == 10
    assert main(["extract", f"{address}/in/table.parquet", "--output", f"{address}/articles.jsonl"]) == 0
    assert files.cat("bao/articles.jsonl").count(b'"article": {') == 10


@pytest.mark.parametrize("missing", ["bao/missing.jsonl", "no-such-bucket/in"])
def test_what_is_missing_is_named(store, capsys, missing):
    address = f"{store[0].removesuffix('bao')}{missing}"
    assert main(["clean", address]) == 2
    assert capsys.readouterr().err.startswith(f"tinsach: {address}: there is no ")


def test_an_unfinished_output_is_not_seen(store, tmp_path):
    address, files = store
    page = json.dumps({"text": PAGE.decode()}, ensure_ascii=False) + "\n"
    (tmp_path / "bad.jsonl").write_text(page + "{broken\n", encoding="utf-8")
    assert main(["clean", str(tmp_path / "bad.jsonl"), "--output", f"{address}/unfinished.jsonl"]) == 2
    command = [sys.executable, "-m", "classifier", "clean", "--format", "jsonl", "--output", f"{address}/unfinished.jsonl"]
    for stop in (signal.SIGTERM, signal.SIGKILL):
        job = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert job.stdin
        job.stdin.write(page.encode() * 200)
        job.stdin.flush()
        time.sleep(5)
        job.send_signal(stop)
        job.communicate()
        assert job.returncode == (128 + stop if stop == signal.SIGTERM else -stop)
    assert "unfinished.jsonl" not in below(files, "bao")
