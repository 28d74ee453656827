"""`tinsach info`: print the model's manifest as JSON."""

from __future__ import annotations

import argparse
import json

import classifier
from classifier.cli.options import add_model
from classifier.io.files import standard_output

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Print the model's manifest."

EXAMPLES = """example:
  tinsach info
  tinsach info --model models/vi-news.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)


def run(args: argparse.Namespace) -> int:
    """Print the manifest as JSON."""
    manifest = classifier.load(args.model).model.manifest
    standard_output().write((json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
    return 0
