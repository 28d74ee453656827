"""Training settings, and the process environment that makes training reproducible."""

from __future__ import annotations

import os
import platform
import sys
from typing import NamedTuple

__all__ = ["SETTINGS", "Settings", "pin_kernels"]

KERNELS = {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "1"}


class Settings(NamedTuple):
    """Hyperparameters of the model, recorded in its manifest; `training/EXPERIMENTS.md` gives the origin of each value."""

    pages: int = 8000
    seed: int = 22
    vocabulary_size: int = 6000
    least_lines: int = 8
    first_c: float = 0.1
    # Shares of n-grams hidden from the first pass while the context pass learns; one is drawn per page, for short lines and for
    # long ones. The press uses words that the corpus does not, so the context pass must trust words less than the corpus alone
    # would suggest, least of all in prose.
    hidden_short: tuple[float, ...] = (0.0, 0.0, 0.3, 0.6)
    hidden_long: tuple[float, ...] = (0.3, 0.6, 0.9, 1.0)
    networks: int = 2
    hidden: int = 48
    stacked_hidden: int = 64
    alpha: float = 0.3
    epochs: int = 4
    # How many times lines count in the second context pass: article lines of pages that are an article alone (clean text must pass
    # untouched) or hold few lines, and all lines of real pages.
    bare_weight: float = 6.0
    small_weight: float = 3.0
    real_weight: float = 2.0
    body_bias: float = 1.0


SETTINGS = Settings()


def pin_kernels(module: str) -> None:
    """Re-execute `python -m module` with fixed OpenBLAS kernels and one thread, unless the environment already has them.

    OpenBLAS chooses its kernels by CPU, and kernels round differently. Haswell's run on all x86-64 CPUs of the last ten years;
    on other machines nothing is pinned, and `verify` compares within a tolerance.
    """
    if platform.machine() in ("x86_64", "AMD64") and any(os.environ.get(name) != value for name, value in KERNELS.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], os.environ | KERNELS)
