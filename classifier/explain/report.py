"""HTML report of explained pages: one self-contained file that needs no network and runs no script but its own.

Lines are untrusted. They are embedded as JSON in a data block, in ASCII with every `<`, `>` and `&` escaped, so that no line can
close the block; the script turns them into text nodes, never into markup; and the page's content security policy allows only this
style and this script, by their hashes, and no requests (see `html_page`).
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


def explained_page(name: str, pages: Sequence[tuple[str, Sequence[Explanation]]]) -> str:
    """Render explained pages, each with its name, as an HTML page titled `name`.

    Raises:
        InputError: there are more than MAX_LINES lines.
    """
    if sum(len(lines) for _, lines in pages) > MAX_LINES:
        raise InputError(f"{name}: more than {MAX_LINES} lines are too many for one HTML page; explain fewer at a time")
    names: dict[str, int] = {}
    data = {
        "name": name,
        "labels": [[label.value, label.description] for label in LABELS],
        "pages": [[page, [_row(why, names) for why in lines]] for page, lines in pages],
        "names": list(names),  # filled by `_row` above
    }
    return lines_page(name, "explain", data)


def _row(why: Explanation, names: dict[str, int]) -> Any:
    """Encode a line for explain.js; for a blank line, 0, or its text if that is more than white space."""
    line = why.line
    text = line.text[:MAX_SHOWN]
    if not (line.label and line.first_guess and why.runner_up and why.first_pass and why.context_pass):
        return text if text.strip() else 0
    codes = [_code(label) for label in (line.label, line.first_guess)]
    passes = [_reasons(reasons, names) for reasons in (why.first_pass, why.context_pass)]
    cut = len(line.text) - len(text)
    return [line.number, text, cut, *codes, round(line.probability, 4), int(line.kept), _code(why.runner_up), *passes]


def _code(label: Label) -> int:
    return LABELS.index(label)


def _reasons(reasons: Reasons, names: dict[str, int]) -> list[object]:
    """Encode a pass as odds, rest and features; `names` maps feature names to indices and is extended in place."""
    features = []
    for name, value, weight in reasons.features:
        label = meaning(name)
        features.append([names.setdefault(label, len(names)), reading(name, value), round(weight, 3)])
    return [round(reasons.odds, 3), round(reasons.rest, 3), features]
