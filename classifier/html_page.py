"""Self-contained HTML pages: style, script and JSON data inline, under a content security policy that pins their hashes.

The templates are in `templates/`. No page loads anything from elsewhere.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from pathlib import Path

__all__ = ["MAX_LINES", "MAX_SHOWN", "html_page", "lines_page", "template"]

MAX_LINES = 10_000  # a browser renders this many in about a second; the file takes about 1.3 KB per line
MAX_SHOWN = 4_000  # characters per line, far more than the n-gram features read of it
_TEMPLATES = Path(__file__).parent / "templates"


def lines_page(name: str, kind: str, data: object, connects: bool = False) -> str:
    """Return an HTML page of lines titled `name`, from the templates of its kind (`explain`, `review`); see `html_page`."""
    style = template("base.css") + template("lines.css") + template(f"{kind}.css")
    script = template("base.js") + template("lines.js") + template(f"{kind}.js")
    return html_page(f"{name} - tinsach", template(f"{kind}.html"), style, script, data, connects)


def template(name: str) -> str:
    """Return the text of a template."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def html_page(title: str, body: str, style: str, script: str = "", data: object = None, connects: bool = False) -> str:
    """Return an HTML page; `body`, `style` and `script` are trusted, `title` and `data` are escaped.

    The content security policy allows the script no connection, or with `connects` only to the page's own origin.
    """
    sources = "; ".join(f"{kind}-src '{_csp_hash(text)}'" for kind, text in (("style", style), ("script", script)))
    connect = "connect-src 'self'; " if connects else ""
    parts = {
        "policy": f"default-src 'none'; {sources}; img-src data:; {connect}base-uri 'none'; form-action 'none'",
        "title": html.escape(_printable(title)),
        "style": style,
        "body": body,
        "data": _embedded(data),
        "script": script,
    }
    return re.sub("@([a-z]+)@", lambda found: parts[found[1]], template("frame.html"))  # one pass: inserted text is not expanded


def _embedded(data: object) -> str:
    """Return data as JSON that is safe inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _csp_hash(text: str) -> str:
    """Return the hash of an inline style or script, as a content security policy writes it."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _printable(text: str) -> str:
    """Return the text with U+FFFD for unprintable characters, such as controls and lone surrogates."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
