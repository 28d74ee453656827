"""datatrove: a pipeline step that reduces each document to its article.

It counts kept and dropped lines, the latter by label, and can pass dropped lines to an exclusion writer. It yields one document per
input document; one with no line kept gets an empty text, so a later filter can remove it. With `min_confidence` it is a filter itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import classifier
from classifier.cleaner import Cleaner
from classifier.errors import InputError, require_library
from classifier.formats.base import ARTICLE
from classifier.labels import DEFAULT_KEEP
from classifier.record.confidence import Confidence, page_confidences

with require_library("datatrove"):
    from datatrove.data import Document
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.batching import batched

__all__ = ["LineCleaner"]

DIGITS = 4  # of a confidence


class LineCleaner(PipelineStep):
    """Pipeline step that cleans `document.text`.

    Args:
        keep: labels to keep (default: title and body).
        threshold: see `tinsach.load`.
        model: model file or folder (default: the shipped model).
        exclusion_writer: receives one document for each that lost lines: those lines as text, their labels as metadata.
        batch_size: number of documents cleaned together.
        record: put the record of each page (`Article.to_dict`) into its metadata, as "article", and its text in place of the document's.
        min_confidence: leave out documents whose article is expected to come out with a lower F1 (0 to 1); the others get theirs as
            `metadata["confidence"]`, and a document left out goes to the exclusion writer whole.

    Raises:
        InputError: `min_confidence` is not a number from 0 to 1.
        ModelError: with `min_confidence`, the model cannot tell how good a page is.
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
        record: bool = False,
        min_confidence: float | None = None,
    ) -> None:
        super().__init__()
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise InputError(f"min_confidence {min_confidence!r} is not a number from 0 to 1; leave it out to keep all documents")
        cleaner = classifier.load(model, keep=keep, threshold=threshold)
        if min_confidence is not None:
            Confidence.of(cleaner.model)  # a model without it is refused before the job starts
        self.recipe = cleaner.recipe
        self.min_confidence = min_confidence
        self.exclusion_writer = exclusion_writer
        self.batch_size = batch_size
        self.record = record

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the cleaned documents in order; reads one batch ahead."""
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data, self.batch_size):
                with self.track_time("batch"):
                    texts = [document.text for document in batch]
                    pages = list(_clean(self.recipe.cleaner(), texts, self.record, self.min_confidence is not None))
                for document, page in zip(batch, pages):
                    if self.min_confidence is not None:
                        document.metadata["confidence"] = round(page.confidence, DIGITS)
                        if page.confidence < self.min_confidence:
                            self.stat_update("low_confidence")
                            if writer:
                                writer.write(document, rank)
                            continue
                    self._count(page)
                    if writer and page.dropped:
                        writer.write(_dropped_document(document, page), rank)
                    document.text = page.text
                    if page.article is not None:
                        document.metadata[ARTICLE] = page.article
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
    dropped: list[str]  # non-blank lines
    labels: list[str]  # of the dropped lines
    confidence: float  # 0 if not asked for
    article: dict[str, Any] | None = None  # the record, if requested


def _clean(cleaner: Cleaner, texts: list[str], record: bool, with_confidence: bool) -> Iterator[_Page]:
    labels = cleaner.label_pages(texts)
    confidences = page_confidences(cleaner.model, labels, cleaner.keep).tolist() if with_confidence else [0.0] * len(texts)
    records = cleaner.records_of(labels)[0] if record else repeat(None)
    for text, page, confidence, article in zip(labels.texts(), labels.pages(), confidences, records):
        dropped = page.dropped()
        names, lines = [label.value for label, _ in dropped], [line for _, line in dropped]
        kept = int(page.kept.sum())
        yield _Page(article.text if article else text, kept, lines, names, confidence, article.to_dict() if article else None)


def _dropped_document(document: Document, page: _Page) -> Document:
    metadata = {**document.metadata, "labels": page.labels}
    return Document(text="\n".join(page.dropped), id=document.id, metadata=metadata)
