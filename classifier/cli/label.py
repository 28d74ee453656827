"""`tinsach label`: print each line with its label, or write one labelled file per input for correction by hand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
from classifier.formats.sources import Source, find_sources, refuse_same_file, targets_in
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, standard_output
from classifier.review.labelled_page import labelled_row

if TYPE_CHECKING:
    from classifier.jobs.job import Job
    from classifier.results import LabelledLine

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Print every line with its label and probability."

EXAMPLES = """example:
  tinsach label page.txt
  cat page.txt | tinsach label --output jsonl
  tinsach label crawl.jsonl --output jsonl > crawl.attributes.jsonl
  tinsach label pages --output-dir labelled"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    add_memory(parser)
    parser.add_argument(
        "--output", choices=("tsv", "jsonl"), default="tsv",
        help="tsv: label, probability and text of every line (default); jsonl: one object per line of text or HTML, "
        "or one per record, with its id and the spans of its lines by label",
    )  # fmt: skip
    parser.add_argument(
        "--output-dir", metavar="DIR",
        help="write a labelled page.tsv into DIR for each page.txt or page.html, for tinsach review; a folder keeps its tree",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="overwrite files in --output-dir, including corrections made in them")


def run(args: argparse.Namespace) -> int:
    """Label the inputs and return the exit status."""
    from classifier.jobs.job import ErrorPolicy, Job

    sources = find_sources(args.files or ["-"], args.format, args.output_dir)
    targets = _targets(args, sources) if args.output_dir else []
    if args.force and not args.output_dir:
        raise InputError("--force overwrites what is in --output-dir; name one")
    refuse_same_file([*sources, *rule_files(args)], [*targets, *([args.site_memory] if args.site_memory else ())])
    options = reading_options(args, args.site_field or None)
    with remembering(args, site_cleaner(args, sources, args.site_memory)) as cleaner:
        job = Job(cleaner, options, ErrorPolicy())
        status = _to_files(job, sources, targets) if args.output_dir else _to_output(job, sources, args.output == "jsonl")
    report_notices(job.stats)
    report_records_without_site(args, job.counts)
    return status


def _to_output(job: Job, sources: Sequence[Source], as_json: bool) -> int:
    from classifier.jobs.labelling import label_inputs, label_records

    number, out = 1, standard_output()
    if as_json and (records := label_records(job, sources)):
        for record in records:
            out.write(to_utf8(record))
        return 0
    for lines in label_inputs(job, sources):
        if isinstance(lines, str):
            number += 1
            shown = "" if as_json else lines.rstrip("\n") + "\n"
        else:
            shown = "".join(_as_jsonl(line, number) if as_json else labelled_row(line) for line in lines)
        out.write(to_utf8(shown))
    return 0


def _as_jsonl(line: LabelledLine, page: int) -> str:
    record = {"page": page, **line._asdict(), "probability": round(line.probability, 4)}
    return json.dumps(record, ensure_ascii=False) + "\n"


# -- one file per input --------------------------------------------------------------------------------------------------------


def _targets(args: argparse.Namespace, sources: Sequence[Source]) -> list[Path]:
    """Return the path of each input's labelled file; unless --force is given, none may exist yet."""
    if args.output != "tsv":
        raise InputError("--output-dir writes labelled pages as TSV; leave out --output jsonl")
    for source in sources:
        if source.format not in ("text", "html"):
            raise InputError(f"{source.name}: --output-dir takes pages of text or HTML, not {source.format}; name such files")
    if Path(args.output_dir).exists() and not Path(args.output_dir).is_dir():
        raise InputError(f"{args.output_dir}: not a folder; name another --output-dir")
    targets = targets_in(args.output_dir, sources, ".tsv")
    existing = [] if args.force else [target for target in targets if target.exists()]
    if existing:
        more = f" and {len(existing) - 1} more" if existing[1:] else ""
        raise InputError(f"{existing[0]}{more}: exists and may hold corrections; name another --output-dir, or overwrite it with --force")
    return targets


def _to_files(job: Job, sources: Sequence[Source], targets: Sequence[Path]) -> int:
    """Write one labelled file per input. Inputs that are not a single page are reported and left out; the status is then 1."""
    status = 0
    for source, target in zip(sources, targets):
        try:
            rows = _rows(job, source)
        except InputError as error:  # one bad file must not stop the others
            status = 1
            say(f"tinsach: left out: {error}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as out:
            out.write(to_utf8("".join(rows)))
    return status


def _rows(job: Job, source: Source) -> list[str]:
    """Return the labelled rows of an input that holds exactly one page."""
    from classifier.jobs.labelling import label_one

    rows: list[str] = []
    for lines in label_one(job, source):
        if isinstance(lines, str):
            raise InputError(f"{source.name}: several pages; put each into a file of its own")
        rows += map(labelled_row, lines)
    if not rows:
        raise InputError(f"{source.name}: no lines in it; remove it from the pages to label")
    return rows
