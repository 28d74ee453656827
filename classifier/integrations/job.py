"""Command line of a distributed job: clean a folder of JSON lines or Parquet files into a new folder.

Handles the arguments and reports; `folder` plans the work, and the engine runs it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any

from classifier.errors import TinsachError, require_library
from classifier.integrations.folder import MAX_RECORD_SIZE, SPLIT_SIZE, Run, clean_folder, folder_job
from classifier.integrations.split_job import FAIL, ON_ERROR, QUARANTINE, FolderJob
from classifier.jobs.job import BAD_FILES
from classifier.jobs.stats import counted
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import SiteMemory

__all__ = ["run"]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def run(engine: str, execute: Run, argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the job.

    Return the exit status: 1 if something was skipped or put into quarantine, 2 on bad usage or input, with one line on standard error.
    """
    options = _parser(engine).parse_args(argv)
    try:
        memory = SiteMemory.load(options.site_memory) if options.site_memory else None
        with require_library(engine):
            import pyarrow  # noqa: F401 - asked for here, where the message can name the extra
        job = folder_job(
            options.source, options.target, options.text_field, form=options.format, model=options.model, keep=options.keep,
            threshold=options.threshold, memory=memory, site_field=options.site_field, on_error=options.on_error,
            max_record_size=options.max_record_size,
        )  # fmt: skip
        report, messages = clean_folder(job, execute, options.resume, options.split_size)
    except TinsachError as error:
        _say(str(error))
        return 2
    _say(*messages)
    return _status(report, job)


def _status(report: dict[str, Any], job: FolderJob) -> int:
    bad, left_out = report["bad"], report[BAD_FILES]
    fate = "skipped" if job.on_error != "quarantine" else f"put into {job.target.rstrip('/')}/{QUARANTINE}"
    if left_out:
        _say(f"{counted(report['splits'], 'split')} in, {left_out} left out")
    if bad or left_out:
        _say(f"{counted(report['records'], 'record')} in, {report['records'] - bad} out, {bad} {fate}")
    return 1 if bad or left_out else 0


def _say(*messages: str) -> None:
    if sys.stderr:  # None if closed; print would then use standard output
        for message in messages:
            print(f"tinsach: {message}", file=sys.stderr)


def _parser(engine: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m classifier.integrations.{engine}", description=f"Clean a folder of pages with {engine}."
    )
    parser.add_argument("source", help="folder of .jsonl or .parquet files, or its address")
    parser.add_argument("target", help="new folder for the clean files, or its address")
    parser.add_argument("--format", choices=("jsonl", "parquet"), help="format of the files (default: by their names)")
    parser.add_argument("--text-field", default="text", help="field or column that holds the page (default: %(default)s)")
    parser.add_argument("--keep", default=",".join(sorted(DEFAULT_KEEP)), help="labels to keep (default: %(default)s)")
    parser.add_argument("--threshold", type=float, help="keep a line if the kept labels' probabilities sum to this or more")
    parser.add_argument("--model", help="model file or folder, at the same path on every machine (default: the shipped model)")
    parser.add_argument("--site-memory", metavar="PATH", help="file of a site memory that judges the pages; it is sent to the workers")
    parser.add_argument(
        "--site-field", default="url", help="field or column with the site of a page, for --site-memory (default: %(default)s)"
    )
    parser.add_argument(
        "--on-error", choices=ON_ERROR, default=FAIL,
        help="on a bad record or file: fail (default), skip it, or write the record unchanged, or the file's name, below "
        f"TARGET/{QUARANTINE}; exit status 1 if there was one",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="skip the splits that an earlier run has finished in TARGET")
    parser.add_argument(
        "--max-record-size", type=_size, default=MAX_RECORD_SIZE, metavar="SIZE",
        help="a longer line is a bad record, of which the quarantine gets the place; as in 500M, 1G (default: 64M)",
    )  # fmt: skip
    parser.add_argument(
        "--split-size", type=_size, default=SPLIT_SIZE, metavar="SIZE",
        help="size of the parts of uncompressed .jsonl files that are cleaned and committed one by one (default: 64M)",
    )  # fmt: skip
    return parser


def _size(text: str) -> int:
    """Return a number of bytes.

    >>> _size("64M"), _size("1000")
    (67108864, 1000)
    """
    match = re.fullmatch(r"([1-9]\d*)([KMG]?)B?", text.upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; give bytes, or a number with K, M or G")
    return int(match[1]) * _UNITS[match[2]]
