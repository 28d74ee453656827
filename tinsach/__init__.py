"""Alias of the package `classifier`, under the name of the distribution: `import tinsach` gives the same module object.

Submodules are aliases too (`tinsach.integrations.spark` is `classifier.integrations.spark`): two copies of a module would have two
classes of each exception, and an `except` would catch only one of them. The finder below exists for this reason.
"""

from __future__ import annotations

import sys
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

import classifier

if TYPE_CHECKING:
    from classifier import *  # noqa: F403  # for type checkers
    from classifier import __version__ as __version__

ALIAS, NAME = "tinsach.", "classifier."


class _Aliases(MetaPathFinder, InspectLoader):
    """Finder and loader of `tinsach.X` as `classifier.X`."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return a spec for the alias of an existing module."""
        spec = find_spec(NAME + fullname.removeprefix(ALIAS)) if fullname.startswith(ALIAS) else None
        if spec is None:
            return None
        # `python -m` takes `sys.argv[0]` from the origin, and Ray reads it.
        return spec_from_loader(fullname, self, origin=spec.origin, is_package=spec.submodule_search_locations is not None)

    def exec_module(self, module: ModuleType) -> None:
        """Put the real module in place of the empty one that the import system has made."""
        __import__(NAME + module.__name__.removeprefix(ALIAS))
        _register_loaded()

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of the real module, for `python -m`."""
        real = NAME + fullname.removeprefix(ALIAS)
        spec = find_spec(real)
        return spec.loader.get_code(real) if spec and isinstance(spec.loader, InspectLoader) else None

    def get_source(self, fullname: str) -> None:
        """Return None; tools find the source of the real module by its own name."""


def _require_ours() -> None:
    """Raise an error if `classifier` is not our package: the name is common, also among scripts in the working directory."""
    if not hasattr(classifier, "SiteMemory"):
        place = getattr(classifier, "__file__", None) or "a folder"
        raise ImportError(f"{place} is another module named classifier, the name of tinsach's own package; rename or uninstall it")


def _register_loaded() -> None:
    """Enter every module loaded so far under its alias as well."""
    for name, module in list(sys.modules.items()):
        if name.startswith(NAME):
            sys.modules[ALIAS + name.removeprefix(NAME)] = module


_require_ours()
sys.meta_path.insert(0, _Aliases())
_register_loaded()
sys.modules[__name__] = classifier
