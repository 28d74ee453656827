"""Ray Data: clean a dataset with `map_batches`, learn a site memory from it, or clean a folder with a command.

    python -m classifier.integrations.ray in/ out/

Workers need `tinsach[ray]` installed. Ray reuses worker processes, and each process caches its cleaner, so no actors are needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import classifier
from classifier.errors import TinsachError, require_library
from classifier.integrations import folder
from classifier.integrations.columns import MEMORY, clean_column, learn_column, memory_table
from classifier.integrations.job import run
from classifier.integrations.site_memory import merged_memory, packed, recipe_of
from classifier.integrations.splits import Split
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

__all__ = ["clean", "clean_folder", "learn", "main"]

RETRIES = 8  # of a task whose node or process was lost
AHEAD = 2  # tasks per core that are handed to Ray: if one fails for good, few others are still to end
MERGED = 16  # parts of a memory that a task merges: 256 MB at most


def clean(
    dataset: Any,
    text_field: str = "text",
    *,
    model: str | Path | None = None,
    keep: str | Iterable[str] = DEFAULT_KEEP,
    threshold: float | None = None,
    record: bool = False,
    memory: SiteMemory | None = None,
    site_field: str | None = "url",
    quarantine: str | None = None,
    **options: Any,
) -> Any:
    """Return the dataset with one text column cleaned; missing texts stay missing.

    With `record` the text is that of the page's record, and a struct column "article" holds the record (`Article.to_dict`).
    A `memory` judges the pages, each as one of its site, which `site_field` holds as a name or URL; see `learn`.
    `quarantine` names a column to add: why a record is bad, whose text stays as it was then; null for good ones.
    See `tinsach.load` for model, keep and threshold; other options go to `map_batches`. A missing column raises an error only
    when the dataset is executed.
    """
    recipe = recipe_of(model, keep, threshold, memory)
    site_field = site_field if memory else None
    cleaned = partial(clean_column, field=text_field, recipe=recipe, record=record, site_field=site_field, quarantine=quarantine)
    return dataset.map_batches(cleaned, batch_format="pyarrow", **options)


def learn(
    dataset: Any,
    text_field: str = "text",
    *,
    site_field: str | None = "url",
    model: str | Path | None = None,
    pages: int = DEFAULT_PAGES,
    **options: Any,
) -> SiteMemory:
    """Return the memory of all pages of a dataset, each of the site that `site_field` holds as a name or URL; executes the dataset.

    It does not depend on blocks, and judges as `--site-memory auto` does: pass it to `clean`. With `site_field=None`, all pages
    are of one site. See `SiteMemory` for `pages`; other options go to `map_batches`. Missing texts add nothing.
    """
    SiteMemory(pages)  # refuses a wrong number here
    learned = partial(learn_column, field=text_field, site_field=site_field, recipe=classifier.load(model).recipe, pages=pages)
    parts = dataset.map_batches(learned, batch_format="pyarrow", **options)
    merged = parts.map_batches(partial(_merge, pages=pages), batch_format="pyarrow", batch_size=MERGED)
    return merged_memory((row[MEMORY] for row in merged.iter_rows()), pages)


def _merge(table: Any, pages: int) -> Any:
    return memory_table([packed(merged_memory(table.column(MEMORY).to_pylist(), pages))])


def clean_folder(source: str, target: str, **options: Any) -> dict[str, Any]:
    """Clean a folder of .jsonl or .parquet files into a new one, as the command does, and return the statistics.

    The options are those of `integrations.folder.clean` and of `folder_job`, as in `text_field=`, `on_error=` and `resume=`.
    """
    return folder.clean(_execute, source, target, **options)


def _execute(task: Callable[[Split], None], splits: Sequence[Split]) -> None:
    """Run a task for each split on the cluster; Ray repeats the tasks of nodes that it loses, and of connections that broke.

    Raises:
        InputError, ModelError, OSError: a task did.
    """
    with require_library("ray"):
        import ray
    if not ray.is_initialized():
        ray.init()
    remote = ray.remote(_call).options(max_retries=RETRIES, retry_exceptions=[OSError])
    shared = ray.put(task)
    in_flight: list[Any] = []
    try:
        for split in splits:
            if len(in_flight) >= AHEAD * ray.cluster_resources().get("CPU", 1):
                done, in_flight = ray.wait(in_flight)
                ray.get(done)
            in_flight.append(remote.remote(shared, split))
        ray.get(in_flight)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, (TinsachError, OSError)):
            raise error.cause from error
        raise


def _call(task: Callable[[Split], None], split: Split) -> None:
    task(split)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; see `--help`."""
    return run("ray", _execute, argv)


if __name__ == "__main__":
    sys.exit(main())
