"""Corpus, skeletons and composer: what enters training, and what must not."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.review.labelled_page import read_page
from tests.support.paths import CASES
from training.composer import corpus, skeleton
from training.composer.augment import Line
from training.composer.compose import DESCRIPTOR, MADE_UP, article_page, compose, refill
from training.composer.corpus import Article, BodyLine, CorpusError, load_articles, load_banks, shared_fivegrams
from training.composer.library import cut_to, slug
from training.composer.skeleton import (
    Skeleton,
    SkeletonError,
    descriptor,
    extract,
    load_skeletons,
    read_skeleton,
    write_skeleton,
)
from training.composer.supply import Supply
from training.learning.dataset import FOLDS, HELD_OUT, SHARED_BANKS, block_of, fold_libraries, fold_of_article, make_pages

PAGE = """nav\tTrang chủ
-\t
title\tLàng gốm bên sông đỏ lửa trở lại
body\tSáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên.
caption\tlang gom ben song do lua tro lai
related\tĐọc thêm:
related\t  * [Chợ gốm cuối tuần hút khách phố](/cho-gom.htm "Chợ gốm cuối tuần hút khách phố")
related\tLàng gốm bên sông đỏ lửa trở lại
"""


def article(identity: str, text: str) -> Article:
    return Article(identity, "f", "Văn hóa", "news", "", (), "Tiêu đề", "", (), (), (BodyLine("paragraph", text),))


def test_the_shipped_corpus_is_valid_and_large():
    articles, banks = load_articles(), load_banks()
    assert len(articles) >= 400
    assert sum(len(one.body) + bool(one.lead) for one in articles) >= 2500
    assert sum(len(one.text.split()) for one in articles) >= 150_000
    assert {one.form for one in articles} == corpus.FORMS
    assert len(banks["headings_related"]) >= 200
    assert len(banks["comments"]) >= 400
    assert shared_fivegrams(articles)[0][0] <= corpus.MAX_SHARED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chữ lạc\n", ":1: text before"),
        ("=== Bài Một\nsection: a\nform: news\ntitle: b\n\nc\n", ":1: id 'Bài Một'"),
        ("=== a\nsection: a\nform: new\ntitle: b\n\nc\n", ":1: form 'new'"),
        ("=== a\nsection: a\nform: news\ntitle: b\n", ":1: an article needs"),
        ("=== a\nsection: a\nnote: x\ntitle: b\n\nc\n", ":3: 'note: x'"),
        ("=== a\nsection: a\nsection: b\nform: news\ntitle: b\n\nc\n", "appears twice"),
        ("=== a\nsection: a\nform: news\ntitle: ô\u0323\n\nc\n", ":4: not in NFC"),
        ("=== a\nsection: a\nform: news\ntitle: b\n\nc\n=== a\nsection: a\nform: news\ntitle: b\n\nc\n", "already used"),
    ],
)
def test_a_broken_corpus_file_is_named_with_its_line(tmp_path: Path, text: str, message: str):
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "x.txt").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=re.escape(message)):
        load_articles(tmp_path)


def test_a_broken_bank_is_named(tmp_path: Path):
    (tmp_path / "phrases").mkdir()
    bank = tmp_path / "phrases" / "x.txt"
    for text, message in (("a\na\n", "'a' appears twice"), ("{nmae}\n", "unknown slot nmae")):
        bank.write_text(text, encoding="utf-8")
        with pytest.raises(CorpusError, match=message):
            load_banks(tmp_path)


def test_shared_fivegrams_finds_a_shared_template():
    one = article("a", "một hai ba bốn năm sáu bảy tám")
    other = article("b", "một hai ba bốn năm sáu chín mười")
    alone = article("c", "không có gì giống cả ở đây nhé")
    [(share, first, second)] = shared_fivegrams([one, other, alone])
    assert (first, second) == ("a", "b")
    assert share == pytest.approx(4 / 6)  # ten words with the two of the headline, so six 5-grams; the last two differ


def test_a_skeleton_knows_form_and_no_words(tmp_path: Path):
    path = tmp_path / "bao__1.tsv"
    path.write_text(PAGE, encoding="utf-8")
    page = read_page(path)
    found = extract("bao__1", "plain", page.labels, page.lines)
    patterns = [row.pattern for row in found.rows]
    assert [row.blanks for row in found.rows] == [0, 1, 0, 0, 0, 0, 0]
    assert patterns[0] == "⟨S9⟩"
    assert patterns[2] == "⟨tS85.⟩"
    assert patterns[3] == "⟨~1⟩"  # the headline without accents
    assert patterns[4] == "⟨hS9:⟩"
    assert patterns[5] == '  * [⟨S31⟩](⟨u12⟩ "⟨=⟩")'
    assert patterns[6] == "⟨=1⟩"  # the headline again
    assert read_skeleton(write_skeleton(found, tmp_path)) == found


def test_shipped_skeletons_hold_no_words():
    for page in load_skeletons():
        for row in page.rows:
            bare = DESCRIPTOR.sub("", row.pattern)
            assert not re.search(r"[^\W\d_]", bare.replace("<br>", "").replace("&nbsp;", "")), row.pattern
            for form in DESCRIPTOR.findall(row.pattern):
                assert re.fullmatch(r"u\d+|=|[=~]\d+|[+<]\d+:\d+|[htcknav]*[UTSldx]\d+(\.\.\.|[^\w\s]|_)?", form), form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Vũ Lâm", "nS6"),
        ("ĐỌC NHIỀU 24H", "U13"),
        ("Ảnh: Vũ Lâm", "cT11"),
        ("3 giờ trước", "td11"),
        ("lang gom ben song", "al17"),
        ("Xem tiếp...", "S11..."),
    ],
)
def test_descriptors(text, form):
    assert descriptor(text) == form


def test_a_broken_gold_page_is_named_with_its_line(tmp_path: Path):
    path = tmp_path / "a__1.tsv"
    path.write_text("nav\tMột\ntitel\tHai\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a__1\.tsv:2: 'titel'"):
        read_page(path)
    path.with_suffix(".skel").write_text("nav\tx\n", encoding="utf-8")
    with pytest.raises(SkeletonError, match=r"a__1\.skel:1"):
        read_skeleton(path.with_suffix(".skel"))


def test_refilling_keeps_labels_blanks_and_repetitions():
    library = fold_libraries()[1]
    for page in load_skeletons()[::9]:
        rng = random.Random(1)
        lines = refill(page, Supply(library, library.articles[0], rng), rng)
        assert [line.label for line in lines if line.label != "-"] == [row.label for row in page.rows]
        assert sum(line.label == "-" for line in lines) == sum(row.blanks for row in page.rows)
        assert not any("⟨" in line.text or "{" in line.text for line in lines)


def test_a_repeated_headline_is_repeated():
    form = Skeleton("a__1", "plain", tuple(skeleton.Row(label, 0, pattern) for label, pattern in [("title", "⟨S40⟩"), ("related", "⟨=0⟩")]))
    library = fold_libraries()[1]
    rng = random.Random(3)
    one, two = refill(form, Supply(library, library.articles[2], rng), rng)
    assert one.text == two.text == library.articles[2].title


def test_composing_is_a_function_of_its_seed():
    library, layouts = fold_libraries()[1], load_skeletons()
    assert compose(library, layouts, "7") == compose(library, layouts, "7")
    assert compose(library, layouts, "7") != compose(library, layouts, "8")


def test_pages_do_not_depend_on_the_number_of_processes():
    assert make_pages(20, 1, jobs=2) == make_pages(20, 1)


def test_composed_pages_have_every_label_and_style():
    pages = [page for fold in make_pages(300, 2) for page in fold]
    assert {page.style for page in pages} == {"plain", "bs4", "markdown", "crawl", "seed"}
    assert {line.label for page in pages for line in page.lines} == skeleton.NAMES | {"-"}
    assert any(line.heading for page in pages for line in page.lines)


def test_folds_share_no_article_and_no_phrase():
    libraries = fold_libraries()
    assert len(libraries) == FOLDS + 1
    for index, one in enumerate(libraries):
        assert one.articles
        for other in libraries[index + 1 :]:
            assert not {a.id for a in one.articles} & {a.id for a in other.articles}
            for name in set(one.banks) - SHARED_BANKS:
                assert not set(one.banks[name]) & set(other.banks[name]), name


def test_held_out_pages_use_held_out_layouts_and_articles_only():
    held_out, *training = make_pages(200, 3)
    assert {page.layout for page in held_out} <= {*HELD_OUT, *MADE_UP}
    assert not {page.layout for fold in training for page in fold} & HELD_OUT
    folds = {article.id: fold_of_article(article) for article in load_articles()}
    assert all(folds[page.article] == 0 for page in held_out)
    assert all(folds[page.article] > 0 for fold in training for page in fold)


def test_no_test_case_is_in_the_corpus():
    corpus_lines = {line for one in load_articles() for line in one.text.split("\n")} | {p for bank in load_banks().values() for p in bank}
    for path in filter(Path.is_file, CASES.rglob("*")):
        lines = re.split(r"[\n\t\v\x85]", path.read_text(encoding="utf-8", errors="replace"))
        long_lines = {line.strip() for line in lines if len(line) > 60}
        assert not long_lines & corpus_lines


def test_a_clean_article_as_a_page():
    page = article_page(load_articles()[0])
    assert page[0].label == "title"
    assert {line.label for line in page} <= {"title", "body", "caption"}


def test_blocks_count_blank_lines_and_mark_headings():
    lines = [Line("-", ""), Line("nav", "Một"), Line("-", ""), Line("related", "Tin khác", True), Line("related", "\u200b")]
    block = block_of([lines, [Line("title", "Hai")]])
    assert block.blanks.tolist() == [1, 1, 0]
    assert block.starts.tolist() == [True, False, True]
    assert block.position.tolist() == [1, 3, 0]
    assert block.labels.tolist() == [4, 5, 0]
    assert block.classes.tolist() == [4, 12, 0]


def test_small_text_tools():
    assert slug("Đường lên Hà Giang!") == "duong-len-ha-giang"
    assert cut_to("một hai ba bốn", 9, "...") == "một..."
    assert cut_to("một hai", 20) == "một hai"
