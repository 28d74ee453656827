"""Libraries that only some formats need: imported where they are used, and asked for by name where they are missing."""

from __future__ import annotations

from classifier.errors import InputError

__all__ = ["missing"]


def missing(name: str, extra: str, library: str) -> InputError:
    """Return the error for a library that is not installed.

    >>> str(missing("crawl.parquet", "parquet", "pyarrow"))
    "crawl.parquet: needs pyarrow, which is not installed: pip install 'tinsach[parquet]'"
    """
    return InputError(f"{name}: needs {library}, which is not installed: pip install 'tinsach[{extra}]'")
