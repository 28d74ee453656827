"""Command line of a distributed job: clean a folder of JSON lines or Parquet files into a new folder.

Handles the arguments; the engine reads, cleans and writes. A bad record ends the job, as skipped records would go unnoticed on a
cluster. Does not resume an interrupted job; that is up to the engine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import classifier
from classifier.cleaner import Recipe
from classifier.errors import InputError, TinsachError
from classifier.labels import DEFAULT_KEEP

__all__ = ["FolderJob", "run"]

SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}


class FolderJob(NamedTuple):
    """The arguments of a job."""

    source: str  # a folder, or any URL that the engine can read
    target: str
    format: str  # jsonl or parquet
    text_field: str
    recipe: Recipe


def run(engine: str, clean_folder: Callable[[FolderJob], None], argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the job. Return the exit status: 2 on bad usage or input, with one line on standard error."""
    options = _parser(engine).parse_args(argv)
    try:
        recipe = classifier.load(options.model, keep=options.keep, threshold=options.threshold).recipe
        file_format = options.format or _format_of(options.source)
        if "://" not in options.target and Path(options.target).exists():
            raise InputError(f"{options.target}: exists already; name a new folder, or remove it")
        clean_folder(FolderJob(options.source, options.target, file_format, options.text_field, recipe))
    except TinsachError as error:
        if sys.stderr:  # None if closed; print would then use standard output
            print(f"tinsach: {error}", file=sys.stderr)
        return 2
    return 0


def _parser(engine: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m classifier.integrations.{engine}", description=f"Clean a folder of pages with {engine}."
    )
    parser.add_argument("source", help="folder of .jsonl or .parquet files")
    parser.add_argument("target", help="new folder for the clean files")
    parser.add_argument("--format", choices=("jsonl", "parquet"), help="format of the files (default: by their names)")
    parser.add_argument("--text-field", default="text", help="field or column that holds the page (default: %(default)s)")
    parser.add_argument("--keep", default=",".join(sorted(DEFAULT_KEEP)), help="labels to keep (default: %(default)s)")
    parser.add_argument("--threshold", type=float, help="keep a line if the kept labels' probabilities sum to this or more")
    parser.add_argument("--model", help="model file or folder, at the same path on every machine (default: the shipped model)")
    return parser


def _format_of(source: str) -> str:
    """Return the format of the files in a folder, by their names; compressed files count too.

    Raises:
        InputError: the folder is not on this machine, or holds both formats or neither.
    """
    if "://" in source:
        raise InputError(f"{source}: URLs are not inspected; give --format jsonl or --format parquet")
    if not Path(source).exists():
        raise InputError(f"{source}: no such folder; check the path, or give --format if only the engine can see it")
    files = [Path(source)] if Path(source).is_file() else list(Path(source).rglob("*"))
    found = {SUFFIXES[suffix] for file in files for suffix in map(str.lower, file.suffixes) if suffix in SUFFIXES}
    if len(found) != 1:
        what = "both .jsonl and .parquet files" if found else "no .jsonl and no .parquet files"
        raise InputError(f"{source}: holds {what}; give --format jsonl or --format parquet")
    return found.pop()
