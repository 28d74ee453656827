"""`tinsach pick`: the pages whose labelling would teach the model most, in the order in which to label them.

What it leaves out: how they are chosen (`pick.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from classifier.errors import InputError
from classifier.files import refuse_same_file, standard_output
from classifier.sources import Source, find_inputs

if TYPE_CHECKING:
    from classifier.jobs import Options
    from classifier.pick import Choice

__all__ = ["register"]

EXAMPLES = """example:
  tinsach pick pages -n 20
  tinsach pick crawl.jsonl -n 10 --output jsonl
  tinsach pick pages -n 10 --output names | while read -r page; do tinsach label "$page" > "$page.tsv"; done"""


def register(
    commands: Any,
    add_reading: Callable[[argparse.ArgumentParser], None],
    options: Callable[[argparse.Namespace, Sequence[Source]], Options],
) -> None:
    """Add the command to the others; `add_reading` and `options` are theirs, for how inputs are read."""
    summary = "List the pages whose labelling would teach the model most, the best first."
    form = argparse.RawDescriptionHelpFormatter
    sub = commands.add_parser("pick", help=summary, description=summary, epilog=EXAMPLES, formatter_class=form)
    sub.set_defaults(run=lambda args: run(args, options(args, ())))
    sub.add_argument("--model", metavar="PATH", help="model file or folder (default: the shipped model)")
    add_reading(sub)
    sub.add_argument("-n", type=int, default=20, metavar="N", help="how many pages to list (default: 20)")
    sub.add_argument(
        "--output", choices=("tsv", "jsonl", "names"), default="tsv",
        help="tsv: rank, score, wrong keep/drop lines expected, page, why (default); jsonl: the same as objects; names: pages alone",
    )  # fmt: skip


def run(args: argparse.Namespace, options: Options) -> int:
    """List pages and return the exit status."""
    import classifier
    from classifier.jobs import Faults, Job
    from classifier.pick import Summaries, choose, summaries
    from classifier.survey import survey

    if args.n < 1:
        raise InputError(f"-n {args.n}: give a number of pages, 1 or more")
    sources = find_inputs(args.files or ["-"], args.format)
    refuse_same_file(sources, ())
    job = Job(classifier.load(args.model, keep=args.keep, threshold=args.threshold), options, Faults())
    parts = [summaries(*pages) for pages in survey(job, sources)]
    chosen = list(choose(Summaries.joined(parts), args.n)) if parts else []
    if not chosen:
        raise InputError(f"{sources[0].name}: no page with a line in it; name pages of text")
    out = standard_output()
    for rank, choice in zip(count(1), chosen):
        out.write((_FORMS[args.output](rank, choice) + "\n").encode("utf-8", "backslashreplace"))
    return 0


def _as_tsv(rank: int, choice: Choice) -> str:
    return f"{rank}\t{choice.score:.2f}\t{choice.expected:.2f}\t{choice.page}\t{choice.why}"


def _as_jsonl(rank: int, choice: Choice) -> str:
    figures = {"score": round(choice.score, 4), "expected_errors": round(choice.expected, 4)}
    return json.dumps({"rank": rank, "page": choice.page, **figures, "why": choice.why}, ensure_ascii=False)


_FORMS: dict[str, Callable[[int, Choice], str]] = {"tsv": _as_tsv, "jsonl": _as_jsonl, "names": lambda rank, choice: choice.page}
