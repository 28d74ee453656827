"""Explained pages as one HTML file that needs nothing else: no network, no other file, nothing that is run but its own script.

Lines are hostile. They go in as JSON in a data block, in ASCII with every `<`, `>` and `&` escaped, so that nothing in them can
end it; the script makes text nodes of them, never markup; and the policy in the page's head lets only this style and this script
run, by their digests, and nothing be fetched. What it leaves out: the analysis (`explain.py`) and where the file goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from classifier.errors import InputError
from classifier.explain.explainer import Explanation, Reasons
from classifier.explain.feature_text import meaning, reading
from classifier.html_page import MAX_LINES, MAX_SHOWN, lines_page
from classifier.labels import LABELS, Label

__all__ = ["explained_page"]


def explained_page(name: str, pages: Sequence[Sequence[Explanation]]) -> str:
    """Return explained pages as an HTML page called `name`.

    Raises:
        InputError: there are more than MAX_LINES lines.
    """
    if sum(map(len, pages)) > MAX_LINES:
        raise InputError(f"{name}: more than {MAX_LINES} lines are too many for a page to look at; explain fewer at a time")
    names: dict[str, int] = {}
    data = {
        "name": name,
        "labels": [[label.value, label.description] for label in LABELS],
        "pages": [[_row(why, names) for why in page] for page in pages],
        "names": list(names),  # filled by the line above
    }
    return lines_page(name, "explain", data)


def _row(why: Explanation, names: dict[str, int]) -> Any:
    """Return a line as explain.js takes it: 0 if blank."""
    line = why.line
    if not (line.label and line.first_guess and why.runner_up and why.first_pass and why.context_pass):
        return 0
    text = line.text[:MAX_SHOWN]
    codes = [_code(label) for label in (line.label, line.first_guess)]
    passes = [_reasons(reasons, names) for reasons in (why.first_pass, why.context_pass)]
    cut = len(line.text) - len(text)
    return [line.number, text, cut, *codes, round(line.probability, 4), int(line.kept), _code(why.runner_up), *passes]


def _code(label: Label) -> int:
    return LABELS.index(label)


def _reasons(reasons: Reasons, names: dict[str, int]) -> list[object]:
    """Return a pass's odds, rest and features; a feature's name stands in `names`, which grows."""
    features = []
    for name, value, weight in reasons.features:
        said = name if name.startswith("“") else meaning(name)
        features.append([names.setdefault(said, len(names)), reading(name, value), round(weight, 3)])
    return [round(reasons.odds, 3), round(reasons.rest, 3), features]
