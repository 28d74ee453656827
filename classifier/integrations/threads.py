"""BLAS threads of a worker: one, since the engine already starts a worker per core.

Engines disagree: Spark and Ray set OMP_NUM_THREADS, datatrove and datasets leave it to the user, and OPENBLAS_NUM_THREADS overrides
it. So each worker pins the libraries that it has loaded, while it cleans.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from classifier.errors import require_library

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS works on one thread; on leaving it, the threads are as before."""
    return _controller().limit(limits=1)


@lru_cache(maxsize=1)
def _controller() -> Any:
    """Return the controller of the libraries that are loaded now: numpy's are. Looking for them takes milliseconds."""
    with require_library("engines"):
        from threadpoolctl import ThreadpoolController
    return ThreadpoolController()
