"""A small crawl in every format, as it lies in an object store, and what cleaning makes of it."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

from classifier.cli import main
from tests.support.paths import CASES

__all__ = ["PAGE", "below", "cleaned_locally", "crawl"]

PAGE = (CASES / "sample_page.txt").read_bytes()
WET = (
    b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:%d>\r\nWARC-Target-URI: https://example.vn/%d\r\n"
    b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
)


def crawl() -> dict[str, bytes]:
    """Return the files, by name: a page, and 25 records."""
    import pyarrow
    import zstandard
    from pyarrow import parquet

    lines = "".join(json.dumps({"id": n, "text": PAGE.decode()}, ensure_ascii=False) + "\n" for n in range(5)).encode()
    wet = b"".join(WET % (n, n, len(PAGE), PAGE) for n in range(5))
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"id": range(10), "text": [PAGE.decode()] * 10}), table, row_group_size=4)
    return {
        "page.txt": PAGE, "a/crawl.jsonl.gz": gzip.compress(lines, mtime=0), "a/b/crawl.jsonl.zst": zstandard.compress(lines),
        "a/b/crawl.wet.gz": gzip.compress(wet, mtime=0), "table.parquet": table.getvalue(),
    }  # fmt: skip


def cleaned_locally(folder: Path) -> dict[str, bytes]:
    """Return the crawl cleaned in a local folder, by name."""
    for name, data in crawl().items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    if main(["clean", str(folder / "in"), "--output-dir", str(folder / "out")]):
        raise RuntimeError("the crawl was not cleaned")
    files = [path for path in (folder / "out").rglob("[!.]*.*") if path.is_file()]
    return {path.relative_to(folder / "out").as_posix(): path.read_bytes() for path in files}


def below(store: Any, folder: str) -> dict[str, bytes]:
    """Return the objects below a folder, hidden ones left out, by name."""
    store.invalidate_cache()
    return {name.removeprefix(f"{folder}/"): store.cat(name) for name in store.find(folder) if "/." not in name}
