"""Progress bar on a terminal: pages, pages and megabytes per second, and the share of text dropped.

Needs tqdm; without it, nothing is shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from classifier.jobs.stats import Stats

__all__ = ["progress"]


@contextmanager
def progress(output_on_terminal: bool) -> Iterator[Callable[[Stats], None]]:
    """Yield a callback for the counts so far; it does nothing if stderr is not a terminal, or if the output goes to one."""
    bar = None if output_on_terminal or not (sys.stderr and sys.stderr.isatty()) else _bar()
    if bar is None:
        yield lambda stats: None
        return
    start = time.perf_counter()

    def tell(stats: Stats) -> None:
        speed = stats.bytes / 1e6 / max(time.perf_counter() - start, 1e-9)
        bar.set_postfix_str(f"{speed:.1f} MB/s, {stats.share_dropped:.0%} dropped", refresh=False)
        bar.update(stats.pages - bar.n)

    with bar:
        yield tell


def _bar() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    tqdm.monitor_interval = 0  # no monitor thread
    return tqdm(unit=" pages", miniters=1, mininterval=0.2, leave=False, file=sys.stderr)
