"""TODO"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from classifier.sites.rule import EVERY_SITE, LineRules, Rule, site_name

__all__ = ["SiteRules"]


class SiteRules:
    """Checked rules, by site; those with the same rules are equal. Read them from a file with `SiteRules.read`."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        """Take checked rules by `site_name`, those for every site under EVERY_SITE."""
        self.rules = {name: tuple(rules[name]) for name in sorted(rules)}
        self._made: dict[str, LineRules | None] = {}

    @classmethod
    def read(cls, path: str | Path) -> SiteRules:
        """Read and check a `sites.toml`.

        Raises:
            InputError: the file is no TOML, or a rule in it cannot be used; the message names the rule and the way out.
            OSError: the file cannot be read.
        """
        from classifier.sites.rules_file import read_rules  # only where rules are read: most calls have none

        return cls(read_rules(path))

    def known(self, site: str | None) -> str:
        """Return the `site_name` of a site that has rules of its own, of another EVERY_SITE."""
        name = site_name(site or "")
        return name if name in self.rules else EVERY_SITE

    def at(self, site: str | None = None) -> LineRules | None:
        """Return the rules for lines of a site, its own before those for every site; None if there are none."""
        name = self.known(site)
        if name not in self._made:
            rules = [*(self.rules[name] if name else ()), *self.rules.get(EVERY_SITE, ())]
            self._made[name] = LineRules(rules) if rules else None
        return self._made[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiteRules) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash(tuple(self.rules.items()))

    def __reduce__(self) -> tuple[type[SiteRules], tuple[dict[str, tuple[Rule, ...]]]]:
        return SiteRules, (self.rules,)
