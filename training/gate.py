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
from training.learning.export import MODELS, data_digest
from training.scoring.floors import check, limits, lowered
from training.scoring.gold import held_out_pages
from training.scoring.scores import evaluate

__all__ = ["main"]

FLOORS = MODELS / "floors.json"


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
