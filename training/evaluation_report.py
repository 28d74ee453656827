"""The evaluation as one HTML page: bars by style and by label, what is taken for what, how far probabilities can be trusted, worst pages.

Every figure comes from `evaluate.Scores`. The page has no script; all text becomes text nodes of a tree, so the worst pages'
lines are safe in it. They are page text, though: the file belongs under `build/`, never into the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from classifier.labels import LABELS
from classifier.report import framed, template
from classifier.terminal import tame
from training.evaluate import KEEP, PageScore, Scores, merged

__all__ = ["evaluation_page"]

WORST = 12
ERRORS = 25  # of each of the worst pages, the largest
HEAT_STEPS = 8  # classes .h0 to .h8 of the style sheet
SIDE, MARGIN = 240, 36  # of the reliability diagram, in its own units
FIGURES = {"article_f1": "article F1", "strict_f1": "strict F1", "line_f1": "line F1", "macro_f1": "macro F1", "ece": "calibration error"}

Child: TypeAlias = "Element | str | None"


def evaluation_page(title: str, styles: Mapping[str, Scores]) -> str:
    """Return the scores of each style, and of all, as an HTML page."""
    scores = merged(list(styles.values()))
    lines = sum(scores.confusion.values())
    parts = [
        _e("header", _e("h1", title), _e("p", f"{len(scores.pages)} pages, {lines} lines that are not blank", class_="quiet")),
        _tiles(scores),
        _by_style(styles),
        _by_label(scores),
        _e("div", _confusion(scores), _reliability(scores), class_="pair"),
        _worst(styles),
    ]
    style = template("base.css") + Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    return framed(f"{title} - tinsach", "\n".join(tostring(part, encoding="unicode", method="html") for part in parts), style)


def _e(tag: str, *children: Child, **attributes: object) -> Element:
    """Return an element; `class_` is its class, and underscores in other names stand for hyphens."""
    element = Element(tag, {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif child:
            if len(element):
                element[-1].tail = (element[-1].tail or "") + tame(child)
            else:
                element.text = (element.text or "") + tame(child)
    return element


def _section(title: str, explanation: str, *children: Child) -> Element:
    return _e("section", _e("h2", title), _e("p", explanation), *children)


def _table(heads: Sequence[str], rows: Sequence[Element], class_: str = "") -> Element:
    head = _e("thead", _e("tr", *(_e("th", _e("span", name), scope="col") for name in heads)))
    return _e("table", head, _e("tbody", *rows), class_=class_)


def _bar(share: float, class_: str = "") -> Element:
    """Return a table cell with a number from 0 to 1 and its bar."""
    track = _e("rect", class_="track", width="100%", height="100%", rx=3)
    fill = _e("rect", class_=f"fill {class_}".strip(), width=f"{100 * share:.2f}%", height="100%", rx=3)
    return _e("td", _e("div", _e("span", f"{share:.3f}"), _e("svg", track, fill, aria_hidden="true"), class_="bar"))


# -- parts of the page ---------------------------------------------------------------------------------------------------


def _tiles(scores: Scores) -> Element:
    tiles = (_e("div", _e("dt", FIGURES[name]), _e("dd", f"{value:.3f}")) for name, value in scores.summary().items())
    return _e("dl", *tiles, class_="tiles")


def _by_style(styles: Mapping[str, Scores]) -> Element:
    rows = []
    for name, scores in styles.items():
        figures = [_bar(value) for key, value in scores.summary().items() if key != "ece"]
        rows.append(_e("tr", _e("th", name, scope="row"), _e("td", str(len(scores.pages)), class_="count"), *figures, _ece(scores)))
    explanation = (
        "Article F1 counts visible characters of kept lines, captions neutral; strict F1 counts captions as to be dropped; "
        "line F1 counts lines; macro F1 is the mean over the labels."
    )
    table = _table(["style", "pages", *FIGURES.values()], rows)
    return _section("By style", explanation, _e("div", table, class_="wide"))


def _ece(scores: Scores) -> Element:
    return _e("td", f"{scores.ece:.3f}", class_="count")


def _by_label(scores: Scores) -> Element:
    rows = []
    for label, (precision, recall, score, lines) in scores.labels().items():
        if lines:
            bars = (_bar(value, label) for value in (precision, recall, score))
            rows.append(_e("tr", _e("th", label, scope="row", class_=label), _e("td", str(lines), class_="count"), *bars))
    table = _table(["label", "lines", "precision", "recall", "F1"], rows)
    return _section("By label", "Over the lines of all pages.", _e("div", table, class_="wide"))


def _confusion(scores: Scores) -> Element:
    names = [label.value for label in LABELS]
    rows = []
    for want in names:
        cells = (_cell(scores, want, got) for got in names)
        rows.append(_e("tr", _e("th", want, scope="row", class_=want), *cells))
    explanation = "Rows are what lines are, columns what they were found to be; the stronger, the larger the row's share (on a root scale)."
    return _section("What is taken for what", explanation, _e("div", _table(["", *names], rows, "heat"), class_="wide"))


def _cell(scores: Scores, want: str, got: str) -> Element:
    count, share = scores.confusion.get((want, got), 0), scores.share(want, got)
    step = round(HEAT_STEPS * share**0.5) if count else 0
    said = f"{want} found to be {got}: {count} lines, {share:.1%}"
    return _e("td", str(count) if count else "·", class_=f"h{step}" + (" right" if want == got else ""), title=said)


def _reliability(scores: Scores) -> Element:
    def at(said: float, true: float) -> tuple[float, float]:
        return round(MARGIN + said * SIDE, 1), round(MARGIN / 2 + (1 - true) * SIDE, 1)

    total = sum(count for _, _, count in scores.reliability)
    points = [(*at(said, true), said, true, count) for said, true, count in scores.reliability]
    dots = (
        _e(
            "circle",
            _e("title", f"said {said:.2f}, true {true:.2f}: {count} lines"),
            cx=x,
            cy=y,
            r=round(3 + 9 * (count / total) ** 0.5, 1),
        )
        for x, y, said, true, count in points
    )
    path = _e("polyline", points=" ".join(f"{x},{y}" for x, y, *_ in points), class_="found")
    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    diagram = _e(
        "svg", *_grid(at), _e("line", x1=x0, y1=y0, x2=x1, y2=y1, class_="ideal"), path, *dots,
        viewBox=f"0 0 {SIDE + 2 * MARGIN} {SIDE + 2 * MARGIN}", class_="diagram", role="img", aria_label="reliability diagram",
    )  # fmt: skip
    explanation = "Of lines said to be kept with probability p, a share of p should be article lines: the dashed line. Areas are lines."
    return _section("How far probabilities can be trusted", explanation, diagram)


def _grid(at: Callable[[float, float], tuple[float, float]]) -> list[Element]:
    grid = []
    for tenth in (0, 2, 4, 6, 8, 10):
        share = tenth / 10
        (x, bottom), (_, top) = at(share, 0), at(share, 1)
        (left, y), (right, _) = at(0, share), at(1, share)
        grid += [_e("line", x1=x, y1=bottom, x2=x, y2=top, class_="grid"), _e("line", x1=left, y1=y, x2=right, y2=y, class_="grid")]
        grid += [_e("text", f"{share:.1f}", x=x, y=bottom + 15, text_anchor="middle")]
        grid += [_e("text", f"{share:.1f}", x=left - 6, y=y + 4, text_anchor="end")]
    (middle, bottom) = at(0.5, 0)
    return [*grid, _e("text", "said, against the share that is true", x=middle, y=bottom + 31, text_anchor="middle")]


def _worst(styles: Mapping[str, Scores]) -> Element:
    of_style = {id(page): style for style, scores in styles.items() for page in scores.pages}
    worst = merged(list(styles.values())).worst(WORST)
    explanation = (
        "By article F1, with the lines wrongly dropped or kept, largest first, and their visible characters. "
        "This is page text: keep the file to yourself."
    )
    return _section("The worst pages", explanation, *(_page(page, of_style[id(page)]) for page in worst))


def _page(page: PageScore, style: str) -> Element:
    rows = [_error(*error) for error in page.errors[:ERRORS]]
    more = len(page.errors) - len(rows)
    name = page.name if page.name.startswith(style) else f"{style}: {page.name}"
    summary = _e("summary", _e("span", f"{page.article:.3f}", class_="score"), f"{name}, {len(page.errors)} wrong lines")
    table = _table(["", "characters", "is", "found", "line"], rows) if rows else None
    return _e("details", summary, table, _e("p", f"and {more} more", class_="quiet") if more > 0 else None)


def _error(size: int, want: str, got: str, text: str) -> Element:
    fate = _e("td", "lost", class_="lost") if want in KEEP else _e("td", "let in", class_="let-in")
    shown = text if len(text) <= 300 else text[:300] + " …"
    return _e("tr", fate, _e("td", str(size), class_="count"), _e("td", want), _e("td", got), _e("td", shown, class_="text"))
