"""A stand-in for a retrained model: the shipped one with other weights in the second context pass, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from classifier.core.model import GRID, OUTPUT_GRID, on_grid
from classifier.core.model_file import STEM, read_model
from classifier.core.sealed_json import sealed
from classifier.labels import LABELS, Label
from tests.support.tiny_model import seal

__all__ = ["retrained_model"]


def retrained_model(folder: Path, seed: int = 3) -> Path:
    """Write the model, which likes captions more than the shipped one does, and return its folder."""
    arrays, manifest, _ = read_model()
    random = np.random.default_rng(seed)
    output = arrays["stacked_output"] * random.uniform(0.9, 1.1, arrays["stacked_output"].shape)
    bias = arrays["stacked_output_bias"].copy()
    bias[LABELS.index(Label.CAPTION)] += 2.0
    folder.mkdir(parents=True, exist_ok=True)
    changes = {"stacked_output": on_grid(output, OUTPUT_GRID), "stacked_output_bias": on_grid(bias, GRID)}
    np.savez(folder / f"{STEM}.npz", **(arrays | changes))
    (folder / f"{STEM}.json").write_bytes(sealed(manifest))
    seal(folder / f"{STEM}.npz", version="retrained")
    return folder
