"""What can go wrong, as one small tree.

    TinsachError                 everything this package raises on purpose
    ├── InputError (ValueError)  what the caller passed in cannot be used as lines, a page or an option
    ├── MissingEngine (ImportError)  a library that an integration works with is not installed
    └── ModelError (ValueError)  a model file is missing, damaged, or made for another version

Each message says what to do next. Nothing is swallowed: an exception of another kind is a bug worth reporting.
"""

__all__ = ["InputError", "MissingEngine", "ModelError", "TinsachError"]


class TinsachError(Exception):
    """Base of every error that tinsach raises on purpose."""


class InputError(TinsachError, ValueError):
    """The lines, the page or an option cannot be used as given."""


class MissingEngine(TinsachError, ImportError):
    """A library that an integration works with is not installed."""


class ModelError(TinsachError, ValueError):
    """A model file is missing, damaged, or made for another version of tinsach."""
