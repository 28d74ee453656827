"""The command line, thin over `Cleaner` and `jobs`: `tinsach clean|label|review|filter|explain|info|drift|pick`.

Exit status: 0 done, 1 done but for records left out (of drift: something moved), 2 bad usage or input, 130, 143 and 129 stopped by
SIGINT, SIGTERM and SIGHUP, 141 the reader of the pipe left. An output file is whole or not there, whatever the status.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import classifier
from classifier import drift_command, explain_command, filtering, label_command, memory_options, pick_command, review_command, site_options
from classifier.encoding import POLICIES, Reading
from classifier.errors import InputError, TinsachError
from classifier.files import explained, naming, refuse_same_file, standard_output, sweep, whole_file
from classifier.formats import ATTRIBUTES, FORMATS, NEEDS_REVIEW, OUTPUTS
from classifier.labels import LABELS
from classifier.signals import Stopped, stoppable
from classifier.sources import Source, find_sources, targets_in

if TYPE_CHECKING:
    from classifier.jobs import Job, Options

__all__ = ["main"]

EXAMPLES = {
    "clean": """example:
  tinsach clean page.txt --dropped dropped.tsv > article.txt
  cat page.txt | tinsach clean --keep title,body,caption
  tinsach clean crawl.jsonl --text-field text --on-error quarantine bad.jsonl --output clean.jsonl
  tinsach clean page.html
  tinsach clean crawl --output-dir clean --resume --jobs 2 --stats stats.json""",
    "label": label_command.EXAMPLES,
    "explain": explain_command.EXAMPLES,
    "info": """example:
  tinsach info
  tinsach info --model models/vi-news.npz""",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(_spread(sys.argv[1:] if argv is None else argv))
    try:
        with stoppable():
            status = int(args.run(args))
            if sys.stdout:
                with naming("standard output"):
                    sys.stdout.flush()
            return status
    except BrokenPipeError:
        _forget_stdout()
        return 141
    except KeyboardInterrupt as stop:
        return stop.status if isinstance(stop, Stopped) else 130
    except OSError as error:
        if error.filename == "standard output":
            _forget_stdout()
        _say(_printable(f"tinsach: {explained(error)}"))
    except TinsachError as error:
        _say(_printable(f"tinsach: {error}"))
    return 2


def _printable(message: str) -> str:
    """Return the message in one line, and without what a file's name could do to a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)


def _say(message: str) -> None:
    if sys.stderr:  # closed, it is None, and print would take standard output instead
        print(message, file=sys.stderr)


def _forget_stdout() -> None:
    """Python flushes standard output once more on exit, to where it has just failed: give it another place to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _spread(argv: Sequence[str]) -> list[str]:
    """Give the FILE of `--on-error quarantine FILE` an option of its own: argparse knows no options of one or two words."""
    spread: list[str] = []
    for word in argv:
        asked = spread[-1:] == ["--on-error=quarantine"] or spread[-2:] == ["--on-error", "quarantine"]
        if asked and not word.startswith("-"):
            spread.append("--quarantine")
        spread.append(word)
    return spread


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinsach", description="Label the lines of Vietnamese news pages and stream out the clean article."
    )
    parser.add_argument("--version", action="version", version=f"tinsach {classifier.__version__}")
    commands = parser.add_subparsers(required=True, metavar="clean|label|review|filter|explain|info|drift|pick")

    def command(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=summary, description=summary, epilog=EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.set_defaults(run=run)
        sub.add_argument("--model", metavar="PATH", help="model file or folder (default: the shipped model)")
        return sub

    clean = command("clean", _clean, "Print the kept lines of each page.")
    label = command("label", _label, "Print every line with its label and probability.")
    filtering.register(commands)
    review_command.register(commands)
    explain = command("explain", _explain, "Show each line with its label, and what decided it.")
    command("info", _info, "Print what the model says of itself.")
    for sub in (clean, label, explain):
        _add_reading(sub)
        site_options.add_options(sub)
    explain_command.add_options(explain)
    memory_options.add_options(clean)
    memory_options.add_options(label)
    drift_command.register(commands, _add_reading, _options)
    pick_command.register(commands, _add_reading, _options)
    _add_writing(clean)
    label_command.add_options(label)
    return parser


def _add_reading(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "files", nargs="*", metavar="FILE", help="text, one page or several; records; a folder or pattern of such (default: standard input)"
    )
    sub.add_argument(
        "--keep", default="title,body", metavar="LABELS", help=f"labels to keep, of: {', '.join(LABELS)} (default: title,body)"
    )
    sub.add_argument("--threshold", type=float, metavar="P", help="keep a line when its kept labels' probabilities add up to P or more")
    sub.add_argument(
        "--page-separator", default="\f", metavar="TEXT",
        help="a line that is TEXT starts a new page; the default is a form feed, which counts anywhere",
    )  # fmt: skip
    sub.add_argument("--blank-lines", type=int, default=0, metavar="N", help="N blank lines or more start a new page, a form feed does not")
    sub.add_argument("--format", choices=FORMATS, help="format of every FILE (default: by its name, as in page.html or crawl.jsonl.zst)")
    sub.add_argument("--text-field", default="text", metavar="NAME", help="field or column that holds a record's page (default: text)")
    sub.add_argument("--id-field", default="id", metavar="NAME", help="field or column that holds a record's id (default: id)")
    sub.add_argument(
        "--encoding", metavar="NAME", help="read the bytes as this, no questions asked (default: UTF-8, or by byte order mark)"
    )
    sub.add_argument(
        "--encoding-errors", choices=POLICIES, default="replace",
        help="bytes that cannot be decoded: replace by U+FFFD (default), strict: fail and say where, skip: leave out and count",
    )  # fmt: skip


def _add_writing(clean: argparse.ArgumentParser) -> None:
    clean.add_argument("--dropped", metavar="FILE", help="write the lines removed to FILE, as label<TAB>line")
    clean.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    clean.add_argument("--output-dir", metavar="DIR", help="write the clean form of each FILE into DIR, a folder's as a tree like its own")
    clean.add_argument("--resume", action="store_true", help="leave alone what an earlier run finished in --output-dir, do the rest")
    clean.add_argument(
        "--labels", action="store_true", help="add to each record, as 'attributes', the spans of its clean text's lines by label"
    )
    clean.add_argument(
        "--max-dropped", type=float, metavar="SHARE",
        help="flag pages that lose more than SHARE (0 to 1) of their characters: needs_review in the record, named on standard error",
    )  # fmt: skip
    clean.add_argument("--jobs", type=int, default=1, metavar="N", help="clean in N processes (default: 1; -1: as many as cores)")
    clean.add_argument(
        "--on-error", choices=("fail", "skip", "quarantine"), default="fail", metavar="fail|skip|quarantine FILE",
        help="a bad record: fail (default), skip it, or put it into FILE as it is; status 1 if there was one",
    )  # fmt: skip
    clean.add_argument("--quarantine", metavar="FILE", help=argparse.SUPPRESS)  # see _spread
    clean.add_argument("--summary", action="store_true", help="say on standard error how many lines of each label were kept and dropped")
    clean.add_argument(
        "--stats", metavar="FILE", help="write what was counted to FILE as JSON: pages, records, lines by label, share dropped, speed"
    )


# -- commands ------------------------------------------------------------------------------------------------------------


def _clean(args: argparse.Namespace) -> int:
    from classifier.folders import clean_into_folder
    from classifier.jobs import Faults, Job, clean_into_one
    from classifier.progress import progress

    sources = find_sources(args.files or ["-"], args.format, args.output_dir)
    _check_outputs(args, sources)
    options = _options(args, sources)
    cleaner = site_options.site_cleaner(args)
    if args.resume and args.quarantine:
        sweep(Path(os.path.realpath(args.quarantine)).parent, alone=False)
    with ExitStack() as stack:
        cleaner = stack.enter_context(memory_options.remembering(args, cleaner))  # first in, so that it is saved last
        output, dropped, quarantine, stats = (
            stack.enter_context(whole_file(path)) if path else None for path in (args.output, args.dropped, args.quarantine, args.stats)
        )
        job = Job(cleaner, options, Faults(args.on_error == "skip", quarantine), dropped, args.jobs)
        job.tell = stack.enter_context(progress(not args.output_dir and not args.output and _is_terminal(sys.stdout)))
        found = 0
        if args.output_dir:
            found = clean_into_folder(job, sources, Path(args.output_dir), args.resume)
        else:
            clean_into_one(job, sources, output or standard_output())
        if stats:
            stats.write(job.statistics(len(sources), found))
    return _report(args, job, len(sources), found)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _check_outputs(args: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Refuse outputs that contradict each other or the inputs, before anything is read or written."""
    if args.on_error == "quarantine" and not args.quarantine:
        raise InputError("--on-error quarantine takes the FILE for bad records: --on-error quarantine bad.jsonl")
    if args.quarantine and not args.files and os.path.isfile(args.quarantine) and os.path.getsize(args.quarantine):
        raise InputError(f"{args.quarantine}: exists, and would be overwritten with bad records; name the input too (- for standard input)")
    if args.resume and (not args.output_dir or args.dropped):
        raise InputError("--resume goes on with a job of one output for each input: name its --output-dir, and leave out --dropped")
    if args.output_dir and args.output:
        raise InputError("--output and --output-dir contradict each other; give one of them")
    if not args.output_dir and len({OUTPUTS.get(source.format, source.format) for source in sources}) > 1:
        raise InputError("files of different formats cannot share an output; name an --output-dir, or one --format for all")
    if args.labels and any(source.format in ("text", "html", "warc") for source in sources):
        raise InputError("--labels adds a field, which text, HTML and WARC have none of; see tinsach label --output jsonl")
    named = [path for path in (args.output, args.dropped, args.quarantine, args.stats, args.site_memory) if path]
    named += map(str, targets_in(args.output_dir, sources) if args.output_dir else ())
    refuse_same_file([*sources, *site_options.files_read(args)], named)


def _options(args: argparse.Namespace, sources: Sequence[Source]) -> Options:
    from classifier.jobs import Options

    if not args.page_separator or "\n" in args.page_separator:
        raise InputError("--page-separator has to be a text without line ends")
    if args.blank_lines < 0 or (args.blank_lines and args.page_separator != "\f"):
        raise InputError("--blank-lines takes a number of lines, and no --page-separator beside it")
    reading = Reading(args.encoding, args.encoding_errors).checked()
    most, labels = getattr(args, "max_dropped", None), getattr(args, "labels", False)
    if most is not None and not 0 <= most <= 1:
        raise InputError(f"--max-dropped {most}: give a share from 0 to 1")
    site = site_options.site_field(args, sources)
    adds = [NEEDS_REVIEW] * (most is not None) + [ATTRIBUTES] * labels
    return Options(reading, args.page_separator, args.text_field, args.id_field, tuple(adds), args.blank_lines, most, site)


def _report(args: argparse.Namespace, job: Job, files: int, found: int) -> int:
    """Say what the user should know, and return the exit status."""
    records, bad = job.counts["records"], job.counts["bad"]
    if args.summary:
        _say(job.tally.in_words())
        if args.output_dir:
            _say(f"cleaned {files - found} files, found {found} finished")
    if job.counts["undecodable"]:
        _say(f"tinsach: left out {job.counts['undecodable']} bytes that cannot be decoded")
    if job.counts[NEEDS_REVIEW]:
        names = "; ".join(job.review) + ("; ..." if job.counts[NEEDS_REVIEW] > len(job.review) else "")
        _say(_printable(f"tinsach: {job.counts[NEEDS_REVIEW]} pages lost more than {args.max_dropped:.0%} of their text: {names}"))
    site_options.tell(args, job.counts)
    if bad or (records and args.summary):
        fate = f"put into {args.quarantine}" if args.quarantine else "skipped"
        _say(f"tinsach: {records} records in, {records - bad} out, {bad} {fate}")
    return 1 if bad else 0


def _label(args: argparse.Namespace) -> int:
    return label_command.run(args, _options)


def _explain(args: argparse.Namespace) -> int:
    sources = find_sources(args.files or ["-"], args.format)
    return explain_command.run(args, site_options.site_cleaner(args), _options(args, sources), sources)


def _info(args: argparse.Namespace) -> int:
    manifest = classifier.load(args.model).model.manifest
    standard_output().write((json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
    return 0
