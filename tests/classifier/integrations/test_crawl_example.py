"""The datatrove example over WARC files, run as a script and resumed: each step gives what its library gives by itself."""

from __future__ import annotations

import gzip
import html
from io import BytesIO
from pathlib import Path

import pytest

from tests.classifier.integrations.test_examples import ENGINE_SETTINGS, SECONDS, SECTIONS, records_in
from tests.docs.examples import blocks, run_python

for library in ("datatrove", "warcio", "magic", "trafilatura", "pyvi"):
    pytest.importorskip(library, exc_type=ImportError)
from trafilatura import extract
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # WARCWriter leaves a temporary file to the collector
]


def document(page: str) -> str:
    """Return a page as HTML, whose lines are paragraphs."""
    lines = [f"<p>{html.escape(line)}</p>" for line in page.split("\n") if line.strip()]
    return f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><article>{''.join(lines)}</article></body></html>"


@pytest.fixture
def folder(tmp_path, composed_pages) -> Path:
    (tmp_path / "crawl").mkdir()
    for part in range(2):
        with open(tmp_path / "crawl" / f"{part}.warc.gz", "wb") as file:
            writer = WARCWriter(file, gzip=True)
            for number, page in list(enumerate(composed_pages))[part::2]:
                headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.0")
                body = BytesIO(document(page).encode())
                writer.write_record(writer.create_warc_record(f"https://bao.vn/{number}", "response", body, http_headers=headers))
    return tmp_path


def run(folder: Path) -> None:
    (example,) = blocks("python", SECTIONS["Common Crawl with datatrove"])
    done = run_python(example, folder, ENGINE_SETTINGS, SECONDS)
    assert done.returncode == 0, done.stderr


def test_the_script_and_its_resumption(folder, cleaner, composed_pages):
    run(folder)
    found = [record for path in sorted((folder / "corpus").glob("*.jsonl")) for record in records_in(path)]
    corpus = {record["metadata"]["url"]: record["text"] for record in found}
    texts = [extract(document(page), favor_precision=False, include_comments=False, deduplicate=False) for page in composed_pages]
    cleaned = cleaner.clean_pages(text or "" for text in texts)
    assert corpus.items() <= {f"https://bao.vn/{number}": text for number, text in enumerate(cleaned)}.items()
    excluded = [
        line
        for step in ("repetition", "fineweb", "quality")
        for path in (folder / "dropped" / step).glob("*.jsonl.gz")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert len(corpus) + len(excluded) == sum(map(bool, texts))
    assert len(corpus) >= 5

    first, second = (folder / "corpus" / f"{part:05d}.jsonl" for part in range(2))
    kept, content = first.stat().st_mtime_ns, second.read_bytes()
    (folder / "logs" / "completions" / "00001").unlink()
    second.unlink()
    run(folder)
    assert second.read_bytes() == content
    assert first.stat().st_mtime_ns == kept
