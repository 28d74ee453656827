"""Retraining report: one HTML page with old and new figures, the learning curve, and the lines whose label changed.

Every figure comes from `comparison`. The page shows lines of the user's pages: it belongs under `build/`, never into the
repository.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from training.retraining.comparison import Change, Comparison, Point
from training.scoring.html_elements import element, report_page, section, table
from training.scoring.scores import FIGURES, KEEP

__all__ = ["retraining_page"]

SHOWN = 40  # changed lines per page
WIDE, HIGH, EDGE = 420, 200, 44  # of the learning curve, in SVG units
TITLES = {"own": "your held-out pages", "others": "composed pages of held-out layouts"}


def retraining_page(
    found: dict[str, Comparison], complaints: Sequence[str], points: Sequence[Point], changes: Sequence[Change], forced: bool
) -> str:
    """Return comparison, learning curve and changed lines as an HTML page."""
    outcome = "The gate holds: the new model replaces the old one." if not complaints else "The gate does not hold: "
    if complaints:
        outcome += "; ".join(complaints) + (". The old model was replaced anyway (--force)." if forced else ". The old model stays.")
    title = f"Retrained with {points[-1].pages} pages"
    parts = [
        element("header", element("h1", title), element("p", outcome)),
        _figures(found),
        _curve(points),
        _by_label(changes),
        _lines(changes),
    ]
    return report_page(title, parts)


def _figures(found: dict[str, Comparison]) -> Element:
    rows = []
    for name, both in found.items():
        old, new = both.old.summary(), both.new.summary()
        for figure in FIGURES:
            before, after = old[figure.name], new[figure.name]
            mark = None if after == before else "let-in" if figure.is_better(after, before) else "lost"
            cells = [element("td", f"{value:.4f}", class_="count") for value in (before, after)]
            change = element("td", f"{after - before:+.4f}", class_=f"count {mark or ''}".strip())
            rows.append(element("tr", element("th", f"{TITLES[name]}: {figure.title}", scope="row"), *cells, change))
    counts = ", ".join(f"{TITLES[name]} ({len(both.old.pages)})" for name, both in found.items())
    return section("Old and new", f"Measured on {counts}.", element("div", table(["", "old", "new", "change"], rows), class_="wide"))


def _curve(points: Sequence[Point]) -> Element:
    explanation = (
        "Article F1 by the number of your pages in training. If the curve of your pages still rises, more labelled pages will help; "
        "if it is flat, label pages of another kind."
    )
    rows = [
        element(
            "tr",
            element("th", str(point.pages), scope="row"),
            *(element("td", f"{value:.4f}", class_="count") for value in (point.own, point.others)),
        )
        for point in points
    ]
    shown = table(["pages", TITLES["own"], TITLES["others"]], rows)
    return section("Learning curve", explanation, element("div", shown, _diagram(points), class_="pair"))


def _diagram(points: Sequence[Point]) -> Element:
    values = [value for point in points for value in (point.own, point.others)]
    low, high = min(values), max(values)
    spread = max(high - low, 0.01)
    most = max(points[-1].pages, 1)

    def at(pages: int, value: float) -> tuple[float, float]:
        return round(EDGE + pages / most * WIDE, 1), round(EDGE / 2 + (high - value) / spread * HIGH, 1)

    parts = []
    for value in (low, low + spread):
        x, y = at(0, value)
        end, _ = at(most, value)
        parts += [
            element("line", x1=x, y1=y, x2=end, y2=y, class_="grid"),
            element("text", f"{value:.3f}", x=x - 6, y=y + 4, text_anchor="end"),
        ]
    for name, class_ in (("others", "ideal"), ("own", "found")):
        places = [at(point.pages, getattr(point, name)) for point in points]
        parts.append(element("polyline", points=" ".join(f"{x},{y}" for x, y in places), class_=class_, fill="none"))
        if name == "own":
            parts += [
                element("circle", element("title", f"{point.pages} pages: {point.own:.4f}"), cx=x, cy=y, r=4)
                for point, (x, y) in zip(points, places)
            ]
    parts += [element("text", str(point.pages), x=at(point.pages, low)[0], y=HIGH + EDGE, text_anchor="middle") for point in points]
    box = f"0 0 {WIDE + 2 * EDGE} {HIGH + 2 * EDGE}"
    label = "learning curve: your pages solid, composed pages dashed"
    return element("svg", *parts, viewBox=box, class_="diagram", role="img", aria_label=label)


def _by_label(changes: Sequence[Change]) -> Element:
    counts = Counter((change.old, change.new, _effect(change)) for change in changes)
    rows = [
        element(
            "tr",
            element("th", old, scope="row", class_=old),
            element("th", new, class_=new),
            _effect_cell(effect),
            element("td", str(count), class_="count"),
        )
        for (old, new, effect), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    explanation = "Lines of your held-out pages that the new model labels differently: fixed, regressed, or still wrong."
    return section("Labels that changed", explanation, table(["old", "new", "", "lines"], rows) if rows else element("p", "None."))


def _effect(change: Change) -> str:
    return "fixed" if change.new == change.gold else "regressed" if change.old == change.gold else "still wrong"


def _effect_cell(effect: str) -> Element:
    return element("td", effect, class_={"fixed": "let-in", "regressed": "lost"}.get(effect, "quiet"))


def _lines(changes: Sequence[Change]) -> Element:
    pages = [(name, list(lines)) for name, lines in groupby(changes, key=lambda change: change.page)]
    explanation = "Lines of the article, by old, new or gold label, come first. This is page text: keep the file private."
    return section("Lines that changed", explanation, *(_page(name, lines) for name, lines in pages))


def _page(name: str, changes: Sequence[Change]) -> Element:
    ordered = sorted(changes, key=lambda change: (not KEEP & {change.old, change.new, change.gold}, change.number))
    rows = [
        element(
            "tr",
            _effect_cell(_effect(change)),
            element("td", str(change.number), class_="count"),
            *(element("td", label) for label in (change.gold, change.old, change.new)),
            element("td", change.text if len(change.text) <= 300 else change.text[:300] + " …", class_="text"),
        )
        for change in ordered[:SHOWN]
    ]
    more = len(changes) - len(rows)
    summary = element("summary", f"{name}, {len(changes)} lines")
    shown = table(["", "line", "gold", "old", "new", "text"], rows)
    return element("details", summary, shown, element("p", f"and {more} more", class_="quiet") if more > 0 else None)
