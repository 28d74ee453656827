"""Quality gate: fail if a model is beyond the pinned limits.

`models/floors.json` pins what the shipped model reached on held-out composed layouts, less a margin, with the digest of
the training data. `--update` pins new limits; loosening one also takes `--allow-lower`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import classifier
from classifier.io.notices import without_warnings
from training.learning.export import MODELS, data_digest
from training.scoring.floors import check, limits, lowered
from training.scoring.gold import held_out_pages
from training.scoring.scores import evaluate

__all__ = ["main"]

FLOORS = MODELS / "floors.json"


@without_warnings()
def main(argv: list[str] | None = None) -> int:
    """Compare the model with its limits; return 1 if it is beyond one, or if the limits are out of date."""
    parser = argparse.ArgumentParser(description="Fail if the model is beyond its pinned limits.")
    parser.add_argument("--model", type=Path, help="model file or folder (default: the shipped model)")
    parser.add_argument("--floors", type=Path, default=FLOORS, help="file with the pinned floors (default: models/floors.json)")
    parser.add_argument("--update", action="store_true", help="pin new floors from the figures measured now")
    parser.add_argument("--allow-lower", action="store_true", help="with --update: accept lower floors")
    args = parser.parse_args(argv)
    try:
        cleaner = classifier.load(args.model)
    except classifier.ModelError as error:
        print(f"gate: {error}", file=sys.stderr)
        return 2
    found = evaluate(cleaner, held_out_pages()).summary()
    print("gate: " + "  ".join(f"{name} {value:.4f}" for name, value in found.items()))
    pinned = json.loads(args.floors.read_text(encoding="utf-8")) if args.floors.exists() else {"floors": {}}
    if args.update:
        new = limits(found)
        loosened = lowered(pinned["floors"], new)
        if loosened and not args.allow_lower:
            print(f"gate: this would loosen the limits of {', '.join(loosened)}; add --allow-lower if that is intended", file=sys.stderr)
            return 1
        record = {"data_sha256": data_digest(), "floors": new}
        args.floors.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return 0
    if pinned.get("data_sha256") != data_digest():
        print("gate: the training data has changed since the floors were pinned; run `python -m training.gate --update`", file=sys.stderr)
        return 1
    complaints = check(found, pinned["floors"])
    for complaint in complaints:
        print(f"gate: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
