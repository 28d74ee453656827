"""A profile of pages as a file: what `tinsach drift --write-baseline` keeps, and `--baseline` compares with.

JSON in one right spelling with a digest of itself, as a model's manifest has: a changed byte is refused. It says which model measured
it, and with what to keep; with others, the same pages measure differently. What it leaves out: measuring (`profile.py`).
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
FEWEST_BASELINE_PAGES = 10  # with 6 of a site's pages one run in four alarmed falsely (training/EXPERIMENTS.md, "Drift")
_FAULTS = {
    "json": "not a baseline, or damaged",
    "format": "not a baseline, or damaged",
    "version": f"of format version {{}}, this tinsach reads {FORMAT_VERSION}",
    "digest": "not as it was written: damaged, or changed by hand",
}
AGAIN = "make it anew with `tinsach drift PAGES --write-baseline FILE`"


def write_baseline(out: Sink, cleaner: Cleaner, profile: Profile) -> None:
    """Write a profile of pages.

    Raises:
        InputError: it is of too few pages.
    """
    if profile.pages < FEWEST_BASELINE_PAGES:
        raise InputError(f"{profile.pages} pages are too few for a baseline; name {FEWEST_BASELINE_PAGES} or more, better 50")
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, "measured_with": _measured_with(cleaner.recipe)}
    out.write(sealed(head | {"profile": profile.as_json()}))


def _measured_with(recipe: Recipe) -> dict[str, Any]:
    """Return what the measures depend on besides the pages."""
    return {"model": recipe.arrays_sha256, "keep": list(recipe.keep), "threshold": recipe.threshold}


def read_baseline(path: str, cleaner: Cleaner) -> Profile:
    """Return the profile in a file that `write_baseline` has written.

    Raises:
        InputError: the file is damaged, something else, or measured with another model or another choice of what to keep.
    """
    with open_decompressed(path) as file:
        data = file.read(MAX_MANIFEST + 1)
    try:
        found = unsealed(data, FORMAT, FORMAT_VERSION)
    except SealError as error:
        raise InputError(f"{path}: {_FAULTS[error.fault].format(str(error.detail)[:20])}; {AGAIN}") from error
    _refuse_other_measure(path, found.get("measured_with"), _measured_with(cleaner.recipe))
    return _profile(found.get("profile"), path, AGAIN)


def _refuse_other_measure(path: str, found: object, own: dict[str, Any]) -> None:
    for name, value in own.items():
        other = found.get(name) if isinstance(found, dict) else None
        if other != value:
            shown = f"{str(other)[:12]}, not {str(value)[:12]}" if name == "model" else f"{other}, not {value}"
            raise InputError(f"{path}: measured with another {name} ({shown}), which alone moves the figures; {AGAIN}")


def training_profile(cleaner: Cleaner) -> Profile:
    """Return the profile in the model's manifest.

    Raises:
        ModelError: there is none, or one of another version.
        InputError: the cleaner does not keep what the profile was measured with.
    """
    advice = "retrain it with this tinsach, or compare with pages of your own: --baseline FILE"
    if "profile" not in cleaner.model.manifest:
        raise ModelError(f"the model has no training profile; {advice}")
    if cleaner.keep != frozenset(DEFAULT_KEEP) or cleaner.threshold is not None:
        raise InputError("the training profile knows no --keep and no --threshold; leave them out, or compare with a --baseline")
    return _profile(cleaner.model.manifest["profile"], "the training profile", advice)


def _profile(found: object, name: str, advice: str) -> Profile:
    try:
        return Profile.from_json(found)
    except InputError as error:
        raise InputError(f"{name}: {error}; {advice}") from error
