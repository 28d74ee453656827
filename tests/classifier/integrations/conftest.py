"""Shared fixtures: one session per slow-starting engine, and folders of pages as JSON lines and Parquet."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import classifier
from classifier.cleaner import Cleaner
from tests.support.clusters import LIGHT_JVM

Rows = list[dict[str, Any]]
APPEAL = "Mời bạn đọc góp một cuốn sách cho tủ sách làng Hạ: mỗi lượt chia sẻ bài viết này là một cuốn sách đến tay các em nhỏ."
HOSTS = ("www.bao-bai-song.vn", "bao-bai-song.vn", "tin-lang-ha.vn")  # the first two are one site


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ.update(LIGHT_JVM, PYSPARK_PYTHON=sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.config("spark.driver.memory", "1g").config("spark.sql.execution.arrow.maxRecordsPerBatch", 7).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    import ray

    ray.init(num_cpus=2, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def crawl(cleaner: Cleaner, composed_pages: list[str]) -> Rows:
    """Records of two sites, one of which asks for books within every article, and of pages without a URL, all shuffled."""
    records = []
    for number, page in enumerate(composed_pages):
        url = None if number % 7 == 6 else f"https://{HOSTS[number % 3]}/{number}.html"
        lines = page.split("\n")
        body = [line.number for line in cleaner.label_lines(lines) if line.label == "body"]
        if url and number % 3 < 2 and body:
            lines.insert(body[len(body) // 2] - 1, APPEAL)
        records.append({"id": number, "url": url, "text": "\n".join(lines)})
    return [records[number * 11 % len(records)] for number in range(len(records))] + [{"id": -1, "url": None, "text": None}]


@pytest.fixture(scope="session")
def cleaned_crawl(crawl: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str | None]:
    """The texts of the crawl as cleaned by the command line in two passes, by id."""
    from classifier.cli import main

    folder = tmp_path_factory.mktemp("crawl")
    (folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in crawl), encoding="utf-8")
    assert main(["clean", str(folder / "in.jsonl"), "--site-memory", "auto", "--output", str(folder / "out.jsonl")]) == 0
    cleaned = {record["id"]: record["text"] for record in map(json.loads, (folder / "out.jsonl").read_text(encoding="utf-8").splitlines())}
    plain = classifier.load().clean_pages(record["text"] for record in crawl if record["text"])
    assert sum(APPEAL in text for text in plain) > sum(APPEAL in (text or "") for text in cleaned.values())  # it does something
    return cleaned


@pytest.fixture(scope="session")
def rows(composed_pages: list[str]) -> Rows:
    """Records that a reader would alter if it guessed types, sorted fields or split lines as `str.splitlines` does."""
    return [
        {"url": f"trang/{i}\u2028\x85", "text": page, "id": i, "topic": i % 4 // 2, "more": {"b": None, "a": [1, 1.5]}}
        for i, page in enumerate(composed_pages)
    ]


def write_records(folder: Path, records: Rows, parts: int = 2) -> None:
    """Write files of JSON lines."""
    folder.mkdir()
    for part in range(parts):
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records[part::parts]]
        (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")


def write_lines(folder: Path, rows: Rows) -> None:
    """Write two files, with trailing zeros in numbers and extra white space that have to be preserved."""
    folder.mkdir()
    lines = [
        json.dumps(row, ensure_ascii=bool(row["id"] % 2)).replace("[1, 1.5]", "[1, 1.50]").replace('"id": ', '"id":  ') for row in rows
    ]
    for part in range(2):
        (folder / f"{part}.jsonl").write_text("\n".join(lines[part::2]) + "\n", encoding="utf-8")


@pytest.fixture
def lines_in(tmp_path: Path, rows: Rows) -> Path:
    write_lines(tmp_path / "in", rows)
    return tmp_path / "in"


@pytest.fixture
def parquet_in(tmp_path: Path, rows: Rows) -> Path:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "in").mkdir()
    for part in range(2):
        texts = pyarrow.array([row["text"] for row in rows[part::2]] + [None])
        numbers = pyarrow.array([row["id"] for row in rows[part::2]] + [-1], pyarrow.int32())
        parquet.write_table(pyarrow.table({"id": numbers, "content": texts}), tmp_path / "in" / f"{part}.parquet")
    return tmp_path / "in"


@pytest.fixture
def lines_of() -> Callable[[Path], list[str]]:
    def read(folder: Path) -> list[str]:
        return sorted(line for path in folder.glob("[!.]*.jsonl") for line in path.read_text(encoding="utf-8").split("\n") if line)

    return read


@pytest.fixture
def wanted_lines(lines_in: Path, tmp_path: Path, lines_of: Callable[[Path], list[str]]) -> list[str]:
    """The folder as cleaned by the command line."""
    from classifier.cli import main

    assert main(["clean", *map(str, sorted(lines_in.glob("*.jsonl"))), "--output-dir", str(tmp_path / "wanted")]) == 0
    return lines_of(tmp_path / "wanted")


@pytest.fixture
def parquet_of() -> Callable[[Path], dict[int, str | None]]:
    def read(folder: Path) -> dict[int, str | None]:
        import pyarrow.parquet

        tables = [pyarrow.parquet.read_table(path).to_pydict() for path in folder.glob("*.parquet")]
        return {number: text for table in tables for number, text in zip(table["id"], table["content"])}

    return read
