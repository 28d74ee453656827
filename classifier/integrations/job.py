"""Command line of a distributed job: clean a folder of JSON lines or Parquet files into a new folder.

Handles the arguments and reports; `folder` plans the work, and the engine runs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from classifier.errors import TinsachError
from classifier.formats.size_limit import size_of
from classifier.integrations.folder import Run, clean_folder, folder_job
from classifier.integrations.split_job import FAIL, ON_ERROR, QUARANTINE, FolderJob
from classifier.io.files import os_error_message
from classifier.io.urls import shown
from classifier.jobs.job import BAD_FILES
from classifier.jobs.stats import counted
from classifier.labels import DEFAULT_KEEP
from classifier.sites.memory import SiteMemory

__all__ = ["run"]


def run(engine: str, execute: Run, argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the job.

    Return the exit status: 1 if something was skipped or put into quarantine, 2 on bad usage or input, with one line on standard error.
    """
    options = _parser(engine).parse_args(argv)
    try:
        memory = SiteMemory.load(options.site_memory) if options.site_memory else None
        job = folder_job(
            options.source, options.target, options.text_field, form=options.format, model=options.model, keep=options.keep,
            threshold=options.threshold, memory=memory, site_field=options.site_field, on_error=options.on_error,
            max_record_size=size_of(options.max_record_size, "--max-record-size"),
        )  # fmt: skip
        report, messages = clean_folder(job, execute, options.resume, size_of(options.split_size, "--split-size"))
    except (TinsachError, OSError) as error:
        _say(os_error_message(error) if isinstance(error, OSError) else str(error))
        return 2
    _say(*messages)
    return _status(report, job)


def _status(report: dict[str, Any], job: FolderJob) -> int:
    bad, left_out = report["bad"], report[BAD_FILES]
    fate = "skipped" if job.on_error != "quarantine" else f"put into {shown(job.target).rstrip('/')}/{QUARANTINE}"
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
    parser.add_argument("source", help="folder of .jsonl or .parquet files, or its URL")
    parser.add_argument("target", help="new folder for the clean files, or its URL")
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
        "--max-record-size", default="64M", metavar="SIZE",
        help="a longer line is a bad record, of which the quarantine gets the place; as in 500M, 1G (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--split-size", default="64M", metavar="SIZE",
        help="size of the parts of uncompressed .jsonl files that are cleaned and committed one by one (default: %(default)s)",
    )  # fmt: skip
    return parser
