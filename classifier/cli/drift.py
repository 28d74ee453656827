"""`tinsach drift`: what of new pages has moved against a baseline, and which to label first.

Exit status 0: nothing moved; 1: something did; 2: no answer, as of too few pages or bad input. What it leaves out: the measures
(`profile.py`), the comparison (`drift.py`), the choice of pages (`pick.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifier.cli.options import add_reading, reading_options
from classifier.errors import InputError
from classifier.formats.sources import Source, find_inputs, refuse_same_file
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write, standard_output

if TYPE_CHECKING:
    from classifier.jobs.job import Job
    from classifier.monitoring.drift import Shift
    from classifier.monitoring.profile import Measures, Profile
    from classifier.monitoring.selection import Choice, Summaries

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Tell what of new pages has moved against the training profile or a baseline."

EXAMPLES = """example:
  tinsach drift pages
  tinsach drift pages --write-baseline baseline.json
  tinsach drift new-pages --baseline baseline.json || echo "look at the pages"

exit status: 0 nothing moved, 1 something moved, 2 no answer (too few pages, bad input)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    parser.add_argument(
        "--baseline", metavar="FILE", help="compare with this instead of the training profile, which tells gross changes only"
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write the pages' profile to FILE, to compare others with; no comparison now"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    parser.add_argument("-n", type=int, default=5, metavar="N", help="name N pages to label first, if something moved (default: 5)")


def run(args: argparse.Namespace) -> int:
    """Compare or write a baseline, and return the exit status."""
    import classifier
    from classifier.jobs.job import ErrorPolicy, Job
    from classifier.monitoring.baseline_file import read_baseline, training_profile
    from classifier.monitoring.drift import compare
    from classifier.monitoring.selection import choose

    sources = find_inputs(args.files or ["-"], args.format)
    _check(args, sources)
    cleaner = classifier.load(args.model, keep=args.keep, threshold=args.threshold)
    job = Job(cleaner, reading_options(args), ErrorPolicy())
    if args.write_baseline:
        return _write_baseline(args, job, sources)
    profile = read_baseline(args.baseline, cleaner) if args.baseline else training_profile(cleaner)
    measures, pages = _looked_at(job, sources, args.n)
    shifts = compare(profile, measures)
    moved = any(shift.state == "moved" for shift in shifts)
    first = list(choose(pages, args.n)) if moved and pages else []
    show = _as_json if args.json else _in_words
    standard_output().write(to_utf8(show(args, profile, len(measures.length), shifts, first)))
    return int(moved)


def _check(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    if args.baseline and args.write_baseline:
        raise InputError("--baseline compares and --write-baseline does not; run the one after the other")
    if args.n < 0:
        raise InputError(f"-n {args.n}: give a number of pages, 0 for none")
    read = [*sources, *([Source(args.baseline, "baseline")] if args.baseline else [])]
    refuse_same_file(read, [args.write_baseline] if args.write_baseline else [])


def _looked_at(job: Job, sources: Sequence[Source], wanted: int) -> tuple[Measures, Summaries | None]:
    """Return the measures of all pages, and their summaries if some are to be chosen."""
    from classifier.jobs.labelling import label_named_pages
    from classifier.monitoring.profile import Measures, measure
    from classifier.monitoring.selection import Summaries, summaries

    measures, chosen_from = [], []
    for names, labels in label_named_pages(job, sources):
        measures.append(measure(job.cleaner, labels))
        if wanted:
            chosen_from.append(summaries(names, labels))
    if not measures:
        raise InputError(f"{sources[0].name}: no page in it; name pages")
    return Measures.joined(measures), Summaries.joined(chosen_from) if wanted else None


def _write_baseline(args: argparse.Namespace, job: Job, sources: Sequence[Source]) -> int:
    from classifier.monitoring.baseline_file import write_baseline
    from classifier.monitoring.profile import profile_of

    measures, _ = _looked_at(job, sources, 0)
    with atomic_write(args.write_baseline) as out:
        write_baseline(out, job.cleaner, profile_of(measures))
    told = f"wrote {args.write_baseline}: the profile of {len(measures.length)} pages\n"
    standard_output().write(to_utf8(told))
    return 0


# -- what is printed ---------------------------------------------------------------------------------------------------------

ROUGH = (
    "The training profile tells gross changes only: another language, lost accents, empty pages, articles not found. For finer ones\n"
    "write a baseline of pages that are as they should be: tinsach drift PAGES --write-baseline FILE"
)


def _in_words(args: argparse.Namespace, profile: Profile, pages: int, shifts: Sequence[Shift], first: Sequence[Choice]) -> str:
    against = f"the baseline {args.baseline}" if args.baseline else "the training profile"
    told = [f"{pages} pages against {against} of {profile.pages} pages"]
    for shift in shifts:
        told.append(f"{shift.state:8s} {shift.signal:10s} distance {shift.distance:.2f}, limit {shift.limit:.2f}")
        if shift.words:
            told.append(f"         {shift.words}" + (f" (may be: {shift.meaning})" if shift.meaning else ""))
    moved = [shift.signal for shift in shifts if shift.state == "moved"]
    told.append(f"moved: {', '.join(moved)}" if moved else "nothing moved")
    if first:
        told += ["label first:", *(f"  {choice.page}: {choice.why}" for choice in first)]
    if not args.baseline:
        told.append(ROUGH)
    return "".join(line + "\n" for line in told)


def _as_json(args: argparse.Namespace, profile: Profile, pages: int, shifts: Sequence[Shift], first: Sequence[Choice]) -> str:
    told = {
        "pages": pages,
        "baseline": args.baseline,
        "baseline_pages": profile.pages,
        "moved": [shift.signal for shift in shifts if shift.state == "moved"],
        "signals": [shift._asdict() for shift in shifts],
        "label_first": [choice.page for choice in first],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"
