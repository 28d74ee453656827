"""`tinsach label`: print each line with its label, or write one labelled file per input for correction by hand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from classifier.cli.memory_options import AUTO, add_memory, remembering
from classifier.cli.messages import say
from classifier.cli.on_error import add_jobs, add_on_error, check_on_error, error_policy, inputs_of, report_left_out
from classifier.cli.options import add_output, add_reading, reading_options, refuse_kind_as_output, report_notices
from classifier.cli.site_options import add_sites, report_records_without_site, rule_files, site_cleaner
from classifier.errors import InputError
from classifier.formats.names import conversion
from classifier.formats.sources import Source, refuse_same_file, targets_in
from classifier.io.addresses import require_folder
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, atomic_write_if, standard_output
from classifier.review.labelled_page import labelled_row

if TYPE_CHECKING:
    from classifier.jobs.job import Job
    from classifier.results import LabelledLine

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Print every line with its label and probability."

EXAMPLES = """example:
  tinsach label page.txt
  cat page.txt | tinsach label --as jsonl
  tinsach label crawl.jsonl --as jsonl --output crawl.attributes.jsonl
  tinsach label pages --output-dir labelled"""

KINDS = ("tsv", "jsonl")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    add_memory(parser)
    add_output(
        parser,
        KINDS,
        "tsv: label, probability and text of every line (default); jsonl: one object per line of text or HTML, "
        "or one per record, with its id and the spans of its lines by label",
    )
    parser.add_argument(
        "--output-dir", metavar="DIR",
        help="write a labelled page.tsv into DIR for each page.txt or page.html that has none yet, for tinsach review; "
        "a folder keeps its tree",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="overwrite files in --output-dir, including corrections made in them")
    add_jobs(parser)
    add_on_error(parser, "skip")
    parser.add_argument("--summary", action="store_true", help="print on standard error how many lines of each label were kept and dropped")


def run(args: argparse.Namespace) -> int:
    """Label the inputs and return the exit status."""
    from classifier.jobs.job import BAD_FILES, Job

    refuse_kind_as_output(args, KINDS)
    args.on_error = args.on_error or ("skip" if args.output_dir else "fail")
    sources = inputs_of(args, args.output_dir)
    targets = _targets(args, sources) if args.output_dir else []
    _check(args, sources, targets)
    options = reading_options(args, args.site_field)
    with ExitStack() as stack:
        cleaner = stack.enter_context(remembering(args, site_cleaner(args, sources, args.site_memory)))
        output = stack.enter_context(atomic_write_if(args.output, lambda: job.counts[BAD_FILES] < len(sources))) if args.output else None
        quarantine = stack.enter_context(atomic_write(args.quarantine)) if args.quarantine else None
        job = Job(cleaner, options, error_policy(args, sources, quarantine), processes=args.jobs)
        if args.output_dir:
            _to_files(args, job, sources, targets)
        else:
            rows = _rows(job, sources, args.as_ == "jsonl")
            out = output or standard_output()
            for row in rows:
                out.write(to_utf8(row))
    if args.summary:
        say(*job.stats.summary())
    report_notices(job.stats, all_shown=True)
    report_records_without_site(args, job.counts, args.site_field)
    return report_left_out(args, job, len(sources))


def _check(args: argparse.Namespace, sources: Sequence[Source], targets: Sequence[str]) -> None:
    """Reject options that conflict with each other or with the inputs, before anything is read or written."""
    check_on_error(args)
    if args.force and not args.output_dir:
        raise InputError("--force overwrites what is in --output-dir; name one")
    if args.as_ == "tsv" and conversion(args.output, ["tsv"]) not in (None, "text"):
        raise InputError(f"{args.output}: --as tsv writes tab-separated lines; name an output that ends in .tsv, or add --as jsonl")
    if args.as_ == "jsonl" and args.on_null == "skip":
        raise InputError("--on-null skip leaves records out, and tinsach filter needs the labels of each; leave it out")
    if args.site_memory == AUTO:
        raise InputError(f"--site-memory {AUTO} is an option of tinsach clean and extract; name a FILE, perhaps one that they have written")
    if args.site_memory and args.jobs != 1:
        raise InputError("--site-memory needs all pages in one process, in order: leave out --jobs")
    named = [path for path in (args.output, args.quarantine, args.site_memory) if path]
    refuse_same_file([*sources, *rule_files(args)], [*dict.fromkeys(targets), *named])


# -- one output ----------------------------------------------------------------------------------------------------------------


def _rows(job: Job, sources: Sequence[Source], as_json: bool) -> Iterator[str]:
    """Return the rows of all inputs, in pieces of text."""
    from classifier.jobs.labelling import label_pages_at_once, label_records

    if as_json and (records := label_records(job, sources)):
        return records
    if job.processes == 1:
        return _rows_as_they_come(job, sources, as_json)
    pages = label_pages_at_once(job, sources, _as_jsonl if as_json else _as_tsv)
    return pages if as_json else _separated(pages, job.options.separator)


def _rows_as_they_come(job: Job, sources: Sequence[Source], as_json: bool) -> Iterator[str]:
    from classifier.jobs.labelling import label_inputs

    number, row = 1, _as_jsonl if as_json else _as_tsv
    for lines in label_inputs(job, sources):
        if isinstance(lines, str):
            number += 1
            yield "" if as_json else lines.rstrip("\n") + "\n"
        else:
            yield "".join(row(line, number) for line in lines)


def _separated(pages: Iterator[str], separator: str) -> Iterator[str]:
    for number, page in enumerate(pages):
        yield (separator + "\n" if number else "") + page


def _as_tsv(line: LabelledLine, page: int) -> str:
    return labelled_row(line)


def _as_jsonl(line: LabelledLine, page: int) -> str:
    record = {"page": page, **line._asdict(), "probability": round(line.probability, 4)}
    return json.dumps(record, ensure_ascii=False) + "\n"


# -- one file per input --------------------------------------------------------------------------------------------------------


def _targets(args: argparse.Namespace, sources: Sequence[Source]) -> list[str]:
    """Return the path of each input's labelled file."""
    if args.as_ != "tsv":
        raise InputError(f"--output-dir writes labelled pages as TSV; leave out --as {args.as_}")
    if args.output:
        raise InputError("--output and --output-dir contradict each other; give one of them")
    for source in sources:
        if source.format not in ("text", "html") and not source.place:  # in a folder, it is left out like other bad files
            raise InputError(f"{source.name}: --output-dir takes pages of text or HTML, not {source.format}; name such files")
    require_folder(args.output_dir)
    return targets_in(args.output_dir, sources, ".tsv", clashes=args.on_error != "fail")


def _to_files(args: argparse.Namespace, job: Job, sources: Sequence[Source], targets: Sequence[str]) -> None:
    """Label the pages that have no labelled file yet, or all with --force."""
    from classifier.jobs.label_folder import label_into_folder
    from classifier.jobs.stats import counted

    existing = label_into_folder(job, list(zip(sources, targets)), args.output_dir, labelled_row, args.force)
    if existing:
        are, they, them = ("is", "it stays as it is", "it") if existing == 1 else ("are", "they stay as they are", "them")
        say(f"tinsach: {counted(existing, 'labelled page')} {are} in {args.output_dir} already; {they} (--force overwrites {them})")
