"""Baseline files: the profile of a set of pages, as `tinsach drift --write-baseline` writes it and `--baseline` reads it.

Sealed JSON, like a model's manifest: a changed byte is refused. The file names the model and the labels to keep that it was
measured with, because with others the same pages measure differently.
"""

from __future__ import annotations

from typing import Any

from classifier.cleaner import Cleaner, Recipe
from classifier.core.model_file import MAX_MANIFEST
from classifier.core.sealed_json import SealError, sealed, unsealed
from classifier.errors import InputError, ModelError
from classifier.io.compression import open_decompressed
from classifier.io.files import Sink
from classifier.labels import DEFAULT_KEEP
from classifier.monitoring.profile import Profile

__all__ = ["FEWEST_BASELINE_PAGES", "read_baseline", "training_profile", "write_baseline"]

FORMAT, FORMAT_VERSION = "tinsach-baseline", 1
FEWEST_BASELINE_PAGES = 10  # with 6 pages of a site, one run in four was a false alarm (training/EXPERIMENTS.md, "Drift")
_FAULTS = {
    "json": "not a baseline, or damaged",
    "format": "not a baseline, or damaged",
    "version": f"of format version {{}}, this tinsach reads {FORMAT_VERSION}",
    "digest": "changed since it was written: damaged, or edited by hand",
}
_REWRITE = "write it again with `tinsach drift PAGES --write-baseline FILE`"


def write_baseline(out: Sink, cleaner: Cleaner, profile: Profile) -> None:
    """Write the profile of a set of pages.

    Raises:
        InputError: there are fewer than FEWEST_BASELINE_PAGES.
    """
    if profile.pages < FEWEST_BASELINE_PAGES:
        raise InputError(f"{profile.pages} pages are too few for a baseline; name {FEWEST_BASELINE_PAGES} or more, preferably 50")
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, "measured_with": _measured_with(cleaner.recipe)}
    out.write(sealed(head | {"profile": profile.as_json()}))


def _measured_with(recipe: Recipe) -> dict[str, Any]:
    """Return the settings, besides the pages, that the measures depend on."""
    return {"model": recipe.arrays_sha256, "keep": list(recipe.keep), "threshold": recipe.threshold}


def read_baseline(path: str, cleaner: Cleaner) -> Profile:
    """Return the profile in a file that `write_baseline` has written.

    Raises:
        InputError: the file is damaged, not a baseline, or measured with another model or other labels to keep.
    """
    with open_decompressed(path) as file:
        data = file.read(MAX_MANIFEST + 1)
    try:
        found = unsealed(data, FORMAT, FORMAT_VERSION)
    except SealError as error:
        raise InputError(f"{path}: {_FAULTS[error.fault].format(str(error.detail)[:20])}; {_REWRITE}") from error
    _require_same_settings(path, found.get("measured_with"), _measured_with(cleaner.recipe))
    return _profile(found.get("profile"), path, _REWRITE)


def _require_same_settings(path: str, found: object, expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        other = found.get(name) if isinstance(found, dict) else None
        if other != value:
            shown = f"{str(other)[:12]}, not {str(value)[:12]}" if name == "model" else f"{other}, not {value}"
            raise InputError(f"{path}: measured with another {name} ({shown}), which by itself changes the figures; {_REWRITE}")


def training_profile(cleaner: Cleaner) -> Profile:
    """Return the profile in the model's manifest.

    Raises:
        ModelError: there is none.
        InputError: it is invalid or of another version, or the cleaner keeps other labels than it was measured with.
    """
    advice = "retrain it with this tinsach, or compare with pages of your own: --baseline FILE"
    if "profile" not in cleaner.model.manifest:
        raise ModelError(f"the model has no training profile; {advice}")
    if cleaner.keep != frozenset(DEFAULT_KEEP) or cleaner.threshold is not None:
        raise InputError("the training profile was measured without --keep and --threshold; leave them out, or compare with a --baseline")
    return _profile(cleaner.model.manifest["profile"], "the training profile", advice)


def _profile(found: object, name: str, advice: str) -> Profile:
    try:
        return Profile.from_json(found)
    except InputError as error:
        raise InputError(f"{name}: {error}; {advice}") from error
