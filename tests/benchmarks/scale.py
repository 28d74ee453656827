"""Benchmarks of docs/SCALE.md: megabytes per second and core of each format, and what `--jobs 2` reaches beside two bare processes.

`python -m tests.benchmarks.scale formats` cleans the same composed pages as text, WET, JSON lines, Parquet and HTML in one process, in
turn, and reports the least CPU time of each in `--rounds` rounds. `... jobs` cleans `--megabytes 50` of JSON lines with `--jobs 2`, and
its two halves in two processes at once, in turn; ratios of wall time say little on a machine that others use, so both are given.
`--json FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import os
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")

import classifier
from classifier.cli import main as tinsach
from tests.benchmarks.bench import composed
from tests.benchmarks.formats import MEGABYTE, records
from tests.support.paths import ROOT

# Markup around a line, of about the weight that news pages have: their text is a tenth of their HTML.
_BLOCK = (
    '<div class="box-category box-category__style-{n}"><div class="box-category-item" data-id="{n}" data-source="home-{n}">'
    '<p class="box-category-content knc-rate-link" data-linktype="newsdetail" style="margin:0 auto {n}px">{line}</p></div></div>\n'
)
_SCRIPT = "<script>window.dataLayer = window.dataLayer || [];" + "function gtag(){dataLayer.push(arguments);}" * 300 + "</script>"


def as_html(page: str) -> str:
    """Return a page as HTML."""
    lines = "".join(_BLOCK.format(n=n, line=html.escape(line)) for n, line in enumerate(page.split("\n")) if line.strip())
    return f'<!DOCTYPE html><html><head><meta charset="utf-8">{_SCRIPT}</head><body>{lines}</body></html>'


def wet(page: str, number: int) -> bytes:
    """Return a WET record."""
    data = page.encode()
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://example.vn/{number}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data + b"\r\n\r\n"


def response(page: str, number: int) -> bytes:
    """Return a WARC record of a page as HTML."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + as_html(page).encode()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: https://example.vn/{number}\r\n"
    block = f"Content-Type: application/http;msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    return (head + block).encode() + http + b"\r\n\r\n"


def written(folder: Path, pages: Sequence[str]) -> dict[str, tuple[Path, int]]:
    """Write the pages in each format; return the path and the size of what is in it, decompressed."""
    import pyarrow
    import zstandard
    from pyarrow import parquet

    lines = b"".join(json.dumps({"id": n, "text": page}, ensure_ascii=False).encode() + b"\n" for n, page in enumerate(pages))
    wets = b"".join(wet(page, n) for n, page in enumerate(pages))
    warcs = b"".join(response(page, n) for n, page in enumerate(pages))
    text = "\f".join(pages).encode()
    files = {"text": ("in.txt", text, text), "JSONL.zst": ("in.jsonl.zst", lines, zstandard.compress(lines)),
             "WET.gz": ("in.wet.gz", wets, gzip.compress(wets)), "WARC of HTML": ("in.warc.gz", warcs, gzip.compress(warcs))}  # fmt: skip
    for name, _, data in files.values():
        (folder / name).write_bytes(data)
    parquet.write_table(pyarrow.table({"id": range(len(pages)), "text": list(pages)}), folder / "in.parquet", compression="zstd")
    sizes = {kind: (folder / name, len(data)) for kind, (name, data, _) in files.items()}
    return {**sizes, "Parquet": (folder / "in.parquet", len(lines))}


def cpu(action: Callable[[], object]) -> float:
    """Return the CPU time of a call in this process."""
    start = time.process_time()
    action()
    return time.process_time() - start


def clean(path: Path) -> None:
    """Clean a file into another of its format."""
    if tinsach(["clean", str(path), "--output", str(path.with_name("out." + path.name.partition(".")[2].replace("warc", "wet")))]):
        raise SystemExit(f"failed: {path}")


def formats(lines: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return megabytes per second of CPU time, by format: of the text, of the file's content, and of the file."""
    pages = composed(lines).pages
    size = sum(len(page.encode()) for page in pages)
    with TemporaryDirectory() as folder:
        files = written(Path(folder), pages)
        cleaner = classifier.load()
        actions: dict[str, Callable[[], object]] = {kind: partial(clean, path) for kind, (path, _) in files.items()}
        actions["clean_pages alone"] = lambda: deque(cleaner.clean_pages(pages), 0)
        for action in actions.values():
            action()  # what is imported and mapped once does not count
        times = [{kind: cpu(action) for kind, action in actions.items()} for _ in range(rounds)]
        best = {kind: min(found[kind] for found in times) for kind in actions}
        found = {kind: speeds(best[kind], pages, size, content, path) for kind, (path, content) in files.items()}
        alone = best["clean_pages alone"]
        return {**found, "clean_pages alone": {"text_mb_a_second": round(size / MEGABYTE / alone, 2), "ms_a_page": ms(alone, pages)}}


def ms(seconds: float, pages: Sequence[str]) -> float:
    """Return milliseconds per page."""
    return round(1e3 * seconds / len(pages), 2)


def speeds(seconds: float, pages: Sequence[str], size: int, content: int, path: Path) -> dict[str, float]:
    """Return megabytes per second, by what counts as a megabyte, and milliseconds per page."""
    sizes = {"text": size, "content": content, "file": path.stat().st_size}
    found = {f"{what}_mb_a_second": round(number / MEGABYTE / seconds, 2) for what, number in sizes.items()}
    return {**found, "ms_a_page": ms(seconds, pages)}


def timed(commands: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Run commands at once; return wall time, and CPU time with that of their children."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [subprocess.Popen([sys.executable, "-m", "classifier", "clean", *words], cwd=ROOT) for words in commands]
    statuses = [process.wait() for process in running]
    if any(statuses):
        raise SystemExit(f"failed: {commands}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def jobs(megabytes: int, rounds: int) -> dict[str, float]:
    """Return what `--jobs 2` reaches of the speed of two bare processes, by wall time and by CPU time."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        lines = list(records(composed(60_000).pages, megabytes * MEGABYTE))
        half = len(lines) // 2
        for part, some in (("whole", lines), ("a", lines[:half]), ("b", lines[half:])):
            (folder / f"{part}.jsonl").write_bytes(b"".join(some))
        words = {part: [str(folder / f"{part}.jsonl"), "--output", str(folder / f"{part}.out")] for part in ("whole", "a", "b")}
        pairs = [(timed([words["a"], words["b"]]), timed([[*words["whole"], "--jobs", "2"]])) for _ in range(rounds)]
        if (folder / "whole.out").read_bytes() != (folder / "a.out").read_bytes() + (folder / "b.out").read_bytes():
            raise SystemExit("the outputs differ")
    bare, pooled = ([pair[side] for pair in pairs] for side in (0, 1))
    wall, spent = (min(run[kind] for run in bare) / min(run[kind] for run in pooled) for kind in (0, 1))
    return {
        "megabytes": megabytes,
        "bare_seconds": round(min(run[0] for run in bare), 1),
        "jobs_seconds": round(min(run[0] for run in pooled), 1),
        "ratio_of_wall_time": round(wall, 3),
        "ratio_of_cpu_time": round(spent, 3),
        "rounds": [round(one[0] / two[0], 3) for one, two in pairs],
        "load": round(os.getloadavg()[0], 1),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Run a benchmark and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("formats", "jobs"))
    parser.add_argument("--lines", type=int, default=60_000, help="of composed pages, for formats")
    parser.add_argument("--megabytes", type=int, default=50, help="of JSON lines, for jobs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    found = formats(args.lines, args.rounds) if args.what == "formats" else jobs(args.megabytes, args.rounds)
    text = json.dumps(found, indent=2) + "\n"
    print(text, end="")
    if args.json:
        args.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
