"""Command-line interface: `tinsach COMMAND ...`, one module for each command."""

from classifier.cli.main import main

__all__ = ["main"]
