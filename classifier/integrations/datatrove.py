"""datatrove: a pipeline step that leaves of each document its article.

It counts lines kept and dropped, the latter by label, and hands what it dropped to a writer, if it is given one. Documents go on
one for one, those of which nothing is left with an empty text: a filter after it can take them away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import classifier
from classifier.cleaner import Cleaner
from classifier.errors import require_library
from classifier.labels import DEFAULT_KEEP

with require_library("datatrove"):
    from datatrove.data import Document
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.batching import batched

__all__ = ["LineCleaner"]


class LineCleaner(PipelineStep):
    """Cleans `document.text`.

    Args:
        keep: the labels to keep; by default title and body.
        threshold: see `classifier.load`.
        model: another model's file or folder.
        exclusion_writer: takes a document for each one that lost lines: those lines as its text, their labels in its metadata.
        batch_size: documents that are cleaned together.
    """

    type = "✂️ - CLEANER"
    name = "🗞️ tinsach"

    def __init__(
        self,
        keep: str | Iterable[str] = DEFAULT_KEEP,
        *,
        threshold: float | None = None,
        model: str | Path | None = None,
        exclusion_writer: Any = None,
        batch_size: int = 64,
    ) -> None:
        super().__init__()
        self.recipe = classifier.load(model, keep=keep, threshold=threshold).recipe
        self.exclusion_writer = exclusion_writer
        self.batch_size = batch_size

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents in order, cleaned; reads one batch ahead."""
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data, self.batch_size):
                with self.track_time("batch"):
                    pages = list(_clean(self.recipe.cleaner(), [document.text for document in batch]))
                for document, page in zip(batch, pages):
                    self._count(page)
                    if writer and page.dropped:
                        writer.write(_leavings(document, page), rank)
                    document.text = page.text
                    self.update_doc_stats(document)
                    yield document

    def _count(self, page: _Page) -> None:
        self.stat_update("total")
        self.stat_update("lines_kept", value=page.kept, unit="doc")
        for label, count in Counter(page.labels).items():
            self.stat_update(f"lines_dropped_{label}", value=count, unit="doc")


class _Page(NamedTuple):
    text: str
    kept: int  # lines, blank ones included
    dropped: list[str]  # lines that are not blank
    labels: list[str]  # theirs


def _clean(cleaner: Cleaner, texts: list[str]) -> Iterator[_Page]:
    labels = cleaner.label_pages(texts)
    for text, page in zip(labels.texts(), labels.pages()):
        dropped = page.dropped()
        yield _Page(text, int(page.kept.sum()), [line for _, line in dropped], [label.value for label, _ in dropped])


def _leavings(document: Document, page: _Page) -> Document:
    metadata = {**document.metadata, "labels": page.labels}
    return Document(text="\n".join(page.dropped), id=document.id, metadata=metadata)
