"""Command-line options of site rules and site profiles."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import classifier
from classifier.cleaner import Cleaner
from classifier.cli.memory_options import AUTO
from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import NO_SITE
from classifier.formats.sources import Source
from classifier.sites.profile import SiteProfile
from classifier.sites.rule import EVERY_SITE
from classifier.sites.rules import SiteRules

__all__ = ["add_sites", "report_records_without_site", "rule_files", "site_cleaner"]


def add_sites(parser: argparse.ArgumentParser) -> None:
    """Add --sites, --site-profile, --site and --site-field."""
    parser.add_argument("--sites", metavar="FILE", help="site rules in TOML: labels that certain lines must or cannot have (docs/SITES.md)")
    parser.add_argument(
        "--site-profile", metavar="FILE", help="rules, memory and weights of a site in one file, as tinsach profile writes it"
    )
    parser.add_argument("--site", metavar="NAME", help="site of the pages; for records, of those that name none")
    parser.add_argument("--site-field", metavar="NAME", help="field or column that holds a record's site, or a URL on it")


def site_cleaner(args: argparse.Namespace, sources: Sequence[Source], memory: str | None = None) -> Cleaner:
    """Return a cleaner for the options of `add_reading` and `add_sites`; `memory` is the path of a site memory, if used.

    Raises:
        InputError: an option is invalid, or does not apply to the inputs.
    """
    if args.site_field and any(source.format in ("text", "html") for source in sources):
        raise InputError("--site-field is a field of records, and text and HTML have no fields; name their site with --site")
    if args.site_profile:
        return _profile_cleaner(args)
    if args.sites is None and (args.site or args.site_field) and not memory:
        option = f"--site{'' if args.site else '-field'}"
        raise InputError(
            f"{option} selects the rules of a site; name the file of rules with --sites, a memory with --site-memory, or a --site-profile"
        )
    rules = None if args.sites is None else SiteRules.read(args.sites)
    if rules and args.site and rules.known(args.site) == EVERY_SITE:
        say(f"tinsach: {args.sites} has no rules for {args.site!r}; those for every site apply")
    return classifier.load(args.model, keep=args.keep, threshold=args.threshold, rules=rules).at(args.site)


def _profile_cleaner(args: argparse.Namespace) -> Cleaner:
    """Return the cleaner for --site-profile; the site is that of the profile, unless --site names another."""
    if args.sites:
        raise InputError("--site-profile has rules of its own: leave out --sites, or make the profile with tinsach profile --sites")
    cleaner = classifier.load(args.model, keep=args.keep, threshold=args.threshold, profile=SiteProfile.read(args.site_profile))
    args.site = args.site or cleaner.site
    return cleaner.at(args.site)


def report_records_without_site(args: argparse.Namespace, counts: Mapping[str, int], field: str | None) -> None:
    """Report how many records had no site in a field, so that a misspelt field name is noticed."""
    if counts[NO_SITE]:
        other = "the site of their folder" if args.site_memory == AUTO else "no site"
        whose = f"of --site {args.site}" if args.site else "for every site"
        one = counts[NO_SITE] == 1
        records, them, they_are, pages = ("1 record has", "it", "it is", "a page") if one else ("records have", "them", "they are", "pages")
        known = "judged" if args.site_profile else "remembered"
        fate = f"the rules {whose} apply to {them}" if args.sites else f"{they_are} {known} as {pages} of {args.site or other}"
        say(f"tinsach: {'' if one else f'{counts[NO_SITE]} '}{records} no site in {field!r}; {fate}")


def rule_files(args: argparse.Namespace) -> list[Source]:
    """Return the files that `add_sites` reads, as inputs that no output may overwrite."""
    return [Source(path, "text") for path in (args.sites, args.site_profile) if path]
