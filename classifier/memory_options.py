"""`--site-memory FILE` of `tinsach clean` and `tinsach label`: a memory read before the run, and written after it if it went well.

What it leaves out: several processes, which could not agree on an order of pages, and going on with a job, whose finished pages are
not read again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from classifier.cleaner import Cleaner
from classifier.errors import InputError
from classifier.files import STDIN, whole_file
from classifier.site_memory import DEFAULT_PAGES, SiteMemory

__all__ = ["add_options", "remembering"]


def add_options(sub: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    sub.add_argument(
        "--site-memory", metavar="FILE",
        help="remember in FILE which lines stood on pages of the site, and doubt those seen before; made if it is not there",
    )  # fmt: skip
    sub.add_argument(
        "--site-memory-pages",
        type=int,
        metavar="K",
        help=f"a line counts as seen before from K pages on (default: as FILE says, or {DEFAULT_PAGES})",
    )


@contextmanager
def remembering(args: argparse.Namespace, cleaner: Cleaner) -> Iterator[Cleaner]:
    """Yield the cleaner with the memory of `--site-memory`, which is saved if all goes well; without one, the cleaner.

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
    if getattr(args, "jobs", 1) != 1:
        raise InputError("--site-memory reads and counts pages one after the other: leave out --jobs")
    if getattr(args, "resume", False):
        raise InputError("--site-memory has to see every page, and --resume leaves out what is finished: give one of them")
    pages = args.site_memory_pages
    known = os.path.lexists(path)
    memory = SiteMemory.load(path, pages) if known else SiteMemory(DEFAULT_PAGES if pages is None else pages)
    with whole_file(path) as file:  # opened now, so that a place where nothing can be written is found before the work is done
        yield cleaner.remembering(memory)
        file.write(memory.to_bytes())
