"""Evaluation report: one HTML page with figures by style and label, confusion matrix, reliability diagram and worst pages.

Every figure comes from `scores.Scores`. The worst pages show page text, so the file belongs under `build/`, never into the
repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from classifier.labels import LABELS
from training.scoring.html_elements import bar, element, report_page, section, table
from training.scoring.scores import FIGURES, KEEP, PageScore, Scores, merged

__all__ = ["evaluation_page"]

WORST = 12
ERRORS = 25  # shown for each of the worst pages, largest first
HEAT_STEPS = 8  # classes .h0 to .h8 of the style sheet
SIDE, MARGIN = 240, 36  # of the reliability diagram, in SVG units


def evaluation_page(title: str, styles: Mapping[str, Scores]) -> str:
    """Return the scores by style and overall as an HTML page."""
    scores = merged(list(styles.values()))
    lines = sum(scores.confusion.values())
    parts = [
        element("header", element("h1", title), element("p", f"{len(scores.pages)} pages, {lines} non-blank lines", class_="quiet")),
        _tiles(scores),
        _by_style(styles),
        _by_label(scores),
        element("div", _confusion(scores), _reliability(scores), class_="pair"),
        _worst(styles),
    ]
    return report_page(title, parts)


# -- parts of the page ---------------------------------------------------------------------------------------------------


def _tiles(scores: Scores) -> Element:
    values = zip(FIGURES, scores.summary().values())
    tiles = (element("div", element("dt", figure.title), element("dd", f"{value:.3f}")) for figure, value in values)
    return element("dl", *tiles, class_="tiles")


def _by_style(styles: Mapping[str, Scores]) -> Element:
    rows = []
    for name, scores in styles.items():
        values = scores.summary()
        figures = [bar(values[figure.name]) for figure in FIGURES if figure.higher_is_better]
        rows.append(
            element("tr", element("th", name, scope="row"), element("td", str(len(scores.pages)), class_="count"), *figures, _ece(scores))
        )
    explanation = (
        "Article F1 counts the visible characters of kept lines and ignores captions; strict F1 expects captions to be dropped; "
        "line F1 counts lines; macro F1 is the mean over the labels."
    )
    shown = table(["style", "pages", *(figure.title for figure in FIGURES)], rows)
    return section("By style", explanation, element("div", shown, class_="wide"))


def _ece(scores: Scores) -> Element:
    return element("td", f"{scores.ece:.3f}", class_="count")


def _by_label(scores: Scores) -> Element:
    rows = []
    for label, (precision, recall, score, lines) in scores.labels().items():
        if lines:
            bars = (bar(value, label) for value in (precision, recall, score))
            rows.append(element("tr", element("th", label, scope="row", class_=label), element("td", str(lines), class_="count"), *bars))
    shown = table(["label", "lines", "precision", "recall", "F1"], rows)
    return section("By label", "All pages pooled, counted in lines.", element("div", shown, class_="wide"))


def _confusion(scores: Scores) -> Element:
    names = [label.value for label in LABELS]
    rows = []
    for want in names:
        cells = (_cell(scores, want, got) for got in names)
        rows.append(element("tr", element("th", want, scope="row", class_=want), *cells))
    explanation = "Rows are gold labels, columns predicted ones; the colour shows the share of the row, on a square-root scale."
    return section("Confusion matrix", explanation, element("div", table(["", *names], rows, "heat"), class_="wide"))


def _cell(scores: Scores, want: str, got: str) -> Element:
    count, share = scores.confusion.get((want, got), 0), scores.share(want, got)
    step = round(HEAT_STEPS * share**0.5) if count else 0
    tooltip = f"{want} labelled {got}: {count} lines, {share:.1%}"
    return element("td", str(count) if count else "·", class_=f"h{step}" + (" right" if want == got else ""), title=tooltip)


def _reliability(scores: Scores) -> Element:
    def at(predicted: float, actual: float) -> tuple[float, float]:
        return round(MARGIN + predicted * SIDE, 1), round(MARGIN / 2 + (1 - actual) * SIDE, 1)

    total = sum(count for _, _, count in scores.reliability)
    points = [(*at(predicted, actual), predicted, actual, count) for predicted, actual, count in scores.reliability]
    dots = (
        element(
            "circle",
            element("title", f"predicted {predicted:.2f}, actual {actual:.2f}: {count} lines"),
            cx=x,
            cy=y,
            r=round(3 + 9 * (count / total) ** 0.5, 1),
        )
        for x, y, predicted, actual, count in points
    )
    path = element("polyline", points=" ".join(f"{x},{y}" for x, y, *_ in points), class_="found")
    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    diagram = element(
        "svg", *_grid(at), element("line", x1=x0, y1=y0, x2=x1, y2=y1, class_="ideal"), path, *dots,
        viewBox=f"0 0 {SIDE + 2 * MARGIN} {SIDE + 2 * MARGIN}", class_="diagram", role="img", aria_label="reliability diagram",
    )  # fmt: skip
    explanation = "Of lines with keep probability p, a share of p should be article lines (dashed). Dot area: number of lines."
    return section("Reliability of the keep probability", explanation, diagram)


def _grid(at: Callable[[float, float], tuple[float, float]]) -> list[Element]:
    grid = []
    for tenth in (0, 2, 4, 6, 8, 10):
        share = tenth / 10
        (x, bottom), (_, top) = at(share, 0), at(share, 1)
        (left, y), (right, _) = at(0, share), at(1, share)
        grid += [
            element("line", x1=x, y1=bottom, x2=x, y2=top, class_="grid"),
            element("line", x1=left, y1=y, x2=right, y2=y, class_="grid"),
        ]
        grid += [element("text", f"{share:.1f}", x=x, y=bottom + 15, text_anchor="middle")]
        grid += [element("text", f"{share:.1f}", x=left - 6, y=y + 4, text_anchor="end")]
    (middle, bottom) = at(0.5, 0)
    return [*grid, element("text", "predicted probability, actual share", x=middle, y=bottom + 31, text_anchor="middle")]


def _worst(styles: Mapping[str, Scores]) -> Element:
    of_style = {id(page): style for style, scores in styles.items() for page in scores.pages}
    worst = merged(list(styles.values())).worst(WORST)
    explanation = (
        "Lowest article F1 first, with the lines wrongly dropped or kept, largest first, and their visible characters. "
        "This is page text: keep the file private."
    )
    return section("The worst pages", explanation, *(_page(page, of_style[id(page)]) for page in worst))


def _page(page: PageScore, style: str) -> Element:
    rows = [_error(*error) for error in page.errors[:ERRORS]]
    more = len(page.errors) - len(rows)
    name = page.name if page.name.startswith(style) else f"{style}: {page.name}"
    summary = element("summary", element("span", f"{page.article:.3f}", class_="score"), f"{name}, {len(page.errors)} wrong lines")
    shown = table(["", "characters", "gold", "predicted", "line"], rows) if rows else None
    return element("details", summary, shown, element("p", f"and {more} more", class_="quiet") if more > 0 else None)


def _error(size: int, want: str, got: str, text: str) -> Element:
    fate = element("td", "lost", class_="lost") if want in KEEP else element("td", "let in", class_="let-in")
    shown = text if len(text) <= 300 else text[:300] + " …"
    return element(
        "tr", fate, element("td", str(size), class_="count"), element("td", want), element("td", got), element("td", shown, class_="text")
    )
