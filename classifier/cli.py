"""The command line: `tinsach clean|label|info`, thin over `Cleaner`.

Reads UTF-8 text from files or standard input and writes to standard output or `--output`; files are written beside their
place and renamed when whole. Exit status: 0 done, 2 bad usage or input, 130 interrupted, 141 the reader of the pipe left.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import classifier
from classifier.cleaner import LabelledLine, Stream
from classifier.errors import InputError, TinsachError
from classifier.labels import LABELS, Label
from classifier.lines import LineSplitter

__all__ = ["main"]

CHUNK = 1 << 18
FORM_FEED = "\f"
EXAMPLES = {
    "clean": """example:
  tinsach clean page.txt --dropped dropped.tsv > article.txt
  cat page.txt | tinsach clean --keep title,body,caption""",
    "label": """example:
  tinsach label page.txt
  cat page.txt | tinsach label --output jsonl""",
    "info": """example:
  tinsach info
  tinsach info --model models/vi-news.npz""",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(argv)
    try:
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Python flushes standard output once more on exit, into the same closed pipe: give it another place to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except (TinsachError, OSError) as error:
        print(f"tinsach: {_one_line(error)}", file=sys.stderr)
        return 2


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check the path and its permissions"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinsach", description="Label the lines of Vietnamese news pages and stream out the clean article."
    )
    parser.add_argument("--version", action="version", version=f"tinsach {classifier.__version__}")
    commands = parser.add_subparsers(required=True, metavar="clean|label|info")

    def command(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=summary, description=summary, epilog=EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.set_defaults(run=run)
        sub.add_argument("--model", metavar="PATH", help="model file or folder (default: the shipped model)")
        return sub

    clean = command("clean", _clean, "Print the kept lines of each page.")
    label = command("label", _label, "Print every line with its label and probability.")
    command("info", _info, "Print what the model says of itself.")
    for sub in (clean, label):
        sub.add_argument("files", nargs="*", metavar="FILE", help="UTF-8 text, one page or several (default: standard input)")
        sub.add_argument(
            "--keep", default="title,body", metavar="LABELS", help=f"labels to keep, of: {', '.join(LABELS)} (default: title,body)"
        )
        sub.add_argument("--threshold", type=float, metavar="P", help="keep a line when its kept labels' probabilities add up to P or more")
        sub.add_argument(
            "--page-separator", default=FORM_FEED, metavar="TEXT",
            help="a line that is TEXT starts a new page; the default is a form feed, which counts anywhere",
        )  # fmt: skip
    clean.add_argument("--dropped", metavar="FILE", help="write the lines removed to FILE, as label<TAB>line")
    clean.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    clean.add_argument("--summary", action="store_true", help="say on standard error how many lines of each label were kept and dropped")
    label.add_argument("--output", choices=("tsv", "jsonl"), default="tsv", help="form of the lines (default: tsv)")
    return parser


# -- commands ------------------------------------------------------------------------------------------------------------


def _clean(args: argparse.Namespace) -> int:
    counts: Counter[tuple[bool, Label]] = Counter()
    with ExitStack() as stack:
        pages = _pages(args, stack)
        out = stack.enter_context(_whole_file(args.output)) if args.output else sys.stdout.buffer
        dropped = stack.enter_context(_whole_file(args.dropped)) if args.dropped else None
        for lines in pages:
            if isinstance(lines, str):
                out.write(lines.encode())
                continue
            kept = [line.text for line in lines if line.kept]
            removed = [line for line in lines if not line.kept and line.label]
            counts.update((line.kept, line.label) for line in lines if line.label)
            if kept:
                out.write(("\n".join(kept) + "\n").encode())
                out.flush()
            if dropped and removed:
                dropped.write("".join(f"{line.label}\t{line.text}\n" for line in removed).encode())
    if args.summary:
        print(_summary(counts), file=sys.stderr)
    return 0


def _summary(counts: Counter[tuple[bool, Label]]) -> str:
    parts = []
    for kept, word in ((True, "kept"), (False, "dropped")):
        by_label = ", ".join(f"{label} {counts[kept, label]}" for label in LABELS if counts[kept, label])
        parts.append(
            f"{word} {sum(count for (side, _), count in counts.items() if side == kept)} lines" + (f": {by_label}" if by_label else "")
        )
    return "\n".join(parts)


def _label(args: argparse.Namespace) -> int:
    form = _as_jsonl if args.output == "jsonl" else _as_tsv
    number = 1
    with ExitStack() as stack:
        for lines in _pages(args, stack):
            if isinstance(lines, str):
                number += 1
                text = "" if args.output == "jsonl" else lines.rstrip("\n") + "\n"
            else:
                text = "".join(form(line, number) for line in lines)
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
    return 0


def _as_tsv(line: LabelledLine, page: int) -> str:
    return f"{line.label or '-'}\t{line.probability:.4f}\t{line.text}\n"


def _as_jsonl(line: LabelledLine, page: int) -> str:
    record = {"page": page, **line._asdict(), "probability": round(line.probability, 4)}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _info(args: argparse.Namespace) -> int:
    manifest = classifier.load(args.model).model.manifest
    sys.stdout.write(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    return 0


# -- input and output ----------------------------------------------------------------------------------------------------


def _pages(args: argparse.Namespace, stack: ExitStack) -> Iterator[list[LabelledLine] | str]:
    """Yield decided lines as they come, and the page separator as a string between pages.

    Everything that can be refused is refused before the first line is read.
    """
    if not args.page_separator or "\n" in args.page_separator:
        raise InputError("--page-separator has to be a text without line ends")
    cleaner = classifier.load(args.model, keep=args.keep, threshold=args.threshold)
    sources: list[tuple[str, BinaryIO]] = []
    for name in args.files or ["-"]:
        if name == "-":
            sources.append(("standard input", sys.stdin.buffer))
            continue
        path = Path(name)
        if path.is_dir():
            raise InputError(f"{name}: a folder; name the files in it, for example {name.rstrip('/')}/*.txt")
        sources.append((name, stack.enter_context(path.open("rb"))))
    return _labelled(cleaner.stream(), (source for _, source in sources), args.page_separator)


def _labelled(stream: Stream, sources: Iterable[BinaryIO], separator: str) -> Iterator[list[LabelledLine] | str]:
    between = separator if separator == FORM_FEED else separator + "\n"
    for index, source in enumerate(sources):
        if index:
            yield between
        for lines in _line_blocks(source):
            for number, part in enumerate(_split_pages(lines, separator)):
                if number:
                    yield stream.end_page()
                    yield between
                yield stream.feed_lines(part)
        yield stream.end_page()


def _line_blocks(source: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of a source, as many at a time as it has ready."""
    splitter = LineSplitter()
    read = getattr(source, "read1", source.read)
    while chunk := read(CHUNK):
        yield splitter.feed(chunk)
    yield splitter.flush()


def _split_pages(lines: list[str], separator: str) -> list[list[str]]:
    """Cut a block of lines at page separators."""
    pages: list[list[str]] = [[]]
    for line in lines:
        if separator == FORM_FEED and FORM_FEED in line:
            before, *others = line.split(FORM_FEED)
            if before:
                pages[-1].append(before)
            pages += [[other] if other else [] for other in others]
        elif line == separator:
            pages.append([])
        else:
            pages[-1].append(line)
    return pages


@contextmanager
def _whole_file(path: str) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name only when it is complete."""
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{path}: a folder; name a file to write")
    try:
        handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no folder {target.parent}; make it first") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)  # mkstemp's files are private; a result should be as readable as any other
        os.replace(scratch, target)
    except BaseException:
        os.unlink(scratch)
        raise
