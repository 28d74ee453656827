"""Ray Data: clean a dataset with `map_batches`, learn a site memory from it, or clean a folder with a command.

    python -m classifier.integrations.ray in/ out/

Workers need `tinsach[ray]` installed. Ray reuses worker processes, and each process caches its cleaner, so no actors are needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any

import classifier
from classifier.cleaner import Recipe
from classifier.errors import require_library
from classifier.integrations.columns import MEMORY, clean_column, clean_json_lines, learn_column, memory_table
from classifier.integrations.job import FolderJob, run
from classifier.integrations.site_memory import merged_memory, packed, recipe_of
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

__all__ = ["clean", "learn", "main"]

LINES = 1000  # lines of a file per block
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
    **options: Any,
) -> Any:
    """Return the dataset with one text column cleaned; missing texts stay missing.

    With `record` the text is that of the page's record, and a struct column "article" holds the record (`Article.to_dict`).
    A `memory` judges the pages, each as one of its site, which `site_field` holds as a name or URL; see `learn`.
    See `tinsach.load` for model, keep and threshold; other options go to `map_batches`. A missing column raises an error only
    when the dataset is executed.
    """
    recipe = recipe_of(model, keep, threshold, memory)
    cleaned = partial(clean_column, field=text_field, recipe=recipe, record=record, site_field=site_field if memory else None)
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


def _clean_lines(table: Any, field: str, recipe: Recipe) -> Any:
    """Clean a table with JSON lines in its only column."""
    import pyarrow as pa

    return pa.table({"line": pa.array(clean_json_lines(table.column("line").to_pylist(), field, recipe), pa.large_binary())})


def _clean_folder(job: FolderJob) -> None:
    with require_library("ray"):
        import ray.data
    function, read, write = _FORMATS[job.format]
    cleaned = partial(function, field=job.text_field, recipe=job.recipe)
    write(read(ray.data, job.source).map_batches(cleaned, batch_format="pyarrow"), job.target)


def _read_lines(data: Any, folder: str) -> Any:
    """Read lines as bytes; `read_text` would also split at U+2028 and other characters that JSON strings may contain."""
    import pyarrow as pa
    from ray.data.datasource import FileBasedDatasource

    class Source(FileBasedDatasource):
        def _read_stream(self, f: Any, path: str) -> Iterator[Any]:
            lines = iter(BufferedReader(f))
            while some := [line.removesuffix(b"\n") for line in islice(lines, LINES)]:
                yield pa.table({"line": pa.array(some, pa.large_binary())})

    return data.read_datasource(Source(folder))


def _write_lines(dataset: Any, folder: str) -> None:
    from ray.data.datasource import BlockBasedFileDatasink

    class Sink(BlockBasedFileDatasink):
        def write_block_to_file(self, block: Any, file: Any) -> None:
            for line in block.to_arrow().column("line").to_pylist():
                file.write(line + b"\n")

    dataset.write_datasink(Sink(folder, file_format="jsonl"))


_FORMATS: dict[str, tuple[Callable[..., Any], Callable[[Any, str], Any], Callable[[Any, str], None]]] = {
    "jsonl": (_clean_lines, _read_lines, _write_lines),
    "parquet": (clean_column, lambda data, folder: data.read_parquet(folder), lambda dataset, folder: dataset.write_parquet(folder)),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; see `--help`."""
    return run("ray", _clean_folder, argv)


if __name__ == "__main__":
    sys.exit(main())
