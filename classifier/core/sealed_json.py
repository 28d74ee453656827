"""Sealed JSON: a JSON object in one canonical spelling that carries the SHA-256 of itself.

Model manifests, site memories and baselines are sealed this way. A changed byte, another format or another version is found
before any field is used. The digest detects damage; it is no signature (SECURITY.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

__all__ = ["DIGEST", "SealError", "sealed", "unsealed"]

DIGEST = "manifest_sha256"  # the last field of every sealed object


class SealError(ValueError):
    """Bytes are not the sealed object that was expected; `fault` says in which way."""

    def __init__(self, fault: Literal["json", "format", "version", "digest"], detail: object = "") -> None:
        """Take what is wrong: no JSON (`detail`: why), another format, another version (`detail`: which), or changed bytes."""
        super().__init__(fault, detail)
        self.fault, self.detail = fault, detail


def sealed(fields: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of an object, its own digest as the last field.

    Raises:
        ValueError: a value has no spelling in JSON, such as NaN.
    """
    fields = {name: value for name, value in fields.items() if name != DIGEST}
    return _spelled(fields | {DIGEST: hashlib.sha256(_spelled(fields)).hexdigest()})


def unsealed(data: bytes, format: str, version: int) -> dict[str, Any]:
    """Return the object that `sealed` has spelled as `data`, after checking its `format`, its `format_version` and its digest.

    Raises:
        SealError: `data` is no such object; the checks come in the order of the faults.
    """
    try:
        found = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SealError("json", error) from error
    if not isinstance(found, dict) or found.get("format") != format:
        raise SealError("format")
    other = found.get("format_version")
    if type(other) is not int or other != version:  # True == 1
        raise SealError("version", other)
    if data != _respelled(found):
        raise SealError("digest")
    return found


def _spelled(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def _respelled(fields: Mapping[str, Any]) -> bytes | None:
    try:
        return sealed(fields)
    except (ValueError, RecursionError):  # a lone surrogate, a number beyond all floats, thousands of brackets
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
