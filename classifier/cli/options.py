"""Shared command-line options: the model, what is read and how, what is kept, and where the output goes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import ATTRIBUTES, NEEDS_REVIEW, ON_NULL, Options
from classifier.formats.names import FORMATS
from classifier.formats.size_limit import size_of
from classifier.io.encoding import POLICIES, Decoding
from classifier.io.notices import NOTHING_KEPT
from classifier.labels import DEFAULT_KEEP, LABELS, Label, parse_keep
from classifier.record.finishing import DEDUPE, JOIN, NORMALIZE

if TYPE_CHECKING:
    from classifier.jobs.stats import Stats

__all__ = [
    "add_fields",
    "add_finish",
    "add_keep",
    "add_model",
    "add_output",
    "add_reading",
    "labels_to_keep",
    "reading_options",
    "refuse_kind_as_output",
    "report_notices",
    "steps_of",
    "with_record_options",
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
    parser.add_argument(
        "--max-record-size", metavar="SIZE", default="64M",
        help="refuse a record, or a line of text, of more than SIZE bytes, as in 500K, 64M (default) or 1G",
    )  # fmt: skip
    parser.add_argument("--html-hidden", action="store_true", help="HTML: read hidden elements too")
    parser.add_argument("--html-alt", action="store_true", help="HTML: read the alternative texts of pictures too")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the input files and the options for reading them, --model, --keep and --threshold."""
    add_model(parser)
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="text or HTML pages, records, a folder or pattern of them, or URLs (default: standard input)",
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
    if not args.page_separator or set("\r\n") & set(args.page_separator):
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
        InputError: the delimiter is not one character, or the size no number.
    """
    delimiter = {"tab": "\t", "\\t": "\t"}.get(args.delimiter, args.delimiter)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InputError(f"--delimiter {args.delimiter!r}: give one character, as in ';', or tab")
    return options._replace(
        join_lists=args.join_lists,
        delimiter=delimiter,
        max_record=size_of(args.max_record_size, "--max-record-size"),
        text_format=args.text_format,
        html_hidden=args.html_hidden,
        html_alt=args.html_alt,
    )


def report_notices(stats: Stats, all_shown: bool = False) -> None:
    """Report the pages that are not plain lines of Vietnamese text, in one line per kind.

    Where all lines are shown, kept or not, pages that keep none are not reported.
    """
    say(*(f"tinsach: {line}" for line in stats.notice_lines(but=NOTHING_KEPT if all_shown else "")))
