"""`tinsach clean`: print the kept lines of each page."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from classifier.cli.memory_options import AUTO, add_memory, check_memory, learned_first, memory_file, remembering, with_sites
from classifier.cli.messages import say
from classifier.cli.on_error import add_jobs, add_on_error, check_on_error, error_policy, inputs_of, names_of, report_left_out
from classifier.cli.options import add_finish, add_reading, reading_options, report_notices, steps_of
from classifier.cli.site_options import add_sites, report_records_without_site, rule_files, site_cleaner
from classifier.errors import InputError
from classifier.formats.base import LEFT_OUT, MISSING, NEEDS_REVIEW, ONLY_IN_SCRIPT
from classifier.formats.names import OUTPUTS, conversion
from classifier.formats.sources import Source, refuse_same_file, targets_in
from classifier.io.addresses import make_folder
from classifier.io.files import atomic_write, atomic_write_if, remove_stale_files, standard_output
from classifier.io.urls import is_url

if TYPE_CHECKING:
    from classifier.jobs.job import Job

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Print the kept lines of each page."

EXAMPLES = """example:
  tinsach clean page.txt --dropped dropped.tsv > article.txt
  cat page.txt | tinsach clean --keep title,body,caption
  tinsach clean crawl.jsonl --text-field text --on-error quarantine bad.jsonl --output clean.jsonl
  tinsach clean page.html
  tinsach clean crawl --output-dir clean --resume --jobs 2 --stats stats.json
  tinsach clean crawl --output-dir clean --site-memory auto"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    add_memory(parser)
    add_finish(parser)
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
    add_jobs(parser)
    add_on_error(parser)
    parser.add_argument("--summary", action="store_true", help="print on standard error how many lines of each label were kept and dropped")
    parser.add_argument(
        "--stats", metavar="FILE", help="write statistics to FILE as JSON: pages, records, lines by label, share dropped, speed"
    )


def run(args: argparse.Namespace) -> int:
    """Clean the inputs and return the exit status."""
    from classifier.jobs.folder import clean_into_folder
    from classifier.jobs.job import BAD_FILES, Job, clean_into_one
    from classifier.jobs.progress import progress

    sources = inputs_of(args, args.output_dir)
    _check_outputs(args, sources)
    sources, site_field = with_sites(args, sources)
    options = reading_options(args, site_field, args.labels, args.max_dropped)
    options = options._replace(output=conversion(args.output, [source.format for source in sources]), finish=steps_of(args))
    if args.labels and options.output == "text":
        raise InputError(f"{args.output}: text has no fields for --labels; name an output that ends in .jsonl, .csv or .parquet")
    cleaner = site_cleaner(args, sources, args.site_memory)
    _check_memory(args)
    if args.resume and args.quarantine and not is_url(args.quarantine):
        remove_stale_files(Path(os.path.realpath(args.quarantine)).parent)
    with ExitStack() as stack:
        cleaner = stack.enter_context(remembering(args, cleaner))  # entered first, so that the memory is saved last
        output = stack.enter_context(atomic_write_if(args.output, lambda: job.counts[BAD_FILES] < len(sources))) if args.output else None
        dropped, quarantine, stats = (
            stack.enter_context(atomic_write(path)) if path else None for path in (args.dropped, args.quarantine, args.stats)
        )
        if args.output_dir:
            make_folder(args.output_dir)  # before a first pass over all inputs
        faults = error_policy(args, sources, quarantine)
        cleaner = stack.enter_context(learned_first(args, cleaner, sources, options, faults))
        job = Job(cleaner, options, faults, dropped, args.jobs)
        job.tell = stack.enter_context(progress(not args.output_dir and not args.output and _is_terminal(sys.stdout)))
        found = 0
        if args.output_dir:
            found = clean_into_folder(job, sources, args.output_dir, args.resume)
        else:
            clean_into_one(job, sources, output or standard_output())
        if stats:
            stats.write(job.statistics(len(sources), found, args.ignored))
    report_records_without_site(args, job.counts, site_field)
    return _report(args, job, len(sources), found)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _check_outputs(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Reject outputs that conflict with each other or with the inputs, before anything is read or written."""
    check_on_error(args)
    if args.resume and (not args.output_dir or args.dropped):
        raise InputError("--resume continues a run that has one output per input: name its --output-dir, and leave out --dropped")
    if args.output_dir and args.output:
        raise InputError("--output and --output-dir contradict each other; give one of them")
    formats = [source.format for source in sources]
    if not args.output_dir and not conversion(args.output, formats) and len({OUTPUTS.get(form, form) for form in formats}) > 1:
        raise InputError(
            "files of different formats cannot share an output, unless its name says the format (--output clean.jsonl); "
            "name an --output-dir, or one --format for all"
        )
    if args.labels and any(source.format in ("text", "html", "warc") for source in sources):
        raise InputError("--labels adds a field to records, and text, HTML and WARC have no fields; use tinsach label --as jsonl")
    if args.labels and (steps := steps_of(args)):
        raise InputError(f"--labels gives the places of unchanged lines, and --{steps[0]} changes them; give one of the two")
    named = [path for path in (args.output, args.dropped, args.quarantine, args.stats, memory_file(args)) if path]
    if args.output_dir:
        named += dict.fromkeys(targets_in(args.output_dir, sources, clashes=args.on_error in ("skip", "quarantine")))
    refuse_same_file([*sources, *rule_files(args)], named)


def _check_memory(args: argparse.Namespace) -> None:
    """Reject options that conflict with a site memory, which has to see every page, in order."""
    check_memory(args)
    if memory_file(args) and args.resume:
        raise InputError(
            "--site-memory has to see every page, and --resume skips finished files: give only one of them, "
            f"or learn first with --site-memory {AUTO}"
        )


def _report(args: argparse.Namespace, job: Job, files: int, found: int) -> int:
    """Report counts on standard error and return the exit status."""
    from classifier.jobs.job import BAD_FILES
    from classifier.jobs.stats import counted

    report_notices(job.stats)
    if job.counts[NEEDS_REVIEW]:
        pages, their = counted(job.counts[NEEDS_REVIEW], "page"), "its" if job.counts[NEEDS_REVIEW] == 1 else "their"
        say(f"tinsach: {pages} lost more than {args.max_dropped:.0%} of {their} text: {names_of(job, NEEDS_REVIEW)}")
    if args.summary:
        say(*job.stats.summary())
        if args.output_dir:
            say(f"cleaned {counted(files - found - job.counts[BAD_FILES], 'file')}, found {found} finished")
    if job.counts[ONLY_IN_SCRIPT]:
        say(
            f"tinsach: {counted(job.counts[ONLY_IN_SCRIPT], 'HTML page')} with the article only in a script (JSON-LD articleBody), "
            "which is not read; save them from a browser"
        )
    if args.summary and job.counts[MISSING]:
        fate = "left out" if args.on_null == "skip" else "kept as they were"
        say(f"tinsach: {counted(job.counts[MISSING], 'record')} without a text: {fate} (--on-null)")
    if args.summary and any(job.counts[name] for name in LEFT_OUT):
        not_ok, not_html = (job.counts[name] for name in LEFT_OUT)
        say(f"tinsach: left out {counted(not_ok, 'response')} with another HTTP status than 2xx, and {not_html} that are not HTML")
    return report_left_out(args, job, files)
