"""`tinsach filter`: clean records with the labels of an earlier `tinsach label --as jsonl`, without running the model.

Records and attributes are streamed in parallel, one entry per record; where both have an id, the ids have to match.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

from classifier.cli.messages import say
from classifier.cli.options import add_fields, add_keep, with_record_options
from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options, Reader, Writer
from classifier.formats.names import FORMATS, conversion
from classifier.formats.sources import Source, find_sources, refuse_same_file
from classifier.io.compression import open_decompressed
from classifier.io.encoding import Decoding
from classifier.io.files import atomic_write, standard_output
from classifier.io.notices import NOTHING_KEPT, sentence
from classifier.jobs.spans import keep_spans, parse_thresholds
from classifier.labels import Label

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Clean records with labels from an earlier run, without running the model."

EXAMPLES = """example:
  tinsach label crawl.jsonl --as jsonl > crawl.attributes.jsonl
  tinsach filter crawl.jsonl --attributes crawl.attributes.jsonl --keep title,body,caption --threshold body=0.6 > clean.jsonl"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="the labelled records: JSON lines, CSV, TSV, Parquet or WET")
    parser.add_argument("--attributes", metavar="FILE", required=True, help="output of `tinsach label --as jsonl` for FILE")
    add_keep(parser)
    parser.add_argument(
        "--threshold", metavar="P", help="keep a line if its label's probability is P or more; or set P by label: body=0.6,title=0.4"
    )
    parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--format", choices=FORMATS, help="format of FILE (default: by its name)")
    add_fields(parser)


def run(args: argparse.Namespace) -> int:
    """Filter a file of records."""
    from classifier.formats.registry import open_reader, open_writer

    source, *others = find_sources([args.file], args.format)
    if others:
        raise InputError(f"{args.file}: stands for {1 + len(others)} files; filter them one at a time")
    if source.format in ("text", "html"):
        raise InputError(f"{source.name}: text has no records to filter; name JSON lines, CSV, TSV, Parquet or WET, or a --format")
    refuse_same_file([source, Source(args.attributes, "jsonl")], [args.output] if args.output else [])
    needed = parse_thresholds(args.keep, args.threshold)
    options = with_record_options(args, Options(Decoding(), "\f", args.text_field, args.id_field))
    options = options._replace(output=conversion(args.output, [source.format]))
    with ExitStack() as stack:
        file = stack.enter_context(source.open())
        attributes = _attributes(args.attributes)
        out = stack.enter_context(atomic_write(args.output)) if args.output else standard_output()
        reader = open_reader(source.format, file, source.name, options)
        with closing(open_writer(source.format, out, options)) as writer:
            emptied = _filter(reader, attributes, needed, writer, (source.name, args.attributes))
    if emptied:
        say(f"tinsach: {sentence(NOTHING_KEPT, emptied)}")
    return 0


def _filter(
    reader: Reader, attributes: Iterator[tuple[Any, Any]], needed: Mapping[Label, float], writer: Writer, names: tuple[str, str]
) -> int:
    """Write each record with the lines that its attributes and the thresholds keep; return how many texts that leaves empty."""
    name, other = names
    emptied = 0
    writer.follow(reader)
    for number, record in zip(count(1), reader):
        if isinstance(record, BadRecord):
            raise InputError(f"{name}:{record.line}: {record.reason}; repair the record, and label the file again")
        key, spans = next(attributes, (None, None))
        if spans is None:
            raise InputError(f"{other}: ends before record {number} of {name}; label the file again")
        record_id = json.loads(record.id)
        if None not in (key, record_id) and key != record_id:
            raise InputError(f"{other}:{number}: of record {key!r}, but {name} has {record_id!r} there; label the file again")
        try:
            text = keep_spans(record.text, spans, needed)
        except InputError as error:
            raise InputError(f"{other}:{number}: {error}") from error
        emptied += bool(spans) and not text
        writer.put(record, text)
    if next(attributes, None) is not None:
        raise InputError(f"{other}: goes on behind the last record of {name}; label the file again")
    return emptied


def _attributes(path: str) -> Iterator[tuple[Any, Any]]:
    """Yield the id and the spans of each record."""
    with open_decompressed(path) as file:
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                yield entry["id"], dict(entry["attributes"])
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise InputError(f"{path}:{number}: not what `tinsach label --as jsonl` writes; label the file again") from error
