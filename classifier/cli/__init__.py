"""Command-line interface: `tinsach COMMAND ...`, one module per command."""

from classifier.cli.main import main

__all__ = ["main"]
