"""`tinsach info`: what the model is and what computes, in ten lines, or the model's manifest as JSON."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import classifier
from classifier.cli.options import add_model
from classifier.io.encoding import to_utf8
from classifier.io.files import standard_output
from classifier.labels import DEFAULT_KEEP, LABELS

if TYPE_CHECKING:
    from classifier.core.model import Model

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Describe the model."

EXAMPLES = """example:
  tinsach info
  tinsach info --json
  tinsach info --model models/vi-news.npz"""

_KERNELS = {"compiled": "compiled", "numpy": "numpy (the compiled kernel is not installed, or switched off: the same results, more slowly)"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print the model's manifest as JSON instead")


def run(args: argparse.Namespace) -> int:
    """Print the description, or the manifest."""
    model = classifier.load(args.model).model
    shown = json.dumps(model.manifest, ensure_ascii=False, indent=2) if args.json else _described(model, str(model.path))
    standard_output().write(to_utf8(shown + "\n"))
    return 0


def _described(model: Model, path: str) -> str:
    manifest = model.manifest
    keep = ", ".join(label for label in LABELS if label in DEFAULT_KEEP)
    made_with = ", ".join(f"{name} {version}" for name, version in manifest.get("made_with", {}).items())
    rows = {
        "tinsach": classifier.__version__,
        "model": f"{manifest.get('name')} {manifest.get('version')}, format {manifest['format_version']}",
        "file": path,
        "labels": ", ".join(LABELS),
        "kept": f"{keep} (by default)",
        "look-ahead": f"{manifest['lookahead']} lines",
        "vocabulary": f"{manifest['vocabulary_size']:,} syllables and pairs of syllables",
        "trained on": f"{manifest.get('training_lines', 0):,} lines, seed {manifest.get('seed')}, with {made_with or 'unknown versions'}",
        "kernel": _KERNELS[classifier.kernel()],
        "arrays": f"sha256 {manifest['arrays_sha256']}",
    }
    return "\n".join(f"{name:12}{value}" for name, value in rows.items())
