"""Limits on growth of time, memory, processes and loading. Each part prints its figure beside its limit.

`python -m tests.benchmarks.limits` streams 0.1 GB (`--gigabytes 1` takes some minutes). Each memory figure is measured in a process
of its own. Figures are of one machine at one time; only ratios carry over to others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import classifier
from tests.benchmarks.bench import ROOT, composed

MEGABYTE = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


def rss() -> float:
    """Return this process's resident memory in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def best(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the seconds of the fastest round."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def growth(pages: Sequence[str]) -> dict[str, float]:
    """Return the relative time per line on pages ten times as long, and on ten times as many pages."""
    cleaner = classifier.load()
    some = list(pages[:60])
    long = ["\n".join(some[start : start + 10]) for start in range(0, len(some), 10)]
    more = list(islice(cycle(some), 10 * len(some)))
    lines = [sum(page.count("\n") + 1 for page in load) for load in (some, long, more)]
    times = [[], [], []]
    for _ in range(5):  # interleaved, so that all see the same load
        for load, found in zip((some, long, more), times):
            found.append(best(lambda load=load: cleaner.label_pages(load), 1))
    one, longer, many = (min(found) / count for found, count in zip(times, lines))
    return {"10x longer pages": longer / one, "10x more pages": many / one}


def processes(pages: Sequence[str], megabytes: int) -> dict[str, float]:
    """Return the speed-up of two processes over one on `megabytes` of pages, and that of two bare Python loops over one."""
    cleaner = classifier.load()
    size = sum(len(page.encode()) for page in pages)
    load = list(islice(cycle(pages), len(pages) * megabytes * MEGABYTE // size))
    for _ in cleaner.clean_pages(load[:500], jobs=2):
        pass  # start the workers, as in any longer job
    one, two = (min(best(lambda jobs=jobs: sum(map(len, cleaner.clean_pages(load, jobs=jobs))), 1) for _ in range(2)) for jobs in (1, 2))
    return {"two processes": one / two, "two bare loops (what the machine can give)": _bare_loops()}


def _bare_loops() -> float:
    command = [sys.executable, "-c", "for i in range(40_000_000): pass"]
    one = best(lambda: subprocess.run(command, check=True))
    two = best(lambda: [process.wait() for process in [subprocess.Popen(command) for _ in range(2)]])
    return 2 * one / two


def loading() -> dict[str, float]:
    """Return the milliseconds of `import classifier; classifier.load()` in a fresh interpreter, the minimum of twenty."""
    code = "import time; s = time.perf_counter(); import classifier; classifier.load(); print(time.perf_counter() - s)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT) for _ in range(20)]
    return {"import and load, ms": 1000 * min(float(run.stdout) for run in runs)}


def one_page(pages: Sequence[str]) -> dict[str, float]:
    """Return the milliseconds of a `tinsach clean` process on a page of 170 lines, the minimum of ten."""
    page = "\n".join("\n".join(pages).split("\n")[:170]).encode()
    command = [sys.executable, "-m", "classifier", "clean"]
    return {"one page, ms": 1000 * best(lambda: subprocess.run(command, input=page, capture_output=True, check=True, cwd=ROOT), 10)}


def in_a_process(part: str, *args: object) -> dict[str, float]:
    """Run a part of this file in a process of its own; return its figures."""
    command = [sys.executable, "-m", "tests.benchmarks.limits", "--part", part, *map(str, args)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def stream_memory(gigabytes: float) -> dict[str, float]:
    """Push pages through one stream in chunks of 64 kB; return memory in MB after 10 MB of input, at the peak, and at the end."""
    pages = composed(5000).pages
    after_ten, peak, fed, lines = 0.0, 0.0, 0, 0
    start = time.perf_counter()
    stream = classifier.load().stream()
    for chunk in _chunks(pages, int(gigabytes * 1e9)):
        lines += len(stream.feed(chunk))
        fed += len(chunk)
        peak = max(peak, rss())
        after_ten = after_ten if fed > 10e6 else rss()
    stream.end_page()
    seconds = time.perf_counter() - start
    return {"after 10 MB": after_ten, "peak": peak, "at the end": rss(), "GB": fed / 1e9, "million lines": lines / 1e6, "seconds": seconds}


def _chunks(pages: Sequence[str], size: int) -> Iterator[bytes]:
    text = "\n".join(pages).encode() + b"\n"
    place = sent = 0
    while sent < size:
        chunk = text[place : place + (1 << 16)]
        yield chunk
        sent += len(chunk)
        place = (place + len(chunk)) % len(text)


def long_line(megabytes: int) -> dict[str, float]:
    """Feed one line of `megabytes` in chunks of 64 kB; return the seconds."""
    line = ("Làng gốm bên sông đỏ lửa trở lại. " * 40_000)[:MEGABYTE]
    stream = classifier.load().stream()
    start = time.perf_counter()
    count = 0
    for _ in range(megabytes):
        for place in range(0, MEGABYTE, 1 << 16):
            count += len(stream.feed(line[place : place + (1 << 16)]))
    (found,) = stream.end_page()
    if count or len(found.text) != megabytes * MEGABYTE:
        raise SystemExit("the line was split or truncated")
    return {"seconds": time.perf_counter() - start}


PARTS: dict[str, Callable[[float], dict[str, float]]] = {"stream": stream_memory, "line": lambda size: long_line(int(size))}


def main(argv: list[str] | None = None) -> int:
    """Measure every part and print it beside its limit."""
    parser = argparse.ArgumentParser(description="Measure growth, memory, processes and loading.")
    parser.add_argument("--gigabytes", type=float, default=0.1, help="size of the stream whose memory is measured")
    parser.add_argument("--part", nargs=2, metavar=("NAME", "SIZE"), help="run one part here and print its figures as JSON")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "limits.json", help="where to write the figures")
    args = parser.parse_args(argv)
    if args.part:
        print(json.dumps(PARTS[args.part[0]](float(args.part[1]))))
        return 0
    pages = composed(20_000).pages
    record = {
        "growth of the time per line (limit 1.2)": growth(pages),
        "speed-up (limit 1.7, on 50 MB)": processes(pages, 50),
        "loading (limit 150 ms)": loading(),
        "command line (limit 500 ms)": one_page(pages),
        "stream, MB of memory (limit 150, flat after 10 MB)": in_a_process("stream", args.gigabytes),
        "one line of 64 MB": in_a_process("line", 64),
        "one line of 16 MB (a quarter of the time)": in_a_process("line", 16),
        "model files, MB (limit 8)": {"sum": sum(path.stat().st_size for path in (ROOT / "models").glob("vi-news.*")) / 1e6},
    }
    for name, figures in record.items():
        print(f"{name}: " + ", ".join(f"{what} {value:.2f}" for what, value in figures.items()))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
