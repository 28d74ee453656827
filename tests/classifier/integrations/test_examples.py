"""The examples and commands of docs/ENGINES.md, run as a reader would with the real libraries: all give what `clean_pages` gives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.classifier.integrations.conftest import write_lines, write_records
from tests.docs.examples import SETTINGS, blocks, run_python
from tests.support.clusters import LIGHT_JVM
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "ENGINES.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
SECONDS = 180  # an example takes 1 to 10; one that starts workers without end is stopped
# A small machine without network access and web interfaces: what users have in their configuration.
ENGINE_SETTINGS = {
    **LIGHT_JVM,
    "HF_DATASETS_CACHE": "cache",
    "HF_HUB_OFFLINE": "1",
    "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 pyspark-shell",
    "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "100000000",
    "RAY_USAGE_STATS_ENABLED": "0",
}

pytestmark = pytest.mark.engines


@pytest.fixture
def folder(tmp_path, rows):
    write_lines(tmp_path / "pages", rows)
    return tmp_path


@pytest.fixture
def wanted(cleaner, rows):
    return sorted(cleaner.clean_pages(row["text"] for row in rows))


def run(section: str, folder: Path) -> str:
    """Run the example of a section in a folder and return what it printed."""
    (example,) = blocks("python", SECTIONS[section])
    done = run_python(example, folder, ENGINE_SETTINGS, SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def records_in(path: Path) -> list[dict[str, str]]:
    """Return the records of a file of JSON lines; other line separators may occur within them."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def texts_in(folder: Path) -> list[str]:
    """Return the texts of all records in a folder, sorted."""
    texts = [record["text"] for path in folder.glob("[!.]*.jsonl") for record in records_in(path)]
    for path in folder.glob("*.parquet"):
        import pyarrow.parquet

        texts += pyarrow.parquet.read_table(path).column("text").to_pylist()
    return sorted(texts)


def test_scikit_learn(folder, cleaner):
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = records_in(folder / "pages" / "0.jsonl")
    articles = list(cleaner.clean_pages(row["text"] for row in rows))
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(articles, [row["topic"] for row in rows])
    assert run("scikit-learn", folder) == f"{pipeline.predict(articles)}\n"


def test_datasets(folder, wanted):
    pytest.importorskip("datasets")
    run("Hugging Face datasets", folder)
    assert sorted(record["article"] for record in records_in(folder / "articles.jsonl")) == wanted


def test_datatrove(folder, wanted):
    pytest.importorskip("datatrove")
    run("datatrove", folder)
    assert texts_in(folder / "articles") == wanted
    assert len(texts_in(folder / "dropped")) > 20


def test_without_its_guard_the_datatrove_example_never_ends(folder):
    """The page says so; it also shows that the timeout ends an example together with the workers it starts."""
    pytest.importorskip("datatrove")
    (example,) = blocks("python", SECTIONS["datatrove"])
    unguarded = re.sub(r'if __name__ == "__main__":.*', "if True:", example)
    assert unguarded != example
    with pytest.raises(subprocess.TimeoutExpired):
        run_python(unguarded, folder, ENGINE_SETTINGS, timeout=8)


@pytest.mark.parametrize(("section", "library"), [("Spark", "pyspark"), ("Ray", "ray")])
def test_spark_and_ray(folder, wanted, section, library):
    pytest.importorskip(library)
    run(section, folder)
    assert texts_in(folder / "articles") == wanted


@pytest.mark.parametrize(("number", "library"), list(enumerate(("pyspark", "ray", "datasets", "datatrove"))))
def test_site_memory(tmp_path, crawl, cleaned_crawl, number, library):
    pytest.importorskip(library)
    write_records(tmp_path / "pages", [record for record in crawl if record["text"]])
    done = run_python(blocks("python", SECTIONS["Site memory"])[number], tmp_path, ENGINE_SETTINGS, SECONDS)
    assert done.returncode == 0, done.stderr
    assert texts_in(tmp_path / "articles") == sorted(text for text in cleaned_crawl.values() if text is not None)


@pytest.mark.parametrize(("section", "library"), [("Spark", "pyspark"), ("Ray", "ray")])
def test_commands(folder, wanted, section, library):
    pytest.importorskip(library)
    (command,) = re.findall(r"```sh\npython (.*?)\n```", SECTIONS[section])
    environment = {**os.environ, **SETTINGS, **ENGINE_SETTINGS}
    done = subprocess.run([sys.executable, *command.split()], cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    assert texts_in(folder / "clean") == wanted
