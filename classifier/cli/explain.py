"""`tinsach explain`: why each line got its label, in the terminal or as an HTML report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.cli.messages import open_in_browser
from classifier.cli.options import add_reading, reading_options
from classifier.cli.site_options import add_sites, rule_files, site_cleaner
from classifier.errors import InputError
from classifier.formats.sources import Source, find_inputs, refuse_same_file
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, standard_output

if TYPE_CHECKING:
    from classifier.explain.explainer import Explainer, Explanation
    from classifier.jobs.job import Job

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Show each line with its label and what decided it."

EXAMPLES = """example:
  tinsach explain page.txt
  tinsach explain page.txt --line 9 --line 12
  tinsach explain page.txt --html report.html --open"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    add_sites(parser)
    parser.add_argument("--html", metavar="FILE", help="write one self-contained HTML report to FILE instead")
    parser.add_argument("--open", action="store_true", help="open the report in the browser")
    parser.add_argument(
        "--line", type=int, action="append", default=[], metavar="N", help="show line N only, with what decided it; may be repeated"
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal, unless NO_COLOR is set)"
    )


def run(args: argparse.Namespace) -> int:
    """Explain the inputs and return the exit status."""
    from classifier.explain.explainer import Explainer
    from classifier.jobs.job import ErrorPolicy, Job

    sources = find_inputs(args.files or ["-"], args.format)
    explainer = Explainer(site_cleaner(args, sources))
    job = Job(explainer.cleaner, reading_options(args, args.site_field), ErrorPolicy(advice=None))
    _check(args, sources)
    return _to_html(args, explainer, job, sources) if args.html else _to_terminal(args, explainer, job, sources)


def _check(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    refuse_same_file([*sources, *rule_files(args)], [args.html] if args.html else ())
    if args.open and not args.html:
        raise InputError("--open opens a report: name its file with --html")
    if args.html and args.line:
        raise InputError("--line is for the terminal; the report explains every line")
    if args.line and min(args.line) < 1:
        raise InputError(f"--line {min(args.line)}: lines are numbered from 1 on each page")


def _explained(explainer: Explainer, job: Job, sources: Sequence[Source]) -> Iterator[tuple[str, list[Explanation]]]:
    """Yield explained lines as they are decided, with the name of their page."""
    from classifier.jobs.labelling import label_by_page

    for name, lines in label_by_page(job, sources):
        yield name, explainer.explain(lines)


def _to_terminal(args: argparse.Namespace, explainer: Explainer, job: Job, sources: Sequence[Source]) -> int:
    from classifier.explain.terminal import legend, printable, shown_line, shown_reasons, wants_colour

    colour, out, wanted = wants_colour(sys.stdout, args.color), standard_output(), set(args.line)
    heading = sources[0].name if len(sources) == 1 else ""  # the first page of a single input goes without
    last = 0
    seen: set[int] = set()
    for name, block in _explained(explainer, job, sources):
        last = max([last, *(why.line.number for why in block)])
        chosen = [why for why in block if not wanted or why.line.number in wanted]
        seen.update(why.line.number for why in chosen)
        shown = [printable(name)] if chosen and name != heading else []
        heading = name if chosen else heading
        for why in chosen:
            shown.append(shown_line(why, colour))
            shown += shown_reasons(why, colour) if wanted else ()
        out.write(to_utf8("".join(line + "\n" for line in shown)))
    if wanted - seen:
        raise InputError(f"--line {min(wanted - seen)}: no such line; the longest page has {last} lines")
    if colour and not wanted:
        out.write((legend(explainer.cleaner.keep, colour) + "\n").encode())
    return 0


def _to_html(args: argparse.Namespace, explainer: Explainer, job: Job, sources: Sequence[Source]) -> int:
    from classifier.explain.report import explained_page
    from classifier.html_page import MAX_LINES

    pages: list[tuple[str, list[Explanation]]] = []
    lines = 0
    for name, block in _explained(explainer, job, sources):
        if not pages or name != pages[-1][0] or (pages[-1][1] and block and block[0].line.number == 1):  # the same file named twice
            pages.append((name, []))
        if lines <= MAX_LINES:  # `explained_page` rejects longer reports, so the rest need not be held in memory
            pages[-1][1].extend(block)
            lines += len(block)
    name = os.path.basename(sources[0].name) + (f" and {len(sources) - 1} more" if len(sources) > 1 else "")
    report = explained_page(name, pages)
    with atomic_write(args.html) as out:
        out.write(report.encode())
    if args.open:
        open_in_browser(Path(args.html).resolve().as_uri(), args.html)
    return 0
