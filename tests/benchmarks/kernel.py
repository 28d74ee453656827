"""Gain of each step of the compiled kernel: CPU time with more and more of its twins in use, against numpy, in one interleaved run.

`python -m tests.benchmarks.kernel` prints how many times as fast as numpy each call is after each step. Steps add up from top to
bottom. Results are the same in all of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from types import SimpleNamespace
from unittest import mock

from classifier.core import kernel
from tests.benchmarks.bench import composed, measure, own_calls

STEPS = {
    "repeated lines, characters, line features, n-grams": "distinct_lines scan line_features",
    "rows and networks": "context_scores stacked_scores context_rows stacked_rows joined_columns",
    "probabilities": "log_softmax scaled_evidence",
    "page history, page columns": "extract_history extract_stacked",
    "first pass's sums": "first_scores",
    "positions, decisions": "line_numbers ready_lines page_starts blanks_before first_guesses choose released",
}
CALLS = ("label_pages", "label_lines", "stream, 1 line a feed", "stream, 1 line a feed, lookahead 304")


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure what each step of the compiled kernel gains.")
    parser.add_argument("--lines", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args(argv)
    calls = {name: work for name, work in own_calls(composed(args.lines).pages).items() if name in CALLS}
    with kernel.switched(True):
        twins = kernel._twins
        in_use: dict[str, object] = dict(kernel.REFERENCES)
        paths = {"numpy": SimpleNamespace(**in_use)}
        for step, names in STEPS.items():
            in_use |= {name: getattr(twins, name) for name in names.split()}
            paths[step] = SimpleNamespace(**in_use)
        if set(" ".join(STEPS.values()).split()) != set(kernel.REFERENCES):
            raise SystemExit("STEPS does not name every twin of the kernel once")

        def by(path: SimpleNamespace, call: str) -> None:
            with mock.patch.object(kernel, "_twins", path):
                calls[call]()

        methods = {(step, call): lambda path=path, call=call: by(path, call) for step, path in paths.items() for call in calls}
        seconds = {key: statistics.median(times) for key, times in measure(methods, args.rounds).items()}
    print(f"{'step':50s}" + "".join(f"{call.replace('stream, ', ''):>30s}" for call in calls))
    for step in paths:
        print(f"{step:50s}" + "".join(f"{seconds['numpy', call] / seconds[step, call]:30.2f}" for call in calls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
