"""The command of a distributed job: a folder of JSON lines or Parquet in, another of the same out.

Only the arguments are dealt with here; the engine reads, cleans and writes. What it leaves out: records that cannot be used end the
job, as a cluster is no place to look for them; and going on after an interruption, which is for the engine to do or not.
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
    """What is to be done."""

    source: str  # a folder, or whatever address the engine can read
    target: str
    format: str  # jsonl or parquet
    text_field: str
    recipe: Recipe


def run(engine: str, clean_folder: Callable[[FolderJob], None], argv: Sequence[str] | None = None) -> int:
    """Do the job that the arguments ask for; return the exit status: 2 for mistakes, which get one line on standard error."""
    options = _parser(engine).parse_args(argv)
    try:
        recipe = classifier.load(options.model, keep=options.keep, threshold=options.threshold).recipe
        kind = options.format or _format_of(options.source)
        if "://" not in options.target and Path(options.target).exists():
            raise InputError(f"{options.target}: exists already; name a new folder, or remove it")
        clean_folder(FolderJob(options.source, options.target, kind, options.text_field, recipe))
    except TinsachError as error:
        print(f"tinsach: {error}", file=sys.stderr)
        return 2
    return 0


def _parser(engine: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m classifier.integrations.{engine}", description=f"Clean a folder of pages with {engine}."
    )
    parser.add_argument("source", help="folder of .jsonl or .parquet files")
    parser.add_argument("target", help="folder to make for the clean ones")
    parser.add_argument("--format", choices=("jsonl", "parquet"), help="of the files; by default what their names say")
    parser.add_argument("--text-field", default="text", help="field or column that holds the page (default: %(default)s)")
    parser.add_argument("--keep", default=",".join(sorted(DEFAULT_KEEP)), help="labels to keep (default: %(default)s)")
    parser.add_argument("--threshold", type=float, help="keep a line when the kept labels' probabilities add up to this")
    parser.add_argument("--model", help="another model's file or folder, in the same place on every machine")
    return parser


def _format_of(source: str) -> str:
    """Return the format that the names in a folder stand for; those of compressed files too.

    Raises:
        InputError: there is no such folder here, or it holds both or neither.
    """
    if "://" in source:
        raise InputError(f"{source}: is not looked into; say --format jsonl or --format parquet")
    if not Path(source).exists():
        raise InputError(f"{source}: no such folder; check the path, or say --format if only the engine can see it")
    files = [Path(source)] if Path(source).is_file() else list(Path(source).rglob("*"))
    found = {SUFFIXES[suffix] for file in files for suffix in map(str.lower, file.suffixes) if suffix in SUFFIXES}
    if len(found) != 1:
        what = "both .jsonl and .parquet files" if found else "no .jsonl and no .parquet files"
        raise InputError(f"{source}: holds {what}; say --format jsonl or --format parquet")
    return found.pop()
