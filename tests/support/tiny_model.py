"""Tiny model files, and ways to tamper with them, for the model-file tests and the fuzzers."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from classifier.core.model_file import FORMAT, FORMAT_VERSION, STEM, array_specs, feature_digest
from classifier.core.sealed_json import sealed
from classifier.labels import LABELS

VOCABULARY, HIDDEN, STACKED = 5, 2, 3


def arrays() -> dict[str, np.ndarray]:
    """Return the arrays of a model with five n-grams, and two and three hidden units, about 20 KB."""
    random = np.random.default_rng(7)
    found = {}
    for name, spec in array_specs(VOCABULARY, HIDDEN, STACKED).items():
        whole = np.arange(np.prod(spec.shape)).reshape(spec.shape)
        found[name] = (random.integers(-8, 8, spec.shape) / 16 if spec.dtype[1] == "f" else whole).astype(spec.dtype)
    return found


def manifest() -> dict[str, Any]:
    """Return the manifest fields that loading reads, and one that it ignores; `seal` adds the digest of the arrays."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "labels": [label.value for label in LABELS],
        "features_sha256": feature_digest(),
        "vocabulary_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "hidden_grid": 4,
        "stacked_hidden_size": STACKED,
        "stacked_hidden_grid": 4,
        "note": "nhỏ",
    }


def tiny(folder: Path, changes: Mapping[str, np.ndarray] | None = None) -> Path:
    """Write a small model with valid digests, with `changes` to its arrays, and return the path of its .npz file."""
    path = folder / f"{STEM}.npz"
    np.savez(path, **(arrays() | dict(changes or {})))
    path.with_suffix(".json").write_bytes(sealed(manifest()))
    seal(path)
    return path


def seal(path: Path, **changes: Any) -> None:
    """Change fields of the manifest and recompute all digests, as a forger would."""
    fields = json.loads(path.with_suffix(".json").read_bytes())
    fields["arrays_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_bytes(sealed(fields | changes))


def rezip(path: Path, changes: Mapping[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> None:
    """Rewrite the zip with some entries changed or added, and recompute the digests."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in (entries | dict(changes or {})).items():
            archive.writestr(name, content)
    seal(path)


def npy(descr: str, shape: object, data: bytes = b"", fortran: bool = False) -> bytes:
    """Return an .npy file with an arbitrary header."""
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode() + data


def header_positions(data: bytes) -> list[int]:
    """Return the byte positions outside the array data of an .npz file: zip headers, array headers, the central directory."""
    positions: list[int] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            start = entry.header_offset
            content = (
                start
                + 30
                + int.from_bytes(data[start + 26 : start + 28], "little")
                + int.from_bytes(data[start + 28 : start + 30], "little")
            )
            positions += range(start, content + 10 + int.from_bytes(data[content + 8 : content + 10], "little"))
        positions += range(archive.start_dir, len(data))
    return positions


@contextmanager
def allocates_below(limit: int) -> Iterator[None]:
    """Check that the code inside allocates less than `limit` bytes at its peak, as `tracemalloc` counts; other processes cannot show."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()
