"""Dispatch between the compiled kernel and numpy: the one place that decides which of the two computes.

`@compiled` marks a numpy function of `core` that has a twin in `_kernel.pyx`: a function of the same name, with the same arguments
and the same result, bit for bit. The numpy function is the reference, and says what the twin does; the kernel is several times
faster, above all where a line or two is labelled at a time. It is optional: a package built without a compiler has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar, cast

from classifier.errors import InputError

__all__ = ["REFERENCES", "VARIABLE", "compiled", "kernel", "switched"]

VARIABLE = "TINSACH_KERNEL"  # environment: "1" demands the kernel, "0" forbids it; unset, it is used if it is there

Function = TypeVar("Function", bound=Callable[..., Any])
REFERENCES: dict[str, Callable[..., Any]] = {}  # the numpy functions, by name
_twins: ModuleType | None = None  # in use
_chosen = False  # at the first call, since the kernel reads tables of modules that import this one


def kernel() -> str:
    """Return what computes: `"compiled"`, or `"numpy"`; results are the same.

    Raises:
        InputError: TINSACH_KERNEL is neither 0 nor 1, or demands a kernel that is not installed.
    """
    if not _chosen:
        _use(_wanted())
    return "numpy" if _twins is None else "compiled"


def compiled(reference: Function) -> Function:
    """Return a function that calls the twin of `reference` if the kernel is in use, and else `reference`."""
    name = reference.__name__
    REFERENCES[name] = reference

    @wraps(reference)
    def either(*args: Any) -> Any:
        if not _chosen:
            kernel()
        return (reference if _twins is None else getattr(_twins, name))(*args)

    return cast(Function, either)


@contextmanager
def switched(on: bool) -> Iterator[None]:
    """Use the kernel, or numpy, for a while, in the whole process; for tests and benchmarks.

    Raises:
        InputError: the kernel is wanted and not installed.
    """
    before = kernel() == "compiled"
    _use("1" if on else "0")
    try:
        yield
    finally:
        _use("1" if before else "0")


def _wanted() -> str:
    value = os.environ.get(VARIABLE, "")
    if value not in ("", "0", "1"):
        raise InputError(f"{VARIABLE}={value[:20]!r} is neither 0 (numpy) nor 1 (the compiled kernel); unset it to use what is installed")
    return value


def _use(wanted: str) -> None:
    global _chosen, _twins
    twins = None
    if wanted != "0":
        try:
            from classifier.core import _kernel as found  # type: ignore[attr-defined]
        except ImportError as error:
            if wanted == "1":
                advice = f"install a C compiler and reinstall tinsach, or unset {VARIABLE}"
                raise InputError(f"the compiled kernel is not installed ({error}); {advice}") from error
        else:
            twins = found
    _twins, _chosen = twins, True
