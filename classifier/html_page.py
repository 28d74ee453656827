"""TODO"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from pathlib import Path

__all__ = ["MAX_LINES", "MAX_SHOWN", "html_page", "lines_page", "template"]

MAX_LINES = 10_000  # a browser draws as many in about a second; the file has some 1.3 KB a line
MAX_SHOWN = 4_000  # characters of a line: what its features read of it is shorter by far
_TEMPLATES = Path(__file__).parent / "templates"


def lines_page(name: str, kind: str, data: object, connects: bool = False) -> str:
    """Return an HTML page of lines called `name`, by the templates of its kind; see `html_page`."""
    style = template("base.css") + template("lines.css") + template(f"{kind}.css")
    script = template("base.js") + template(f"{kind}.js")
    return html_page(f"{name} - tinsach", template(f"{kind}.html"), style, script, data, connects)


def template(name: str) -> str:
    """Return the text of a template."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def html_page(title: str, body: str, style: str, script: str = "", data: object = None, connects: bool = False) -> str:
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

    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _sayable(text: str) -> str:
    """Return the text without what has no place in markup: controls and half characters."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
