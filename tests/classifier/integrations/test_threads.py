"""BLAS threads: the functions that the workers of all engines run label on one, and leave the process as it was."""

from __future__ import annotations

import importlib
import json
import os
from copy import copy
from functools import partial
from typing import Any

import pytest

import classifier
from classifier.cleaner import Cleaner
from classifier.integrations.columns import clean_texts, record_texts
from classifier.integrations.site_memory import learned_part
from classifier.integrations.split_job import FolderJob, clean_split
from classifier.integrations.splits import Split

threadpoolctl = pytest.importorskip("threadpoolctl")

PAGES = ["Trang chủ\nSáng nay chợ Hạ mở lại sau đợt sửa mái.", "Đọc nhiều"]


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}


class Watched(Cleaner):
    """A cleaner that notes on how many threads it works."""

    seen: list[set[int]]

    def label_pages(self, *pages: Any, **options: Any) -> Any:
        self.seen.append(threads())
        return super().label_pages(*pages, **options)

    def learned_pages(self, *pages: Any, **options: Any) -> Any:
        self.seen.append(threads())
        return super().learned_pages(*pages, **options)


class Recipe:
    """A recipe whose cleaner is watched."""

    def __init__(self) -> None:
        self.made = copy(classifier.load())
        self.made.__class__ = Watched
        self.made.seen = []

    def cleaner(self) -> Cleaner:
        return self.made


def split(recipe, folder):
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": page}) + "\n" for page in PAGES))
    job = FolderJob(str(folder), str(folder / "out"), "jsonl", "text", None, recipe, "fail", 1 << 20)
    clean_split(job, Split(0, str(folder / "in.jsonl"), 0, 1 << 20))


def watched_split(folder, _):
    """Clean a split in a worker whose BLAS has two threads, and write down how many it has while it cleans."""
    recipe = Recipe()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        split(recipe, folder)
    report = {"process": os.getpid(), "before": sorted(before), "while": sorted(set().union(*recipe.made.seen))}
    (folder / "report.json").write_text(json.dumps(report))


def in_datatrove(step_of):
    def run(recipe, folder):
        pytest.importorskip("datatrove")
        from datatrove.data import Document

        step = step_of(folder)
        step.recipe = recipe
        list(step(Document(text=page, id=page) for page in PAGES))

    return run


def line_cleaner(folder):
    from classifier.integrations.datatrove import LineCleaner

    return LineCleaner()


def site_learner(folder):
    from classifier.integrations.datatrove import SiteLearner

    return SiteLearner(str(folder / "parts"), site_field=None)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda recipe, folder: clean_texts(recipe, PAGES), id="columns"),
        pytest.param(lambda recipe, folder: record_texts(recipe, PAGES), id="records"),
        pytest.param(lambda recipe, folder: learned_part(recipe, [(PAGES, [])], 3), id="learning"),
        pytest.param(split, id="a split of Spark and Ray"),
        pytest.param(in_datatrove(line_cleaner), marks=pytest.mark.engines, id="datatrove"),
        pytest.param(in_datatrove(site_learner), marks=pytest.mark.engines, id="learning in datatrove"),
    ],
)
def test_a_worker_labels_on_one_thread(tmp_path, work):
    pytest.importorskip("pyarrow")
    recipe = Recipe()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        work(recipe, tmp_path)
        assert threads() == {2}
    assert set(map(frozenset, recipe.made.seen)) == {frozenset({1})}


@pytest.mark.engines
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # sockets of py4j
@pytest.mark.parametrize(("engine", "session", "library"), [("spark", "spark", "pyspark"), ("ray", "ray_cluster", "ray")])
def test_a_live_worker_labels_on_one_thread(tmp_path, request, engine, session, library):
    pytest.importorskip(library)
    request.getfixturevalue(session)
    execute = importlib.import_module(f"classifier.integrations.{engine}")._execute
    execute(partial(watched_split, tmp_path), [Split(0, "", 0, 0)])
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["process"] != os.getpid()
    assert (report["before"], report["while"]) == ([2], [1])
