"""Model file fuzzing: loading a randomly changed model gives a sound model or a ModelError, and nothing else."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from classifier.core.model_file import LARGEST_WEIGHT, array_specs, read_model
from classifier.core.sealed_json import sealed
from classifier.errors import ModelError
from tests.support import tiny_model

__all__ = ["changed_model_is_refused_or_sound", "every_byte"]

VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2,
    5,
    6,
    10**9,
    10**40,
    1.5,
    1e308,
    "",
    "5",
    "1",
    [],
    [1],
    {},
    {"a": [[]]},
    "0" * 64,
    "\u1ef1",
    "a" * 9999,
]


@cache
def _intact() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = tiny_model.tiny(Path(folder))
        return path.read_bytes(), path.with_suffix(".json").read_bytes()


def _changed_bytes(random: Random, data: bytes) -> bytes:
    """Return the bytes with some of them zeroed, flipped, cut, doubled or replaced; mostly near the end, where the zip directory is."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        low = random.choice((0, max(0, len(found) - 800)))
        at = random.randrange(low, len(found)) if found else 0
        size = random.choice((1, 1, 1, 4, 30, 500))
        part = found[at : at + size]
        found[at : at + size] = random.choice(
            (
                bytes(len(part)),
                b"\xff" * len(part),
                bytes(byte ^ 1 << random.randrange(8) for byte in part),
                b"",
                part + part,
                random.randbytes(size),
            )
        )
    return bytes(found)


def _changed_manifest(random: Random, fields: dict[str, Any]) -> dict[str, Any]:
    name = random.choice([*fields, "more"])
    return fields | {name: random.choice(VALUES)} if random.random() < 0.9 else {key: fields[key] for key in fields if key != name}


def changed_model_is_refused_or_sound(folder: Path, random: Random) -> bool:
    """Corrupt arrays and manifest of a small model, often with the digests recomputed to match; return whether it was refused."""
    path, manifest = folder / f"{tiny_model.STEM}.npz", folder / f"{tiny_model.STEM}.json"
    for file, data in zip((path, manifest), _intact()):
        file.write_bytes(data)
    if random.random() < 0.7:
        path.write_bytes(_changed_bytes(random, path.read_bytes()))
    if random.random() < 0.6:
        tiny_model.seal(path)
        if random.random() < 0.4:
            fields = _changed_manifest(random, json.loads(manifest.read_bytes()))
            manifest.write_bytes(sealed(fields))
    elif random.random() < 0.5:
        manifest.write_bytes(_changed_bytes(random, manifest.read_bytes()))
    try:
        arrays, fields, _ = read_model(path)
    except ModelError:
        return True
    for name, spec in array_specs(*(fields[name] for name in ("vocabulary_size", "hidden_size", "stacked_hidden_size"))).items():
        assert (arrays[name].shape, arrays[name].dtype.newbyteorder("<").str) == (spec.shape, spec.dtype)
        assert spec.dtype[1] != "f" or np.abs(arrays[name]).max() <= LARGEST_WEIGHT
    return False


def every_byte(path: Path) -> int:
    """Flip a bit of each byte of both model files in turn; return the number of refusals. Raises AssertionError if one loads."""
    refused = 0
    for target in (path, path.with_suffix(".json")):
        data = target.read_bytes()
        with target.open("r+b", buffering=0) as file:
            for at, byte in enumerate(data):
                file.seek(at)
                file.write(bytes([byte ^ 1]))
                try:
                    read_model(path)
                except ModelError:
                    refused += 1
                else:
                    raise AssertionError(f"{target}: loaded with byte {at} flipped")
                file.seek(at)
                file.write(bytes([byte]))
    read_model(path)
    return refused
