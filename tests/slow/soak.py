"""Soak test (`make soak`): two million lines through one stream, in chunks of any size.

Memory must stay flat, and the result must equal the batch call's. Pages are composed, every tenth is hostile, some are joined
into one; chunks are text or bytes of 1 to 65,536. The stream runs first and alone, so that the memory measured is its own and
not that of the batch call.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import classifier
from classifier.cleaner import BLOCK_LINES, Cleaner
from classifier.lines import split_lines
from classifier.results import LabelledLine
from tests.fuzz import strategies
from tests.fuzz.contract import labelled

__all__ = ["main"]

LINES = 2_000_000
ALLOWED = 8 << 20  # bytes of growth after the first tenth: memory that allocators do not return
SAMPLES = 20
PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên vào chiếc lò bầu."


def pages(lines: int, seed: int) -> Iterator[str]:
    """Yield the pages of a soak; they depend on the arguments alone."""
    random, count = Random(seed), 0
    while count < lines:
        kind = random.random()
        joined = 1 if kind < 0.99 else random.choice((5, 30))
        texts = strategies.pages(random, 1) if kind < 0.1 else ["\n".join(random.choice(strategies.ordinary())) for _ in range(joined)]
        text = "\n".join(texts)
        count += len(split_lines(text))
        yield text


def chunks(random: Random, text: str) -> Iterator[str | bytes]:
    """Yield a page in chunks of random sizes, as text or as bytes."""
    whole: str | bytes = text
    if random.random() < 0.5:
        with suppress(UnicodeEncodeError):  # lone surrogates have no UTF-8
            whole = text.encode()
    at, most = 0, 16 * random.random()
    while at < len(whole):
        size = int(2 ** (random.random() * most))
        yield whole[at : at + size]
        at += size


def digest(parts: Iterable[list[LabelledLine]]) -> tuple[bytes, int]:
    """Return a digest of labelled lines, and their number."""
    found, count = hashlib.blake2b(digest_size=8), 0
    for lines in parts:
        found.update("".join(map(repr, lines)).encode())
        count += len(lines)
    return found.digest(), count


def streamed(cleaner: Cleaner, lines: int, seed: int, report: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a digest of every page, pushed through one stream."""
    stream, random, count = cleaner.stream(), Random(seed + 1), 0
    for text in pages(lines, seed):
        pushed = (stream.feed(chunk) for chunk in chunks(random, text))
        page_digest, number = digest(part for parts in (pushed, (stream.end_page() for _ in range(1))) for part in parts)
        count += number
        report(count)
        yield page_digest


def resident() -> int:
    """Return the resident bytes of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Memory:
    """Samples of resident memory, taken as lines are counted."""

    def __init__(self, lines: int) -> None:
        self.every, self.samples = max(1, lines // SAMPLES), dict[int, int]()
        self._start = time.monotonic()

    def __call__(self, count: int) -> None:
        """Take a sample after each twentieth of the lines."""
        if count >= (len(self.samples) + 1) * self.every:
            gc.collect()
            self.samples[count] = resident()
            print(f"[{time.monotonic() - self._start:5.0f} s] {count:9,d} lines, {resident() / 1e6:6.1f} MB", flush=True)

    def growth(self) -> int:
        """Return by how much the largest sample exceeds that after the first tenth."""
        values = list(self.samples.values())[1:]
        return max(values) - values[0]


def soak(lines: int, seed: int) -> dict[str, Any]:
    """Stream, then label the same pages in one call each, and return the figures."""
    cleaner, memory, start = classifier.load(), Memory(lines), time.monotonic()
    strategies.ordinary()
    cleaner.stream().feed((PROSE + "\n") * 4 * BLOCK_LINES)  # warm-up: allocate full blocks before memory is measured
    one = list(streamed(cleaner, lines, seed, memory))
    seconds = time.monotonic() - start
    other = (digest(labelled(cleaner, [text]))[0] for text in pages(lines, seed))
    differing = [number for number, (mine, theirs) in enumerate(zip_longest(one, other)) if mine != theirs]
    return {
        "lines": max(memory.samples), "pages": len(one), "seed": seed, "pages that differ": len(differing), "first": differing[:5],
        "growth_mb": round(memory.growth() / 1e6, 2), "resident_mb": round(max(memory.samples.values()) / 1e6, 1),
        "stream_seconds": round(seconds),
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Soak, print the figures, and write them to a file if `--json` is given; return 1 if pages differ or memory grew."""
    parser = argparse.ArgumentParser(description="Push millions of lines through one stream.")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args(argv)
    figures = soak(args.lines, args.seed)
    print("soak: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 1 if figures["pages that differ"] or figures["growth_mb"] * 1e6 > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main())
