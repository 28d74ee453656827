"""Parallel map over processes: results in order, a bounded number of pieces in flight.

`joblib.Parallel` keeps dispatching even when nobody consumes results, so this module drives joblib's process pool (loky) itself
and keeps at most BATCHES_AHEAD pieces per process in flight. The pool is private, because joblib's shared pool belongs to
`Parallel`. The calling process can be one of the processes: it works while the others start, and whenever they have enough to do.
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
from shutil import which
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

from classifier.errors import InputError, WorkerError

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["BATCHES_AHEAD", "checked_jobs", "ordered_map"]

PARENT_SECONDS = 1.0  # between two checks that the parent process is alive
BATCHES_AHEAD = 2  # pieces in flight per process: one being worked on, one waiting
# Each worker runs one thread, and imports nothing from the folder that it happens to be in, where crawls may hold a numpy.py.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}

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


def ordered_map(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], jobs: int, here: Callable[[Piece], Result] | None = None
) -> Generator[Result, None, None]:
    """Yield `function(piece)` for all pieces, in order, computed in `jobs` processes (-1: all cores; 1: this process).

    A slow consumer throttles the workers. An error is raised when its turn comes, after the results of earlier pieces. With several
    processes, `function` must be picklable.

    Args:
        function: what to compute.
        pieces: its arguments.
        jobs: the number of processes.
        here: the same function for this process, which then is one of the processes; None for pieces that take so long that
            workers would run out of pieces meanwhile.

    Raises:
        InputError: see `checked_jobs`.
        WorkerError: a worker process was killed.
    """
    jobs = checked_jobs(jobs)
    return ((here or function)(piece) for piece in pieces) if jobs == 1 else _in_pool(function, pieces, jobs, here)


def _in_pool(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], jobs: int, here: Callable[[Piece], Result] | None
) -> Generator[Result, None, None]:
    from joblib import effective_n_jobs  # imported here because it takes longer than cleaning a page

    processes = effective_n_jobs(jobs)
    if here and processes == 1:
        yield from map(here, pieces)
        return
    workers = processes - (here is not None)
    in_flight: deque[Future[Any]] = deque()  # in the order of the pieces
    with _pool(workers, function) as (submit, ready):
        for piece in _each(pieces):
            if piece.exception():
                in_flight.append(piece)
            elif here and (not ready.done() or sum(not future.done() for future in in_flight) >= BATCHES_AHEAD * workers):
                in_flight.append(_completed(here, piece.result()))
            else:
                in_flight.append(submit(function, piece.result()))
            while in_flight and (in_flight[0].done() or len(in_flight) > BATCHES_AHEAD * processes):
                yield in_flight.popleft().result()
        while in_flight:
            yield in_flight.popleft().result()


@contextmanager
def _pool(workers: int, function: Callable[..., Any]) -> Iterator[tuple[Callable[..., Future[Any]], Future[Any]]]:
    """Start worker processes; return what submits a call to them, and a future that is done once one has imported what `function` needs.

    When the context ends they have no work, or nobody wants its results, so they are killed: some may not even have started.
    """
    from multiprocessing import resource_tracker

    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor
    from joblib.externals.loky.backend import resource_tracker as tracker_of_loky

    pool = ProcessPoolExecutor(workers, env=_ENVIRONMENT, initializer=_exit_with_parent, initargs=(os.getpid(),))
    for tracker in (resource_tracker, tracker_of_loky):
        tracker.ensure_running()  # starting one unblocks SIGINT, so start both before it is blocked

    def submit(function: Callable[..., Any], *args: Any) -> Future[Any]:
        with _interrupts_blocked():
            return pool.submit(function, *args)

    finished = False
    try:
        yield submit, submit(callable, function)
        finished = True
    except BrokenProcessPool as error:
        raise WorkerError("a worker process was killed, perhaps for lack of memory; run it again with fewer jobs (--jobs)") from error
    finally:
        _discard_waiting(pool)
        pool.shutdown(kill_workers=not finished or bool(which("pgrep")))  # which loky kills with: without it, wait for them


def _each(pieces: Iterable[Piece]) -> Iterator[Future[Piece]]:
    """Yield each piece as a finished future; the last one may hold the error that ended the pieces."""
    source, end = iter(pieces), object()
    while True:
        piece = _completed(next, source, end)
        if not piece.exception() and piece.result() is end:
            return
        yield piece


def _completed(function: Callable[..., Result], *args: Any) -> Future[Result]:
    """Return the finished future of a call in this process."""
    from concurrent.futures import Future

    future: Future[Result] = Future()
    try:
        future.set_result(function(*args))
    except Exception as error:
        future.set_exception(error)
    return future


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
