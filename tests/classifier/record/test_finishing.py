"""Finishing of clean texts: each step alone, and nothing without one."""

from __future__ import annotations

from classifier.record.finishing import DEDUPE, JOIN, NORMALIZE, finished


def page_of(cleaner, text):
    return next(cleaner.label_pages([text]).pages())


def test_without_steps_the_text_is_the_clean_text(cleaner, composed_pages):
    for text in composed_pages[:20]:
        assert finished(page_of(cleaner, text), ()) == (cleaner.clean_text(text), [])


def test_joining_changes_line_ends_only(cleaner, composed_pages):
    for text in composed_pages[:20]:
        joined = finished(page_of(cleaner, text), (JOIN,)).text
        assert "".join(joined.split()) == "".join(cleaner.clean_text(text).split())


def test_a_doubled_page_is_kept_once_and_the_copies_are_told(cleaner, sample_page):
    page = page_of(cleaner, sample_page + sample_page)
    clean, copied = cleaner.clean_text(sample_page), finished(page, (DEDUPE,))
    kept = copied.text.split("\n")
    assert kept.count("Làng gốm bên sông đỏ lửa trở lại") == 1
    assert [line for line in kept if len(line) > 60] == [line for line in clean.split("\n") if len(line) > 60]
    assert {page.lines[row] for row in copied.copies} <= set(sample_page.split("\n"))
    assert all(page.kept[copied.copies])


def test_normalised_text_has_no_runs_of_blanks(cleaner, sample_page):
    text = finished(page_of(cleaner, sample_page.replace("\n\n", "\n\n\n\n").replace(" ", " \u00a0")), (NORMALIZE,)).text
    assert text
    assert not {"  ", "\u00a0", "\n\n\n"} & {part for part in ("  ", "\u00a0", "\n\n\n") if part in text}
