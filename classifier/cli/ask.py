"""`tinsach ask`: labels from a language model, through prompt files for any chat window or through a server."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.cli.messages import say
from classifier.cli.on_error import inputs_of, report_left_out
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.sources import Source, targets_in
from classifier.io.encoding import Decoding
from classifier.lines import FORM_FEED, split_lines

if TYPE_CHECKING:
    from classifier.asking.conversation import Planned
    from classifier.asking.endpoint import Endpoint
    from classifier.asking.folder import AskedPage
    from classifier.jobs.job import Job

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Have a language model label pages, for tinsach review and retraining."

EXAMPLES = """example:
  tinsach ask pages --output-dir asked         # write prompts; save each answer beside its prompt, as NAME.answer.txt
  tinsach ask --read asked                     # check the answers and write labelled pages
  tinsach ask pages --output-dir asked --endpoint http://127.0.0.1:8000/v1 --model NAME

the key of a server is read from OPENAI_API_KEY; exit status: 0 all pages labelled, or asked; 1 some left out; 2 bad usage or input"""

COMPLAINTS = 10  # shown for each page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("files", nargs="*", metavar="PAGE", help="pages of text or HTML, or folders of them")
    parser.add_argument(
        "--output-dir", metavar="DIR", help="folder for prompts, answers and labelled pages; a folder of pages keeps its tree"
    )
    parser.add_argument("--read", nargs="+", metavar="ANSWERS", help="read answers: NAME.answer.txt files, or folders of them")
    parser.add_argument("--endpoint", metavar="URL", help="ask an OpenAI-compatible server; says what it will send, and asks first")
    parser.add_argument("--model", metavar="NAME", help="model on that server")
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="wait this long for the server's next byte (default: 300)")
    parser.add_argument("--force", action="store_true", help="overwrite labelled pages, including corrections made in them")
    parser.add_argument("--format", choices=("text", "html"), help="format of every PAGE (default: by its name)")
    parser.add_argument("--encoding", metavar="NAME", help="decode pages as NAME (default: UTF-8, or by byte order mark)")


def run(args: argparse.Namespace) -> int:
    """Write prompts, read answers, or do both through a server; return the exit status."""
    _check(args)
    if args.read:
        from classifier.asking.folder import find_asked

        return _label(args, find_asked(args.read))
    endpoint = _endpoint(args)
    pages, left_out = _lay_out(args)
    if endpoint is None:
        prompts = sum(len(page.parts) for page in pages)
        say(
            f"tinsach: {prompts} prompt{'s' * (prompts != 1)} in {args.output_dir}; save each answer beside its prompt, with answer in "
            f"place of prompt in its name; then run tinsach ask --read {args.output_dir}"
        )
        return left_out
    return max(_ask(args, endpoint, pages), left_out)


def _check(args: argparse.Namespace) -> None:
    """Reject options that do not belong together."""
    if args.read and (args.files or args.output_dir or args.endpoint):
        raise InputError("--read writes labelled pages beside the answers it names; leave out PAGE, --output-dir and --endpoint")
    if not args.read and not (args.files and args.output_dir):
        raise InputError("name the pages to ask and an --output-dir for the prompts, or the answers to --read")
    if bool(args.endpoint) != bool(args.model):
        raise InputError("--endpoint and --model belong together: the address of a server, and the name of a model on it")
    if not args.endpoint and (args.yes or args.timeout is not None):
        raise InputError("--yes and --timeout are about sending pages; name the --endpoint to send them to")
    if args.timeout is not None and not 0 < args.timeout < inf:
        raise InputError(f"--timeout {args.timeout}: give a number of seconds above 0")
    if args.force and not (args.read or args.endpoint):
        raise InputError("--force overwrites labelled pages, and prompts alone make none; leave it out")


# -- prompts -------------------------------------------------------------------------------------------------------------------


def _lay_out(args: argparse.Namespace) -> tuple[list[AskedPage], int]:
    """Write the prompts of all pages; return the pages, and 1 if some files were left out, else 0."""
    import classifier
    from classifier.asking.folder import lay_out
    from classifier.jobs.job import ErrorPolicy, Job

    args.on_error, args.quarantine = "skip", None  # for the functions that commands share
    sources = inputs_of(args, args.output_dir)
    targets = _targets(args, sources)
    options = Options(Decoding(args.encoding).checked(), FORM_FEED, "text", trusted=args.format is not None)
    job = Job(classifier.load(), options, ErrorPolicy(skip=True))
    pages: list[AskedPage] = []
    for source, target in zip(sources, targets):
        with job.attempt(source):
            for lines in _only_page(job, source):
                pages.append(lay_out(lines, target))
    return pages, report_left_out(args, job, len(sources))


def _targets(args: argparse.Namespace, sources: Sequence[Source]) -> list[Path]:
    """Return the path of each page's files in the output folder, without suffixes."""
    folder = os.path.realpath(args.output_dir)
    for source in sources:
        if source.format not in ("text", "html"):
            raise InputError(f"{source.name}: not a page of text or HTML, but {source.format}; put each of its pages into a file")
        if os.path.dirname(os.path.realpath(source.path)) == folder:
            raise InputError(f"{source.name}: in --output-dir, among prompts and answers; keep pages in another folder")
    return [Path(path).with_suffix("") for path in targets_in(args.output_dir, sources, ".tsv")]


def _only_page(job: Job, source: Source) -> Iterator[list[str]]:
    """Yield the lines of an input that holds one page; nothing if it is a bad file, which the job has counted."""
    from classifier.jobs.job import BAD_FILES
    from classifier.jobs.labelling import pages_of

    bad = job.counts[BAD_FILES]
    pages = [split_lines(page.text) for page in pages_of(job, source, last=False)]
    if job.counts[BAD_FILES] > bad:
        return
    if len(pages) > 1:
        raise InputError(f"{source.name}: several pages; put each into a file of its own")
    yield from pages


# -- a server ------------------------------------------------------------------------------------------------------------------


def _endpoint(args: argparse.Namespace) -> Endpoint | None:
    if not args.endpoint:
        return None
    from classifier.asking.endpoint import TIMEOUT, Endpoint

    return Endpoint(args.endpoint, args.model, TIMEOUT if args.timeout is None else args.timeout)


def _ask(args: argparse.Namespace, endpoint: Endpoint, pages: Sequence[AskedPage]) -> int:
    """Ask the pages without an answer, once that is agreed to, and write the labelled pages, also if a later page fails."""
    from classifier.asking.conversation import planned

    plans = [plan for page in pages if args.force or not page.labelled.exists() if (plan := planned(page)).parts]
    if plans:
        _agree(args, endpoint, plans)
    failed: list[AskedPage] = []
    try:
        for number, plan in enumerate(plans, 1):
            failed += [] if _ask_page(endpoint, plan, f"{number} of {len(plans)}") else [plan.page]
    finally:
        status = _label(args, [page for page in pages if page not in failed])
    return 1 if failed else status


def _ask_page(endpoint: Endpoint, plan: Planned, progress: str) -> bool:
    """Ask the parts of a page; say what is wrong with the last answer to a part, and return whether all were answered."""
    from classifier.asking.conversation import ATTEMPTS, ask_part
    from classifier.asking.endpoint import Refused

    for part in plan.parts:
        try:
            complaints = ask_part(endpoint, plan.page, part)
        except Refused as error:
            complaints = [str(error)]
        if complaints:
            _complain(complaints)
            say(f"tinsach: {plan.page.base}: no usable answer, of at most {ATTEMPTS}; correct the last one and save it as "
                f"{plan.page.file('answer', part)}, or run the command again ({progress})")  # fmt: skip
            return False
    say(f"tinsach: {plan.page.base}: answered ({progress})")
    return True


def _agree(args: argparse.Namespace, endpoint: Endpoint, plans: Sequence[Planned]) -> None:
    """Say what will be sent where, and ask whether to send it.

    Raises:
        InputError: the user does not agree, or cannot be asked.
    """
    from classifier.asking.conversation import ATTEMPTS
    from classifier.asking.endpoint import KEY

    parts = [part for plan in plans for part in plan.parts]
    lines, characters = sum(len(part.lines) for part in parts), sum(plan.characters for plan in plans)
    key = f"with the key in {KEY}" if endpoint.uses_key else "without a key"
    say(f"tinsach: {len(plans)} page{'s' * (len(plans) != 1)}, {lines:,} lines in {len(parts)} prompt{'s' * (len(parts) != 1)} of "
        f"{characters:,} characters, will be sent to {endpoint.host}, model {endpoint.model}, {key}; a prompt whose answer is wrong "
        f"is sent at most {ATTEMPTS} times")  # fmt: skip
    if args.yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("nothing was sent: there is no terminal to ask whether to send the pages; add --yes if they may be sent")
    say("tinsach: send them? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError(f"nothing was sent; the prompts are in {args.output_dir}")


# -- answers -------------------------------------------------------------------------------------------------------------------


def _label(args: argparse.Namespace, pages: Sequence[AskedPage]) -> int:
    """Write the labelled pages of complete answers; name what is wrong with the others, and return the exit status."""
    from classifier.jobs.stats import counted

    written, existing, wrong = 0, 0, 0
    unanswered: list[AskedPage] = []
    for page in pages:
        if page.labelled.exists() and not args.force:
            existing += 1
        elif not (paths := page.answers):
            unanswered.append(page)
        elif complaints := (answer := page.read(paths)).complaints:
            _complain(complaints)
            wrong += 1
        else:
            page.write(answer, page.labelled)
            written += 1
    if existing:
        say(f"tinsach: {counted(existing, 'labelled page')} there already, left as found (--force overwrites corrections too)")
    if wrong:
        say(f"tinsach: {counted(wrong, 'page')} left out: correct the answers named above, or remove them to ask again")
    if unanswered:
        say(f"tinsach: {counted(len(unanswered), 'page')} without an answer, such as {unanswered[0].file('answer')}")
    say(f"tinsach: wrote {counted(written, 'labelled page')}; correct them with tinsach review")
    return 1 if wrong or unanswered else 0


def _complain(complaints: Sequence[str]) -> None:
    say(*complaints[:COMPLAINTS])
    if len(complaints) > COMPLAINTS:
        say(f"... and {len(complaints) - COMPLAINTS} more about this answer")
