"""datatrove: pipeline steps that reduce each document to its article, and that learn a site memory.

The first counts kept and dropped lines, the latter by label, and can pass dropped lines to an exclusion writer. It yields one document per
input document; one with no line kept gets an empty text, so a later filter can remove it. With `min_confidence` it is a filter itself.
The second writes a part of a memory per task; `learned` merges them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import reduce
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import classifier
from classifier.cleaner import Cleaner
from classifier.errors import InputError, require_library
from classifier.formats.base import ARTICLE
from classifier.integrations.site_memory import learn_texts, packed, recipe_of, unpacked
from classifier.integrations.threads import one_thread
from classifier.io.notices import counted, warn_of
from classifier.jobs.batches import label_by_site
from classifier.labels import DEFAULT_KEEP
from classifier.record.confidence import Confidence, page_confidences
from classifier.results import Labels
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

with require_library("datatrove"):
    from datatrove.data import Document
    from datatrove.io import DataFolderLike, get_datafolder
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.batching import batched

__all__ = ["LineCleaner", "SiteLearner", "learned"]

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
        memory: a memory that judges the documents, each as one of its site; see `learned`.
        site_field: the key in a document's metadata of its site, a name or URL, for `memory`; a document without it is of no site.
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
        memory: SiteMemory | None = None,
        site_field: str | None = "url",
        min_confidence: float | None = None,
    ) -> None:
        super().__init__()
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise InputError(f"min_confidence {min_confidence!r} is not a number from 0 to 1; leave it out to keep all documents")
        self.recipe = recipe_of(model, keep, threshold, memory)
        if min_confidence is not None:
            Confidence.of(self.recipe.cleaner().model)  # a model without it is refused before the job starts
        self.site_field = site_field if memory else None
        self.min_confidence = min_confidence
        self.exclusion_writer = exclusion_writer
        self.batch_size = batch_size
        self.record = record

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the cleaned documents in order; reads one batch ahead."""
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data, self.batch_size):
                with self.track_time("batch"), one_thread():
                    labels = _labelled(self.recipe.cleaner(), batch, self.site_field)
                    pages = list(_clean(self.recipe.cleaner(), labels, self.record, self.min_confidence is not None))
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


def _labelled(cleaner: Cleaner, batch: Sequence[Document], site_field: str | None) -> Labels:
    labels = label_by_site(cleaner, [document.text for document in batch], _sites_of(batch, site_field))
    warn_of(counted(labels.notices))
    return labels


def _sites_of(batch: Sequence[Document], site_field: str | None) -> list[str]:
    """Return the site of each document, empty if its metadata has none; no sites without a field."""
    if site_field is None:
        return []
    found = [document.metadata.get(site_field) for document in batch]
    return [site if isinstance(site, str) else "" for site in found]


def _clean(cleaner: Cleaner, labels: Labels, record: bool, with_confidence: bool) -> Iterator[_Page]:
    texts = labels.texts()
    confidences = page_confidences(cleaner.model, labels, cleaner.keep).tolist() if with_confidence else [0.0] * len(texts)
    records = cleaner.records_of(labels)[0] if record else repeat(None)
    for text, page, confidence, article in zip(texts, labels.pages(), confidences, records):
        dropped = page.dropped()
        names, lines = [label.value for label, _ in dropped], [line for _, line in dropped]
        kept = int(page.kept.sum())
        yield _Page(article.text if article else text, kept, lines, names, confidence, article.to_dict() if article else None)


def _dropped_document(document: Document, page: _Page) -> Document:
    metadata = {**document.metadata, "labels": page.labels}
    return Document(text="\n".join(page.dropped), id=document.id, metadata=metadata)


# -- site memory ---------------------------------------------------------------------------------------------------------


class SiteLearner(PipelineStep):
    """Pipeline step that learns which lines occur on which pages of a site; documents pass unchanged.

    Each task writes a part of the memory to a file; once all tasks are done, `learned` merges them. Results do not depend on tasks.

    Args:
        output_folder: receives the parts; any folder that datatrove can write.
        site_field: the key in a document's metadata of its site, a name or URL; a document without it is of no site, and with
            None all are of one.
        model: model file or folder (default: the shipped model).
        pages: see `SiteMemory`.
        batch_size: number of documents labelled together.

    Raises:
        InputError, ModelError: `pages` is out of range, or the model cannot be used.
    """

    type = "🧠 - MEMORY"
    name = "🗞️ tinsach"

    def __init__(
        self,
        output_folder: DataFolderLike,
        *,
        site_field: str | None = "url",
        model: str | Path | None = None,
        pages: int = DEFAULT_PAGES,
        batch_size: int = 64,
    ) -> None:
        super().__init__()
        SiteMemory(pages)  # refuses a wrong number before the job starts
        self.output_folder = get_datafolder(output_folder)
        self.recipe = classifier.load(model).recipe
        self.site_field, self.pages, self.batch_size = site_field, pages, batch_size

    def run(self, data: Iterable[Document], rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents in order; reads one batch ahead. The part is written after the last one."""
        memory = SiteMemory(self.pages)
        for batch in batched(data, self.batch_size):
            with self.track_time("batch"):
                learn_texts(self.recipe.cleaner(), [document.text for document in batch], _sites_of(batch, self.site_field), memory)
            for document in batch:
                self.stat_update("total")
                yield document
        with self.output_folder.open(_PART.format(rank, world_size), "wb") as file:
            file.write(packed(memory))


_PART, _PART_NAME = "{:05d}-of-{:05d}.npz.gz", re.compile(r"([0-9]+)-of-([0-9]+)\.npz\.gz")


def learned(folder: DataFolderLike) -> SiteMemory:
    """Return the memory of all documents that the tasks of a `SiteLearner` have seen, from its output folder.

    Raises:
        InputError: there are no parts, the parts of some tasks are missing, or they are of several runs, or damaged.
    """
    opened = get_datafolder(folder)
    parts = {name: match for name in opened.list_files(recursive=False) if (match := _PART_NAME.fullmatch(name))}
    sizes = {int(match[2]) for match in parts.values()}
    if len(sizes) != 1:
        what = "parts of runs with different numbers of tasks" if sizes else "no parts of a site memory"
        raise InputError(f"{folder}: holds {what}; run SiteLearner into a new folder")
    missing = set(range(*sizes)) - {int(match[1]) for match in parts.values()}
    if missing:
        first = ", ".join(map(str, sorted(missing)[:5]))
        raise InputError(f"{folder}: no part of {len(missing)} of {max(sizes)} tasks; run those again: {first}")
    return reduce(SiteMemory.merge, (unpacked(opened.open(name).read(), name) for name in parts))
