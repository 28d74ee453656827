"""`tinsach label`: every line with its label, on standard output, or as a labelled file for each input, to be corrected by hand.

What it leaves out: reading inputs (`jobs`), the files' spelling (`page_file`), correcting them (`review`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.errors import InputError
from classifier.files import refuse_same_file, standard_output, whole_file
from classifier.memory_options import remembering
from classifier.page_file import labelled_row
from classifier.site_options import files_read, site_cleaner, tell
from classifier.sources import Source, find_sources, targets_in

if TYPE_CHECKING:
    from classifier.jobs import Job, Options
    from classifier.stream import LabelledLine

__all__ = ["EXAMPLES", "add_options", "run"]

EXAMPLES = """example:
  tinsach label page.txt
  cat page.txt | tinsach label --output jsonl
  tinsach label crawl.jsonl --output jsonl > crawl.attributes.jsonl
  tinsach label pages --output-dir labelled"""


def add_options(sub: argparse.ArgumentParser) -> None:
    """Add what only this command takes."""
    sub.add_argument(
        "--output", choices=("tsv", "jsonl"), default="tsv",
        help="tsv: label, probability and text of every line (default); jsonl: of text and HTML an object for every line, of records "
        "one for every record, with its id and the spans of its lines, by label",
    )  # fmt: skip
    sub.add_argument(
        "--output-dir", metavar="DIR",
        help="write a labelled page.tsv into DIR for each page.txt or page.html, a folder's as a tree like its own, for tinsach review",
    )  # fmt: skip
    sub.add_argument("--force", action="store_true", help="overwrite files in --output-dir, and the corrections made in them")


def run(args: argparse.Namespace, options: Callable[[argparse.Namespace, Sequence[Source]], Options]) -> int:
    """Label the inputs, read as `options` says of them, and return the exit status."""
    from classifier.jobs import Faults, Job

    sources = find_sources(args.files or ["-"], args.format, args.output_dir)
    targets = _targets(args, sources) if args.output_dir else []
    if args.force and not args.output_dir:
        raise InputError("--force overwrites what is in --output-dir; name one")
    refuse_same_file([*sources, *files_read(args)], [*targets, *([args.site_memory] if args.site_memory else ())])
    reading = options(args, sources)
    with remembering(args, site_cleaner(args)) as cleaner:
        job = Job(cleaner, reading, Faults())
        status = _to_files(job, sources, targets) if args.output_dir else _to_output(job, sources, args.output == "jsonl")
    tell(args, job.counts)
    return status


def _to_output(job: Job, sources: Sequence[Source], as_json: bool) -> int:
    from classifier.jobs import annotated, labelled

    number, out = 1, standard_output()
    if as_json and (records := annotated(job, sources)):
        for record in records:
            out.write(record.encode("utf-8", "backslashreplace"))
        return 0
    for lines in labelled(job, sources):
        if isinstance(lines, str):
            number += 1
            shown = "" if as_json else lines.rstrip("\n") + "\n"
        else:
            shown = "".join(_as_jsonl(line, number) if as_json else labelled_row(line) for line in lines)
        out.write(shown.encode("utf-8", "backslashreplace"))
    return 0


def _as_jsonl(line: LabelledLine, page: int) -> str:
    record = {"page": page, **line._asdict(), "probability": round(line.probability, 4)}
    return json.dumps(record, ensure_ascii=False) + "\n"


# -- a file for each input -----------------------------------------------------------------------------------------------------


def _targets(args: argparse.Namespace, sources: Sequence[Source]) -> list[Path]:
    """Return the labelled file of each input, none of which is there yet."""
    if args.output != "tsv":
        raise InputError("--output-dir holds labelled pages as TSV; leave out --output jsonl")
    for source in sources:
        if source.format not in ("text", "html"):
            raise InputError(f"{source.name}: --output-dir takes pages of text or HTML, not {source.format}; name such files")
    if Path(args.output_dir).exists() and not Path(args.output_dir).is_dir():
        raise InputError(f"{args.output_dir}: not a folder; name another --output-dir")
    targets = targets_in(args.output_dir, sources, ".tsv")
    there = [] if args.force else [target for target in targets if target.exists()]
    if there:
        more = f" and {len(there) - 1} more" if there[1:] else ""
        raise InputError(f"{there[0]}{more}: exists and may hold corrections; name another --output-dir, or overwrite it with --force")
    return targets


def _to_files(job: Job, sources: Sequence[Source], targets: Sequence[Path]) -> int:
    """Write a labelled file for each input; leave out those that are no page, say so, and return status 1 then."""
    from classifier.terminal import tame

    status = 0
    for source, target in zip(sources, targets):
        try:
            rows = _rows(job, source)
        except InputError as error:  # one of many must not keep the others from being labelled
            status = 1
            if sys.stderr:
                print(tame(f"tinsach: left out: {error}"), file=sys.stderr)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as out:
            out.write("".join(rows).encode("utf-8", "backslashreplace"))
    return status


def _rows(job: Job, source: Source) -> list[str]:
    """Return the rows of an input's only page."""
    rows: list[str] = []
    for lines in job.label(source):
        if isinstance(lines, str):
            raise InputError(f"{source.name}: several pages; put each into a file of its own")
        rows += map(labelled_row, lines)
    if not rows:
        raise InputError(f"{source.name}: no line in it; remove it from the pages to label")
    return rows
