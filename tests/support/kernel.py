"""Comparison of the compiled kernel with numpy: while it lasts, each call of a twin also calls its reference, and both must agree.

Agreement is to the bit: the same types, shapes and values, and the same sign of zero.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from classifier.core import kernel
from classifier.errors import InputError

__all__ = ["compared", "needs_kernel", "same_bits"]


def same_bits(found: object, wanted: object, where: str = "result") -> None:
    """Raise AssertionError unless two results are equal to the bit; `where` names them."""
    if isinstance(wanted, tuple):
        names = getattr(wanted, "_fields", range(len(wanted)))
        assert type(found) is type(wanted), where
        assert len(found) == len(wanted), where
        for name, one, other in zip(names, found, wanted):
            same_bits(one, other, f"{where}.{name}")
    elif isinstance(wanted, np.ndarray):
        assert isinstance(found, np.ndarray), where
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), where
        bits = [np.ascontiguousarray(array).view(np.uint8) for array in (found, wanted)]
        assert np.array_equal(*bits), f"{where}: {found[found != wanted][:5]} and not {wanted[found != wanted][:5]}"
    else:
        assert found == wanted, where


@contextmanager
def compared() -> Iterator[dict[str, int]]:
    """Compare every twin with its reference in all calls within the block; yields the number of calls by name.

    An exception that compiled code could not raise, such as an index out of bounds where bounds are checked, fails the block.
    """
    calls = dict.fromkeys(kernel.REFERENCES, 0)

    def checked(name: str, twin: Callable[..., Any]) -> Callable[..., Any]:
        def both(*args: Any) -> Any:
            calls[name] += 1
            found = twin(*args)
            same_bits(found, kernel.REFERENCES[name](*args), name)
            return found

        return both

    lost: list[object] = []
    hook = sys.unraisablehook
    with kernel.switched(True), pytest.MonkeyPatch.context() as patch:
        twins = {name: checked(name, getattr(kernel._twins, name)) for name in kernel.REFERENCES}
        patch.setattr(kernel, "_twins", SimpleNamespace(**twins))
        patch.setattr(sys, "unraisablehook", lambda unraisable: (lost.append(unraisable.exc_value), hook(unraisable)))
        yield calls
    assert not lost, lost


def _installed() -> bool:
    try:
        with kernel.switched(True):
            return True
    except InputError:
        return False


needs_kernel = pytest.mark.skipif(not _installed(), reason="the compiled kernel is not installed")
