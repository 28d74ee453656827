"""The command line's words for sites: which rules, which site the pages are of, or which field of a record says so.

What it leaves out: what rules are (`site_rules`), and labelling records of several sites together (`by_site`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import classifier
from classifier.cleaner import Cleaner
from classifier.errors import InputError
from classifier.formats import NO_SITE
from classifier.site_rules import EVERY_SITE, SiteRules
from classifier.sources import Source

__all__ = ["add_options", "files_read", "site_cleaner", "site_field", "tell"]


def add_options(sub: argparse.ArgumentParser) -> None:
    """Add the options to a command that labels lines."""
    sub.add_argument("--sites", metavar="FILE", help="rules for sites, in TOML: what certain lines must or cannot be (docs/SITES.md)")
    sub.add_argument("--site", metavar="NAME", help="the site that the pages are of; of records, those that name none themselves")
    sub.add_argument("--site-field", metavar="NAME", help="field or column that holds a record's site, or a URL on it")


def site_cleaner(args: argparse.Namespace) -> Cleaner:
    """Return the cleaner that the options ask for."""
    if args.sites is None and (args.site or args.site_field) and not getattr(args, "site_memory", None):
        option = f"--site{'' if args.site else '-field'}"
        raise InputError(f"{option} says whose rules to use; name the file that holds them with --sites, or a memory with --site-memory")
    rules = None if args.sites is None else SiteRules.read(args.sites)
    if rules and args.site and rules.known(args.site) == EVERY_SITE and sys.stderr:
        print(f"tinsach: {args.sites} has no rules for {args.site!r}; those for every site apply", file=sys.stderr)
    return classifier.load(args.model, keep=args.keep, threshold=args.threshold, rules=rules).at(args.site)


def site_field(args: argparse.Namespace, sources: Sequence[Source]) -> str | None:
    """Return the field that names a record's site, if one does.

    Raises:
        InputError: the inputs have no fields.
    """
    field: str | None = getattr(args, "site_field", None)  # some commands read pages and have no use for their site
    if field and any(source.format in ("text", "html") for source in sources):
        raise InputError("--site-field is a field of records, which text and HTML have none of; name their site with --site")
    return field or None


def tell(args: argparse.Namespace, counts: Mapping[str, int]) -> None:
    """Say on standard error how many records had no site, lest a wrong name of the field go unnoticed."""
    if counts[NO_SITE] and sys.stderr:
        whose = f"of --site {args.site}" if args.site else "for every site"
        fate = f"the rules {whose} apply to them" if args.sites else f"they are remembered as pages of {args.site or 'no site'}"
        print(f"tinsach: {counts[NO_SITE]} records have no site in {args.site_field!r}; {fate}", file=sys.stderr)


def files_read(args: argparse.Namespace) -> list[Source]:
    """Return the files that these options read, as inputs that no output may replace."""
    return [Source(args.sites, "text")] if args.sites else []
