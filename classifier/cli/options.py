"""Options that commands share: how inputs are read, what is kept, site rules and site memory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import classifier
from classifier.cleaner import Cleaner
from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import ATTRIBUTES, NEEDS_REVIEW, NO_SITE, Options
from classifier.formats.names import FORMATS
from classifier.formats.sources import Source
from classifier.io.encoding import POLICIES, Decoding
from classifier.io.files import STDIN, atomic_write
from classifier.labels import LABELS
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory
from classifier.sites.rule import EVERY_SITE
from classifier.sites.rules import SiteRules

__all__ = [
    "add_fields",
    "add_keep",
    "add_memory",
    "add_model",
    "add_reading",
    "add_sites",
    "reading_options",
    "remembering",
    "report_records_without_site",
    "rule_files",
    "site_cleaner",
]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument("--model", metavar="PATH", help="model file or folder (default: the shipped model)")


def add_keep(parser: argparse.ArgumentParser) -> None:
    """Add --keep."""
    parser.add_argument(
        "--keep", default="title,body", metavar="LABELS", help=f"labels to keep, of: {', '.join(LABELS)} (default: title,body)"
    )


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Add --text-field and --id-field."""
    parser.add_argument("--text-field", default="text", metavar="NAME", help="field or column that holds a record's page (default: text)")
    parser.add_argument("--id-field", default="id", metavar="NAME", help="field or column that holds a record's id (default: id)")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the inputs and how they are read, --model, --keep and --threshold."""
    add_model(parser)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="text, one page or several; records; a folder or pattern of such (default: standard input)"
    )
    add_keep(parser)
    parser.add_argument("--threshold", type=float, metavar="P", help="keep a line when its kept labels' probabilities add up to P or more")
    parser.add_argument(
        "--page-separator", default="\f", metavar="TEXT",
        help="a line that is TEXT starts a new page; the default is a form feed, which counts anywhere",
    )  # fmt: skip
    parser.add_argument(
        "--blank-lines", type=int, default=0, metavar="N", help="N blank lines or more start a new page, a form feed does not"
    )
    parser.add_argument("--format", choices=FORMATS, help="format of every FILE (default: by its name, as in page.html or crawl.jsonl.zst)")
    add_fields(parser)
    parser.add_argument(
        "--encoding", metavar="NAME", help="decode the bytes as this, without checks (default: UTF-8, or by byte order mark)"
    )
    parser.add_argument(
        "--encoding-errors", choices=POLICIES, default="replace",
        help="bytes that cannot be decoded: replace by U+FFFD (default), strict: fail and say where, skip: leave out and count",
    )  # fmt: skip


def reading_options(
    args: argparse.Namespace, site_field: str | None = None, labels: bool = False, max_dropped: float | None = None
) -> Options:
    """Return the checked options of `add_reading`, with what a command adds to records: the site, spans by label, a review flag.

    Raises:
        InputError: an option has no valid value.
    """
    if not args.page_separator or "\n" in args.page_separator:
        raise InputError("--page-separator has to be a text without line ends")
    if args.blank_lines < 0 or (args.blank_lines and args.page_separator != "\f"):
        raise InputError("--blank-lines takes a number of lines, and no --page-separator beside it")
    if max_dropped is not None and not 0 <= max_dropped <= 1:
        raise InputError(f"--max-dropped {max_dropped}: give a share from 0 to 1")
    reading = Decoding(args.encoding, args.encoding_errors).checked()
    adds = [NEEDS_REVIEW] * (max_dropped is not None) + [ATTRIBUTES] * labels
    return Options(reading, args.page_separator, args.text_field, args.id_field, tuple(adds), args.blank_lines, max_dropped, site_field)


# -- site rules ----------------------------------------------------------------------------------------------------------------


def add_sites(parser: argparse.ArgumentParser) -> None:
    """Add --sites, --site and --site-field."""
    parser.add_argument("--sites", metavar="FILE", help="rules for sites, in TOML: what certain lines must or cannot be (docs/SITES.md)")
    parser.add_argument("--site", metavar="NAME", help="site of the pages; of records, those that name none themselves")
    parser.add_argument("--site-field", metavar="NAME", help="field or column that holds a record's site, or a URL on it")


def site_cleaner(args: argparse.Namespace, sources: Sequence[Source], memory: str | None = None) -> Cleaner:
    """Return the cleaner that `add_reading` and `add_sites` describe; `memory` is the file of a site memory, if there is one.

    Raises:
        InputError: an option has no valid value, or there is nothing that it could apply to.
    """
    if args.site_field and any(source.format in ("text", "html") for source in sources):
        raise InputError("--site-field is a field of records, which text and HTML have none of; name their site with --site")
    if args.sites is None and (args.site or args.site_field) and not memory:
        option = f"--site{'' if args.site else '-field'}"
        raise InputError(f"{option} says whose rules to use; name the file that holds them with --sites, or a memory with --site-memory")
    rules = None if args.sites is None else SiteRules.read(args.sites)
    if rules and args.site and rules.known(args.site) == EVERY_SITE:
        say(f"tinsach: {args.sites} has no rules for {args.site!r}; those for every site apply")
    return classifier.load(args.model, keep=args.keep, threshold=args.threshold, rules=rules).at(args.site)


def report_records_without_site(args: argparse.Namespace, counts: Mapping[str, int]) -> None:
    """Say how many records had no site, so that a wrong name of the field is noticed."""
    if counts[NO_SITE]:
        whose = f"of --site {args.site}" if args.site else "for every site"
        fate = f"the rules {whose} apply to them" if args.sites else f"they are remembered as pages of {args.site or 'no site'}"
        say(f"tinsach: {counts[NO_SITE]} records have no site in {args.site_field!r}; {fate}")


def rule_files(args: argparse.Namespace) -> list[Source]:
    """Return the files that `add_sites` reads, as inputs that no output may replace."""
    return [Source(args.sites, "text")] if args.sites else []


# -- site memory ---------------------------------------------------------------------------------------------------------------


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add --site-memory and --site-memory-pages."""
    parser.add_argument(
        "--site-memory", metavar="FILE",
        help="remember in FILE which lines stood on pages of the site, and doubt those seen before; made if it is not there",
    )  # fmt: skip
    parser.add_argument(
        "--site-memory-pages", type=int, metavar="K",
        help=f"a line counts as seen before from K pages on (default: as FILE says, or {DEFAULT_PAGES})",
    )  # fmt: skip


@contextmanager
def remembering(args: argparse.Namespace, cleaner: Cleaner) -> Iterator[Cleaner]:
    """Yield the cleaner with the memory of --site-memory, saved if no exception is raised; without one, the cleaner.

    Raises:
        InputError: the options contradict each other, or the file is damaged.
    """
    path = args.site_memory
    if path is None:
        if args.site_memory_pages is not None:
            raise InputError("--site-memory-pages belongs to a memory: name its FILE with --site-memory")
        yield cleaner
        return
    if path == STDIN:
        raise InputError("--site-memory is read and then written: name a file, not -")
    pages = args.site_memory_pages
    known = os.path.lexists(path)
    memory = SiteMemory.load(path, pages) if known else SiteMemory(DEFAULT_PAGES if pages is None else pages)
    with atomic_write(path) as file:  # opened now: a path that cannot be written is reported before the work is done
        yield cleaner.remembering(memory)
        file.write(memory.to_bytes())
