"""Model export: the weights as an .npz file, and a sealed JSON manifest with digests, settings and versions."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn

import classifier
from classifier.core.model_file import FORMAT, FORMAT_VERSION, STEM, feature_digest
from classifier.core.pipeline import LOOKAHEAD
from classifier.core.sealed_json import sealed
from classifier.labels import EVIDENCE, LABELS
from training.composer import corpus, skeleton
from training.learning import measured
from training.learning.fit import Trained
from training.learning.settings import Settings

__all__ = ["MODELS", "ROOT", "data_digest", "export", "write_manifest"]

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"


def export(trained: Trained, folder: Path, settings: Settings) -> dict[str, Any]:
    """Write the arrays and the manifest, and return the manifest."""
    arrays = trained.first.arrays() | trained.context.arrays("") | trained.stacked.arrays("stacked_")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{STEM}.npz"
    np.savez(path, **arrays)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": STEM,
        "version": classifier.__version__,
        "arrays_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "features_sha256": feature_digest(),
        "labels": [label.value for label in LABELS],
        "evidence": list(EVIDENCE),
        "vocabulary_size": len(arrays["vocabulary"]),
        "hidden_size": len(arrays["hidden_bias"]),
        "hidden_grid": trained.context.grid_,
        "stacked_hidden_size": len(arrays["stacked_hidden_bias"]),
        "stacked_hidden_grid": trained.stacked.grid_,
        "lookahead": LOOKAHEAD,
        "temperature": trained.stacked.temperature_,
        "seed": settings.seed,
        "settings": settings._asdict(),
        "training_data_sha256": data_digest(),
        "training_lines": trained.training_lines,
        "real_lines": trained.real_lines,
        "made_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
        "machine": platform.machine(),
    }
    write_manifest(manifest, folder)
    return manifest


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """Write the manifest beside the arrays, as canonical JSON with its own digest."""
    (folder / f"{STEM}.json").write_bytes(sealed(manifest))


def data_digest() -> str:
    """Return a SHA-256 digest of the paths and contents of all files that training reads."""
    digest = hashlib.sha256()
    for path in sorted([*corpus.ROOT.rglob("*.txt"), *skeleton.ROOT.glob("*.skel"), *measured.ROOT.glob("*.npz")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
