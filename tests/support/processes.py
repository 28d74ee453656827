"""Processes that tests start, stop with signals, and never leave behind."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.paths import ROOT

__all__ = ["running", "wait_until"]

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a process that takes signals, as a shell starts one in the foreground, whatever the tests inherited; kill it at the end."""
    with subprocess.Popen(command, cwd=ROOT, preexec_fn=_take_signals, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return once a condition holds; raise AssertionError if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not after {seconds} seconds"
        time.sleep(0.02)


def _take_signals() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
