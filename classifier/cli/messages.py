"""User messages: lines on standard error, and pages opened in the browser."""

from __future__ import annotations

import sys

from classifier.io.urls import shown

__all__ = ["open_in_browser", "say"]


def say(*messages: str) -> None:
    """Print each message as one line on standard error, control characters escaped, secrets in URLs left out; nothing if it is closed."""
    if sys.stderr:  # None if closed, and `print(file=None)` writes to standard output
        for message in messages:
            print("".join(char if char.isprintable() else repr(char)[1:-1] for char in shown(message)), file=sys.stderr)


def open_in_browser(address: str, name: str) -> None:
    """Open a URL in the browser; if there is none, ask the user to open `name`."""
    import webbrowser  # rarely needed

    if not webbrowser.open(address):
        say(f"tinsach: no browser found; open {name} in one")
