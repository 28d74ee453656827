"""`tinsach profile`: write what is known of a site, its memory, rules and retrained weights, into one file for --site-profile."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.cli.messages import say
from classifier.cli.on_error import add_on_error, check_on_error, error_policy, inputs_of, report_left_out
from classifier.cli.options import add_reading, reading_options, report_notices
from classifier.errors import InputError
from classifier.formats.sources import Source, refuse_same_file
from classifier.io.files import atomic_write, standard_output
from classifier.sites.memory import SiteMemory

if TYPE_CHECKING:
    from classifier.core.model_delta import ModelDelta
    from classifier.sites.profile import SiteProfile

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Write a site's memory, rules and retrained weights into one file, for --site-profile."

EXAMPLES = """example:
  tinsach profile pages --site bao-bai-song.vn --output site.json
  tinsach profile pages --site bao-bai-song.vn --sites sites.toml --retrained build/retrain/model --output site.json
  tinsach clean pages --site-profile site.json --output-dir clean"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_reading(parser)
    parser.add_argument("--site", metavar="NAME", help="the site, a host name or any other (default: the profile is for pages of any site)")
    parser.add_argument("--sites", metavar="FILE", help="site rules in TOML to put into the profile")
    parser.add_argument(
        "--retrained", metavar="PATH", help="a model retrained on the site's pages: what differs from --model goes into the profile"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory of the lines that recur on the pages")
    parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    add_on_error(parser)


def run(args: argparse.Namespace) -> int:
    """Write the profile and return the exit status."""
    from classifier.sites.profile import SiteProfile

    if args.no_memory and not (args.sites or args.retrained):
        raise InputError("a profile without memory, rules and weights is empty; give --sites or --retrained, or leave out --no-memory")
    if args.no_memory and args.files:
        raise InputError("--no-memory leaves nothing to learn from pages: leave out one of the two")
    sources = [] if args.no_memory else inputs_of(args, os.devnull)  # a path that no folder contains
    check_on_error(args)
    read = [*sources, *(Source(path, "text") for path in (args.sites, args.retrained) if path)]
    refuse_same_file(read, [path for path in (args.output, args.quarantine) if path])
    rules = _rules_text(args.sites) if args.sites else None
    delta = _delta(args) if args.retrained else None
    with ExitStack() as stack:
        output = stack.enter_context(atomic_write(args.output)) if args.output else None
        memory, status = (None, 0) if args.no_memory else _learn(args, sources)
        profile = SiteProfile.make(args.site, rules, memory, delta)
        (output or standard_output()).write(profile.to_bytes())
    say(f"tinsach: {_described(profile, memory)}")
    return status


def _rules_text(path: str) -> str:
    from classifier.sites.rules import SiteRules

    SiteRules.read(path)  # a mistake is named with its file and line
    return Path(path).read_text(encoding="utf-8-sig")


def _delta(args: argparse.Namespace) -> ModelDelta:
    """Return the difference between --model and --retrained.

    Raises:
        InputError: there is none.
        ModelError: a model cannot be read.
    """
    from classifier.core.model_delta import ModelDelta
    from classifier.core.model_file import read_model

    base, new = read_model(args.model), read_model(args.retrained)
    if base[1]["arrays_sha256"] == new[1]["arrays_sha256"]:
        raise InputError(f"--retrained {args.retrained}: the same model as {args.model or 'the shipped one'}; retrain, or leave it out")
    return ModelDelta.between(base[:2], new[:2])


def _learn(args: argparse.Namespace, sources: list[Source]) -> tuple[SiteMemory, int]:
    """Return a memory of the pages, in their order, and the exit status."""
    import classifier
    from classifier.jobs.job import Job
    from classifier.jobs.labelling import label_named_pages

    memory = SiteMemory()
    cleaner = classifier.load(args.retrained or args.model, keep=args.keep, threshold=args.threshold).at(args.site)
    with ExitStack() as stack:
        quarantine = stack.enter_context(atomic_write(args.quarantine)) if args.quarantine else None
        job = Job(cleaner.remembering(memory), reading_options(args), error_policy(args, sources, quarantine))
        for _ in label_named_pages(job, sources):
            pass
    report_notices(job.stats, all_shown=True)
    status = report_left_out(args, job, len(sources))
    if not memory.counted:
        raise InputError(f"{sources[0].name}: no page with a line in it; name pages that contain text, or --no-memory")
    return memory, status


def _described(profile: SiteProfile, memory: SiteMemory | None) -> str:
    """Return what a profile holds, in words."""
    rules = sum(map(len, profile.rules.rules.values())) if profile.rules else 0
    packed = sum(map(len, profile.delta.arrays.values())) if profile.delta else 0
    parts = [
        f"a memory of {memory.counted} page{'s' * (memory.counted != 1)}" if memory else "",
        f"{rules} rule{'s' * (rules != 1)}" if profile.rules else "",
        f"weights of {packed / 1000:.0f} KB for model {profile.delta.base[:12]}..." if profile.delta else "",
    ]
    size = f"{len(profile.to_bytes()) / 1000:.0f} KB"
    return f"site profile of {profile.site or 'any site'}, {size}: {', '.join(filter(None, parts))}"
