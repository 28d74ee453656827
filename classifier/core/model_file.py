"""Model file reader: verify the manifest and the arrays of an untrusted model without executing anything in it.

A model is two files: `NAME.npz`, plain arrays in an uncompressed zip, and `NAME.json`, the manifest that describes them. The
manifest is sealed (`sealed_json.py`) and holds the arrays' digest, so a single changed byte in either file is rejected. An
attacker who recomputes the digests can still change only numbers: names, shapes and types come from `array_specs`, not from the
file, and are checked before anything is allocated; array headers are compared as text, never parsed; nothing is unpickled,
imported or called.

`training/learning/export.py` writes these files.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from classifier.core.arrays import Ints
from classifier.core.context import CONTEXT_COLUMNS
from classifier.core.features import LINE_COLUMNS
from classifier.core.ngrams import Vocabulary
from classifier.core.sealed_json import SealError, unsealed
from classifier.core.stacked import STACKED_COLUMNS
from classifier.errors import ModelError
from classifier.labels import EVIDENCE, LABELS

__all__ = [
    "FORMAT", "FORMAT_VERSION", "PREFIXES", "STEM", "ArraySpec", "array_specs", "check_manifest", "check_values", "default_path",
    "feature_digest", "read_array", "read_entries", "read_model", "specs_of",
]  # fmt: skip

FORMAT = "tinsach-line-model"
FORMAT_VERSION = 4
STEM = "vi-news"
PREFIXES = ("", "stacked_")  # of the arrays of the first and of the second context pass
MAX_MANIFEST = 64 << 10  # bytes; the shipped manifest has 4 KB
ENTRY_BYTES = 1 << 10  # bound on one array's zip and array headers, which take under 400
MAX_HIDDEN = 4096  # hidden units; with a full vocabulary the arrays stay under 32 MB
LARGEST_WEIGHT = 256.0  # far above any trained weight (the largest is near 10); sums of such weights stay exact in float64
RESTORE = "restore both files, or recreate them with `make train`"


class ArraySpec(NamedTuple):
    """The required shape and type of an array in the file."""

    shape: tuple[int, ...]
    dtype: str  # as in an array header: byte order, kind, bytes

    @property
    def nbytes(self) -> int:
        """Size of the array data in bytes."""
        return math.prod(self.shape) * int(self.dtype[2:])


def array_specs(vocabulary: int, hidden: int, stacked: int) -> dict[str, ArraySpec]:
    """Return the shape and type of every array of a model, given the numbers of n-grams and of each context pass's hidden units."""
    return {
        "vocabulary": ArraySpec((vocabulary,), "<u8"),  # hashes
        "text": ArraySpec((vocabulary, len(EVIDENCE)), "<i4"),  # idf times coefficient, in units of 2^-TEXT_GRID
        "columns": ArraySpec((len(LINE_COLUMNS), len(EVIDENCE)), "<f8"),
        "bias": ArraySpec((len(EVIDENCE),), "<f8"),
    } | {
        prefix + name: spec
        for prefix, columns, units in zip(PREFIXES, (len(CONTEXT_COLUMNS), len(STACKED_COLUMNS)), (hidden, stacked))
        for name, spec in _network_specs(columns, units).items()
    }


def _network_specs(columns: int, hidden: int) -> dict[str, ArraySpec]:
    return {
        "hidden": ArraySpec((columns, hidden), "<f4"),  # standardisation folded in
        "hidden_bias": ArraySpec((hidden,), "<f4"),
        "output": ArraySpec((hidden, len(LABELS)), "<f8"),  # temperature folded in
        "output_bias": ArraySpec((len(LABELS),), "<f8"),
    }


def feature_digest() -> str:
    """Return the SHA-256 of all feature names in order; a model whose digest differs does not fit this code."""
    names = json.dumps([list(LINE_COLUMNS), list(EVIDENCE), list(CONTEXT_COLUMNS), list(STACKED_COLUMNS)], ensure_ascii=False)
    return hashlib.sha256(names.encode()).hexdigest()


def default_path() -> Path:
    """Return the path of the shipped model: inside the package (wheel) or next to it (checkout)."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "models", package.parent / "models"):
        if (folder / f"{STEM}.npz").exists():
            return folder / f"{STEM}.npz"
    raise ModelError(f"no shipped model in {package / 'models'} or {package.parent / 'models'}; run `make train`, or pass a path to load()")


def read_model(path: str | Path | None = None) -> tuple[dict[str, Ints], dict[str, Any], Path]:
    """Return the checked arrays and manifest of a model, and the path of its arrays; `path` is an .npz file or its folder.

    Raises:
        ModelError: the file or its manifest is missing, damaged, or made for another version.
    """
    where = _locate(default_path() if path is None else Path(path))
    manifest = _read_manifest(where.with_suffix(".json"))
    specs = specs_of(where.with_suffix(".json"), manifest)
    data = _read_bounded(where, sum(spec.nbytes + ENTRY_BYTES for spec in specs.values()))
    if hashlib.sha256(data).hexdigest() != manifest["arrays_sha256"]:
        raise ModelError(f"{where}: its SHA-256 differs from the manifest's; damaged, or paired with the wrong manifest: {RESTORE}")
    arrays = {name: read_array(where, name, specs[name], entry) for name, entry in read_entries(where, data, specs).items()}
    check_values(where, arrays)
    return arrays, manifest, where.resolve()


def _locate(path: Path) -> Path:
    try:
        where = path / f"{STEM}.npz" if path.is_dir() else path
    except (OSError, ValueError) as error:  # too long, or contains a NUL
        raise ModelError(f"{path}: cannot be a model path ({error}); pass an .npz file, or the folder that contains {STEM}.npz") from error
    if where.suffix != ".npz" and not where.exists():
        raise ModelError(f"{where}: no such file; pass an .npz file (its .json next to it), or the folder that contains {STEM}.npz")
    if where.suffix != ".npz":
        raise ModelError(f"{where}: not an .npz file; pass the .npz file (its .json next to it), or the folder that contains {STEM}.npz")
    return where


def _read_bounded(path: Path, limit: int) -> bytes:
    """Return the contents of a regular file of at most `limit` bytes; larger files are rejected unread."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
            with path.open("rb") as file:
                data = file.read(limit + 1)  # the file may have grown since `stat`
            if len(data) <= limit:
                return data
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"{path}: cannot be read ({reason}); a model is an .npz file with its .json next to it, pass the path of one"
        ) from error
    problem = f"{status.st_size} bytes where at most {limit} are expected" if stat.S_ISREG(status.st_mode) else "not a regular file"
    raise ModelError(f"{path}: {problem}; not a tinsach model, pass another path")


# -- manifest --------------------------------------------------------------------------------------------------------------


_MANIFEST_FAULTS = {
    "json": f"the manifest is not JSON ({{}}); {RESTORE}",
    "format": f"not a tinsach model manifest (format {FORMAT!r} expected)",
    "version": f"format version {{!r}}, this tinsach reads {FORMAT_VERSION}; install the tinsach release it was made for, or retrain",
    "digest": f"altered since it was written: damaged, or edited by hand; {RESTORE}",
}


def _read_manifest(path: Path) -> dict[str, Any]:
    data = _read_bounded(path, MAX_MANIFEST)
    try:
        manifest = unsealed(data, FORMAT, FORMAT_VERSION)
    except SealError as error:
        raise ModelError(f"{path}: {_MANIFEST_FAULTS[error.fault].format(error.detail)}") from error
    check_manifest(path, manifest)
    return manifest


def check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Raise ModelError if a manifest is that of a model for other labels or features, or names no digest of its arrays."""
    if manifest.get("labels") != [label.value for label in LABELS] or manifest.get("features_sha256") != feature_digest():
        raise ModelError(f"{path}: made for other labels or features than those of this tinsach; retrain with `make train`")
    if not isinstance(manifest.get("arrays_sha256"), str):
        raise ModelError(f"{path}: gives no SHA-256 of its arrays; {RESTORE}")


def specs_of(path: Path, manifest: Mapping[str, Any]) -> dict[str, ArraySpec]:
    """Return the specs of the arrays, after checking the two sizes that the manifest may choose."""
    sizes = []
    for name, largest in (("vocabulary_size", 1 << Vocabulary.BITS), *((f"{prefix}hidden_size", MAX_HIDDEN) for prefix in PREFIXES)):
        size = manifest.get(name)
        if type(size) is not int or not 1 <= size <= largest:
            raise ModelError(f"{path}: {name} is {str(size)[:40]}, not a number from 1 to {largest}; retrain with `make train`")
        sizes.append(size)
    return array_specs(*sizes)


# -- arrays ----------------------------------------------------------------------------------------------------------------

# Everything that zipfile raises on files that are not zips, or are malformed.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
    LookupError,
    OverflowError,
    struct.error,
)


def read_entries(path: Path, data: bytes, specs: Mapping[str, ArraySpec]) -> dict[str, bytes]:
    """Return the content of each entry of the zip, which must hold exactly the arrays of `specs`, uncompressed and back to back.

    Raises:
        ModelError: the zip is malformed, or holds anything else, even between or after the entries.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries, directory, comment = archive.infolist(), archive.start_dir, archive.comment
        names = [entry.filename.removesuffix(".npy") for entry in entries]
        contents, at = {}, 0
        for name, entry in zip(names, entries):
            stored = entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size and not entry.flag_bits & 1
            if not stored or entry.header_offset != at:
                raise ModelError(f"{path}: {name!r} is compressed, encrypted or out of place; {RESTORE}")
            start = at + 30 + sum(struct.unpack_from("<2H", data, at + 26))  # local header, name, extra field
            at = start + entry.file_size
            contents[name] = data[start:at]
    except ModelError:
        raise
    except ZIP_FAULTS as error:
        raise ModelError(f"{path}: not an array file ({error}); {RESTORE}") from error
    if sorted(entry.filename for entry in entries) != sorted(f"{name}.npy" for name in specs):
        raise ModelError(f"{path}: holds {_listed(names)}, expected {_listed(list(specs))}; retrain with `make train`")
    if at != directory or comment or data[-22:-18] != b"PK\5\6":
        raise ModelError(f"{path}: unexpected data between or after the arrays; {RESTORE}")
    return contents


def _listed(names: list[str]) -> str:
    return ", ".join(name[:20] for name in names[:24]) or "nothing"


def read_array(path: Path, name: str, spec: ArraySpec, content: bytes) -> Ints:
    """Return the array in an .npy file's `content`, or raise ModelError; the header is compared with `spec`, not parsed."""
    # The header differs between numpy versions only in its padding.
    data_start = 10 + int.from_bytes(content[8:10], "little")
    text = f"{{'descr': '{spec.dtype}', 'fortran_order': False, 'shape': {spec.shape}, }}"
    if content[:8] != b"\x93NUMPY\1\0" or content[10:data_start].rstrip() != text.encode() or len(content) != data_start + spec.nbytes:
        raise ModelError(f"{path}: array {name!r} is not {spec.shape} of type {spec.dtype!r}; retrain with `make train`")
    array = np.frombuffer(content, spec.dtype, offset=data_start).reshape(spec.shape)
    return array.astype(array.dtype.newbyteorder("="))  # copies, so that the array is aligned


def check_values(path: Path, arrays: Mapping[str, Ints]) -> None:
    """Reject values that training never produces and that would make probabilities NaN, and colliding n-grams."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.abs(array).max() <= LARGEST_WEIGHT:  # `not <=` also catches NaN
            raise ModelError(f"{path}: array {name!r} holds NaN, infinite or implausibly large weights; {RESTORE}")
    if np.bincount(Vocabulary.bucket(arrays["vocabulary"])).max() > 1:
        raise ModelError(f"{path}: two n-grams share a hash bucket of the vocabulary; retrain with `make train`")
