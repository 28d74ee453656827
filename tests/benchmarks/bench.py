"""Speed benchmark: every call against common alternatives, on the same lines, with one thread, in one interleaved run.

Two sets of lines: composed pages of all styles, menus and blank lines included; and the lines of such pages with 100 characters
or more, the length of article paragraphs. Each round runs all methods in turn, so that a slow minute of the machine affects all
alike; compare the ratios of medians. Time is CPU time of the process. Every call of this project runs with the compiled kernel, where
it is installed, and with numpy. Peers are trained on the same lines and labels first; their quality is not measured.
Prints tables and writes JSON. `limits.py` measures memory, growth, processes and loading.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

os.environ.setdefault("OMP_NUM_THREADS", "1")

import classifier
from classifier.core.kernel import switched
from classifier.lines import split_lines
from training.learning.dataset import make_pages

Work = Callable[[], object]
NUMPY = ", numpy"
BASE = "fastText words+bigrams, list in"
LONG = 100


class Load(NamedTuple):
    """A set of pages to measure on."""

    name: str
    pages: list[str]
    texts: list[str]  # their non-blank lines
    labels: list[str]

    @property
    def lines(self) -> int:
        """Number of lines of all pages, blank ones included."""
        return sum(page.count("\n") + 1 for page in self.pages)

    @property
    def megabytes(self) -> float:
        """UTF-8 size of all pages."""
        return sum(len(page.encode()) for page in self.pages) / 1e6


def composed(lines: int) -> Load:
    """Return composed pages of at least `lines` lines in all."""
    pages, texts, labels, count = [], [], [], 0
    for fold in make_pages(max(100, lines // 150), 99):
        for page in fold:
            if count >= lines:
                break
            pages.append("\n".join(line.text for line in page.lines))
            count += len(page.lines)
            solid = [line for line in page.lines if line.text.strip()]
            texts += [line.text.strip() for line in solid]
            labels += [line.label for line in solid]
    return Load("composed pages", pages, texts, labels)


def long_lines(lines: int) -> Load:
    """Return `lines` distinct long lines of composed pages, in pages of forty."""
    found: dict[str, str] = {}
    for fold in make_pages(max(600, lines // 6), 99):
        for page in fold:
            found |= {line.text.strip(): line.label for line in page.lines if len(line.text.strip()) >= LONG}
    texts, labels = list(found)[:lines], list(found.values())[:lines]
    return Load(
        f"lines of {LONG} characters or more",
        ["\n".join(texts[start : start + 40]) for start in range(0, len(texts), 40)],
        texts,
        labels,
    )


def both_paths(methods: dict[str, Work]) -> dict[str, Work]:
    """Return each call as it runs with the compiled kernel, and as it runs with numpy."""

    def by(on: bool, work: Work) -> Work:
        def run() -> None:
            with switched(on):
                work()

        return run

    paths = [(True, ""), (False, NUMPY)] if classifier.kernel() == "compiled" else [(False, NUMPY)]
    return {name + path: by(on, work) for name, work in methods.items() for on, path in paths}


def own_calls(pages: list[str]) -> dict[str, Work]:
    """Return this project's calls by name."""
    cleaner = classifier.load()
    split = [split_lines(page) for page in pages]

    def push(size: int, lookahead: int | None = None) -> Work:
        chunks = [["".join(line + "\n" for line in lines[start : start + size]) for start in range(0, len(lines), size)] for lines in split]

        def run() -> None:
            stream = cleaner.stream(lookahead=lookahead)
            for page in chunks:
                for chunk in page:
                    stream.feed(chunk)
                stream.end_page()

        return run

    return {
        "label_pages": lambda: cleaner.label_pages(pages),
        "clean_pages": lambda: list(cleaner.clean_pages(pages)),
        "label_lines": lambda: [list(cleaner.label_lines(lines)) for lines in split],
        "stream, 256 lines a feed": push(256),
        "stream, 16 lines a feed": push(16),
        "stream, 1 line a feed": push(1),
        "stream, 1 line a feed, lookahead 304": push(1, 304),
    }


def peers(load: Load) -> dict[str, Work]:
    """Return the alternatives by name, trained if they need it."""
    import fasttext
    import justext
    import trafilatura
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = load.texts, load.labels
    few = slice(None, 6000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # their quality is not measured
        chars, words = (
            make_pipeline(vectorizer, LogisticRegression(max_iter=20)).fit(texts[few], labels[few])
            for vectorizer in (TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)), TfidfVectorizer(ngram_range=(1, 2)))
        )
    flat = [" ".join(text.split()) for text in texts]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(f"__label__{label} {text}\n" for label, text in zip(labels, flat)))
        file.flush()
        fast = fasttext.train_supervised(file.name, wordNgrams=2, epoch=3, thread=1, verbose=0)
    html = ["<html><body>" + "".join(f"<p>{line}</p>" for line in page.split("\n")) + "</body></html>" for page in load.pages]
    stops = justext.get_stoplist("Vietnamese")
    return {
        BASE: lambda: fast.predict(flat),
        "scikit-learn char_wb 2-5 + LR": lambda: chars.predict(texts),
        "scikit-learn words 1-2 + LR": lambda: words.predict(texts),
        "jusText (vi), one <p> a line": lambda: [justext.justext(page.encode(), stops) for page in html],
        "trafilatura, one <p> a line": lambda: [trafilatura.extract(page) for page in html],
    }


def measure(methods: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round, by method."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, work in methods.items():
            start = time.process_time()
            work()
            seconds[name].append(time.process_time() - start)
    return seconds


def threads_ratio(pages: list[str], rounds: int) -> float:
    """Return how many times more pages two threads that share a cleaner label in a second of the clock than one does."""
    cleaner, halves = classifier.load(), (pages[::2], pages[1::2])

    def seconds(threads: int) -> float:
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(cleaner.label_pages, halves))
        return time.perf_counter() - start

    return statistics.median(seconds(1) / seconds(2) for _ in range(rounds))


def report(load: Load, seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Print the table of one load and return its figures."""
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    base, chars = medians.get(BASE), medians.get("scikit-learn char_wb 2-5 + LR")
    rounds = len(next(iter(seconds.values())))
    print(f"{load.name}: {len(load.pages)} pages, {load.lines} lines ({len(load.texts)} non-blank), {load.megabytes:.1f} MB;", end=" ")
    print(f"medians of {rounds} rounds, one thread")
    print(f"{'method':44s} {'lines/s':>9s} {'MB/s':>6s} {'x fastText':>10s} {'x char_wb':>9s} {'spread':>7s}")
    figures = {}
    for name, times in seconds.items():
        median = medians[name]
        found = {"lines_per_s": load.lines / median, "mb_per_s": load.megabytes / median, "spread": (max(times) - min(times)) / median}
        found |= {"x_fasttext": base / median, "x_char_wb": chars / median} if base and chars else {}
        figures[name] = found
        ratios = f"{found['x_fasttext']:10.2f} {found['x_char_wb']:9.1f}" if base else f"{'':20s}"
        print(f"{name:44s} {found['lines_per_s']:9.0f} {found['mb_per_s']:6.2f} {ratios} {found['spread']:7.0%}")
    return figures


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark, print tables, and write the figures."""
    parser = argparse.ArgumentParser(description="Measure speed against peers.")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--own", action="store_true", help="do not run the alternatives")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where to write the figures")
    args = parser.parse_args(argv)
    record: dict[str, object] = {}
    for load in (composed(args.lines), long_lines(args.lines)):
        methods = both_paths(own_calls(load.pages)) | ({} if args.own else peers(load))
        record[load.name] = report(load, measure(methods, args.rounds))
        print(
            f"two threads, one cleaner: {(ratio := threads_ratio(load.pages, args.rounds)):.2f} x one thread, kernel: {classifier.kernel()}"
        )
        record[f"{load.name}, two threads"] = ratio
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak RSS {peak:.0f} MB (all methods, the corpus and trained peers in one process; `make limits` measures the cleaner alone)")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(record | {"peak_rss_mb": peak}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
