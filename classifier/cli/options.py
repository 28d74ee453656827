"""Shared command-line options: input reading, kept labels, site rules and site memory."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import classifier
from classifier.cleaner import Cleaner
from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import ATTRIBUTES, NEEDS_REVIEW, NO_SITE, ON_NULL, Options
from classifier.formats.names import FORMATS
from classifier.formats.sources import Source
from classifier.io.encoding import POLICIES, Decoding
from classifier.io.files import STDIN, atomic_write
from classifier.io.notices import NOTHING_KEPT
from classifier.labels import DEFAULT_KEEP, LABELS, Label, parse_keep
from classifier.record.finishing import DEDUPE, JOIN, NORMALIZE
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory
from classifier.sites.profile import SiteProfile
from classifier.sites.rule import EVERY_SITE
from classifier.sites.rules import SiteRules

if TYPE_CHECKING:
    from classifier.jobs.job import ErrorPolicy
    from classifier.jobs.stats import Stats

__all__ = [
    "AUTO",
    "add_fields",
    "add_finish",
    "add_keep",
    "add_memory",
    "add_model",
    "add_output",
    "add_reading",
    "add_sites",
    "check_memory",
    "labels_to_keep",
    "learned_first",
    "memory_file",
    "reading_options",
    "refuse_kind_as_output",
    "remembering",
    "report_notices",
    "report_records_without_site",
    "rule_files",
    "site_cleaner",
    "steps_of",
    "with_record_options",
    "with_sites",
]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument("--model", metavar="PATH", help="model file or folder (default: the shipped model)")


def add_keep(parser: argparse.ArgumentParser) -> None:
    """Add --keep and --drop."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--keep", metavar="LABELS", help=f"labels to keep: all, or some of {', '.join(LABELS)} (default: title,body)")
    which.add_argument("--drop", metavar="LABELS", help="labels to drop; all others are kept")


def labels_to_keep(keep: str | None, drop: str | None) -> frozenset[Label]:
    """Return the labels that --keep and --drop select.

    Raises:
        InputError: a label is unknown, or none is left.

    >>> sorted(map(str, labels_to_keep(None, "nav,related,most_read,media,weather,comment,promo,footer")))
    ['body', 'caption', 'meta', 'title']
    """
    if drop is None:
        return DEFAULT_KEEP if keep is None else frozenset(LABELS) if keep.strip() == "all" else parse_keep(keep)
    kept = frozenset(LABELS) - parse_keep(drop)
    if not kept:
        raise InputError("--drop names every label, so no line would be kept; leave some out")
    return kept


def add_output(parser: argparse.ArgumentParser, kinds: Sequence[str], meaning: str) -> None:
    """Add --output and --as, whose default is the first kind."""
    parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--as", choices=kinds, default=kinds[0], dest="as_", metavar="|".join(kinds), help=meaning)


def refuse_kind_as_output(args: argparse.Namespace, kinds: Sequence[str]) -> None:
    """Raise InputError if --output has a kind of output as its value, as it had before --as."""
    if args.output in kinds:
        kind = args.output
        raise InputError(f"--output {kind}: the kind of output is now --as {kind}; --output takes a FILE, such as ./{kind}")


def add_finish(parser: argparse.ArgumentParser, record: bool = False) -> None:
    """Add --normalize, and for clean texts --join and --dedupe, which records have anyway."""
    if not record:
        parser.add_argument("--join", action="store_true", help="join the lines of a paragraph that an extractor broke; reads whole pages")
        parser.add_argument(
            "--dedupe", action="store_true", help="leave out a headline, lead or article that the page prints again; reads whole pages"
        )
    parser.add_argument(
        "--normalize", action="store_true", help="write NFC, plain single spaces, no invisible characters and no runs of blank lines"
    )


def steps_of(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the steps that finish the clean texts."""
    return tuple(step for step in (JOIN, DEDUPE, NORMALIZE) if getattr(args, step, False))


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the text of a record is, and what it is."""
    parser.add_argument(
        "--text-field", default="text", metavar="NAME",
        help="field or column that holds a record's page (default: text); page.text is the field text in the object or struct page",
    )  # fmt: skip
    parser.add_argument("--id-field", default="id", metavar="NAME", help="field or column that holds a record's id (default: id)")
    parser.add_argument("--join-lists", action="store_true", help="a page may be a list of strings, its lines, and stays one")
    parser.add_argument(
        "--text-format", choices=("text", "html"), default="text", help="what the text field of records holds (default: text)"
    )
    parser.add_argument(
        "--delimiter",
        metavar="CHAR",
        help="between the values of a CSV row; tab for a tab (default: comma, semicolon, tab or bar, as found)",
    )
    parser.add_argument("--html-hidden", action="store_true", help="HTML: read hidden elements too")
    parser.add_argument("--html-alt", action="store_true", help="HTML: read the alternative texts of pictures too")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the input files and the options for reading them, --model, --keep and --threshold."""
    add_model(parser)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="text or HTML pages, records, or a folder or pattern of them (default: standard input)"
    )
    add_keep(parser)
    parser.add_argument("--threshold", type=float, metavar="P", help="keep a line if the kept labels' probabilities sum to P or more")
    parser.add_argument(
        "--page-separator", default="\f", metavar="TEXT",
        help="a line equal to TEXT starts a new page (default: a form feed, which may occur anywhere in a line)",
    )  # fmt: skip
    parser.add_argument(
        "--blank-lines", type=int, default=0, metavar="N", help="N or more blank lines start a new page, and form feeds do not"
    )
    parser.add_argument("--format", choices=FORMATS, help="format of every FILE (default: by its name, as in page.html or crawl.jsonl.zst)")
    add_fields(parser)
    parser.add_argument(
        "--on-null", choices=ON_NULL, default="keep",
        help="records whose text is null, or an empty cell of CSV: keep them as they are (default), skip them, "
        "or fail: treat them as bad records",
    )  # fmt: skip
    parser.add_argument("--encoding", metavar="NAME", help="decode as NAME, without content checks (default: UTF-8, or by byte order mark)")
    parser.add_argument(
        "--encoding-errors", choices=POLICIES, default="replace",
        help="undecodable bytes: replace with U+FFFD (default), strict: fail and name the position, skip: leave out and count",
    )  # fmt: skip


def reading_options(
    args: argparse.Namespace, site_field: str | None = None, labels: bool = False, max_dropped: float | None = None
) -> Options:
    """Return the validated options of `add_reading`, plus what a command adds to records: the site, spans by label, a review flag.

    Raises:
        InputError: an option is invalid.
    """
    if not args.page_separator or "\n" in args.page_separator:
        raise InputError("--page-separator has to be a non-empty text without line breaks")
    if args.blank_lines < 0 or (args.blank_lines and args.page_separator != "\f"):
        raise InputError("--blank-lines takes 0 or more, and cannot be combined with --page-separator")
    if max_dropped is not None and not 0 <= max_dropped <= 1:
        raise InputError(f"--max-dropped {max_dropped}: give a share from 0 to 1")
    decoding = Decoding(args.encoding, args.encoding_errors).checked()
    adds = [NEEDS_REVIEW] * (max_dropped is not None) + [ATTRIBUTES] * labels
    options = Options(decoding, args.page_separator, args.text_field, args.id_field, tuple(adds), args.blank_lines, max_dropped, site_field)
    return with_record_options(args, options)._replace(on_null=args.on_null, trusted=args.format is not None)


def with_record_options(args: argparse.Namespace, options: Options) -> Options:
    """Return options completed by those of `add_fields`.

    Raises:
        InputError: the delimiter is not one character.
    """
    delimiter = {"tab": "\t", "\\t": "\t"}.get(args.delimiter, args.delimiter)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InputError(f"--delimiter {args.delimiter!r}: give one character, as in ';', or tab")
    return options._replace(
        join_lists=args.join_lists,
        delimiter=delimiter,
        text_format=args.text_format,
        html_hidden=args.html_hidden,
        html_alt=args.html_alt,
    )


# -- site rules ----------------------------------------------------------------------------------------------------------------


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


def report_notices(stats: Stats, all_shown: bool = False) -> None:
    """Report the pages that are not plain lines of Vietnamese text, in one line per kind.

    Where all lines are shown, kept or not, pages that keep none are not reported.
    """
    say(*(f"tinsach: {line}" for line in stats.notice_lines(but=NOTHING_KEPT if all_shown else "")))


def rule_files(args: argparse.Namespace) -> list[Source]:
    """Return the files that `add_sites` reads, as inputs that no output may overwrite."""
    return [Source(path, "text") for path in (args.sites, args.site_profile) if path]


# -- site memory ---------------------------------------------------------------------------------------------------------------


AUTO = "auto"  # as --site-memory: no file, but two passes


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add --site-memory and --site-memory-pages."""
    parser.add_argument(
        "--site-memory", metavar="FILE",
        help="remember in FILE which lines recur on pages of a site, as evidence of boilerplate; created if missing; "
        "clean and extract also take auto: no file, but two passes, one to learn and one to clean",
    )  # fmt: skip
    parser.add_argument(
        "--site-memory-pages", type=int, metavar="K",
        help=f"a line counts as recurring once K other pages have shown it (default: FILE's setting, or {DEFAULT_PAGES})",
    )  # fmt: skip


def memory_file(args: argparse.Namespace) -> str | None:
    """Return the file of --site-memory; None without one.

    Raises:
        InputError: the options conflict.
    """
    path: str | None = args.site_memory
    if path is None and args.site_memory_pages is not None:
        raise InputError("--site-memory-pages needs a memory: name its FILE with --site-memory")
    if path == STDIN:
        raise InputError("--site-memory reads and rewrites its file: name a file, not -")
    return None if path == AUTO else path


@contextmanager
def remembering(args: argparse.Namespace, cleaner: Cleaner) -> Iterator[Cleaner]:
    """Yield the cleaner with the memory of a --site-memory FILE, saved if no exception is raised; without one, the cleaner itself.

    Raises:
        InputError: the options conflict, or the file is damaged.
    """
    path = memory_file(args)
    if path is None:
        yield cleaner
        return
    pages = args.site_memory_pages
    exists = os.path.lexists(path)
    memory = SiteMemory.load(path, pages) if exists else SiteMemory(DEFAULT_PAGES if pages is None else pages)
    with atomic_write(path) as file:  # opened before the work, so that an unwritable path fails at once
        yield cleaner.remembering(memory)
        file.write(memory.to_bytes())


def check_memory(args: argparse.Namespace) -> None:
    """Reject several processes with --site-memory FILE, which has to see every page, in order."""
    if memory_file(args) and args.jobs != 1:
        raise InputError(
            f"--site-memory needs all pages in one process, in order: leave out --jobs, or learn first with --site-memory {AUTO}"
        )


def with_sites(args: argparse.Namespace, sources: list[Source]) -> tuple[list[Source], str | None]:
    """Return the inputs and the site field; with --site-memory auto, completed by what names a site without being told."""
    if args.site_memory != AUTO:
        return sources, args.site_field
    from classifier.jobs.site_pass import site_field_of, with_folder_sites

    return sources if args.site else with_folder_sites(sources), args.site_field or site_field_of(sources)


@contextmanager
def learned_first(
    args: argparse.Namespace, cleaner: Cleaner, sources: Sequence[Source], options: Options, faults: ErrorPolicy
) -> Iterator[Cleaner]:
    """Yield the cleaner with a memory of all inputs, learned in a first pass, that only judges; without --site-memory auto, itself.

    The memory is kept in a temporary file, from which worker processes read it.

    Raises:
        InputError: an input can be read only once, or is bad and the policy is to fail.
    """
    from classifier.jobs.site_pass import learn_sites

    if args.site_memory != AUTO:
        yield cleaner
        return
    pages = DEFAULT_PAGES if args.site_memory_pages is None else args.site_memory_pages
    memory = learn_sites(cleaner, sources, options, faults, args.jobs, pages)
    if args.summary:
        say(f"tinsach: learned {memory.counted} page{'' if memory.counted == 1 else 's'} for the site memory")
    with tempfile.TemporaryDirectory(prefix="tinsach-") as folder:
        memory.save(os.path.join(folder, "sites.npz"))
        yield cleaner.remembering(memory, learn=False)
