"""Being asked to stop: SIGTERM and SIGHUP become an exception, so that what cleans up after Ctrl-C cleans up after them.

What it leaves out: SIGINT and SIGPIPE, which Python turns into exceptions itself, and SIGKILL, which leaves a scratch file.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stopped", "stoppable"]


class Stopped(KeyboardInterrupt):
    """A signal has asked to stop."""

    def __init__(self, number: int) -> None:
        """Take the signal's number; `status` is what a shell calls the exit status of a process it has ended."""
        self.status = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` on SIGTERM and SIGHUP, unless somebody else sees to them (nohup, a program that calls `main`)."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():  # where Python does not allow it
        numbers = []
    numbers = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
