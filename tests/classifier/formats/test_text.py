"""Plain text: pages are split at the separators, whatever the block boundaries."""

from __future__ import annotations

from itertools import accumulate, chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cli import main
from classifier.lines import AtBlankLines, LineBlock, between_pages, cut_pages, is_blank, split_pages
from classifier.stream import label_blocks


def cut(cutter, lines):
    return [page.lines for page in cutter.cut(LineBlock(lines, [*range(len(lines))]))]


LINES = st.lists(st.sampled_from(["một", "", "\f", "hai\fba", "\fbốn", "năm\f", "==", " =="]), max_size=12)


def test_separators():
    assert cut_pages(LineBlock(["a", "==", "b\fc"], [0, 3, 6]), "==") == [(["a"], [0]), (["b\fc"], [6])]
    assert cut_pages(LineBlock(["a", "\f", "b\fc"], [0, 2, 4]), "\f") == [(["a"], [0]), (["b"], [4]), (["c"], [6])]
    assert between_pages("\f") == "\f"
    assert between_pages("==") == "==\n"


@given(LINES, st.lists(st.integers(1, 4), max_size=6))
def test_block_boundaries_do_not_matter(cleaner, lines, sizes):
    for separator in ("\f", "=="):
        blocks, rest = [], lines
        for size in sizes:
            blocks.append(rest[:size])
            rest = rest[size:]
        pages: list[list[str]] = [[]]
        offsets = accumulate(map(len, blocks), initial=0)
        numbered = [LineBlock(block, [*range(start, start + len(block))]) for block, start in zip([*blocks, rest], offsets)]
        for part in chain.from_iterable(label_blocks(cleaner.stream(), numbered, separator)):
            if isinstance(part, str):
                pages.append([])
            else:
                pages[-1] += [line.text for line in part]
        assert pages == [page.lines for page in cut_pages(LineBlock(lines, [*range(len(lines))]), separator)]


@given(LINES, st.lists(st.integers(1, 4), max_size=6), st.integers(1, 3))
def test_blank_lines_separate_pages(lines, sizes, needed):
    cutter, pages, rest = AtBlankLines(needed), [[]], lines
    for size in [*sizes, len(lines)]:
        first, *others = cut(cutter, rest[:size])
        pages[-1] += first
        pages += others
        rest = rest[size:]
    assert [line for page in pages for line in page] == lines
    assert pages == cut(AtBlankLines(needed), lines)
    for page, following in pairwise(pages):
        assert len(page) >= needed
        assert all(map(is_blank, page[-needed:]))
        assert not is_blank(following[0])


def test_the_pages_of_a_file_are_those_of_split_pages(cleaner, composed_pages, tmp_path, capsysbinary):
    for text in ("\f".join(composed_pages[:4]), "\n\f\n".join(composed_pages[:4]), composed_pages[0] + "\f" + composed_pages[1] + "\n\f"):
        (tmp_path / "pages.txt").write_text(text, encoding="utf-8", newline="")
        assert main(["clean", str(tmp_path / "pages.txt")]) == 0
        printed = capsysbinary.readouterr().out.decode().removesuffix("\f").split("\f")
        assert [page.removesuffix("\n") for page in printed] == list(cleaner.clean_pages(split_pages(text)))


JSON_AS_TEXT = {
    '{"id": 1, "text": "một"}': "--format jsonl",
    '{"id": 1, "text": null}\n{"id": 2}': "--format jsonl",
    '\n{"body": "một\\nhai"}': "--format jsonl --text-field body",
    '[{"text": "một"}]': "--format json",
    '[{"text": "một"},\n{"text": "hai"}]': "--format json",
    '["một\\nhai", "ba"]': "--format json",
    '{\n  "text": "một"\n}': "--format json",
    '[\n  {"text": "một"}\n]': "--format json",
    '[\n  "một"\n]': "--format json",
    '\ufeff[\r\n{\r\n"a": 1}]': "--format json",
}


@pytest.mark.parametrize("source", JSON_AS_TEXT)
@pytest.mark.parametrize("command", ["clean", "label", "pick", "explain"])
def test_json_given_as_text_is_refused(tmp_path, capsys, source, command):
    (tmp_path / "page.txt").write_text(source, encoding="utf-8")
    assert main([command, str(tmp_path / "page.txt")]) == 2
    error = capsys.readouterr().err
    assert f"with {JSON_AS_TEXT[source]}, or as text with --format text" in error
    if command == "label":
        assert main([command, str(tmp_path / "page.txt"), "--format", "text"]) == 0


@pytest.mark.parametrize(
    "source", ["[Video] Một ngày ở xưởng gốm", "{một}", '["Lửa còn thì nghề còn"]', "[\nmột", "{\nhai: 3", '{"a": 1}', "[1, 2]"]
)
def test_text_that_begins_with_a_bracket_is_text(tmp_path, source):
    (tmp_path / "page.txt").write_text(source, encoding="utf-8")
    assert main(["label", str(tmp_path / "page.txt")]) == 0
