"""`tinsach pick`: active learning, the pages whose labels would improve the model most, in the order to label them."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from itertools import count
from typing import TYPE_CHECKING

from classifier.cli.on_error import add_on_error, check_on_error, error_policy, inputs_of, report_left_out
from classifier.cli.options import add_output, add_reading, reading_options, refuse_kind_as_output, report_notices
from classifier.errors import InputError
from classifier.formats.sources import refuse_same_file
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, standard_output

if TYPE_CHECKING:
    from classifier.monitoring.selection import Choice

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "List the pages whose labels would improve the model most, the best first."

EXAMPLES = """example:
  tinsach pick pages -n 20
  tinsach pick crawl.jsonl -n 10 --as jsonl
  tinsach pick pages -n 10 --as names | while read -r page; do tinsach label "$page" > "$page.tsv"; done"""


KINDS = ("tsv", "jsonl", "names")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    parser.add_argument("-n", type=int, default=20, metavar="N", help="number of pages to list (default: 20)")
    add_output(
        parser,
        KINDS,
        "tsv: rank, score, expected wrong keep/drop lines, page, reason (default); jsonl: the same as objects; names: page names only",
    )
    add_on_error(parser)


def run(args: argparse.Namespace) -> int:
    """List the selected pages and return the exit status."""
    import classifier
    from classifier.jobs.job import Job
    from classifier.jobs.labelling import label_named_pages
    from classifier.monitoring.selection import Summaries, choose, summaries

    refuse_kind_as_output(args, KINDS)
    if args.n < 1:
        raise InputError(f"-n {args.n}: give a number of pages, 1 or more")
    sources = inputs_of(args, os.devnull)  # a path that no folder contains, so nothing is skipped as an output
    check_on_error(args)
    refuse_same_file(sources, [path for path in (args.output, args.quarantine) if path])
    with ExitStack() as stack:
        output = stack.enter_context(atomic_write(args.output)) if args.output else None
        with atomic_write(args.quarantine) if args.quarantine else nullcontext() as quarantine:
            cleaner = classifier.load(args.model, keep=args.keep, threshold=args.threshold)
            job = Job(cleaner, reading_options(args), error_policy(args, sources, quarantine))
            parts = [summaries(*pages) for pages in label_named_pages(job, sources)]
        report_notices(job.stats, all_shown=True)
        status = report_left_out(args, job, len(sources))
        chosen = list(choose(Summaries.joined(parts), args.n)) if parts else []
        if not chosen:
            raise InputError(f"{sources[0].name}: no page with a line in it; name pages that contain text")
        out = output or standard_output()
        for rank, choice in zip(count(1), chosen):
            out.write(to_utf8(_FORMS[args.as_](rank, choice) + "\n"))
    return status


def _as_tsv(rank: int, choice: Choice) -> str:
    return f"{rank}\t{choice.score:.2f}\t{choice.expected:.2f}\t{choice.page}\t{choice.why}"


def _as_jsonl(rank: int, choice: Choice) -> str:
    figures = {"score": round(choice.score, 4), "expected_errors": round(choice.expected, 4)}
    return json.dumps({"rank": rank, "page": choice.page, **figures, "why": choice.why}, ensure_ascii=False)


_FORMS: dict[str, Callable[[int, Choice], str]] = {"tsv": _as_tsv, "jsonl": _as_jsonl, "names": lambda rank, choice: choice.page}
