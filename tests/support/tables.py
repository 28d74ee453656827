"""Tables of test cases: TSV files in `tests/cases/`, in which lines that start with `#` are comments."""

from __future__ import annotations

from tests.support.paths import ROOT

__all__ = ["rows_of"]


def rows_of(name: str) -> list[list[str]]:
    """Return the rows of a table as lists of cells."""
    lines = (ROOT / "tests" / "cases" / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
