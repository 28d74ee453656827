"""Site-memory file format: two arrays in an uncompressed zip (npz), verified before use.

`cells` holds what was seen; `about` is sealed JSON (`sealed_json`) with digests of the cells and of itself, so a changed byte is
refused unless it is in a part that is never read. Nothing in the file is executable, and no size is taken from it (`model_file`
describes how its arrays are read). `FILE.gz` and `FILE.zst` are compressed, to a fraction of the size while the memory is young.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.core.arrays import Hashes
from classifier.core.features import extract_features
from classifier.core.model_file import ArraySpec, read_array, read_entries
from classifier.core.sealed_json import SealError, sealed, unsealed
from classifier.errors import InputError, ModelError
from classifier.io.compression import open_decompressed
from classifier.io.files import os_error_message
from classifier.sites.evidence import MOST_PAGES

__all__ = ["FORMAT", "FORMAT_VERSION", "MOST_ABOUT", "memory_bytes", "parse_memory", "read_memory"]

FORMAT = "tinsach-site-memory"
FORMAT_VERSION = 2
ENTRIES = ("about", "cells")
MOST_ABOUT = 1 << 20  # bytes besides the cells: ten thousand reset sites take 260 KB
_RESTORE = "restore it, or name another file to begin a new one"


def memory_bytes(cells: Hashes, saved: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file with these cells and metadata; equal memories give equal bytes."""
    about = {"format": FORMAT, "format_version": FORMAT_VERSION, **saved, "lines_hash": _probe(), "cells_sha256": _digest(cells)}
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(sealed(about), np.uint8), cells=cells)
    return buffer.getvalue()


def read_memory(path: str | Path, shape: tuple[int, ...]) -> tuple[Hashes, dict[str, Any]]:
    """Return the cells, which must have this shape, and the metadata saved with them.

    Raises:
        InputError: the file is missing, damaged, or not a memory of this version.
    """
    return parse_memory(_bounded(path, ArraySpec(shape, "<u8").nbytes + MOST_ABOUT), path, shape)


def parse_memory(data: bytes, path: str | Path, shape: tuple[int, ...]) -> tuple[Hashes, dict[str, Any]]:
    """Return cells and metadata in the content of a file; see `read_memory`. `path` is its name in messages."""
    spec = ArraySpec(shape, "<u8")
    try:
        entries = read_entries(Path(path), data, dict.fromkeys(ENTRIES, spec))
        del data  # free the raw bytes: `entries` is a second copy of the cells, the array a third
        about = entries["about"]
        size = len(about) - 10 - int.from_bytes(about[8:10], "little")
        saved = _checked(path, read_array(Path(path), "about", ArraySpec((size,), "|u1"), about).tobytes())
        cells = read_array(Path(path), "cells", spec, entries["cells"])
    except ModelError as error:  # its message is about model files
        raise InputError(f"{path}: damaged, or not a site memory; {_RESTORE}") from error
    if _digest(cells) != saved["cells_sha256"]:
        raise InputError(f"{path}: damaged: its cells do not match their digest; {_RESTORE}")
    return cells, saved


def _bounded(path: str | Path, limit: int) -> bytes:
    """Return the decompressed content of a file, reading at most one byte more than `limit`."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise InputError(f"{path}: not a regular file; {_RESTORE}")
        with open_decompressed(str(path)) as file:
            data = file.read(limit + 1)
    except ValueError as error:  # a NUL in the name, or the InputError that `open_decompressed` raises on a damaged file
        raise error if isinstance(error, InputError) else InputError(f"{path!r}: not a valid file name; {_RESTORE}") from error
    except OSError as error:
        raise InputError(os_error_message(error)) from error
    if len(data) > limit:
        raise InputError(f"{path}: larger than any site memory; {_RESTORE}")
    return data


def _checked(path: str | Path, about: bytes) -> dict[str, Any]:
    """Return the metadata of the file, after checking it."""
    try:
        saved = unsealed(about, FORMAT, FORMAT_VERSION)
    except SealError as error:
        if error.fault == "version":
            raise _other_version(path) from error
        raise InputError(f"{path}: damaged, or not a site memory; {_RESTORE}") from error
    if saved.get("lines_hash") != _probe():
        raise _other_version(path)
    numbers = [saved.get("pages"), saved.get("counted"), *_values(saved.get("resets"))]
    if not all(type(number) is int and 0 <= number < 1 << 62 for number in numbers) or not 1 <= saved["pages"] <= MOST_PAGES:
        raise InputError(f"{path}: its metadata is not that of a site memory; {_RESTORE}")
    return saved


def _other_version(path: str | Path) -> InputError:
    return InputError(f"{path}: made by another version of tinsach, which hashes lines differently; name another file to begin a new one")


def _values(resets: object) -> list[Any]:
    return list(resets.values()) if isinstance(resets, dict) else [None]


def _probe() -> str:
    """Return the hash of a fixed line: versions of tinsach that agree on it are taken to hash all lines alike."""
    return f"{int(extract_features(['Đọc nhiều: 24 giờ qua, Ấm lạnh ở chợ Bến Ngự…']).hashes[0, 0]):016x}"


def _digest(cells: Hashes) -> str:
    return hashlib.sha256(np.ascontiguousarray(cells).data).hexdigest()
