"""Figures of the long checks, written into docs/RELIABILITY.md; `make reliability` runs it last.

Each check writes its figures to docs/figures/NAME.json; here they become one sentence each, in the table row of that name.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from tests.support.paths import ROOT

__all__ = ["FORMS", "figures", "main", "told"]

DOCS = ROOT / "docs"
PAGE = DOCS / "RELIABILITY.md"
FORMS = {
    "fuzz": (
        "{inputs:,} inputs ({pages:,} of them pages, {lines:,} lines) and {checks:,} checks, seed {seed}: {failures} failures; "
        "{bytes flipped:,} bytes of a model flipped, each refused; {seconds:,} s"
    ),
    "soak": (
        "{lines:,} lines on {pages:,} pages, seed {seed}: {pages that differ} pages differ from the batch call; resident memory grew by "
        "{growth_mb} MB after the first tenth; {stream_seconds} s"
    ),
    "chaos": (
        "{runs} jobs ({spark} on Spark, {ray} on Ray), {records:,} records, seed {seed}: {spark workers} executors, {ray workers} nodes, "
        "{spark drivers} and {ray drivers} drivers killed; {runs that differ} results differ; {seconds:,} s"
    ),
    "worst-case": "{kinds} kinds of input by {calls} calls: the worst takes {worst} times the ordinary ({worst_kind}); {over} over {limit}",
}


def figures(name: str) -> dict[str, Any]:
    """Return the recorded figures of a check."""
    return json.loads((DOCS / "figures" / f"{name}.json").read_text(encoding="utf-8"))


def told(name: str) -> str:
    """Return the figures of a check as a sentence."""
    return FORMS[name].format_map(figures(name))


def main() -> int:
    """Write each sentence into its table row; return 1 if a row is missing."""
    text = PAGE.read_text(encoding="utf-8")
    for name in FORMS:
        row = f"| `make {name}` | {told(name)} |"
        text, found = re.subn(rf"^\| `make {name}` \| .* \|$", lambda _, row=row: row, text, flags=re.MULTILINE)
        if found != 1:
            print(f"{PAGE}: {found} rows begin with `make {name}`, expected one; restore the table", file=sys.stderr)
            return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
