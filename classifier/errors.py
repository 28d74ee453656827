"""Exceptions: one base class for every error that this package raises on purpose.

    TinsachError                 base class
    ├── InputError (ValueError)  lines, a page, a file or an option cannot be used
    │   └── OutputError          an output cannot be written, or cannot hold what is to be written
    ├── MissingEngine (ImportError)  a library that an integration needs is not installed
    ├── ModelError (ValueError)  a model file is missing, damaged, or made for another version
    └── WorkerError (RuntimeError)  a worker process was killed

    InputWarning (UserWarning)   pages are not plain lines of Vietnamese text, or nothing of them is kept; a warning only

Every message says what to do next. Any other exception is a bug worth reporting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["InputError", "InputWarning", "MissingEngine", "ModelError", "OutputError", "TinsachError", "WorkerError", "require_library"]


class TinsachError(Exception):
    """Base class of every error that tinsach raises on purpose."""


class InputError(TinsachError, ValueError):
    """The lines, the page, the file or an option cannot be used as given."""


class InputWarning(UserWarning):
    """Pages are not plain lines of Vietnamese text, or nothing of them is kept; they are labelled all the same."""


class MissingEngine(TinsachError, ImportError):
    """A library that an integration needs is not installed."""


class OutputError(InputError):
    """An output cannot be written, or cannot hold what is to be written; no fault of the input that is being read."""


class ModelError(TinsachError, ValueError):
    """A model file is missing, damaged, or made for another version of tinsach."""


class WorkerError(TinsachError, RuntimeError):
    """A worker process was killed before its work was done."""


@contextmanager
def require_library(extra: str, file: str | None = None) -> Iterator[None]:
    """Turn a failed import of an optional library into an error with the command that installs it.

    Args:
        extra: the tinsach extra that installs the library.
        file: the input or output that needs it; None for an integration.

    Raises:
        InputError: a file needs the library.
        MissingEngine: an integration needs it.

    >>> with require_library("parquet", "crawl.parquet"):
    ...     import no_such_library
    Traceback (most recent call last):
    classifier.errors.InputError: crawl.parquet: needs no_such_library, which is not installed; run: pip install 'tinsach[parquet]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        message = f"needs {library}, which is not installed; run: pip install 'tinsach[{extra}]'"
        raise MissingEngine(f"tinsach {message}", name=library) if file is None else InputError(f"{file}: {message}") from error
