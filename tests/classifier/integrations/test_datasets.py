"""BatchCleaner in `Dataset.map`: the same texts, also with processes, and a cache key per cleaner."""

from __future__ import annotations

import pickle

import pytest

import classifier
from classifier.errors import InputError
from classifier.integrations.datasets import BatchCleaner
from tests.support import tiny_model

datasets = pytest.importorskip("datasets")
from datasets.fingerprint import Hasher

pytestmark = pytest.mark.engines


@pytest.fixture
def dataset(composed_pages):
    return datasets.Dataset.from_dict({"id": range(len(composed_pages)), "text": composed_pages})


@pytest.fixture
def on_disk(dataset, tmp_path):
    dataset.save_to_disk(tmp_path / "pages")
    return datasets.load_from_disk(tmp_path / "pages")  # only datasets on disk are cached


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


def test_map_gives_what_clean_pages_gives(cleaner, composed_pages, dataset):
    want = list(cleaner.clean_pages(composed_pages))
    for size in (1, 7, 1000):
        mapped = dataset.map(BatchCleaner().batch, batched=True, batch_size=size)
        assert mapped["text"][:] == want
        assert mapped["id"][:] == list(range(len(want)))


def test_processes_give_the_same(cleaner, composed_pages, on_disk):
    mapped = on_disk.map(BatchCleaner().batch, batched=True, batch_size=4, num_proc=2)
    assert mapped["text"][:] == list(cleaner.clean_pages(composed_pages))


def test_a_streaming_dataset_gives_the_same(cleaner, composed_pages, dataset):
    streamed = dataset.to_iterable_dataset().map(BatchCleaner().batch, batched=True, batch_size=4)
    assert [row["text"] for row in streamed] == list(cleaner.clean_pages(composed_pages))


def test_the_cache_is_found_again_for_the_same_cleaner_only(on_disk):
    def files(**options: str) -> list[str]:
        mapped = on_disk.map(BatchCleaner(**options).batch, batched=True)
        return [file["filename"] for file in mapped.cache_files]

    assert files() == files()
    assert files() != files(keep="caption")


def test_another_model_or_release_has_another_fingerprint(tmp_path):
    shipped, same, other = BatchCleaner(), BatchCleaner(), BatchCleaner(model=tiny_model.tiny(tmp_path))
    newer = BatchCleaner()
    newer.recipe = newer.recipe._replace(release="99")
    prints = [Hasher.hash(one.batch) for one in (shipped, same, other, newer)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_it_travels_without_the_model(composed_pages):
    sent = pickle.dumps(BatchCleaner(keep="caption"))
    assert len(sent) < 1000
    pages = {"text": composed_pages[:3]}
    assert pickle.loads(sent).batch(pages)["text"] == list(classifier.load(keep="caption").clean_pages(composed_pages[:3]))


def test_another_column_and_missing_texts(cleaner, composed_pages):
    rows = datasets.Dataset.from_dict({"content": [None, composed_pages[0]]})
    mapped = rows.map(BatchCleaner("content", into="article").batch, batched=True)
    assert mapped["content"][:] == [None, composed_pages[0]]
    assert mapped["article"][:] == [None, cleaner.clean_text(composed_pages[0])]


def test_misuse_is_refused(dataset):
    with pytest.raises(InputError, match="id, text"):
        dataset.map(BatchCleaner("content").batch, batched=True)
    with pytest.raises(InputError, match="batched=True"):
        dataset.map(BatchCleaner().batch)


def test_bad_texts_stay_in_the_dataset_with_the_reason(cleaner, dataset, composed_pages):
    html = "<html><body><div><p>Sáng nay chợ Hạ mở lại.</p></div><p>Đọc nhiều</p></body></html>"
    pages = datasets.Dataset.from_dict({"text": [composed_pages[0], html, None]})
    step = BatchCleaner(quarantine="why")
    mapped = pages.map(step.batch, batched=True, batch_size=1, features=step.features(pages.features))
    assert mapped["text"][:] == [*cleaner.clean_pages(composed_pages[:1]), html, None]
    good, reason, missing = mapped["why"][:]
    assert (good, missing) == (None, None)
    assert "HTML" in reason
    assert BatchCleaner(into="clean", quarantine="why").batch({"text": [7]}) == {
        "clean": [None], "why": ["the value is int, not text (str); convert it to text first"],
    }  # fmt: skip
