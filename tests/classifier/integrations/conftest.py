"""Shared fixtures: one session per slow-starting engine, and folders of pages as JSON lines and Parquet."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
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
def rows(composed_pages: list[str]) -> Rows:
    """Records that a reader would alter if it guessed types, sorted fields or split lines as `str.splitlines` does."""
    return [
        {"url": f"trang/{i}\u2028\x85", "text": page, "id": i, "topic": i % 4 // 2, "more": {"b": None, "a": [1, 1.5]}}
        for i, page in enumerate(composed_pages)
    ]


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
