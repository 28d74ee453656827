"""HTML building blocks of the training reports: elements, tables, bars, and the page around them.

Text becomes text nodes of an element tree, so page lines cannot inject markup. The reports add no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from classifier.explain.terminal import printable
from classifier.html_page import html_page, template

__all__ = ["STYLE", "Child", "bar", "element", "report_page", "section", "table"]

STYLE = Path(__file__).with_suffix(".css")

Child: TypeAlias = "Element | str | None"


def report_page(title: str, parts: Sequence[Element]) -> str:
    """Return an HTML page of the given elements, in order."""
    style = template("base.css") + STYLE.read_text(encoding="utf-8")
    return html_page(f"{title} - tinsach", "\n".join(tostring(part, encoding="unicode", method="html") for part in parts), style)


def element(tag: str, *children: Child, **attributes: object) -> Element:
    """Return an element; `class_` sets its class, and underscores in other attribute names become hyphens."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child:
            if len(made):
                made[-1].tail = (made[-1].tail or "") + printable(child)
            else:
                made.text = (made.text or "") + printable(child)
    return made


def section(title: str, explanation: str, *children: Child) -> Element:
    """Return a section: heading, explanation, content."""
    return element("section", element("h2", title), element("p", explanation), *children)


def table(heads: Sequence[str], rows: Sequence[Element], class_: str = "") -> Element:
    """Return a table with column heads."""
    head = element("thead", element("tr", *(element("th", element("span", name), scope="col") for name in heads)))
    return element("table", head, element("tbody", *rows), class_=class_)


def bar(share: float, class_: str = "") -> Element:
    """Return a table cell with a number from 0 to 1 and a bar of that length."""
    track = element("rect", class_="track", width="100%", height="100%", rx=3)
    fill = element("rect", class_=f"fill {class_}".strip(), width=f"{100 * share:.2f}%", height="100%", rx=3)
    return element("td", element("div", element("span", f"{share:.3f}"), element("svg", track, fill, aria_hidden="true"), class_="bar"))
