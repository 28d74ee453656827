"""Error options shared by commands: `--on-error` for records and files, `--jobs`, and the report of what was left out."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import MISSING
from classifier.formats.sources import Source, find_sources
from classifier.io.addresses import exists
from classifier.io.files import os_error_message
from classifier.io.urls import is_url

if TYPE_CHECKING:
    from classifier.io.files import Sink
    from classifier.jobs.job import ErrorPolicy, Job

__all__ = [
    "add_jobs", "add_on_error", "check_on_error", "error_policy", "inputs_of", "names_of", "report_left_out", "with_quarantine_option",
]  # fmt: skip

SUFFIXES_NAMED = 5  # of the files that were ignored


def add_on_error(parser: argparse.ArgumentParser, default: str = "fail") -> None:
    """Add --on-error."""
    usual = "fail (default)" if default == "fail" else "fail (default without --output-dir)"
    parser.add_argument(
        "--on-error", choices=("fail", "skip", "quarantine"), metavar="fail|skip|quarantine FILE",
        help=f"on a bad record or file: {usual}, skip it, or write the record unchanged, or the file's name, to FILE; "
        "exit status 1 if there was one",
    )  # fmt: skip
    parser.add_argument("--quarantine", metavar="FILE", help=argparse.SUPPRESS)  # see with_quarantine_option


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add --jobs."""
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="number of processes (default: 1; -1: one per core)")


def with_quarantine_option(argv: Sequence[str]) -> list[str]:
    """Insert --quarantine before the FILE of `--on-error quarantine FILE`: argparse has no option that takes one or two values."""
    words: list[str] = []
    for word in argv:
        file_expected = words[-1:] == ["--on-error=quarantine"] or words[-2:] == ["--on-error", "quarantine"]
        if file_expected and not word.startswith("-"):
            words.append("--quarantine")
        words.append(word)
    return words


def check_on_error(args: argparse.Namespace) -> None:
    """Reject a quarantine without its file, an input taken for that file, and no process at all.

    Raises:
        InputError: the options cannot be used.
    """
    if args.on_error == "quarantine" and not args.quarantine:
        raise InputError("--on-error quarantine needs a FILE for what is bad: --on-error quarantine bad.jsonl")
    if args.quarantine and not args.files and _has_content(args.quarantine):
        raise InputError(f"{args.quarantine}: exists, and would be overwritten with bad records; name the input too (- for standard input)")
    if getattr(args, "jobs", 1) == 0:
        raise InputError("--jobs 0 means no process at all; give 1 or more, or -1 for one per core")


def _has_content(address: str) -> bool:
    return exists(address) if is_url(address) else os.path.isfile(address) and os.path.getsize(address) > 0


def error_policy(args: argparse.Namespace, sources: Sequence[Source], quarantine: Sink | None = None) -> ErrorPolicy:
    """Return the error policy; with several inputs, an error that stops the run says how to go on without the bad file."""
    from classifier.jobs.job import ErrorPolicy

    more = " --resume" if getattr(args, "output_dir", None) and hasattr(args, "resume") else ""
    advice = f"to leave out such files and go on, add --on-error skip{more} or --on-error quarantine FILE{more}"
    return ErrorPolicy(args.on_error == "skip", quarantine, advice if len(sources) > 1 else "")


def inputs_of(args: argparse.Namespace, into: str | None) -> list[Source]:
    """Return the inputs, as `find_sources` does; say how many files of unknown kinds a folder holds.

    Files in folders that cannot be read are left to the error policy, unless that is to fail.
    """
    ignored: Counter[str] = Counter()
    try:
        sources = find_sources(args.files or ["-"], args.format, into, ignored, unreadable=args.on_error in ("skip", "quarantine"))
    except OSError as error:
        if error.filename in args.files or args.on_error != "fail" or os.path.isdir(error.filename):
            raise
        raise InputError(
            f"{os_error_message(error)}; to leave out such files, add --on-error skip or --on-error quarantine FILE"
        ) from error
    if ignored:
        from classifier.jobs.stats import counted

        kinds = [f"{number} {kind}" for kind, number in ignored.most_common(SUFFIXES_NAMED)]
        more = ", ..." if len(ignored) > SUFFIXES_NAMED else ""
        total = counted(ignored.total(), "file")
        say(f"tinsach: ignored {total} whose names have no known format ({', '.join(kinds)}{more}); --format reads all files as one format")
    args.ignored = ignored.total()
    return sources


def names_of(job: Job, kind: str) -> str:
    """Return the names of the pages or files that a job has counted as `kind`; of many, the first."""
    return "; ".join(job.names[kind]) + ("; ..." if job.counts[kind] > len(job.names[kind]) else "")


def report_left_out(args: argparse.Namespace, job: Job, files: int) -> int:
    """Name the first bad files, count all, count bad records and undecodable bytes; return the exit status."""
    from classifier.jobs.job import BAD_FILES
    from classifier.jobs.stats import counted

    records, bad, left_out = job.counts["records"], job.counts["bad"], job.counts[BAD_FILES]
    if job.counts["undecodable"]:
        fate = "left out" if args.encoding_errors == "skip" else "replaced"
        say(f"tinsach: {fate} {counted(job.counts['undecodable'], 'byte')} that cannot be decoded")
    named = job.names.get(BAD_FILES, [])
    say(*(f"tinsach: left out: {reason}" for reason in named))
    if left_out:
        more = f", {left_out - len(named)} of them not named here" if left_out > len(named) else ""
        recorded = f" and recorded in {args.quarantine}" if args.quarantine else ""
        say(f"tinsach: {counted(files, 'file')} in, {files - left_out} used, {left_out} left out{recorded}{more}")
    say(*(f"tinsach: {'put aside' if args.quarantine else 'skipped'}: {reason}" for reason in job.names.get("bad", [])))
    if bad or (records and getattr(args, "summary", False)):
        fate = f"put into {args.quarantine}" if args.quarantine else "skipped"
        skipped = job.counts[MISSING] if job.options.on_null == "skip" else 0
        say(f"tinsach: {counted(records, 'record')} in, {records - bad - skipped} out, {bad} {fate}")
    return 1 if bad or left_out else 0
