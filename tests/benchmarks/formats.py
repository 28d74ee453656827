"""Benchmarks of docs/FORMATS.md: one command on a large compressed crawl, and FineWeb-2's filters before and after cleaning.

`python -m tests.benchmarks.formats crawl` writes JSON lines of composed pages (`--megabytes 200` of text), compresses them with
zstd, cleans them with `tinsach clean` and samples the process's memory. `... fineweb PAGES` measures two of FineWeb-2's quality
measures on pages labelled as `label<TAB>line`: on their text as scraped, after `clean`, and on the lines labelled by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")

import classifier
from classifier.review.labelled_page import read_page
from tests.benchmarks.bench import composed
from tests.support.paths import ROOT

MEGABYTE = 1_000_000
# datatrove's FineWeb-2 configuration for Vietnamese (vie_Latn): a page is dropped if a smaller share of its lines ends with a sentence
# end, or if it has more line ends per word.
LEAST_ENDED, MOST_LINE_ENDS = 0.333, 0.103
SENTENCE_ENDS = tuple(".!?…")  # of datatrove's list for all scripts, those used in Vietnamese


def records(pages: Sequence[str], size: int) -> Iterator[bytes]:
    """Yield JSON lines of pages, repeatedly, up to `size` bytes."""
    for number, page in enumerate(cycle(pages)):
        line = (
            json.dumps({"id": f"page-{number}", "url": f"https://example.vn/{number}", "text": page}, ensure_ascii=False).encode() + b"\n"
        )
        size -= len(line)
        if size < 0:
            return
        yield line


def watched(command: Sequence[str]) -> tuple[float, list[float]]:
    """Run a command; return its seconds, and its resident memory in MB, sampled ten times a second."""
    start, memory = time.perf_counter(), []
    process = subprocess.Popen(command, cwd=ROOT)
    page = os.sysconf("SC_PAGE_SIZE")
    while process.poll() is None:
        try:
            memory.append(int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * page / MEGABYTE)
        except (OSError, IndexError):
            break
        time.sleep(0.1)
    if process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, memory


def crawl(megabytes: int) -> dict[str, float]:
    """Clean a compressed crawl in one command; return time and memory."""
    import zstandard

    with TemporaryDirectory() as folder:
        packed, clean = Path(folder) / "crawl.jsonl.zst", Path(folder) / "clean.jsonl.zst"
        count = size = 0
        with packed.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as out:
            for line in records(composed(60_000).pages, megabytes * MEGABYTE):
                out.write(line)
                count, size = count + 1, size + len(line)
        seconds, memory = watched([sys.executable, "-m", "classifier", "clean", str(packed), "--output", str(clean)])
        tenth = len(memory) // 10
        return {
            "megabytes": round(size / MEGABYTE), "megabytes_packed": round(packed.stat().st_size / MEGABYTE), "records": count,
            "seconds": round(seconds, 1), "megabytes_a_second": round(size / MEGABYTE / seconds, 1), "peak_mb": round(max(memory)),
            "after_a_tenth_mb": round(max(memory[: tenth + 1])), "last_tenth_mb": round(max(memory[-tenth - 1 :])),
        }  # fmt: skip


# -- FineWeb-2 filters ---------------------------------------------------------------------------------------------------------


def ended(text: str) -> float:
    """Return the share of non-blank lines that end with a sentence end."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return sum(line.endswith(SENTENCE_ENDS) for line in lines) / len(lines) if lines else 0.0


def line_ends(text: str) -> float:
    """Return the number of line ends per word; infinite for a page without words."""
    words = text.split()
    return text.count("\n") / len(words) if words else float("inf")


def fineweb(folder: Path) -> dict[str, dict[str, float]]:
    """Return the number of pages that pass each measure and both: as scraped, after cleaning, and with gold labels."""
    pages = [list(zip(page.labels, page.lines)) for page in map(read_page, sorted(folder.rglob("*.tsv")))]
    cleaner = classifier.load()
    texts: dict[str, Callable[[list[tuple[str, str]]], str]] = {
        "as scraped": lambda rows: "\n".join(line for _, line in rows),
        "after tinsach clean": lambda rows: cleaner.clean_text("\n".join(line for _, line in rows)),
        "title and body by hand": lambda rows: "\n".join(line for label, line in rows if label in ("title", "body")),
    }
    return {name: _passing([make(rows) for rows in pages]) for name, make in texts.items()}


def _passing(pages: Sequence[str]) -> dict[str, float]:
    measured = [(ended(page), line_ends(page)) for page in pages]
    verdicts = [(first >= LEAST_ENDED, second <= MOST_LINE_ENDS) for first, second in measured]
    middle = len(pages) // 2
    return {
        "pages": len(pages),
        "enough lines end as sentences do": sum(first for first, _ in verdicts),
        "few enough line ends": sum(second for _, second in verdicts),
        "both": sum(first and second for first, second in verdicts),
        "median share of ended lines": round(sorted(first for first, _ in measured)[middle], 3),
        "median line ends for each word": round(sorted(second for _, second in measured)[middle], 3),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the two benchmarks and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("crawl").add_argument("--megabytes", type=int, default=200)
    commands.add_parser("fineweb").add_argument("pages", type=Path)
    args = parser.parse_args(argv)
    print(json.dumps(crawl(args.megabytes) if args.command == "crawl" else fineweb(args.pages), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
