"""Speed of every call, against what users would pick instead: one interleaved run, one thread, the same composed pages for all.

Rounds go through all methods in turn, so that a slow minute of the machine hits each alike; ratios of medians are what counts.
Peers are trained on the same lines and labels first (their quality is not measured here). Prints a table and writes JSON.
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
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import classifier
from classifier.lines import split_lines
from training.dataset import make_pages

Work = Callable[[], object]
BASE = "fastText words+bigrams, list in"


def corpus(lines: int) -> tuple[list[str], list[str], list[str]]:
    """Return pages of at least so many lines, and their non-blank lines with labels."""
    pages, texts, labels, count = [], [], [], 0
    for hand in make_pages(max(100, lines // 150), 99):
        for page in hand:
            if count >= lines:
                break
            pages.append("\n".join(line.text for line in page.lines))
            count += len(page.lines)
            solid = [line for line in page.lines if line.text.strip()]
            texts += [line.text.strip() for line in solid]
            labels += [line.label for line in solid]
    return pages, texts, labels


def own_methods(pages: list[str]) -> dict[str, Work]:
    """Return the calls of this project."""
    cleaner = classifier.load()

    def push(size: int) -> Work:
        split = [split_lines(page) for page in pages]

        def run() -> None:
            for lines in split:
                stream = cleaner.stream()
                for start in range(0, len(lines), size):
                    stream.feed("\n".join(lines[start : start + size]) + "\n")
                stream.end_page()

        return run

    return {
        "label_pages": lambda: cleaner.label_pages(pages),
        "clean_pages": lambda: list(cleaner.clean_pages(pages)),
        "label_lines": lambda: [list(cleaner.label_lines(split_lines(page))) for page in pages],
        "stream, 256 lines a feed": push(256),
        "stream, 16 lines a feed": push(16),
        "stream, 1 line a feed": push(1),
    }


def peers(pages: list[str], texts: list[str], labels: list[str]) -> dict[str, Work]:
    """Return the peers that are installed, trained where they learn."""
    import fasttext
    import justext
    import trafilatura
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    few = slice(None, 6000)
    chars = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)), LogisticRegression(max_iter=20)).fit(
        texts[few], labels[few]
    )
    words = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=20)).fit(texts[few], labels[few])
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(f"__label__{label} {' '.join(text.split())}\n" for label, text in zip(labels, texts)))
        file.flush()
        fast = fasttext.train_supervised(file.name, wordNgrams=2, epoch=3, thread=1, verbose=0)
    flat = [" ".join(text.split()) for text in texts]
    html = ["<html><body>" + "".join(f"<p>{line}</p>" for line in page.split("\n")) + "</body></html>" for page in pages]
    stops = justext.get_stoplist("Vietnamese")
    return {
        BASE: lambda: fast.predict(flat),
        "scikit-learn char_wb 2-5 + LR": lambda: chars.predict(texts),
        "scikit-learn words 1-2 + LR": lambda: words.predict(texts),
        "jusText (vi), one <p> a line": lambda: [justext.justext(page.encode(), stops) for page in html],
        "trafilatura, one <p> a line": lambda: [trafilatura.extract(page) for page in html],
    }


def measure(methods: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Return each method's seconds of every round."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, work in methods.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Measure speed against peers.")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--own", action="store_true", help="leave the peers out")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    args = parser.parse_args(argv)
    pages, texts, labels = corpus(args.lines)
    lines, size = sum(page.count("\n") + 1 for page in pages), sum(len(page.encode()) for page in pages)
    methods = own_methods(pages)
    if not args.own:
        methods |= peers(pages, texts, labels)
    seconds = measure(methods, args.rounds)
    base = statistics.median(seconds.get(BASE, seconds["label_pages"]))
    print(f"{len(pages)} pages, {lines} lines ({len(texts)} not blank), {size / 1e6:.1f} MB; medians of {args.rounds} rounds, one thread")
    print(f"{'method':34s} {'lines/s':>9s} {'MB/s':>6s} {'ratio':>6s} {'spread':>7s}")
    figures = {}
    for name, times in seconds.items():
        median = statistics.median(times)
        spread = (max(times) - min(times)) / median
        figures[name] = {"lines_per_s": lines / median, "mb_per_s": size / 1e6 / median, "ratio": base / median, "spread": spread}
        print(f"{name:34s} {lines / median:9.0f} {size / 1e6 / median:6.2f} {base / median:6.2f} {spread:7.0%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak RSS {peak:.0f} MB (all methods in one process)")
    if args.json:
        args.json.write_text(json.dumps({"lines": lines, "bytes": size, "peak_rss_mb": peak, "methods": figures}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
