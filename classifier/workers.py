"""Work in other processes, with a cleaner in each: results in order, and a bounded number of pieces of work under way.

joblib's own `Parallel` dispatches on as results come in, consumed or not; so its kind of process pool is used directly, and one
of our own: the one that joblib shares among its callers is for `Parallel` alone.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from classifier.errors import InputError
from classifier.labels import Label

if TYPE_CHECKING:
    from concurrent.futures import Future

    from classifier.cleaner import Cleaner
    from classifier.site_rules import SiteRules

__all__ = ["BATCHES_AHEAD", "in_processes"]

PARENT_SECONDS = 1.0  # between two looks at the parent
BATCHES_AHEAD = 2  # for each process: one to work on, one to go on with
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a process is one thread's worth of work

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def in_processes(
    cleaner: Cleaner, work: Callable[[Cleaner, Piece], Result], pieces: Iterable[Piece], jobs: int
) -> Generator[Result, None, None]:
    """Yield `work(cleaner, piece)` of all pieces, in order, done in `jobs` processes (-1: all cores; 1: in this one).

    A slow consumer stops the workers. `work` has to be a function of a module: other processes import it.

    Raises:
        InputError: `jobs` is 0, or more processes are asked for with a model that came from no file, or with a memory.
    """
    if jobs == 0:
        raise InputError("jobs=0 means no process at all; give 1 or more, or -1 for all cores")
    if jobs == 1:
        return (work(cleaner, piece) for piece in pieces)
    if cleaner.memory is not None:
        raise InputError("a site memory reads and counts pages one after the other, in one process; use jobs=1 (--jobs 1), or no memory")
    if cleaner.model.path is None:
        raise InputError("this model came from no file that other processes could load; use jobs=1, or load(path)")
    keep = tuple(sorted(cleaner.keep))
    options = (cleaner.model.path, cleaner.model.manifest["arrays_sha256"], keep, cleaner.threshold, cleaner.rules, cleaner.site)
    return _in_pool(options, work, pieces, jobs)


def _in_pool(
    options: _Options, work: Callable[[Cleaner, Piece], Result], pieces: Iterable[Piece], jobs: int
) -> Generator[Result, None, None]:
    from multiprocessing import resource_tracker

    from joblib import effective_n_jobs  # only where processes are asked for: importing it costs more than a page
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.backend import resource_tracker as tracker_of_loky

    workers = effective_n_jobs(jobs)
    pool = ProcessPoolExecutor(workers, env=dict.fromkeys(_THREAD_LIMITS, "1"), initializer=_end_with, initargs=(os.getpid(),))
    for tracker in (resource_tracker, tracker_of_loky):
        tracker.ensure_running()  # started later, they would lift the block on interrupts
    under_way: deque[Future[Result]] = deque()
    finished = False
    try:
        for piece in pieces:
            with _interrupts_blocked():
                under_way.append(pool.submit(_in_worker, options, work, piece))
            if len(under_way) > BATCHES_AHEAD * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
        finished = True
    finally:
        pool.shutdown(kill_workers=not finished)


# Model file, its digest, what to keep, threshold, rules, site.
_Options = tuple[Path, str, tuple[Label, ...], "float | None", "SiteRules | None", "str | None"]
_worker_cleaners: dict[_Options, Cleaner] = {}


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C, which reaches every process of a terminal, for the process that starts the others, and ends them.

    They begin with the signals blocked that are blocked here; one that comes meanwhile waits.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """Let this worker end soon after its parent, however that ended: killed, it has told nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()


def _in_worker(options: _Options, work: Callable[[Cleaner, Piece], Result], piece: Piece) -> Result:
    """Work in a worker process, which loads each model once: a file trained anew is another model."""
    if options not in _worker_cleaners:
        from classifier.cleaner import load

        path, _, keep, threshold, rules, site = options
        _worker_cleaners[options] = load(path, keep=keep, threshold=threshold, rules=rules).at(site)
    return work(_worker_cleaners[options], piece)
