"""The quality gate: a model below the pinned floors does not ship.

`models/floors.json` pins what the shipped model reached on held-out composed layouts, less a margin, and the digest of
the data it was measured on. `--update` raises floors; lowering one takes `--allow-lower` as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import classifier
from training.evaluate import evaluate, held_out_pages
from training.train import MODELS, data_digest

__all__ = ["check", "limits", "main"]

FLOORS = MODELS / "floors.json"
# Seeds alone move a figure by about this much (training/EXPERIMENTS.md): a floor closer than that would fail by chance.
MARGIN = 0.005
FIGURES = ("article_f1", "strict_f1", "line_f1", "macro_f1")
CEILINGS = ("ece",)


def check(found: dict[str, float], floors: dict[str, float]) -> list[str]:
    """Return a complaint for every figure beyond its limit."""
    complaints = []
    for name, limit in floors.items():
        if name in CEILINGS and found[name] > limit:
            complaints.append(f"{name} {found[name]:.4f} is above its ceiling {limit:.4f}")
        elif name not in CEILINGS and found[name] < limit:
            complaints.append(f"{name} {found[name]:.4f} is below its floor {limit:.4f}")
    return complaints


def limits(found: dict[str, float], margin: float = MARGIN) -> dict[str, float]:
    """Return the floors and ceilings that these figures justify."""
    floors = {name: round(found[name] - margin, 4) for name in FIGURES}
    return floors | {name: round(found[name] + margin, 4) for name in CEILINGS}


def lowered(old: dict[str, float], new: dict[str, float]) -> list[str]:
    """Return the figures whose limit would become laxer."""
    return [name for name in old if (new[name] > old[name]) == (name in CEILINGS) and new[name] != old[name]]


def main(argv: list[str] | None = None) -> int:
    """Compare the model with its floors; 1 when it falls below one."""
    parser = argparse.ArgumentParser(description="Fail when the model is below its floors.")
    parser.add_argument("--model", type=Path, help="model file or folder; the shipped one by default")
    parser.add_argument("--floors", type=Path, default=FLOORS)
    parser.add_argument("--update", action="store_true", help="pin the figures found")
    parser.add_argument("--allow-lower", action="store_true", help="with --update: accept a lower floor")
    args = parser.parse_args(argv)
    found = evaluate(classifier.load(args.model), held_out_pages()).summary()
    print("gate: " + "  ".join(f"{name} {value:.4f}" for name, value in found.items()))
    pinned = json.loads(args.floors.read_text(encoding="utf-8")) if args.floors.exists() else {"floors": {}}
    if args.update:
        new = limits(found)
        laxer = lowered(pinned["floors"], new)
        if laxer and not args.allow_lower:
            print(f"gate: this would lower {', '.join(laxer)}; add --allow-lower if that is meant", file=sys.stderr)
            return 1
        record = {"data_sha256": data_digest(), "floors": new}
        args.floors.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return 0
    if pinned.get("data_sha256") != data_digest():
        print("gate: the training data changed since the floors were pinned; run `python -m training.gate --update`", file=sys.stderr)
        return 1
    complaints = check(found, pinned["floors"])
    for complaint in complaints:
        print(f"gate: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
