"""`tinsach pick`: active learning, the pages whose labels would improve the model most, in the order to label them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from classifier.cli.options import add_reading, reading_options, report_notices
from classifier.errors import InputError
from classifier.formats.sources import find_inputs, refuse_same_file
from classifier.io.encoding import to_utf8
from classifier.io.files import standard_output

if TYPE_CHECKING:
    from classifier.monitoring.selection import Choice

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "List the pages whose labels would improve the model most, the best first."

EXAMPLES = """example:
  tinsach pick pages -n 20
  tinsach pick crawl.jsonl -n 10 --output jsonl
  tinsach pick pages -n 10 --output names | while read -r page; do tinsach label "$page" > "$page.tsv"; done"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    parser.add_argument("-n", type=int, default=20, metavar="N", help="number of pages to list (default: 20)")
    parser.add_argument(
        "--output", choices=("tsv", "jsonl", "names"), default="tsv",
        help="tsv: rank, score, expected wrong keep/drop lines, page, reason (default); jsonl: the same as objects; names: page names only",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """List the selected pages and return the exit status."""
    import classifier
    from classifier.jobs.job import ErrorPolicy, Job
    from classifier.jobs.labelling import label_named_pages
    from classifier.monitoring.selection import Summaries, choose, summaries

    if args.n < 1:
        raise InputError(f"-n {args.n}: give a number of pages, 1 or more")
    sources = find_inputs(args.files or ["-"], args.format)
    refuse_same_file(sources, ())
    job = Job(classifier.load(args.model, keep=args.keep, threshold=args.threshold), reading_options(args), ErrorPolicy())
    parts = [summaries(*pages) for pages in label_named_pages(job, sources)]
    report_notices(job.stats)
    chosen = list(choose(Summaries.joined(parts), args.n)) if parts else []
    if not chosen:
        raise InputError(f"{sources[0].name}: no page with a line in it; name pages that contain text")
    out = standard_output()
    for rank, choice in zip(count(1), chosen):
        out.write(to_utf8(_FORMS[args.output](rank, choice) + "\n"))
    return 0


def _as_tsv(rank: int, choice: Choice) -> str:
    return f"{rank}\t{choice.score:.2f}\t{choice.expected:.2f}\t{choice.page}\t{choice.why}"


def _as_jsonl(rank: int, choice: Choice) -> str:
    figures = {"score": round(choice.score, 4), "expected_errors": round(choice.expected, 4)}
    return json.dumps({"rank": rank, "page": choice.page, **figures, "why": choice.why}, ensure_ascii=False)


_FORMS: dict[str, Callable[[int, Choice], str]] = {"tsv": _as_tsv, "jsonl": _as_jsonl, "names": lambda rank, choice: choice.page}
