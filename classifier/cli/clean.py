"""`tinsach clean`: print the kept lines of each page."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from classifier.cli.messages import say
from classifier.cli.options import (
    add_memory,
    add_reading,
    add_sites,
    reading_options,
    remembering,
    report_notices,
    report_records_without_site,
    rule_files,
    site_cleaner,
)
from classifier.errors import InputError
from classifier.formats.base import NEEDS_REVIEW
from classifier.formats.names import OUTPUTS
from classifier.formats.sources import Source, find_sources, refuse_same_file, targets_in
from classifier.io.files import atomic_write, remove_stale_files, standard_output

if TYPE_CHECKING:
    from classifier.jobs.job import Job

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run", "with_quarantine_option"]

SUMMARY = "Print the kept lines of each page."

EXAMPLES = """example:
  tinsach clean page.txt --dropped dropped.tsv > article.txt
  cat page.txt | tinsach clean --keep title,body,caption
  tinsach clean crawl.jsonl --text-field text --on-error quarantine bad.jsonl --output clean.jsonl
  tinsach clean page.html
  tinsach clean crawl --output-dir clean --resume --jobs 2 --stats stats.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    add_memory(parser)
    parser.add_argument("--dropped", metavar="FILE", help="write dropped lines to FILE, as label<TAB>line")
    parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--output-dir", metavar="DIR", help="write a clean copy of each FILE into DIR; a folder keeps its tree")
    parser.add_argument("--resume", action="store_true", help="skip files that an earlier run finished in --output-dir")
    parser.add_argument(
        "--labels", action="store_true", help="add a field 'attributes' to each record: the spans of its clean text's lines, by label"
    )
    parser.add_argument(
        "--max-dropped", type=float, metavar="SHARE",
        help="flag pages that lose more than SHARE (0 to 1) of their characters: needs_review in the record, names on standard error",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="number of processes (default: 1; -1: one per core)")
    parser.add_argument(
        "--on-error", choices=("fail", "skip", "quarantine"), default="fail", metavar="fail|skip|quarantine FILE",
        help="on a bad record: fail (default), skip it, or write it unchanged to FILE; exit status 1 if there was one",
    )  # fmt: skip
    parser.add_argument("--quarantine", metavar="FILE", help=argparse.SUPPRESS)  # see with_quarantine_option
    parser.add_argument("--summary", action="store_true", help="print on standard error how many lines of each label were kept and dropped")
    parser.add_argument(
        "--stats", metavar="FILE", help="write statistics to FILE as JSON: pages, records, lines by label, share dropped, speed"
    )


def with_quarantine_option(argv: Sequence[str]) -> list[str]:
    """Insert --quarantine before the FILE of `--on-error quarantine FILE`: argparse has no option that takes one or two values."""
    words: list[str] = []
    for word in argv:
        file_expected = words[-1:] == ["--on-error=quarantine"] or words[-2:] == ["--on-error", "quarantine"]
        if file_expected and not word.startswith("-"):
            words.append("--quarantine")
        words.append(word)
    return words


def run(args: argparse.Namespace) -> int:
    """Clean the inputs and return the exit status."""
    from classifier.jobs.folder import clean_into_folder
    from classifier.jobs.job import ErrorPolicy, Job, clean_into_one
    from classifier.jobs.progress import progress

    sources = find_sources(args.files or ["-"], args.format, args.output_dir)
    _check_outputs(args, sources)
    options = reading_options(args, args.site_field or None, args.labels, args.max_dropped)
    cleaner = site_cleaner(args, sources, args.site_memory)
    _check_memory(args)
    if args.resume and args.quarantine:
        remove_stale_files(Path(os.path.realpath(args.quarantine)).parent, alone=False)
    with ExitStack() as stack:
        cleaner = stack.enter_context(remembering(args, cleaner))  # entered first, so that the memory is saved last
        output, dropped, quarantine, stats = (
            stack.enter_context(atomic_write(path)) if path else None for path in (args.output, args.dropped, args.quarantine, args.stats)
        )
        job = Job(cleaner, options, ErrorPolicy(args.on_error == "skip", quarantine), dropped, args.jobs)
        job.tell = stack.enter_context(progress(not args.output_dir and not args.output and _is_terminal(sys.stdout)))
        found = 0
        if args.output_dir:
            found = clean_into_folder(job, sources, Path(args.output_dir), args.resume)
        else:
            clean_into_one(job, sources, output or standard_output())
        if stats:
            stats.write(job.statistics(len(sources), found))
    return _report(args, job, len(sources), found)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _check_outputs(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Reject outputs that conflict with each other or with the inputs, before anything is read or written."""
    if args.on_error == "quarantine" and not args.quarantine:
        raise InputError("--on-error quarantine needs a FILE for bad records: --on-error quarantine bad.jsonl")
    if args.quarantine and not args.files and os.path.isfile(args.quarantine) and os.path.getsize(args.quarantine):
        raise InputError(f"{args.quarantine}: exists, and would be overwritten with bad records; name the input too (- for standard input)")
    if args.resume and (not args.output_dir or args.dropped):
        raise InputError("--resume continues a run that has one output per input: name its --output-dir, and leave out --dropped")
    if args.output_dir and args.output:
        raise InputError("--output and --output-dir contradict each other; give one of them")
    if not args.output_dir and len({OUTPUTS.get(source.format, source.format) for source in sources}) > 1:
        raise InputError("files of different formats cannot share an output; name an --output-dir, or one --format for all")
    if args.labels and any(source.format in ("text", "html", "warc") for source in sources):
        raise InputError("--labels adds a field to records, and text, HTML and WARC have no fields; use tinsach label --output jsonl")
    named = [path for path in (args.output, args.dropped, args.quarantine, args.stats, args.site_memory) if path]
    named += map(str, targets_in(args.output_dir, sources) if args.output_dir else ())
    refuse_same_file([*sources, *rule_files(args)], named)


def _check_memory(args: argparse.Namespace) -> None:
    """Reject options that conflict with a site memory, which has to see every page, in order."""
    if args.site_memory and args.jobs != 1:
        raise InputError("--site-memory needs all pages in one process, in order: leave out --jobs")
    if args.site_memory and args.resume:
        raise InputError("--site-memory has to see every page, and --resume skips finished files: give only one of them")


def _report(args: argparse.Namespace, job: Job, files: int, found: int) -> int:
    """Report counts on standard error and return the exit status."""
    records, bad = job.counts["records"], job.counts["bad"]
    report_notices(job.stats)
    if args.summary:
        say(*job.stats.summary())
        if args.output_dir:
            say(f"cleaned {files - found} files, found {found} finished")
    if job.counts["undecodable"]:
        say(f"tinsach: left out {job.counts['undecodable']} bytes that cannot be decoded")
    if job.counts[NEEDS_REVIEW]:
        names = "; ".join(job.review) + ("; ..." if job.counts[NEEDS_REVIEW] > len(job.review) else "")
        say(f"tinsach: {job.counts[NEEDS_REVIEW]} pages lost more than {args.max_dropped:.0%} of their text: {names}")
    report_records_without_site(args, job.counts)
    if bad or (records and args.summary):
        fate = f"put into {args.quarantine}" if args.quarantine else "skipped"
        say(f"tinsach: {records} records in, {records - bad} out, {bad} {fate}")
    return 1 if bad else 0
