"""Site rules by site: the rules of a `sites.toml`, and the selection of those that apply to one site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from classifier.sites.rule import EVERY_SITE, LineRules, Rule, site_name

__all__ = ["SiteRules"]


class SiteRules:
    """Checked rules by site, picklable and comparable by value. Read them from a file with `SiteRules.read`."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        """Store checked rules by `site_name`; EVERY_SITE is the key of those for every site."""
        self.rules = {name: tuple(rules[name]) for name in sorted(rules)}
        self._compiled: dict[str, LineRules | None] = {}

    @classmethod
    def read(cls, path: str | Path) -> SiteRules:
        """Read and check a `sites.toml`.

        Raises:
            InputError: the file is not TOML, or a rule in it is invalid; the message names the rule and how to fix it.
            OSError: the file cannot be read.
        """
        from classifier.sites.rules_file import read_rules  # lazy: most processes read no rules

        return cls(read_rules(path))

    def known(self, site: str | None) -> str:
        """Return the `site_name` of a site if it has rules of its own, else EVERY_SITE."""
        name = site_name(site or "")
        return name if name in self.rules else EVERY_SITE

    def at(self, site: str | None = None) -> LineRules | None:
        """Return the rules for the lines of a site, its own before those for every site; None if there are none."""
        name = self.known(site)
        if name not in self._compiled:
            rules = [*(self.rules[name] if name else ()), *self.rules.get(EVERY_SITE, ())]
            self._compiled[name] = LineRules(rules) if rules else None
        return self._compiled[name]

    def __repr__(self) -> str:
        return f"<SiteRules: {sum(map(len, self.rules.values()))} rules for {', '.join(name or 'every site' for name in self.rules)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiteRules) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash(tuple(self.rules.items()))

    def __reduce__(self) -> tuple[type[SiteRules], tuple[dict[str, tuple[Rule, ...]]]]:
        return SiteRules, (self.rules,)
