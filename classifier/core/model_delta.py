"""Model delta: what retraining changed in a model, as differences of arrays, small enough to travel with a site's rules.

Only arrays that differ are stored, as differences of their bit patterns: these are small numbers where weights have moved a little,
and compress well. Rows of n-grams are compared by n-gram, since retraining changes the vocabulary. Applied to the model that it
was made against, a delta gives the other model's arrays bit for bit; applied to any other model, it is refused.

A delta is data that somebody else may have written: sizes come from `array_specs`, decompression is bounded by them, and the
result passes every check that a model file passes.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from classifier.core.arrays import Ints
from classifier.core.model_file import ArraySpec, check_manifest, check_values, specs_of
from classifier.core.sealed_json import DIGEST
from classifier.errors import ModelError

__all__ = ["ModelDelta"]

_BY_GRAM = "text"  # the array whose rows are n-grams
_RESTORE = "restore the file, or make it again with tinsach profile"


class ModelDelta(NamedTuple):
    """The difference between two models; `as_json` and `from_json` convert it."""

    base: str  # SHA-256 of the arrays of the model that it applies to
    manifest: dict[str, Any]  # of the model that results
    arrays: dict[str, str]  # compressed differences of the arrays that are not the same, in base64
    weights: str  # SHA-256 of all resulting arrays
    name: str = "the model delta"  # of its file, for messages

    @classmethod
    def between(cls, base: tuple[Mapping[str, Ints], Mapping[str, Any]], new: tuple[Mapping[str, Ints], Mapping[str, Any]]) -> ModelDelta:
        """Return the delta from one model to another, each given by its arrays and manifest (see `model_file.read_model`)."""
        (old, old_manifest), (arrays, manifest) = base, new
        lined_up = _lined_up(old, arrays["vocabulary"], {name: ArraySpec(array.shape, array.dtype.str) for name, array in arrays.items()})
        changed = {name: _packed(array, lined_up[name]) for name, array in arrays.items() if not _same(array, old[name])}
        fields = {name: value for name, value in manifest.items() if name != DIGEST}
        return cls(old_manifest["arrays_sha256"], fields, changed, _digest(arrays))

    def applied(self, arrays: Mapping[str, Ints], manifest: Mapping[str, Any]) -> tuple[dict[str, Ints], dict[str, Any]]:
        """Return arrays and manifest of the resulting model.

        Raises:
            ModelError: the arrays are those of another model than the delta was made against, or the delta is damaged.
        """
        name = Path(self.name)
        if manifest["arrays_sha256"] != self.base:
            raise ModelError(
                f"{name}: its weights were made for another model (arrays {self.base[:12]}..., this one has "
                f"{manifest['arrays_sha256'][:12]}...); name that model with --model, or make the profile again from this one"
            )
        check_manifest(name, self.manifest)
        specs = specs_of(name, self.manifest)
        vocabulary = self._array("vocabulary", arrays, specs, arrays["vocabulary"], name)
        lined_up = _lined_up(arrays, vocabulary, specs)
        found = {each: self._array(each, arrays, specs, lined_up[each], name) for each in specs} | {"vocabulary": vocabulary}
        check_values(name, found)
        if _digest(found) != self.weights:
            raise ModelError(f"{name}: its weights do not match their digest; {_RESTORE}")
        return found, dict(self.manifest)

    def _array(self, each: str, base: Mapping[str, Ints], specs: Mapping[str, ArraySpec], lined_up: Ints, name: Path) -> Ints:
        if each not in self.arrays:
            if base[each].shape != specs[each].shape:
                raise ModelError(f"{name}: array {each!r} is missing; {_RESTORE}")
            return base[each]
        data = _unpacked(self.arrays[each], specs[each])
        if data is None:
            raise ModelError(f"{name}: array {each!r} is damaged; {_RESTORE}")
        return _added(data, _resized(lined_up, specs[each]), specs[each])

    def as_json(self) -> dict[str, Any]:
        """Return the delta as values that JSON has."""
        fields = self._asdict()
        del fields["name"]
        return fields

    @classmethod
    def from_json(cls, fields: object, name: str | Path) -> ModelDelta:
        """Return the delta that `as_json` made.

        Raises:
            ModelError: the fields are not those of a delta.
        """
        kinds = {"base": str, "manifest": dict, "arrays": dict, "weights": str}
        if not isinstance(fields, dict) or {each: type(value) for each, value in fields.items()} != kinds:
            raise ModelError(f"{name}: its weights are not a model delta; {_RESTORE}")
        if not all(isinstance(value, str) for value in fields["arrays"].values()):
            raise ModelError(f"{name}: its weights are not a model delta; {_RESTORE}")
        return cls(**fields, name=str(name))


def _same(one: Ints, other: Ints) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def _digest(arrays: Mapping[str, Ints]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str[1:]} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).data)
    return digest.hexdigest()


def _lined_up(base: Mapping[str, Ints], vocabulary: Ints, specs: Mapping[str, ArraySpec]) -> dict[str, Ints]:
    """Return the arrays to subtract or add: those of the base, rows of n-grams in the order of the vocabulary, new ones zero."""
    order = base["vocabulary"].argsort()
    place = np.minimum(base["vocabulary"].searchsorted(vocabulary, sorter=order), len(order) - 1)
    known = base["vocabulary"][order[place]] == vocabulary
    rows = np.zeros((len(vocabulary), base[_BY_GRAM].shape[1]), base[_BY_GRAM].dtype)
    rows[known] = base[_BY_GRAM][order[place[known]]]
    return {name: base[name] for name in specs} | {_BY_GRAM: rows}


def _resized(array: Ints, spec: ArraySpec) -> Ints:
    """Return an array in the shape of a spec: itself, or zeros if its shape differs."""
    return array if array.shape == spec.shape else np.zeros(spec.shape, array.dtype)


# -- differences as bytes ----------------------------------------------------------------------------------------------------


def _bits(array: Ints) -> Ints:
    """Return the bit patterns of an array (n,) as unsigned numbers."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").ravel()


def _packed(new: Ints, base: Ints) -> str:
    """Return the compressed difference of two arrays: small numbers of either sign as small unsigned ones, byte by byte."""
    spec = ArraySpec(new.shape, new.dtype.str)
    steps = _bits(new) - _bits(_resized(base, spec))
    signed = steps.view(f"i{new.dtype.itemsize}")
    folded = ((signed << 1) ^ (signed >> (8 * new.dtype.itemsize - 1))).astype(f"<i{new.dtype.itemsize}")
    planes = folded.view(np.uint8).reshape(-1, new.dtype.itemsize).T
    return b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def _unpacked(text: str, spec: ArraySpec) -> bytes | None:
    """Return the bytes of a difference; None if they are damaged, or not as many as the array has."""
    expander = zlib.decompressobj()
    try:
        data = expander.decompress(b64decode(text, validate=True), spec.nbytes + 1)
    except (ValueError, zlib.error):
        return None
    return data if len(data) == spec.nbytes and expander.eof and not expander.unused_data else None


def _added(data: bytes, base: Ints, spec: ArraySpec) -> Ints:
    size = np.dtype(spec.dtype).itemsize
    planes = np.frombuffer(data, np.uint8).reshape(size, -1)
    folded = np.ascontiguousarray(planes.T).view(f"<u{size}").ravel().astype(f"u{size}")
    one = folded.dtype.type(1)
    steps = (folded >> one) ^ np.negative(folded & one)  # wraps around, as unsigned numbers do
    return (_bits(base) + steps).view(base.dtype).reshape(spec.shape)
