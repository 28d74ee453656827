"""`tinsach filter`: clean records by labels that an earlier `tinsach label --output jsonl` found, without running the model.

Records and their attributes are read side by side; where both have an id, the ids have to agree.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

from classifier.annotate import keep_spans, parse_thresholds
from classifier.compression import opened
from classifier.encoding import Reading
from classifier.errors import InputError
from classifier.files import refuse_same_file, standard_output, whole_file
from classifier.formats import FORMATS, BadRecord, Options, Reader, Writer
from classifier.labels import LABELS, Label, parse_keep
from classifier.sources import Source, find_sources

__all__ = ["register"]

EXAMPLES = """example:
  tinsach label crawl.jsonl --output jsonl > crawl.attributes.jsonl
  tinsach filter crawl.jsonl --attributes crawl.attributes.jsonl --keep title,body,caption --threshold body=0.6 > clean.jsonl"""


def register(commands: Any) -> None:
    """Add the command to the others."""
    summary = "Clean records by labels found before, without running the model."
    form = argparse.RawDescriptionHelpFormatter
    sub = commands.add_parser("filter", help=summary, description=summary, epilog=EXAMPLES, formatter_class=form)
    sub.set_defaults(run=run)
    sub.add_argument("file", metavar="FILE", help="the records that were labelled: JSON lines, CSV, TSV, Parquet or WET")
    sub.add_argument("--attributes", metavar="FILE", required=True, help="what `tinsach label --output jsonl` wrote of them")
    sub.add_argument(
        "--keep", default="title,body", metavar="LABELS", help=f"labels to keep, of: {', '.join(LABELS)} (default: title,body)"
    )
    sub.add_argument("--threshold", metavar="P", help="keep a line when its label has this probability; or by label: body=0.6,title=0.4")
    sub.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    sub.add_argument("--format", choices=FORMATS, help="format of FILE (default: by its name)")
    sub.add_argument("--text-field", default="text", metavar="NAME", help="field or column that holds a record's page (default: text)")
    sub.add_argument("--id-field", default="id", metavar="NAME", help="field or column that holds a record's id (default: id)")


def run(args: argparse.Namespace) -> int:
    """Filter a file of records."""
    from classifier.formats.registry import open_reader, open_writer

    source, *others = find_sources([args.file], args.format)
    if others:
        raise InputError(f"{args.file}: stands for {1 + len(others)} files; filter them one after the other")
    if source.format in ("text", "html"):
        raise InputError(f"{source.name}: text has no records to filter; name JSON lines, CSV, TSV, Parquet or WET, or a --format")
    refuse_same_file([source, Source(args.attributes, "jsonl")], [args.output] if args.output else [])
    needed = parse_thresholds(parse_keep(args.keep), args.threshold)
    options = Options(Reading(), "\f", args.text_field, args.id_field)
    with ExitStack() as stack:
        file = stack.enter_context(source.open())
        attributes = _attributes(args.attributes)
        out = stack.enter_context(whole_file(args.output)) if args.output else standard_output()
        reader = open_reader(source.format, file, source.name, options)
        with closing(open_writer(source.format, out, options)) as writer:
            _filter(reader, attributes, needed, writer, (source.name, args.attributes))
    return 0


def _filter(
    reader: Reader, attributes: Iterator[tuple[Any, Any]], needed: Mapping[Label, float], writer: Writer, names: tuple[str, str]
) -> None:
    """Write each record with what its attributes leave of its text."""
    name, other = names
    writer.follow(reader)
    for number, record in zip(count(1), reader):
        if isinstance(record, BadRecord):
            raise InputError(f"{name}:{record.line}: {record.reason}; repair the record, and label the file again")
        key, spans = next(attributes, (None, None))
        if spans is None:
            raise InputError(f"{other}: ends before record {number} of {name}; label the file again")
        own = json.loads(record.id)
        if None not in (key, own) and key != own:
            raise InputError(f"{other}:{number}: of record {key!r}, but {name} has {own!r} there; label the file again")
        try:
            text = keep_spans(record.text, spans, needed)
        except InputError as error:
            raise InputError(f"{other}:{number}: {error}") from error
        writer.put(record, text)
    if next(attributes, None) is not None:
        raise InputError(f"{other}: goes on behind the last record of {name}; label the file again")


def _attributes(path: str) -> Iterator[tuple[Any, Any]]:
    """Yield id and spans of each record."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                yield entry["id"], dict(entry["attributes"])
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(f"{path}:{number}: not what `tinsach label --output jsonl` writes; label the file again") from error
