"""Pages under review: label confidence, and saves that neither lose nor overwrite anything."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.html_page import MAX_LINES, template
from classifier.labels import LABELS
from classifier.review.labelled_page import labelled_row, parse_page, read_page
from classifier.review.page import Conflict, ReviewedPage, find_pages, label_probabilities
from tests.classifier.explain.test_report import HOSTILE, data_in, luminance, palette

DRAFT = "nav\t0.9876\tTrang chủ\n-\t0.0000\t\nbody\t0.5000\tĐọc nhiều\nfooter\t1.0000\tLàng gốm bên sông đỏ lửa trở lại\n"


@pytest.fixture
def draft(tmp_path) -> Path:
    path = tmp_path / "trang.tsv"
    path.write_text(DRAFT, encoding="utf-8")
    return path


@pytest.fixture
def opened(draft, cleaner) -> ReviewedPage:
    page = ReviewedPage(str(draft), cleaner)
    page.open(0, 1)
    return page


def test_the_page_shows_what_the_model_thinks_of_the_files_labels(draft, cleaner):
    page = ReviewedPage(str(draft), cleaner)
    data = data_in(page.open(0, 3))
    assert (data["name"], data["window"], data["page"], data["pages"]) == ("trang.tsv", 1, 0, 3)
    first, blank, wrong, by_hand = data["lines"]
    assert blank == 0
    p = label_probabilities(cleaner, read_page(draft).lines)
    for line, number, code in ((first, 1, 4), (wrong, 3, 1), (by_hand, 4, 11)):
        place, row, _, cut, label, certainty, _, guess, probability = line
        assert (place, row, cut, label) == (number - 1, number, 0, code)
        assert certainty == pytest.approx(p[place][code], abs=1e-4)
        assert guess == p[place].argmax()
        assert probability == pytest.approx(p[place].max(), abs=1e-4)
    assert wrong[5] < 0.5  # the line is a most-read heading
    assert [line[6] for line in (first, wrong, by_hand)] == [0, 0, 1]
    assert by_hand[5] < 0.5  # labelled by a person, which says nothing about the model
    assert page.doubt == pytest.approx(1 - (p[0][4] + p[2][1] + 1) / 3)


def test_drafts_are_never_taken_x(tmp_path, cleaner, composed_pages):
    path = tmp_path / "a.tsv"
    lines = list(cleaner.label_lines(composed_pages[0].split("\n")))
    forced = lines[0]._replace(text="Trang chủ", label=LABELS[9], probability=1.0)  # as by a site rule
    sure = forced._replace(probability=0.99999)  # as by a model that hardly doubts
    path.write_text("".join(labelled_row(line) for line in (forced, sure, *lines)), encoding="utf-8")
    data = data_in(ReviewedPage(str(path), cleaner).open(0, 1))
    assert [line[6] for line in data["lines"] if line] == [1, 0] + [0] * sum(line.label is not None for line in lines)


def test_blank_lines_show_what_is_in_them(tmp_path, cleaner):
    path = tmp_path / "a.tsv"
    path.write_text("nav\tTrang chủ\n-\t<br>\n-\t \nnav\t<p>\n", encoding="utf-8")
    page = ReviewedPage(str(path), cleaner)
    first, tag, space, labelled = data_in(page.open(0, 1))["lines"]
    assert (first[2], tag, space) == ("Trang chủ", "<br>", 0)
    assert (labelled[2], labelled[7]) == ("<p>", -1)  # the model has no label for it


def test_probabilities_are_those_of_the_labels(cleaner, sample_page):
    lines = sample_page.split("\n")
    found = label_probabilities(cleaner, lines)
    for line, p in zip(cleaner.label_lines(lines), found):
        assert p.max() == pytest.approx(line.probability)
        assert line.label is None or LABELS[p.argmax()] is line.label


def test_a_save_touches_its_lines_only(opened, draft):
    assert not opened.saved
    opened.save(1, 1, {2: "most_read"})
    assert opened.saved
    assert draft.read_text(encoding="utf-8") == DRAFT.replace("body\t0.5000", "most_read\t1.0000")
    assert opened.corrected == 1
    opened.save(1, 2, {0: "nav"})  # the other change was undone
    assert draft.read_text(encoding="utf-8") == DRAFT.replace("0.9876", "1.0000")
    assert opened.corrected == 0
    opened.save(1, 3, {})
    assert draft.read_text(encoding="utf-8") == DRAFT


def test_an_older_save_that_comes_late_undoes_nothing(opened, draft):
    opened.save(1, 2, {2: "most_read"})
    opened.save(1, 1, {2: "promo"})
    opened.save(1, 2, {2: "promo"})
    assert read_page(draft).labels[2] == "most_read"


def test_saves_at_the_same_time_end_with_the_newest(opened, draft):
    def save(sequence: int) -> None:
        opened.save(1, sequence, {0: LABELS[sequence % 12].value, 2: LABELS[sequence % 12].value})

    threads = [threading.Thread(target=save, args=(sequence,)) for sequence in (7, 3, 16, 1, 12, 5, 9, 15, 2, 14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_page(draft).labels == [LABELS[4].value, "-", LABELS[4].value, "footer"]
    assert os.listdir(draft.parent) == ["trang.tsv"]


def test_what_somebody_else_wrote_is_not_overwritten(opened, draft):
    theirs = DRAFT.replace("nav", "meta")
    draft.write_text(theirs, encoding="utf-8")
    for sequence in (1, 2):
        with pytest.raises(Conflict, match=r"trang\.tsv was changed by somebody else; nothing was overwritten; reload"):
            opened.save(1, sequence, {2: "most_read"})
    assert draft.read_text(encoding="utf-8") == theirs
    assert "changed by somebody else" in opened.failure
    opened.open(0, 1)
    assert opened.failure == ""
    opened.save(2, 1, {2: "most_read"})
    assert draft.read_text(encoding="utf-8") == theirs.replace("body\t0.5000", "most_read\t1.0000")


@pytest.mark.parametrize("theirs", [DRAFT.replace("nav", "nva"), "", "nav\tx\n" * (MAX_LINES + 1)])
def test_what_somebody_else_wrote_is_not_overwritten_after_a_failed_reload_either(opened, draft, theirs):
    draft.write_text(theirs, encoding="utf-8")
    with pytest.raises(InputError, match=r"trang\.tsv"):
        opened.open(0, 1)
    with pytest.raises(Conflict, match="changed by somebody else"):
        opened.save(1, 1, {2: "most_read"})
    assert draft.read_text(encoding="utf-8") == theirs


def test_a_file_that_has_gone_is_not_made_anew(opened, draft):
    draft.unlink()
    with pytest.raises(Conflict, match="no longer exists"):
        opened.save(1, 1, {2: "most_read"})
    assert not draft.exists()


def test_only_the_window_opened_last_saves(opened, draft):
    opened.save(1, 5, {2: "most_read"})
    data = data_in(opened.open(0, 1))
    assert [data["lines"][2][place] for place in (4, 6)] == [6, 1]  # corrected, so set
    with pytest.raises(Conflict, match="in another window"):
        opened.save(1, 6, {2: "promo"})
    opened.save(2, 1, {2: "media"})  # sequence numbers restart with each window
    assert read_page(draft).labels[2] == "media"


def test_a_failing_disk_is_told_and_tried_again(opened, draft, monkeypatch):
    def full(path, *args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        opened.save(1, 1, {2: "most_read"})
    assert not opened.saved
    assert opened.failure == f"{draft}: No space left on device; make room and run it again"
    assert draft.read_text(encoding="utf-8") == DRAFT
    monkeypatch.undo()
    opened.save(1, 1, {2: "most_read"})
    assert (opened.failure, opened.saved, read_page(draft).labels[2]) == ("", True, "most_read")


@pytest.mark.parametrize("labels", [{1: "nav"}, {9: "nav"}, {0: "-"}])
def test_blank_lines_and_lines_that_are_not_there_get_no_label(opened, draft, labels):
    with pytest.raises(InputError, match="cannot be labelled"):
        opened.save(1, 1, labels)
    assert draft.read_text(encoding="utf-8") == DRAFT


def test_a_page_of_blank_lines_and_one_of_two_columns(tmp_path, cleaner):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"-\t\r\n-\t \r\n")
    page = ReviewedPage(str(path), cleaner)
    assert (page.doubt, data_in(page.open(0, 1))["lines"]) == (0.0, [0, 0])
    path.write_bytes("nav\tTrang chủ\tThời sự\r\n".encode())
    page.open(0, 1)  # the lines have changed
    page.save(2, 1, {0: "related"})
    assert path.read_bytes() == "related\tTrang chủ\tThời sự\r\n".encode()


def test_hostile_lines_are_data(tmp_path, cleaner):
    path = tmp_path / "a.tsv"
    texts = [text for text in HOSTILE.values() if text.isprintable() or "</script>" in text]
    path.write_text("".join(f"nav\t{text}\n" for text in texts), encoding="utf-8")
    page = ReviewedPage(str(path), cleaner).open(0, 1)
    assert [line[2] for line in data_in(page)["lines"]] == texts
    assert "connect-src 'self'" in page
    assert page.count("<script") == 2


def test_too_long_a_page_is_refused(tmp_path, cleaner):
    path = tmp_path / "a.tsv"
    path.write_text("-\t\n" * (MAX_LINES + 1), encoding="utf-8")
    with pytest.raises(InputError, match="too many for one HTML page"):
        ReviewedPage(str(path), cleaner)


def test_pages_are_found_once_and_in_order(tmp_path):
    for name in ("b/2.tsv", "b/1.tsv", "a.tsv", "b/.hidden/3.tsv", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(DRAFT, encoding="utf-8")
    names = [str(tmp_path / name) for name in ("a.tsv", "b", "b/1.tsv")]
    assert find_pages(names) == [str(tmp_path / name) for name in ("a.tsv", "b/1.tsv", "b/2.tsv")]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: no labelled page\.tsv in it; `tinsach label"):
        find_pages([str(tmp_path / "none")])


def test_the_script_makes_no_markup_and_asks_nobody_else():
    script = template("lines.js") + template("review.js")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "XMLHttp", "import(", "http"):
        assert word not in script
    assert script.count("fetch(") == 1
    assert "fetch(location.href" in script
    assert "url(" not in template("review.css")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_alarm_is_readable(dark):
    colours = palette(dark)
    low, high = sorted(luminance(colours[name]) for name in ("most_read", "paper"))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_real_spelling_is_kept_over_many_changes(opened, draft):
    """Labelling and undoing never changes the lines."""
    for sequence in range(1, 30):
        opened.save(1, sequence, {index: LABELS[(sequence + index) % 12].value for index in (0, 2, 3) if sequence % (index + 2)})
        assert parse_page(draft.read_bytes(), "x").lines == parse_page(DRAFT.encode(), "x").lines


def test_a_closed_page_saves_no_more(opened, draft):
    opened.save(1, 1, {2: "most_read"})
    opened.close()
    late = threading.Thread(target=opened.save, args=(1, 2, {2: "promo"}), daemon=True)
    late.start()
    late.join(0.1)
    assert late.is_alive()  # it blocks until the process exits
    assert read_page(draft).labels[2] == "most_read"
