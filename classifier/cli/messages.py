"""Messages to the person at the terminal: standard error, and the browser."""

from __future__ import annotations

import sys

__all__ = ["open_in_browser", "say"]


def say(*messages: str) -> None:
    """Print each message as one line on standard error, control characters escaped, unless standard error is closed."""
    if sys.stderr:  # None if closed; print would then use standard output
        for message in messages:
            print("".join(char if char.isprintable() else repr(char)[1:-1] for char in message), file=sys.stderr)


def open_in_browser(address: str, name: str) -> None:
    """Open an address in the browser; without one, say that `name` has to be opened by hand."""
    import webbrowser  # only where asked for

    if not webbrowser.open(address):
        say(f"tinsach: no browser was found; open {name} in one")
