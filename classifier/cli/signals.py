"""Signal handling: SIGINT, SIGTERM and SIGHUP raise an exception, so that all three trigger the same cleanup.

Python itself turns SIGPIPE into an exception. SIGKILL cannot be handled and leaves temporary files behind.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "stoppable"]

UNHANDLED = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(KeyboardInterrupt):
    """The process received SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, number: int) -> None:
        """Set `status` to what a shell reports for a process killed by the signal `number`."""
        self.status = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` on SIGINT, SIGTERM and SIGHUP, except where they are ignored (nohup) or handled by a program that calls `main`.

    During an import the exception is raised at the first call after it. The import system drops exceptions in the callbacks of
    its locks, and so does the initialisation of every module that Cython compiled with memoryviews: the signal would be lost.
    """

    around = _imports(sys._getframe())  # a program may call `main` from a module that is being imported

    def stop(number: int, frame: FrameType | None) -> None:
        if _imports(frame) == around:
            raise Stopped(number)

        def stop_after_import(frame: FrameType, event: str, argument: object) -> None:
            if _imports(frame) == around:
                sys.setprofile(None)
                raise Stopped(number)

        sys.setprofile(stop_after_import)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():  # Python sets handlers in the main thread only
        numbers = []
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) in UNHANDLED}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _imports(frame: FrameType | None) -> int:
    """Return how many frames of the import system `frame` runs within."""
    count = 0
    while frame:
        count += frame.f_code.co_filename.startswith("<frozen importlib")
        frame = frame.f_back
    return count
