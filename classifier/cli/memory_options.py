"""Command-line options of the site memory: a file that is learned from and updated, or two passes over the inputs."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from classifier.cleaner import Cleaner
from classifier.cli.messages import say
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.sources import Source
from classifier.io.files import STDIN, atomic_write
from classifier.sites.memory import DEFAULT_PAGES, SiteMemory

if TYPE_CHECKING:
    from classifier.jobs.job import ErrorPolicy

__all__ = ["AUTO", "add_memory", "check_memory", "learned_first", "memory_file", "remembering", "with_sites"]

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
