"""Fuzzing command (`make fuzz`): the checks of the fuzz tests on some hundred thousand inputs, from a seed that is printed.

With `--compare` (`make fuzz-kernel`), each step that the compiled kernel takes is also taken by numpy, and must give the same bits.

An input is a page, a text for the line splitter, a list of lines, a byte string, or a changed model. Batch N of seed S depends
on nothing else, so `--seed S --only N` repeats it. Exit status 1 if a check failed or anything crashed.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from random import Random, SystemRandom

import numpy as np

import classifier
from classifier.cleaner import Cleaner
from classifier.core.constraints import ANY_LABEL, mark_of
from classifier.labels import Label
from classifier.sites.rule import EVERY_SITE, Rule
from classifier.sites.rules import SiteRules
from tests.fuzz import contract, models, strategies
from tests.support import tiny_model
from tests.support.kernel import compared

__all__ = ["main"]

PAGES, TEXTS, FEW, MODELS = 32, 16, 4, 8  # inputs per batch
ENOUGH = 20  # failures after which the run stops


def _pages(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    pages = strategies.pages(random, PAGES)
    checks = contract.all_calls_agree(cleaner, pages, random, calls=1)
    return Counter({"pages": len(pages), "checks": checks, "lines": sum(map(len, map(contract.reference_lines, pages)))})


def _texts(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    texts = strategies.pages(random, TEXTS)
    for text in texts:
        contract.splitter_cuts_as_told(text, random)
    return Counter({"texts": len(texts), "checks": 2 * len(texts)})


def _lines(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    for _ in range(FEW):
        lines = [strategies.line(random) + random.choice(("", "\n", "\r\n", "\ra", "\n\n")) for _ in range(random.randrange(20))]
        contract.any_lines_come_back(cleaner, lines)
    return Counter({"line lists": FEW, "checks": 2 * FEW})


def _bytes(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    for text in strategies.pages(random, FEW):
        contract.bytes_are_lines(cleaner, strategies.bytes_of(random, text), random)
    return Counter({"bytes": FEW, "checks": FEW})


def _models(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    refused = sum(models.changed_model_is_refused_or_sound(folder, random) for _ in range(MODELS))
    return Counter({"models": MODELS, "models refused": refused, "checks": MODELS})


def _sites(cleaner: Cleaner, random: Random, folder: Path) -> Counter[str]:
    pages = strategies.pages(random, FEW)
    ruled = Cleaner(cleaner.model, rules=SiteRules({EVERY_SITE: RULES}))
    checks = contract.all_calls_agree(ruled, pages, random, calls=1)
    contract.memory_is_the_same_in_a_stream(ruled, pages)
    return Counter({"site pages": len(pages), "checks": checks + 1})


SUITES: list[Callable[[Cleaner, Random, Path], Counter[str]]] = [_pages, _texts, _lines, _bytes, _models, _sites]
RULES = [
    Rule("đọc", None, mark_of([Label.RELATED, Label.MOST_READ]), True),
    Rule(None, r"^[\W\d]", ANY_LABEL & ~mark_of([Label.BODY, Label.TITLE]), False),
]
INPUTS = ("pages", "texts", "line lists", "bytes", "models", "site pages")


def batch(cleaner: Cleaner, seed: int, number: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Run every suite once; return counts and failures."""
    counts: Counter[str] = Counter()
    failures = []
    for suite in SUITES:
        try:
            counts += suite(cleaner, Random(f"{seed}/{number}/{suite.__name__}"), folder)
        except Exception:  # any exception is a finding
            failures.append(f"--seed {seed} --only {number}: {suite.__name__}\n{traceback.format_exc(limit=-3)}")
            print(failures[-1], file=sys.stderr, flush=True)
    return counts, failures


def run(inputs: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Run batches up to the number of inputs, then flip every byte of a model; return counts and failures."""
    cleaner, start = classifier.load(), time.monotonic()
    counts: Counter[str] = Counter()
    failures: list[str] = []
    number = 0
    while sum(counts[name] for name in INPUTS) < inputs and len(failures) < ENOUGH:
        found, failed = batch(cleaner, seed, number, folder)
        counts, failures, number = counts + found, failures + failed, number + 1
        if number % 500 == 0:
            print(f"[{time.monotonic() - start:5.0f} s] {number} batches, {counts['pages']} pages, {len(failures)} failures", flush=True)
    counts["batches"] = number
    counts["bytes flipped"] = models.every_byte(tiny_model.tiny(folder))
    return counts, failures


def main(argv: list[str] | None = None) -> int:
    """Fuzz, print the figures, and write them to a file if `--json` is given."""
    parser = argparse.ArgumentParser(description="Fuzz every public call and the model file.")
    parser.add_argument("--inputs", type=int, default=200_000, help="number of inputs; half of them are pages")
    parser.add_argument("--seed", type=int, help="random seed (default: a new one)")
    parser.add_argument("--only", type=int, metavar="N", help="run batch N only, to reproduce a failure")
    parser.add_argument("--compare", action="store_true", help="compare the compiled kernel with numpy, step by step")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args(argv)
    seed = SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    print(f"fuzz: seed {seed}", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, compared() if args.compare else nullcontext({}) as calls:
        if args.only is not None:
            return 1 if batch(classifier.load(), seed, args.only, Path(folder))[1] else 0
        counts, failures = run(args.inputs, seed, Path(folder))
    figures = {
        "seed": seed, "inputs": sum(counts[name] for name in INPUTS), "failures": len(failures), "seconds": round(time.monotonic() - start),
        **counts, "kernel": f"compared in {sum(calls.values())} calls" if args.compare else classifier.kernel(),
        "python": platform.python_version(), "numpy": np.__version__, "tinsach": classifier.__version__,
    }  # fmt: skip
    print("fuzz: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
