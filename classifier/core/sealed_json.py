"""Sealed JSON: a JSON object in canonical form that carries its own SHA-256.

Model manifests, site memories and baselines are stored this way. A changed byte, a foreign format or another version is
detected before any field is used. The digest detects damage; it is not a signature (SECURITY.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

__all__ = ["DIGEST", "SealError", "sealed", "unsealed"]

DIGEST = "manifest_sha256"  # the last field of every sealed object


class SealError(ValueError):
    """The bytes are not the expected sealed object; `fault` is the first check that failed."""

    def __init__(self, fault: Literal["json", "format", "version", "digest"], detail: object = "") -> None:
        """Store the failed check and its detail: the parse error for 'json', the version found for 'version', otherwise empty."""
        super().__init__(fault, detail)
        self.fault, self.detail = fault, detail


def sealed(fields: Mapping[str, Any]) -> bytes:
    """Return an object as canonical JSON in UTF-8, with its digest as the last field.

    Raises:
        ValueError: a value cannot be written as JSON, such as NaN.
    """
    fields = {name: value for name, value in fields.items() if name != DIGEST}
    return _canonical(fields | {DIGEST: hashlib.sha256(_canonical(fields)).hexdigest()})


def unsealed(data: bytes, format: str, version: int) -> dict[str, Any]:
    """Return the object that `sealed` wrote as `data`, after checking its format, its version, and its digest and canonical form.

    Raises:
        SealError: a check failed; they run in the order 'json', 'format', 'version', 'digest'.
    """
    try:
        found = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SealError("json", error) from error
    if not isinstance(found, dict) or found.get("format") != format:
        raise SealError("format")
    found_version = found.get("format_version")
    if type(found_version) is not int or found_version != version:  # the type check rejects True, which equals 1
        raise SealError("version", found_version)
    if data != _resealed(found):
        raise SealError("digest")
    return found


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def _resealed(fields: Mapping[str, Any]) -> bytes | None:
    try:
        return sealed(fields)
    except (ValueError, RecursionError):  # a lone surrogate, a number too large for a float, or nesting too deep
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")
