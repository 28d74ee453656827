"""Parallel map: the calling process takes its share, errors come in their turn, and workers run one thread each."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from classifier.errors import WorkerError
from classifier.parallel import BATCHES_AHEAD, ordered_map


def process(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def inverse(number: int) -> float:
    time.sleep(0.005)
    return 1 / number


def numbers(end: int) -> Iterator[int]:
    yield from range(1, end)
    raise LookupError("no more of them")


def until_error(jobs: int, pieces: Iterator[int]) -> tuple[list[float], type]:
    """Return the results before an error, and its type."""
    found = []
    try:
        for result in ordered_map(inverse, pieces, jobs, inverse):
            found.append(result)
    except (LookupError, ZeroDivisionError) as error:
        return found, type(error)
    raise AssertionError("no error")


def kill(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def shared_out() -> set[int]:
    """Return the processes that work once all of them have started."""
    found: set[int] = set()
    for done in ordered_map(process, range(100_000), 2, process):
        found.add(done)
        if len(found) == 2:
            break
    return found


def test_this_process_takes_a_share():
    found = shared_out()
    assert len(found) == 2
    assert os.getpid() in found
    assert os.getpid() not in set(ordered_map(process, range(6), 2))  # unless pieces are too large for that


def test_this_process_works_before_the_others_have_started():
    taken = []

    def pieces() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    first = ordered_map(process, pieces(), 2, process)
    assert next(first) == os.getpid()
    assert len(taken) <= BATCHES_AHEAD
    first.close()


@pytest.mark.parametrize("bad", [1, 5, 40])
@pytest.mark.usefixtures("started_workers")
def test_an_error_comes_after_the_results_before_it(bad):
    assert until_error(2, numbers(bad)) == until_error(1, numbers(bad)) == ([1 / n for n in range(1, bad)], LookupError)
    some = [*range(1, bad), 0, 7]
    assert until_error(2, iter(some)) == until_error(1, iter(some)) == ([1 / n for n in range(1, bad)], ZeroDivisionError)


@pytest.mark.usefixtures("started_workers")
def test_a_slow_worker_bounds_what_is_done_meanwhile():
    taken: list[float] = []

    def pieces() -> Iterator[float]:
        for seconds in (0.5, *[0] * 50):
            taken.append(seconds)
            yield seconds

    done = ordered_map(time.sleep, pieces(), 2, time.sleep)
    next(done)
    assert len(taken) <= 2 * BATCHES_AHEAD + 1
    assert len(list(done)) == 50


def test_a_worker_that_is_killed_is_named():
    with pytest.raises(WorkerError, match="a worker process was killed"):
        list(ordered_map(kill, range(4), 2))


def blas_threads(_: int) -> int:
    import numpy  # noqa: F401 - loads the library
    from threadpoolctl import threadpool_info

    return max(library["num_threads"] for library in threadpool_info())


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one thread everywhere on one core")
def test_workers_run_one_thread_each(monkeypatch):
    pytest.importorskip("threadpoolctl")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert list(ordered_map(blas_threads, range(4), 2)) == [1, 1, 1, 1]


def test_workers_import_nothing_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported from a folder of pages')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [name for name in sys.path if name])
    assert list(ordered_map(inverse, range(1, 9), 2)) == [1 / number for number in range(1, 9)]
