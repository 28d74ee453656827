"""Command-line entry point: parse the arguments, run one command, map exceptions to exit statuses.

A command is a module with `SUMMARY`, `EXAMPLES`, `add_arguments(parser)` and `run(args) -> int`.

Exit status: 0 success; 1 success, but records or pages were left out (`drift`: something moved); 2 bad usage or input; 130, 143 and
129 stopped by SIGINT, SIGTERM and SIGHUP; 141 broken pipe. Output files are complete or absent, whatever the status.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from classifier.cli import ask, clean, drift, explain, extract, filter, info, label, pick, profile, review
from classifier.cli.messages import say
from classifier.cli.on_error import with_quarantine_option
from classifier.cli.options import labels_to_keep
from classifier.cli.signals import Stopped, stoppable
from classifier.errors import InputError, TinsachError
from classifier.io.files import error_filename, os_error_message
from classifier.io.notices import without_warnings
from classifier.io.urls import is_url
from classifier.version import __version__

__all__ = ["main"]

COMMANDS = {
    "clean": clean, "extract": extract, "label": label, "review": review, "filter": filter, "explain": explain, "info": info,
    "drift": drift, "pick": pick, "ask": ask, "profile": profile,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names (default: `sys.argv[1:]`) and return its exit status."""
    args = _parse(with_quarantine_option(sys.argv[1:] if argv is None else argv))
    try:
        _refuse_empty(args)
        _refuse_urls(args)
        if "keep" in args:
            args.keep = labels_to_keep(args.keep, args.drop)
        with stoppable(), without_warnings():  # commands report the notices themselves
            status = COMMANDS[args.command].run(args)
            if sys.stdout:
                with error_filename("standard output"):
                    sys.stdout.flush()
            return status
    except BrokenPipeError:
        _discard_stdout()
        return 141
    except KeyboardInterrupt as stop:
        if "fsspec" in sys.modules:
            from classifier.io.storage import cancel_requests

            cancel_requests()
        return stop.status if isinstance(stop, Stopped) else 130
    except OSError as error:
        if error.filename == "standard output":
            _discard_stdout()
        say(f"tinsach: {os_error_message(error)}")
    except TinsachError as error:
        say(f"tinsach: {error}")
    return 2


def _discard_stdout() -> None:
    """Point standard output's file descriptor at the null device, so that the interpreter's final flush cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        say(f"tinsach: {message}; see {self.prog} --help")
        raise SystemExit(2)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="tinsach", description="Label each line of Vietnamese news pages and print the clean articles.")
    parser.add_argument("--version", action="version", version=f"tinsach {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, command in COMMANDS.items():
        form = argparse.RawDescriptionHelpFormatter
        sub = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY, epilog=command.EXAMPLES, formatter_class=form)
        command.add_arguments(sub)
    args, unknown = parser.parse_known_args(argv)
    if unknown:  # `parse_args` would point to the help of tinsach, not to that of the command
        advice = "" if any(word.startswith("-") for word in unknown) else "; name all FILEs together, before the options or after them"
        commands.choices[args.command].error(f"unknown arguments: {' '.join(unknown)}{advice}")
    return args


# Arguments that are files of this machine only: mapped into memory, written in place, or opened in the browser.
LOCAL = ("model", "sites", "site_profile", "site_memory", "retrained", "html")
LOCAL_PAGES = {"ask": ("files", "output_dir", "read"), "review": ("files",)}


def _refuse_urls(args: argparse.Namespace) -> None:
    """Raise InputError if an argument that takes files of this machine is a URL, which would pass for the name of a new file."""
    for name in (*LOCAL, *LOCAL_PAGES.get(args.command, ())):
        value = getattr(args, name, None)
        for address in value if isinstance(value, list) else [value]:
            if address and is_url(address):
                raise InputError(f"{address}: {_place_of(name)} takes files of this machine; copy it here first")


def _place_of(name: str) -> str:
    """Return how messages call an argument."""
    places = {"file": "FILE", "files": "FILE", "quarantine": "the FILE of --on-error quarantine"}
    return places.get(name, f"--{name.replace('_', '-')}")


def _refuse_empty(args: argparse.Namespace) -> None:
    """Raise InputError if an argument is empty, as an unset variable of a shell script makes it."""
    for name, value in vars(args).items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise InputError(f"{_place_of(name)} is empty; give it a value, or leave it out")
