"""Site memory in engines: learned in parts and used on the same records, each gives what `clean --site-memory auto` gives."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import classifier
from classifier import SiteMemory
from classifier.errors import InputError
from classifier.integrations.site_memory import SiteRecipe, learned_part, merge_packed, merged_memory, packed, recipe_of, unpacked
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import DEFAULT_PAGES
from tests.classifier.integrations.conftest import write_records


@pytest.fixture(scope="session")
def memory(crawl) -> SiteMemory:
    """What the pages teach, in one part."""
    return unpacked(learned_part(classifier.load().recipe, [columns(crawl)], DEFAULT_PAGES))


def columns(records: list[dict[str, Any]]) -> tuple[list[str | None], list[str]]:
    return [record["text"] for record in records], [record["url"] or "" for record in records]


def test_parts_merge_into_the_whole_in_any_order_and_grouping(crawl, memory):
    recipe = classifier.load().recipe
    a, b, c = (learned_part(recipe, [columns(crawl[part::3])], DEFAULT_PAGES) for part in range(3))
    whole = merge_packed(a, merge_packed(b, c))
    assert whole == merge_packed(merge_packed(c, a), b) == packed(merged_memory([b, b"", c, a], DEFAULT_PAGES)) == packed(memory)
    assert merge_packed(b"", a) == merge_packed(a, b"") == a
    assert merged_memory([], 3).pages == 3
    with pytest.raises(InputError, match="differ in pages="):
        merge_packed(a, packed(SiteMemory(DEFAULT_PAGES + 1)))


def test_a_recipe_carries_the_memory_as_it_was(crawl, memory):
    before = memory.digest
    recipe = recipe_of(None, DEFAULT_KEEP, None, memory)
    sent = pickle.loads(pickle.dumps(recipe))
    assert isinstance(sent, SiteRecipe)
    cleaner = sent.cleaner()
    assert cleaner.memory.digest == before
    assert not cleaner.learns
    assert len(repr(sent)) < 1000
    list(cleaner.at("bao-bai-song.vn").clean_pages([record["text"] for record in crawl if record["text"]]))
    assert cleaner.memory.digest == before


@pytest.mark.parametrize("data", [b"x", packed(SiteMemory())[:-9], packed(SiteMemory())[:40] + b"?"])
def test_damaged_parts_are_refused(data):
    with pytest.raises(InputError, match="part-7: damaged"):
        unpacked(data, "part-7")


def test_other_types_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"memory takes a SiteMemory, not str; learn one, or SiteMemory.load\(path\)"):
        recipe_of(None, DEFAULT_KEEP, None, "sites.npz.gz")


# -- the engines -----------------------------------------------------------------------------------------------------------


@pytest.mark.engines
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # sockets of py4j
def test_spark_with_memory(spark, crawl, memory, cleaned_crawl):
    from classifier.integrations.spark import clean, learn

    rows = [(record["id"], record["url"], record["text"]) for record in crawl]
    frame = spark.createDataFrame(rows, "id int, url string, content string")
    for parts in (1, 5):
        learned = learn(frame.repartition(parts), "content")
        assert packed(learned) == packed(memory)
    cleaned = clean(frame.repartition(3), "content", memory=learned)
    assert {row[0]: row[2] for row in cleaned.collect()} == cleaned_crawl
    assert learn(frame.limit(0), "content", pages=4).counted == 0
    with pytest.raises(InputError, match=r"'site' does not exist; .*site_field=None.*id, url, content"):
        learn(frame, "content", site_field="site")
    with pytest.raises(InputError, match="holds int, not text"):
        clean(frame, "content", memory=learned, site_field="id")


@pytest.mark.engines
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")
def test_ray_with_memory(crawl, memory, cleaned_crawl):
    data = pytest.importorskip("ray.data")
    from classifier.integrations.ray import clean, learn

    for options in ({}, {"batch_size": 4}):
        learned = learn(data.from_items(crawl, override_num_blocks=5), **options)
        assert packed(learned) == packed(memory)
    cleaned = clean(data.from_items(crawl, override_num_blocks=3), memory=learned, batch_size=7)
    assert {row["id"]: row["text"] for row in cleaned.take_all()} == cleaned_crawl
    with pytest.raises(Exception, match=r"no column 'site'; name the one that holds the site .*id, url, text"):
        learn(data.from_items(crawl), site_field="site")


@pytest.mark.engines
def test_datasets_with_memory(crawl, memory, cleaned_crawl, tmp_path):
    datasets = pytest.importorskip("datasets")
    from classifier.integrations.datasets import BatchCleaner, learn

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(crawl).save_to_disk(tmp_path / "pages")
    dataset = datasets.load_from_disk(tmp_path / "pages")
    streamed = dataset.to_iterable_dataset()
    for learned in (learn(dataset), learn(dataset, batch_size=4, num_proc=2), learn(streamed, batch_size=7)):
        assert packed(learned) == packed(memory)
    batch = BatchCleaner(memory=learned).batch
    for cleaned in (dataset.map(batch, batched=True, batch_size=5, num_proc=2), streamed.map(batch, batched=True, batch_size=9)):
        assert {row["id"]: row["text"] for row in cleaned} == cleaned_crawl
    assert learn(dataset.select([]), pages=4).counted == 0
    with pytest.raises(InputError, match=r"no column 'site'; .*id, url, text"):
        learn(dataset, site_field="site")


@pytest.mark.engines
def test_datatrove_with_memory(crawl, memory, cleaned_crawl, tmp_path):
    pytest.importorskip("datatrove")
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader

    from classifier.integrations.datatrove import LineCleaner, SiteLearner, learned

    records = [record for record in crawl if record["text"]]  # datatrove's reader skips the others
    write_records(tmp_path / "in", records, parts=3)
    parts, logs = tmp_path / "parts", tmp_path / "logs"
    pipeline = [JsonlReader(str(tmp_path / "in")), SiteLearner(str(parts))]
    LocalPipelineExecutor(pipeline, tasks=4, workers=2, logging_dir=str(logs)).run()  # one task has no file
    found = learned(str(parts))
    assert packed(found) == packed(memory)

    def documents() -> list[Document]:  # a step changes them
        return [Document(record["text"], str(record["id"]), metadata={"url": record["url"]}) for record in records]

    cleaned = LineCleaner(memory=found, batch_size=7)(documents())
    assert {int(document.id): document.text for document in cleaned} == {key: text for key, text in cleaned_crawl.items() if key >= 0}

    list(SiteLearner(str(tmp_path / "whole"), batch_size=7)(documents()))
    assert packed(learned(str(tmp_path / "whole"))) == packed(memory)
    (parts / "00002-of-00004.npz.gz").unlink()
    with pytest.raises(InputError, match=r"parts: no part of 1 of 4 tasks; run those again: 2"):
        learned(str(parts))
    (parts / "00000-of-00001.npz.gz").write_bytes(b"")
    with pytest.raises(InputError, match="different numbers of tasks"):
        learned(str(parts))
    with pytest.raises(InputError, match="no parts of a site memory"):
        learned(str(logs))
