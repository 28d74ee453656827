"""LineCleaner in datatrove's local executor: the same texts, line counts, and the exclusion writer."""

from __future__ import annotations

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from classifier.errors import InputError
from classifier.lines import split_lines

pytest.importorskip("datatrove")
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from classifier.integrations.datatrove import LineCleaner

pytestmark = pytest.mark.engines


def documents(pages):
    return [Document(text=page, id=str(number), metadata={"site": number % 3}) for number, page in enumerate(pages)]


def records(folder):
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return {record["id"]: record for record in map(json.loads, lines)}


@pytest.mark.parametrize("size", [1, 7, 64])
def test_it_gives_what_clean_pages_gives_one_for_one(cleaner, composed_pages, size):
    found = list(LineCleaner(batch_size=size)(documents(composed_pages)))
    assert [document.text for document in found] == list(cleaner.clean_pages(composed_pages))
    assert [document.id for document in found] == [str(number) for number in range(len(composed_pages))]
    assert found[4].metadata == {"site": 1}


def test_it_reads_one_batch_ahead_only(composed_pages):
    source = iter(documents(composed_pages))
    next(LineCleaner(batch_size=4)(source))
    assert next(source).id == "4"


def test_lines_are_counted(cleaner, composed_pages):
    step = LineCleaner()
    list(step(documents(composed_pages)))
    labelled = [line for page in composed_pages for line in cleaner.label_lines(split_lines(page))]
    assert step.stats["total"].total == len(composed_pages)
    assert step.stats["lines_kept"].total == sum(line.kept for line in labelled)
    dropped = [line.label for line in labelled if not line.kept and line.label]
    for label in set(dropped):
        assert step.stats[f"lines_dropped_{label}"].total == dropped.count(label)


def test_the_local_executor_with_two_workers(cleaner, composed_pages, tmp_path):
    for part in range(2):
        rows = [json.dumps({"id": str(i), "text": composed_pages[i]}, ensure_ascii=False) for i in range(part, 30, 2)]
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{part}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    dropped = JsonlWriter(str(tmp_path / "dropped"), compression=None)
    pipeline = [
        JsonlReader(str(tmp_path / "in")),
        LineCleaner(exclusion_writer=dropped),
        JsonlWriter(str(tmp_path / "out"), compression=None),
    ]
    stats = LocalPipelineExecutor(pipeline, tasks=2, workers=2, logging_dir=str(tmp_path / "logs")).run()
    found, excluded = records(tmp_path / "out"), records(tmp_path / "dropped")
    assert [found[str(i)]["text"] for i in range(30)] == list(cleaner.clean_pages(composed_pages))
    assert stats.stats[1].stats["total"].total == 30
    for number, page in enumerate(composed_pages):
        want = [line for line in cleaner.label_lines(split_lines(page)) if line.label and not line.kept]
        if not want:  # nothing dropped, nothing written
            assert str(number) not in excluded
            continue
        assert excluded[str(number)]["text"] == "\n".join(line.text for line in want)
        assert excluded[str(number)]["metadata"]["labels"] == [line.label for line in want]


def test_wrong_labels_are_refused_when_the_pipeline_is_made():
    with pytest.raises(InputError, match="artcle"):
        LineCleaner("artcle")


def test_documents_of_low_confidence_are_left_out_whole(composed_pages):
    excluded = []
    writer = SimpleNamespace(write=lambda document, rank: excluded.append(document))
    step = LineCleaner(min_confidence=0.95, exclusion_writer=nullcontext(writer), batch_size=7)
    found = list(step(documents(composed_pages)))
    whole = [document for document in excluded if "confidence" in document.metadata and "labels" not in document.metadata]
    assert len(found) + len(whole) == len(composed_pages)
    assert step.stats["low_confidence"].total == len(whole) > 0
    assert all(document.metadata["confidence"] >= 0.95 for document in found)
    assert all(document.metadata["confidence"] < 0.95 and document.text == composed_pages[int(document.id)] for document in whole)


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_min_confidence_is_a_share(value):
    with pytest.raises(InputError, match="not a number from 0 to 1"):
        LineCleaner(min_confidence=value)
