"""Figures on pages of publishers that training left out: a JSON file that `make leave-out` writes and the model card prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from training.learning.export import MODELS, data_digest
from training.scoring.confidence import Agreement, agreement, confidence_table
from training.scoring.scores import Scores, merged

__all__ = ["left_out_section", "write_left_out"]

PATH = MODELS / "left_out.json"
SECTION = """
## Figures on publishers that were left out
Real pages, each labelled by a model that had seen neither its publisher nor any other of the publisher's network
(`make leave-out`; {composed} composed pages each).

| pages | | article F1 | strict F1 | line F1 | macro F1 | calibration error |
|---|---:|---:|---:|---:|---:|---:|
{rows}

Reliability of the keep probability on all of these pages; calibration error {ece:.3f}:

| said | true | lines |
|---:|---:|---:|
{reliability}
"""
CONFIDENCE = """
Confidence of these pages, each from a model that had not seen their network:
{table}
"""


def write_left_out(path: Path, scores: Mapping[str, Scores], composed: int) -> None:
    """Write the figures of each set of pages, and the reliability of all, with the digest of the training data and the number of
    composed pages that each model was trained on.
    """
    every = merged([*scores.values()])
    record = {
        "data_sha256": data_digest(),
        "composed_pages": composed,
        "figures": {name: {"pages": len(part.pages), **part.summary()} for name, part in scores.items()},
        "ece": round(every.ece, 4),
        "confidence": agreement(every.pages)._asdict(),
        "reliability": [[round(said, 4), round(true, 4), lines] for said, true, lines in every.reliability],
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def left_out_section(data_sha256: str, path: Path = PATH) -> str:
    """Return the section of the model card; empty if the figures are not those of this training data."""
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if record.get("data_sha256") != data_sha256:
        return ""
    rows = "\n".join(
        f"| {name} | {pages} | " + " | ".join(f"{value:.3f}" for value in values) + " |"
        for name, figures in record["figures"].items()
        for pages, *values in [figures.values()]
    )
    reliability = "\n".join(f"| {said:.3f} | {true:.3f} | {lines} |" for said, true, lines in record["reliability"])
    section = SECTION.format(composed=record["composed_pages"], rows=rows, ece=record["ece"], reliability=reliability)
    return section + CONFIDENCE.format(table=confidence_table(Agreement(**found))) if (found := record.get("confidence")) else section
