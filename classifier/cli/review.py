"""`tinsach review`: a local web page for correcting labelled pages, served until interrupted."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifier.cli.messages import open_in_browser, say
from classifier.io.files import standard_output

if TYPE_CHECKING:
    from classifier.review.page import ReviewedPage

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Correct labelled pages in the browser; every change is saved at once."

EXAMPLES = """example:
  tinsach label pages --output-dir labelled
  tinsach review labelled --open
  tinsach review labelled/page.tsv"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="labelled pages (label<TAB>line or label<TAB>probability<TAB>line), or folders of them"
    )
    parser.add_argument("--open", action="store_true", help="open the browser")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port to listen on at 127.0.0.1 (default: any free port)")
    parser.add_argument("--model", metavar="PATH", help="model that rates the labels (default: the shipped model)")


def run(args: argparse.Namespace) -> int:
    """Serve the pages, least certain first, until interrupted."""
    import classifier
    from classifier.review.page import ReviewedPage, find_pages
    from classifier.review.server import ReviewServer

    paths = find_pages(args.files)
    cleaner = classifier.load(args.model)
    pages = sorted((ReviewedPage(path, cleaner) for path in paths), key=lambda page: -page.doubt)
    with ReviewServer(pages, args.port) as server:
        try:
            standard_output().write(f"{server.url}\n".encode())
            say("tinsach: review the pages at this address; every change is saved at once; press Ctrl-C to stop")
            if args.open:  # in a thread: for some browsers `webbrowser.open` returns only when they are closed
                threading.Thread(target=open_in_browser, args=(server.url, server.url), daemon=True).start()
            server.serve_forever()
        finally:
            _finish(pages)
    return 0


def _finish(pages: Sequence[ReviewedPage]) -> None:
    """Wait for pending saves and report what was saved."""
    for page in pages:
        page.close()
    corrected = [page.corrected for page in pages if page.corrected]
    labels = f"{sum(corrected)} label{'' if sum(corrected) == 1 else 's'} corrected in {len(corrected)} of {len(pages)} files"
    say("", f"tinsach: saved; {labels}" if any(page.saved for page in pages) else "tinsach: no changes saved")
    for page in pages:
        if page.failure:
            say(f"tinsach: the last changes of {page.path} are NOT SAVED: {page.failure}")
