"""The examples and commands of docs/ENGINES.md, with the real libraries: each runs, and gives what `clean_pages` gives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.classifier.integrations.conftest import write_lines
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "ENGINES.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch, rows):
    write_lines(tmp_path / "pages", rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wanted(cleaner, rows):
    return sorted(cleaner.clean_pages(row["text"] for row in rows))


def run(section: str) -> dict[str, Any]:
    (example,) = re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "ENGINES.md", "exec"), names)  # the example is the code under test
    return names


def texts_in(folder: str) -> list[str]:
    """Return the texts of all records in a folder."""
    lines = [line for path in Path(folder).glob("[!.]*.jsonl") for line in path.read_text(encoding="utf-8").split("\n") if line]
    texts = [json.loads(line)["text"] for line in lines]
    for path in Path(folder).glob("*.parquet"):
        import pyarrow.parquet

        texts += pyarrow.parquet.read_table(path).column("text").to_pylist()
    return sorted(texts)


def test_scikit_learn(folder, cleaner):
    pytest.importorskip("sklearn")
    names = run("scikit-learn")
    texts = [row["text"] for row in names["rows"]]
    assert names["pipeline"][0].transform(texts) == list(cleaner.clean_pages(texts))
    assert set(names["pipeline"].predict(texts)) <= {0, 1}


def test_datasets(folder, wanted, monkeypatch):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder / "cache")
    assert sorted(run("Hugging Face datasets")["articles"]["article"]) == wanted


def test_datatrove(folder, wanted):
    pytest.importorskip("datatrove")
    run("datatrove")
    assert texts_in("articles") == wanted
    assert len(texts_in("dropped")) > 20


@pytest.mark.parametrize(("section", "engine"), [("Spark", "spark"), ("Ray", "ray_cluster")])
def test_spark_and_ray(folder, wanted, section, engine, request):
    pytest.importorskip({"Spark": "pyspark"}.get(section, "ray"))
    request.getfixturevalue(engine)
    run(section)
    assert texts_in("articles") == wanted


# Small, and without the web interfaces: what users have in their configuration.
SETTINGS = {
    "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 pyspark-shell",
    "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "100000000",
    "PYTHONPATH": str(ROOT),
}


@pytest.mark.parametrize("section", ["Spark", "Ray"])
def test_commands(folder, wanted, section):
    pytest.importorskip({"Spark": "pyspark"}.get(section, "ray"))
    (command,) = re.findall(r"```sh\npython (.*?)\n```", SECTIONS[section])
    done = subprocess.run([sys.executable, *command.split()], env={**os.environ, **SETTINGS}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert texts_in("clean") == wanted
