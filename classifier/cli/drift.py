"""`tinsach drift`: drift detection, the signals of new pages that moved against a baseline, and the pages to label first.

Exit status 0: nothing moved; 1: something moved, or files were left out; 2: no result (too few pages, bad input).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from classifier.cli.on_error import add_on_error, check_on_error, error_policy, inputs_of, report_left_out
from classifier.cli.options import add_reading, reading_options, report_notices
from classifier.errors import InputError
from classifier.formats.sources import Source, refuse_same_file
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, standard_output

if TYPE_CHECKING:
    from classifier.jobs.job import Job
    from classifier.monitoring.drift import Shift
    from classifier.monitoring.profile import Measures, Profile
    from classifier.monitoring.selection import Choice, Summaries

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Report what has moved in new pages, compared with the training profile or a baseline."

EXAMPLES = """example:
  tinsach drift pages
  tinsach drift pages --write-baseline baseline.json
  tinsach drift new-pages --baseline baseline.json || echo "look at the pages"

exit status: 0 nothing moved, 1 something moved or --on-error left something out, 2 no result (too few pages, bad input)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    parser.add_argument(
        "--baseline", metavar="FILE", help="compare with this baseline instead of the training profile, which shows gross changes only"
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write the pages' profile to FILE, as a baseline for later runs, and compare nothing"
    )
    add_on_error(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("-n", type=int, default=5, metavar="N", help="if something moved, list N pages to label first (default: 5)")


def run(args: argparse.Namespace) -> int:
    """Compare the pages with a baseline, or write one; return the exit status."""
    import classifier
    from classifier.jobs.job import Job
    from classifier.monitoring.baseline_file import read_baseline, training_profile
    from classifier.monitoring.drift import compare
    from classifier.monitoring.profile import Measures
    from classifier.monitoring.selection import Summaries, choose

    sources = inputs_of(args, os.devnull)  # a path that no folder contains, so nothing is skipped as an output
    _check(args, sources)
    cleaner = classifier.load(args.model, keep=args.keep, threshold=args.threshold)
    profile = read_baseline(args.baseline, cleaner) if args.baseline else None if args.write_baseline else training_profile(cleaner)
    with atomic_write(args.quarantine) if args.quarantine else nullcontext() as quarantine:
        job = Job(cleaner, reading_options(args), error_policy(args, sources, quarantine))
        parts, candidates = _measure_pages(job, sources, 0 if profile is None else args.n)
    report_notices(job.stats, all_shown=True)
    left_out = report_left_out(args, job, len(sources))
    if not parts:
        raise InputError(f"{sources[0].name}: no page in it; name files that contain pages")
    measures = Measures.joined(parts)
    if profile is None:
        _write_baseline(args, job, measures)
        return left_out
    shifts = compare(profile, measures)
    moved = any(shift.state == "moved" for shift in shifts)
    first = list(choose(Summaries.joined(candidates), args.n)) if moved and candidates else []
    show = _as_json if args.json else _as_text
    standard_output().write(to_utf8(show(args, profile, len(measures.length), shifts, first)))
    return int(moved or left_out)


def _check(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    if args.baseline and args.write_baseline:
        raise InputError("--baseline compares and --write-baseline does not; run them one after the other")
    check_on_error(args)
    if args.n < 0:
        raise InputError(f"-n {args.n}: give a number of pages, 0 for none")
    read = [*sources, *([Source(args.baseline, "baseline")] if args.baseline else [])]
    refuse_same_file(read, [path for path in (args.write_baseline, args.quarantine) if path])


def _measure_pages(job: Job, sources: Sequence[Source], wanted: int) -> tuple[list[Measures], list[Summaries]]:
    """Return the measures of all pages, and their summaries if any pages are `wanted`, in parts."""
    from classifier.jobs.labelling import label_named_pages
    from classifier.monitoring.profile import measure
    from classifier.monitoring.selection import summaries

    measures, candidates = [], []
    for names, labels in label_named_pages(job, sources):
        measures.append(measure(job.cleaner, labels))
        if wanted:
            candidates.append(summaries(names, labels))
    return measures, candidates


def _write_baseline(args: argparse.Namespace, job: Job, measures: Measures) -> None:
    from classifier.jobs.stats import counted
    from classifier.monitoring.baseline_file import write_baseline
    from classifier.monitoring.profile import profile_of

    with atomic_write(args.write_baseline) as out:
        write_baseline(out, job.cleaner, profile_of(measures))
    message = f"wrote {args.write_baseline}: the profile of {counted(len(measures.length), 'page')}\n"
    standard_output().write(to_utf8(message))


# -- output ------------------------------------------------------------------------------------------------------------------

TRAINING_PROFILE_NOTE = (
    "The training profile shows gross changes only: another language, lost accents, empty pages, articles not found. To detect smaller\n"
    "changes, write a baseline of pages known to be good: tinsach drift PAGES --write-baseline FILE"
)


def _as_text(args: argparse.Namespace, profile: Profile, pages: int, shifts: Sequence[Shift], first: Sequence[Choice]) -> str:
    from classifier.jobs.stats import counted

    against = f"the baseline {args.baseline}" if args.baseline else "the training profile"
    report = [f"{counted(pages, 'page')} against {against} of {counted(profile.pages, 'page')}"]
    for shift in shifts:
        report.append(f"{shift.state:8s} {shift.signal:10s} distance {shift.distance:.2f}, limit {shift.limit:.2f}")
        if shift.words:
            report.append(f"         {shift.words}" + (f" (possible cause: {shift.meaning})" if shift.meaning else ""))
    moved = [shift.signal for shift in shifts if shift.state == "moved"]
    report.append(f"moved: {', '.join(moved)}" if moved else "nothing moved")
    if first:
        report += ["label first:", *(f"  {choice.page}: {choice.why}" for choice in first)]
    if not args.baseline:
        report.append(TRAINING_PROFILE_NOTE)
    return "".join(line + "\n" for line in report)


def _as_json(args: argparse.Namespace, profile: Profile, pages: int, shifts: Sequence[Shift], first: Sequence[Choice]) -> str:
    report = {
        "pages": pages,
        "baseline": args.baseline,
        "baseline_pages": profile.pages,
        "moved": [shift.signal for shift in shifts if shift.state == "moved"],
        "signals": [shift._asdict() for shift in shifts],
        "label_first": [choice.page for choice in first],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"
