"""Reader of `sites.toml`: parses and validates site rules, so that mistakes are reported before any page is read.

Every message names the file, the line where it is known, the rule, and how to fix it. TOML parsers do not report the line of a
table, so the headers `[[rules]]` and `[[sites."name"]]` are looked up in the text.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from classifier.core.constraints import ANY_LABEL, mark_of
from classifier.errors import InputError
from classifier.labels import LABELS, parse_keep
from classifier.sites.regex_cost import SEEN_CHARS, require_cheap
from classifier.sites.rule import EVERY_SITE, Rule, site_name

__all__ = ["parse_rules", "read_rules"]

_WAYS = """write [[rules]] for every site, [[sites."bao-bai-song.vn"]] for one"""
_EXAMPLE = """as in phrase = "Tải ứng dụng" and force = "promo\""""


def read_rules(path: str | Path) -> dict[str, list[Rule]]:
    """Return the checked rules of a file by `site_name`; EVERY_SITE is the key of those for every site.

    Raises:
        InputError: the file is not TOML, or a rule in it is invalid.
        OSError: the file cannot be read.
    """
    return parse_rules(Path(path).read_bytes(), path)


def parse_rules(data: bytes, path: str | Path) -> dict[str, list[Rule]]:
    """Return the checked rules in the content of a file; see `read_rules`. `path` is its name in messages."""
    text = _text_of(data, path)
    toml = _toml_module()
    try:
        content = toml.loads(text)
    except (toml.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: no TOML: {error or 'nested too deeply'}; {_WAYS}, and put text in quotes") from error
    rules: dict[str, list[Rule]] = {}
    lines = _header_lines(text, toml)
    for name, tables in _tables(path, content):
        known = site_name(name)
        if known in rules:
            raise InputError(f"{path}: {name} and another name in the file are the same site; put its rules under one name")
        places = lines.get(name, [])
        rules[known] = []
        for number, table in enumerate(tables, 1):
            line = f":{places[number - 1]}" if len(places) == len(tables) else ""
            try:
                rules[known].append(_rule(table))
            except InputError as error:
                raise InputError(f"{path}{line}: rule {number} of {name or '[[rules]]'} {error}") from error
    return rules


def _text_of(data: bytes, path: str | Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: not UTF-8, which TOML requires; save the file as UTF-8") from error


def _toml_module() -> ModuleType:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib  # type: ignore[import-not-found,no-redef]
    return tomllib


def _tables(path: str | Path, content: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the name and the tables of each site in the file, EVERY_SITE first."""
    for key in content:
        if key not in ("rules", "sites"):
            raise InputError(f"{path}: unknown key {key!r}; {_WAYS}")
    sites = content.get("sites", {})
    if not isinstance(sites, dict):
        raise InputError(f"{path}: [[sites]] needs the site's name; {_WAYS}")
    yield EVERY_SITE, _list_of_tables(path, content.get("rules", []), "rules")
    for name, tables in sites.items():
        if not site_name(name):
            raise InputError(f"{path}: {name!r} is not a site name; {_WAYS}")
        yield name, _list_of_tables(path, tables, f'sites."{name}"')


def _list_of_tables(path: str | Path, tables: Any, where: str) -> list[Any]:
    if isinstance(tables, list):
        return tables
    raise InputError(f"{path}: [{where}] is not a list of rules; {_WAYS}, with the name in quotes if it has a dot")


def _header_lines(text: str, toml: ModuleType) -> dict[str, list[int]]:
    """Return the line numbers of the rules' headers by site name; only valid where there are as many headers as rules."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("[["):
            continue
        try:
            header = toml.loads(line)
        except toml.TOMLDecodeError:  # inside a multi-line string
            continue
        sites = header.get("sites", {})
        for name in [EVERY_SITE] if "rules" in header else sites if isinstance(sites, dict) else ():
            found.setdefault(name, []).append(number)
    return found


def _rule(table: Any) -> Rule:
    """Return a checked rule; an error message continues a sentence that begins with the rule's name."""
    if not isinstance(table, dict):
        raise InputError(f"is not a table; write its keys below a [[...]] header of its own, {_EXAMPLE}")
    for key in table:
        if key not in ("phrase", "regex", "force", "forbid"):
            raise InputError(f"has an unknown key {key!r}; a rule has phrase or regex, and force or forbid, {_EXAMPLE}")
    for one, other in (("phrase", "regex"), ("force", "forbid")):
        if (one in table) == (other in table):
            both = f"both {one} and" if one in table else f"neither {one} nor"
            raise InputError(f"has {both} {other}; give exactly one of them, {_EXAMPLE}")
    phrase, regex = table.get("phrase"), table.get("regex")
    mark = _mark(table)
    return Rule(None if phrase is None else _phrase(phrase), None if regex is None else _regex(regex), mark, "force" in table)


def _mark(table: dict[str, Any]) -> int:
    """Return the bit mask of the labels that a rule leaves."""
    key = "force" if "force" in table else "forbid"
    names = [table[key]] if isinstance(table[key], str) else table[key]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f'has {key} = {table[key]!r}; give a label or a list of labels, as in {key} = ["nav", "promo"]')
    try:
        mark = mark_of(parse_keep(names)) if names else 0
    except InputError as error:
        raise InputError(f"has in {key} an {error}") from error
    if not names:
        raise InputError(f"has no label in {key}; choose from {', '.join(LABELS)}")
    if key == "force":
        return mark
    if mark == ANY_LABEL:
        raise InputError("forbids all twelve labels, but a line must have one; leave out the labels that it may have")
    return ANY_LABEL & ~mark


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise InputError(f'has {key} = {value!r}; put it in quotes: {key} = "..."')
    if not value.strip():
        raise InputError(f"has an empty {key}, which matches every line; write the text to look for")
    return unicodedata.normalize("NFC", value)


def _phrase(value: Any) -> str:
    phrase = _text(value, "phrase")
    if "\n" in phrase or len(phrase) > SEEN_CHARS:
        raise InputError(f"has a phrase that cannot match: rules see only the first {SEEN_CHARS:,} characters of one line; shorten it")
    return phrase.casefold()


def _regex(value: Any) -> str:
    regex = _text(value, "regex")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a nested set, which a future Python will read differently
            require_cheap(regex)
            everywhere = re.compile(regex).search("")
    except InputError as error:
        raise InputError(f"has a regex {regex!r} that {error}") from error
    except Warning as warning:
        raise InputError(
            f"has a regex {regex!r} that Python warns about ({warning}); write \\ before characters that are meant literally"
        ) from warning
    if everywhere:
        raise InputError(f"has a regex {regex!r} that matches an empty line, and so nearly every line; require some text")
    return regex
