"""Explained pages as one HTML file that needs nothing else: no network, no other file, nothing that is run but its own script.

Lines are hostile. They go in as JSON in a data block, in ASCII with every `<`, `>` and `&` escaped, so that nothing in them can
end it; the script makes text nodes of them, never markup; and the policy in the page's head lets only this style and this script
run, by their digests, and nothing be fetched. What it leaves out: the analysis (`explain.py`) and where the file goes.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.explain import Explanation, Reasons
from classifier.labels import LABELS, Label
from classifier.wording import meaning, reading

__all__ = ["MAX_LINES", "MAX_SHOWN", "explained_page", "framed", "of_lines", "template"]

MAX_LINES = 10_000  # a browser draws as many in about a second; the file has some 1.3 KB a line
MAX_SHOWN = 4_000  # characters of a line: what its features read of it is shorter by far
_TEMPLATES = Path(__file__).parent / "templates"


def explained_page(name: str, pages: Sequence[Sequence[Explanation]]) -> str:
    """Return explained pages as an HTML page called `name`.

    Raises:
        InputError: there are more than MAX_LINES lines.
    """
    if sum(map(len, pages)) > MAX_LINES:
        raise InputError(f"{name}: more than {MAX_LINES} lines are too many for a page to look at; explain fewer at a time")
    names: dict[str, int] = {}
    data = {
        "name": name,
        "labels": [[label.value, label.description] for label in LABELS],
        "pages": [[_row(why, names) for why in page] for page in pages],
        "names": list(names),  # filled by the line above
    }
    return of_lines(name, "explain", data)


def of_lines(name: str, kind: str, data: object, connects: bool = False) -> str:
    """Return an HTML page of lines called `name`, by the templates of its kind; see `framed`."""
    style = template("base.css") + template("lines.css") + template(f"{kind}.css")
    script = template("base.js") + template(f"{kind}.js")
    return framed(f"{name} - tinsach", template(f"{kind}.html"), style, script, data, connects)


def template(name: str) -> str:
    """Return the text of a template."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def framed(title: str, body: str, style: str, script: str = "", data: object = None, connects: bool = False) -> str:
    """Return an HTML page; `body`, `style` and `script` are trusted, `title` and `data` may hold anything.

    Its script may connect to nothing, or to where the page came from if it `connects`.
    """
    sources = "; ".join(f"{kind}-src '{_digest(text)}'" for kind, text in (("style", style), ("script", script)))
    connect = "connect-src 'self'; " if connects else ""
    parts = {
        "policy": f"default-src 'none'; {sources}; img-src data:; {connect}base-uri 'none'; form-action 'none'",
        "title": html.escape(_sayable(title)),
        "style": style,
        "body": body,
        "data": _embedded(data),
        "script": script,
    }
    return re.sub("@([a-z]+)@", lambda found: parts[found[1]], template("frame.html"))  # once: what goes in is not looked at


def _embedded(data: object) -> str:
    """Return data as JSON that can stand in a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _digest(text: str) -> str:
    import hashlib  # see files.sha256_of

    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _sayable(text: str) -> str:
    """Return the text without what has no place in markup: controls and half characters."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _row(why: Explanation, names: dict[str, int]) -> Any:
    """Return a line as explain.js takes it: 0 if blank."""
    line = why.line
    if not (line.label and line.first_guess and why.runner_up and why.alone and why.around):
        return 0
    text = line.text[:MAX_SHOWN]
    codes = [_code(label) for label in (line.label, line.first_guess)]
    passes = [_reasons(reasons, names) for reasons in (why.alone, why.around)]
    cut = len(line.text) - len(text)
    return [line.number, text, cut, *codes, round(line.probability, 4), int(line.kept), _code(why.runner_up), *passes]


def _code(label: Label) -> int:
    return LABELS.index(label)


def _reasons(reasons: Reasons, names: dict[str, int]) -> list[object]:
    """Return a pass's odds, rest and features; a feature's name stands in `names`, which grows."""
    features = []
    for name, value, weight in reasons.features:
        said = name if name.startswith("“") else meaning(name)
        features.append([names.setdefault(said, len(names)), reading(name, value), round(weight, 3)])
    return [round(reasons.odds, 3), round(reasons.rest, 3), features]
