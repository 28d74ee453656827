"""Parallel map over worker processes: results in order, a bounded number of pieces in flight.

`joblib.Parallel` keeps dispatching even when nobody consumes results, so this module drives joblib's process pool (loky) itself
and keeps at most BATCHES_AHEAD pieces per worker in flight. The pool is private, because joblib's shared pool belongs to
`Parallel`.
"""

from __future__ import annotations

import operator
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

from classifier.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["BATCHES_AHEAD", "checked_jobs", "ordered_map"]

PARENT_SECONDS = 1.0  # between two checks that the parent process is alive
BATCHES_AHEAD = 2  # pieces in flight per worker: one being worked on, one waiting
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # each worker runs one thread

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def checked_jobs(jobs: SupportsIndex) -> int:
    """Return a number of processes as an int; negative numbers count from the cores, as in joblib: -1 means all, -2 all but one.

    Raises:
        InputError: it is 0 or not a whole number.
    """
    try:
        number = operator.index(jobs)
    except TypeError:
        raise InputError(f"jobs={jobs!r} is not a whole number; give 1 or more, or -1 for all cores") from None
    if number == 0:
        raise InputError("jobs=0 means no process at all; give 1 or more, or -1 for all cores")
    return number


def ordered_map(function: Callable[[Piece], Result], pieces: Iterable[Piece], jobs: int) -> Generator[Result, None, None]:
    """Yield `function(piece)` for all pieces, in order, computed in `jobs` processes (-1: all cores; 1: this process).

    A slow consumer throttles the workers. With several processes, `function` must be picklable.

    Raises:
        InputError: see `checked_jobs`.
    """
    jobs = checked_jobs(jobs)
    return (function(piece) for piece in pieces) if jobs == 1 else _in_pool(function, pieces, jobs)


def _in_pool(function: Callable[[Piece], Result], pieces: Iterable[Piece], jobs: int) -> Generator[Result, None, None]:
    from multiprocessing import resource_tracker

    from joblib import effective_n_jobs  # imported here because it takes longer than cleaning a page
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.backend import resource_tracker as tracker_of_loky

    workers = effective_n_jobs(jobs)
    pool = ProcessPoolExecutor(workers, env=dict.fromkeys(_THREAD_LIMITS, "1"), initializer=_exit_with_parent, initargs=(os.getpid(),))
    for tracker in (resource_tracker, tracker_of_loky):
        tracker.ensure_running()  # starting one unblocks SIGINT, so start both before it is blocked
    in_flight: deque[Future[Result]] = deque()
    finished = False
    try:
        for piece in pieces:
            with _interrupts_blocked():
                in_flight.append(pool.submit(function, piece))
            if len(in_flight) > BATCHES_AHEAD * workers:
                yield in_flight.popleft().result()
        while in_flight:
            yield in_flight.popleft().result()
        finished = True
    finally:
        if not finished:
            _discard_waiting(pool)
        pool.shutdown(kill_workers=not finished)


def _discard_waiting(pool: Any) -> None:
    """Empty the pool's queue of submitted pieces, for which loky's thread would otherwise look after it has forgotten them (KeyError)."""
    with suppress(Empty, AttributeError):  # AttributeError: a loky without this queue
        while True:
            pool._work_ids.get_nowait()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT while workers start, so that they inherit the block.

    Ctrl-C reaches every process of a terminal; only the parent handles it, and stops the workers. A SIGINT that arrives
    meanwhile stays pending.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exit_with_parent(parent: int) -> None:
    """Watchdog: exit within PARENT_SECONDS of the parent's death; SIGKILL runs no cleanup."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()
