"""Site profile: what is known of one site, in one file: its rules, its memory, and the weights of a model retrained on its pages.

The file is sealed JSON (`sealed_json`); each part is read by the reader of its own format, and nothing in it can run. A profile
does not change while it is used: pages are judged by its memory, which learns none of them, so results depend neither on the order of pages
nor on the number of processes.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from classifier.core.model_delta import ModelDelta
from classifier.core.sealed_json import SealError, sealed, unsealed
from classifier.errors import InputError
from classifier.sites.bit_sketch import BitSketch
from classifier.sites.memory import BITS, SiteMemory
from classifier.sites.rule import site_name
from classifier.sites.rules import SiteRules

__all__ = ["SiteProfile"]

FORMAT = "tinsach-site-profile"
FORMAT_VERSION = 1
MOST_BYTES = 96 << 20  # of a file: the largest memory and the largest model, in base64
_RESTORE = "restore it, or make it again with tinsach profile"


class SiteProfile:
    """Rules, memory and weights for one site; each may be missing. Read one with `SiteProfile.read`; picklable, comparable by value."""

    def __init__(self, data: bytes, name: str | Path = "the profile") -> None:
        """Read and check the bytes of a profile; `name` is that of its file, in messages.

        Raises:
            InputError, ModelError: the bytes are not a profile of this version, or are damaged.
        """
        self._data, self.name = data, str(name)
        fields = _checked(data, self.name)
        self.site: str | None = fields["site"]
        """The site, a host name or any other; None for pages of any site."""
        self.rules = None if fields["rules"] is None else _rules(fields["rules"], self.name)
        self.memory = None if fields["memory"] is None else _memory(fields["memory"], self.name)
        """The lines that the site repeats, in a memory that judges pages and learns none."""
        self.delta = None if fields["model"] is None else ModelDelta.from_json(fields["model"], self.name)

    @classmethod
    def make(
        cls, site: str | None = None, rules: str | None = None, memory: SiteMemory | None = None, delta: ModelDelta | None = None
    ) -> SiteProfile:
        """Return a profile of these parts; `rules` is the text of a `sites.toml`.

        Raises:
            InputError: the rules are invalid.
        """
        fields = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "site": site_name(site or "") or None,
            "rules": rules,
            "memory": None if memory is None else b64encode(zlib.compress(memory.to_bytes(), 9)).decode(),
            "model": None if delta is None else delta.as_json(),
        }
        return cls(sealed(fields))

    @classmethod
    def read(cls, path: str | Path) -> SiteProfile:
        """Read and check the file of a profile.

        Raises:
            InputError, ModelError: it is not a profile of this version, or is damaged.
            OSError: it cannot be read.
        """
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise InputError(f"{path}: larger than any site profile; {_RESTORE}")
        return cls(data, path)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file; equal profiles have equal bytes."""
        return self._data

    @property
    def sha256(self) -> str:
        """Digest of the profile."""
        return hashlib.sha256(self._data).hexdigest()

    def __repr__(self) -> str:
        parts = {"rules": self.rules, "memory": self.memory, "weights": self.delta and f"for {self.delta.base[:12]}"}
        return f"<SiteProfile of {self.site or 'any site'}: {', '.join(f'{name} {part}' for name, part in parts.items() if part)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiteProfile) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __reduce__(self) -> tuple[Callable[[bytes, str], SiteProfile], tuple[bytes, str]]:
        return _unpickled, (self._data, self.name)


@lru_cache(maxsize=2)
def _unpickled(data: bytes, name: str) -> SiteProfile:
    """Return a profile, which a worker process gets with every piece of its work."""
    return SiteProfile(data, name)


_FAULTS = {
    "json": f"damaged, or not a site profile; {_RESTORE}",
    "format": "not a site profile; tinsach profile PAGES writes one",
    "version": "made by another version of tinsach; make it again with tinsach profile",
    "digest": f"altered since it was written: damaged, or edited by hand; {_RESTORE}",
}


def _checked(data: bytes, name: str) -> dict[str, Any]:
    """Return the fields of a profile, whose types are right."""
    try:
        fields = unsealed(data, FORMAT, FORMAT_VERSION)
    except SealError as error:
        raise InputError(f"{name}: {_FAULTS[error.fault]}") from error
    texts = [fields.get(key, 0) for key in ("site", "rules", "memory")]
    if not all(text is None or isinstance(text, str) for text in texts) or "model" not in fields:
        raise InputError(f"{name}: {_FAULTS['json']}")
    return fields


def _rules(text: str, name: str) -> SiteRules:
    from classifier.sites.rules_file import parse_rules  # lazy: most profiles have none

    return SiteRules(parse_rules(text.encode("utf-8", "surrogatepass"), f"{name} (rules)"))


def _memory(packed: str, name: str) -> SiteMemory:
    from classifier.sites.memory_file import MOST_ABOUT  # lazy, like the reader of rules

    expander = zlib.decompressobj()
    try:
        data = expander.decompress(b64decode(packed, validate=True), 8 * prod(BitSketch.shape(BITS)) + MOST_ABOUT)
    except (ValueError, zlib.error) as error:
        raise InputError(f"{name}: its memory is damaged; {_RESTORE}") from error
    return SiteMemory.from_bytes(data, f"{name} (memory)")
