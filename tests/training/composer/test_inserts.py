"""Boilerplate inside composed articles: its labels, where it goes, and what rendering and augmentation make of special layouts."""

from __future__ import annotations

import random

import pytest

from classifier.labels import LABELS
from training.composer import inserts
from training.composer.augment import Line, augment
from training.composer.compose import _cells, _with_inserts
from training.composer.grammar import free_site
from training.composer.render import Item, render
from training.composer.supply import Supply
from training.learning.dataset import fold_libraries

LIBRARY = fold_libraries()[1]
MAKERS = (inserts.appeals, inserts.consent, inserts.contents, inserts.offers, inserts.related_after_lead, inserts.residue)
DROPPED = {label.value for label in LABELS} - {"title", "body"}


def supply_of(seed: int) -> tuple[Supply, random.Random]:
    rng = random.Random(seed)
    return Supply(LIBRARY, rng.choice(LIBRARY.articles), rng), rng


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_no_block_of_boilerplate_is_article(maker):
    seen = 0
    for seed in range(40):
        supply, rng = supply_of(seed)
        items = [item for item in maker(supply, rng) if item.kind != "gap"]
        seen += len(items)
        assert {item.label for item in items} <= DROPPED
    assert seen


def test_blocks_inside_an_article_are_of_one_or_two_kinds():
    for seed in range(40):
        supply, rng = supply_of(seed)
        make = inserts.inside(supply, rng)
        blocks = [[item.label for item in make() if item.kind != "gap"] for _ in range(8)]
        assert all(blocks)
        assert {label for block in blocks for label in block} <= DROPPED


def test_inserts_leave_the_article_as_it_is():
    supply, rng = supply_of(3)
    page = [
        Line("title", "Làng gốm đỏ lửa"),
        *[Line("body", f"Đoạn {number} " + "lò gốm lại đỏ lửa bên sông " * 4) for number in range(60)],
    ]
    out = _with_inserts(page, "plain", supply, rng)
    assert len(out) > len(page)
    assert [line for line in out if line.label in ("title", "body")] == page
    assert out[-1] == page[-1]


def test_a_table_row_is_one_line_or_a_line_per_cell():
    assert _cells("| Giải tám | 47 |", "\n") == ["Giải tám", "47"]
    assert _cells("| Giải tám | 47 |", " ") == ["Giải tám 47"]
    assert _cells("Giải tám | 47", "\n") == ["Giải tám | 47"]


def test_markdown_tables_have_a_rule_below_their_head():
    supply, rng = supply_of(1)
    rows = [Item("body", "row", "| Giải | Số |"), Item("body", "row", "| Tám | 47 |")]
    site = free_site("markdown", rng)._replace(cells=False, blank_items=False)
    assert [text for _, text, _ in render(rows, site, supply, rng)] == ["| Giải | Số |", "| --- | --- |", "| Tám | 47 |"]
    assert [text for _, text, _ in render(rows, site._replace(style="plain", cells=True), supply, rng)] == ["Giải", "Số", "Tám", "47"]


def test_a_picture_and_its_paragraph_on_one_line_are_body():
    supply, rng = supply_of(1)
    site = free_site("markdown", rng)._replace(glued_pictures=True)
    items = [Item("media", "image"), Item("body", "text", "Lò gốm đỏ lửa."), Item("body", "text", "Khói trắng bay lên.")]
    rows = [(label, text) for label, text, _ in render(items, site, supply, rng) if text]
    assert [label for label, _ in rows] == ["body", "body"]
    assert rows[0][1].startswith("![](")
    assert rows[0][1].endswith(")Lò gốm đỏ lửa.")
    assert rows[1][1] == "Khói trắng bay lên."


def test_rare_augmentations_keep_labels_and_text():
    """Pages without accents, in lower case, in one cell: the lines keep their labels, and the article its words."""
    page = [
        Line("nav", "Trang chủ"),
        Line("title", "Làng Gốm"),
        Line("body", "Lò đỏ lửa."),
        Line("caption", "Ảnh"),
        Line("body", "Khói bay."),
    ]
    found = {tuple(augment(list(page), "markdown", random.Random(seed))) for seed in range(3000)}
    texts = {tuple(line.text for line in lines if line.label == "body") for lines in found}
    assert ("Lo do lua.", "Khoi bay.") in texts
    assert ("lò đỏ lửa.", "khói bay.") in texts
    assert any(len(bodies) == 1 and "Lò đỏ lửa. Khói bay." in bodies[0] for bodies in texts)
