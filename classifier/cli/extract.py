"""`tinsach extract`: the article of each page as a record, as JSON lines, Parquet, or text with a header."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack

from classifier.cli.memory_options import add_memory, check_memory, learned_first, memory_file, remembering, with_sites
from classifier.cli.messages import say
from classifier.cli.on_error import add_jobs, add_on_error, check_on_error, error_policy, inputs_of, names_of, report_left_out
from classifier.cli.options import add_finish, add_output, add_reading, reading_options, refuse_kind_as_output, report_notices, steps_of
from classifier.cli.site_options import add_sites, report_records_without_site, rule_files, site_cleaner
from classifier.errors import InputError
from classifier.formats.base import ARTICLE, NEEDS_REVIEW, Options
from classifier.formats.names import conversion
from classifier.formats.sources import Source, refuse_same_file
from classifier.io.files import atomic_write, atomic_write_if, standard_output
from classifier.labels import DEFAULT_KEEP

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Write the article of each page as a record: title, paragraphs, captions, authors, dates."

EXAMPLES = """example:
  tinsach extract page.html
  tinsach extract crawl.jsonl --output articles.jsonl
  tinsach extract crawl --output articles.jsonl --jobs 2
  tinsach extract crawl.warc.gz --output articles.parquet --jobs 2
  tinsach extract page.txt --as text"""

KINDS = ("jsonl", "text")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    add_memory(parser)
    add_finish(parser, record=True)
    add_output(
        parser,
        KINDS,
        "jsonl: the records, with the article's text in place of theirs and its parts in a field 'article' (default; the name of --output "
        "may ask for another format: .parquet, .json, .csv); text: title, dates and authors as a header, then the paragraphs",
    )
    parser.add_argument(
        "--min-confidence", type=float, metavar="P",
        help="flag articles with a confidence below P (0 to 1): needs_review in the record, names on standard error",
    )  # fmt: skip
    add_jobs(parser)
    add_on_error(parser)
    parser.add_argument("--summary", action="store_true", help="print on standard error how many lines of each label were kept and dropped")


def run(args: argparse.Namespace) -> int:
    """Extract the articles and return the exit status."""
    from classifier.jobs.job import BAD_FILES, Job, clean_into_one
    from classifier.jobs.stats import counted

    refuse_kind_as_output(args, KINDS)
    sources = inputs_of(args, os.devnull)  # as `find_inputs`: the pages of a folder go into one output too
    _check(args, sources)
    sources, site_field = with_sites(args, sources)
    options = _options(args, sources, site_field)
    with ExitStack() as stack:
        cleaner = stack.enter_context(remembering(args, site_cleaner(args, sources, args.site_memory)))
        output = stack.enter_context(atomic_write_if(args.output, lambda: job.counts[BAD_FILES] < len(sources))) if args.output else None
        quarantine = stack.enter_context(atomic_write(args.quarantine)) if args.quarantine else None
        faults = error_policy(args, sources, quarantine)
        cleaner = stack.enter_context(learned_first(args, cleaner, sources, options, faults))
        job = Job(cleaner, options, faults, processes=args.jobs)
        clean_into_one(job, sources, output or standard_output())
    report_notices(job.stats)
    report_records_without_site(args, job.counts, site_field)
    if job.counts[NEEDS_REVIEW]:
        pages = counted(job.counts[NEEDS_REVIEW], "page")
        say(f"tinsach: {pages} below a confidence of {args.min_confidence}: {names_of(job, NEEDS_REVIEW)}")
    if args.summary:
        say(*job.stats.summary())
    return report_left_out(args, job, len(sources))


def _check(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Reject options that conflict with each other or with the inputs, before anything is read or written."""
    check_on_error(args)
    if args.keep != DEFAULT_KEEP or args.threshold is not None:
        raise InputError("a record sorts lines by their labels, all of them: leave out --keep, --drop and --threshold")
    if args.min_confidence is not None and not 0 <= args.min_confidence <= 1:
        raise InputError(f"--min-confidence {args.min_confidence}: give a number from 0 to 1")
    check_memory(args)
    named = [path for path in (args.output, args.quarantine, memory_file(args)) if path]
    refuse_same_file([*sources, *rule_files(args)], named)


def _options(args: argparse.Namespace, sources: Sequence[Source], site_field: str | None) -> Options:
    """Return the options of a job that writes records in the format that --as or the name of --output asks for."""
    formats = [source.format for source in sources]
    wanted = conversion(args.output, ["warc"])  # what the name asks for, whatever the inputs are
    if args.as_ == "text" and wanted not in (None, "text"):
        raise InputError(f"{args.output}: --as text writes text; name an output that ends in .txt, or leave out --as")
    as_text = args.as_ == "text" or wanted == "text"
    output = "text" if as_text else wanted or "jsonl"
    options = reading_options(args, site_field)._replace(finish=steps_of(args), header=as_text, min_confidence=args.min_confidence)
    adds = (*([NEEDS_REVIEW] if args.min_confidence is not None else []), ARTICLE)
    return options._replace(output=None if set(formats) == {output} != {"text"} else output, adds=adds)
