"""Worker processes: one thread each in the libraries of linear algebra, whatever the parent has."""

from __future__ import annotations

import os

import pytest

from classifier.parallel import ordered_map


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
