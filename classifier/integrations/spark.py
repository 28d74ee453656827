"""Spark: clean a data frame with `mapInArrow`, learn a site memory from it, or clean a folder with a command.

    python -m classifier.integrations.spark in/ out/

Rows stay in their partitions, without a shuffle; each learns a part of a memory, and `treeAggregate` merges them. Workers need
`tinsach[spark]` installed, like the driver.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import InputError, ModelError, require_library
from classifier.formats.article_type import article_type
from classifier.formats.base import ARTICLE
from classifier.integrations import folder
from classifier.integrations.columns import MEMORY, SITE, TEXT, clean_column, memory_table, sites_in, strings_in
from classifier.integrations.job import run
from classifier.integrations.quarantine import refuse_taken
from classifier.integrations.site_memory import learned_part, merge_packed, merged_memory, recipe_of
from classifier.integrations.splits import Split
from classifier.io.files import os_error_message
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

__all__ = ["clean", "clean_folder", "learn", "main"]


def clean(
    frame: Any,
    text_field: str = "text",
    *,
    model: str | Path | None = None,
    keep: str | Iterable[str] = DEFAULT_KEEP,
    threshold: float | None = None,
    record: bool = False,
    memory: SiteMemory | None = None,
    site_field: str | None = "url",
    quarantine: str | None = None,
) -> Any:
    """Return the data frame with one text column cleaned; nulls stay null. See `tinsach.load` for model, keep and threshold.

    With `record` the text is that of the page's record, and a struct column "article" holds the record (`Article.to_dict`).
    A `memory` judges the pages, each as one of its site, which `site_field` holds as a name or URL; see `learn`.
    `quarantine` names a column to add: why a record is bad, whose text stays as it was then; null for good ones.

    Raises:
        InputError: a column does not exist or is not text, or would be added and exists.
    """
    recipe = recipe_of(model, keep, threshold, memory)
    site_field = site_field if memory else None
    _require_text(frame, text_field, site_field)
    refuse_taken(frame.schema.names, record, quarantine)

    def batches(source: Iterator[Any]) -> Iterator[Any]:
        return (clean_column(batch, text_field, recipe, record, site_field, quarantine) for batch in source)

    return frame.mapInArrow(batches, _with_added(frame.schema, record, quarantine))


def _require_text(frame: Any, field: str, site_field: str | None) -> None:
    """Raise an error here, not in a worker minutes later, if a column is missing or is not text."""
    kinds = dict(frame.dtypes)
    for name, what in ((field, TEXT), (site_field, SITE)):
        if name is not None and kinds.get(name) != "string":
            fault = f"holds {kinds[name]}, not text" if name in kinds else "does not exist"
            raise InputError(f"column {name!r} {fault}; name the one that holds {what}: {', '.join(kinds)}")


def learn(
    frame: Any,
    text_field: str = "text",
    *,
    site_field: str | None = "url",
    model: str | Path | None = None,
    pages: int = DEFAULT_PAGES,
) -> SiteMemory:
    """Return the memory of all pages of a data frame, each of the site that `site_field` holds as a name or URL.

    It does not depend on partitions, and judges as `--site-memory auto` does: pass it to `clean`. With `site_field=None`, all
    pages are of one site. See `SiteMemory` for `pages`. Nulls add nothing.

    Raises:
        InputError: a column does not exist or is not text, or `pages` is out of range.
    """
    _require_text(frame, text_field, site_field)
    SiteMemory(pages)  # refuses a wrong number here
    recipe = classifier.load(model).recipe

    def parts(source: Iterator[Any]) -> Iterator[Any]:
        batches = ((strings_in(batch, text_field), sites_in(batch, site_field)) for batch in source if len(batch))
        yield from memory_table([learned_part(recipe, batches, pages)]).to_batches()

    columns = [name for name in (text_field, site_field) if name is not None]
    learned = frame.select(*columns).mapInArrow(parts, f"{MEMORY} binary").rdd.map(lambda row: bytes(row[0]))
    return merged_memory([learned.treeAggregate(b"", merge_packed, merge_packed)], pages)


def _with_added(schema: Any, record: bool, quarantine: str | None) -> Any:
    """Return a Spark schema with the added columns at its end."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructType

    schema = StructType(list(schema.fields))
    if record:
        schema = schema.add(ARTICLE, from_arrow_type(article_type(pa)))
    return schema.add(quarantine, "string") if quarantine else schema


def clean_folder(source: str, target: str, **options: Any) -> dict[str, Any]:
    """Clean a folder of .jsonl or .parquet files into a new one, as the command does, and return the statistics.

    The options are those of `integrations.folder.clean` and of `folder_job`, as in `text_field=`, `on_error=` and `resume=`.
    """
    return folder.clean(_execute, source, target, **options)


_REASON = re.compile(r"classifier\.errors\.(InputError|ModelError): (.*)")


def _execute(task: Callable[[Split], None], splits: Sequence[Split]) -> None:
    """Run a task for each split, a partition each, on the machines of the session; Spark repeats the tasks of those that it loses.

    Raises:
        InputError, ModelError: a task did, or met an OSError, on each of its attempts.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # by default workers run whichever `python3` is on the PATH
    with require_library("spark"):
        from pyspark.sql import SparkSession
    context = SparkSession.builder.appName("tinsach").getOrCreate().sparkContext
    try:
        context.parallelize(splits, len(splits)).foreach(partial(_call, task))
    except Exception as error:  # Py4JJavaError, whose text holds the traceback of the task
        reason = _REASON.search(str(error))
        if reason is None:
            raise
        raise (ModelError if reason[1] == "ModelError" else InputError)(reason[2]) from error


def _call(task: Callable[[Split], None], split: Split) -> None:
    """Run a task; only the text of its error reaches the driver."""
    try:
        task(split)
    except OSError as error:
        raise InputError(os_error_message(error)) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; see `--help`."""
    return run("spark", _execute, argv)


if __name__ == "__main__":
    sys.exit(main())
