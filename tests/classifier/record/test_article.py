"""Articles: spans cut the page, records are the same in every call, and an empty one says so."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifier
from classifier.errors import InputError, InputWarning

LEAD = "Sau hai năm nguội lạnh, ba lò gốm đầu tiên của làng Vĩnh Hòa đã được nhóm lửa, mang theo hy vọng của cả xóm bãi sông."


@given(st.data())
def test_spans_cut_the_page_as_it_was_given(cleaner, composed_pages, data):
    page = data.draw(st.sampled_from(composed_pages[:40]))
    page = data.draw(st.sampled_from(["", "\ufeff", "\r\n"])) + page.replace("\n", data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
    article = cleaner.article(page)
    assert [article.text[span.start : span.end] for span in article.spans] == [page[span[2] : span[3]] for span in article.spans]
    covered = {place for span in article.spans for place in range(span.start, span.end)}
    assert {article.text[place] for place in range(len(article.text)) if place not in covered} <= {"\n", " "}
    for passage in (*article.paragraphs, *article.captions):
        assert "".join(passage.text.split()) in "".join(page[passage.start : passage.end].split())


@pytest.mark.usefixtures("started_workers")
def test_every_call_gives_the_same_record(cleaner, composed_pages):
    pages = composed_pages[:12]
    records = list(cleaner.articles(pages))
    assert records == [cleaner.article(page) for page in pages] == list(cleaner.articles(iter(pages), jobs=2))
    others = classifier.load(keep="caption", threshold=0.9).articles(pages)
    assert [record.paragraphs for record in others] == [record.paragraphs for record in records]
    assert [json.loads(json.dumps(record.to_dict())) for record in records] == [record.to_dict() for record in records]


def test_the_sample_page(cleaner, sample_page):
    article = cleaner.article(sample_page)
    assert article.title == "Làng gốm bên sông đỏ lửa trở lại"
    assert article.lead == article.paragraphs[0].text == sample_page[article.paragraphs[0].start : article.paragraphs[0].end]
    assert article.authors == ("Thu Hạnh",)
    assert str(article.published and article.published.isoformat()) == "2025-03-04T07:15:00+07:00"
    assert [caption.kind for caption in article.captions] == ["caption"]
    assert article.text == "\n".join([article.title, *(paragraph.text for paragraph in article.paragraphs)])
    assert article.flags == ()


def test_a_broken_and_doubled_page_becomes_whole(cleaner, sample_page):
    before, rest = sample_page.split("Sau hai năm", 1)
    broken = rest.replace("làng Vĩnh Hòa đã", "\nlàng Vĩnh Hòa\n đã", 1)
    article = cleaner.article(before + "Sau hai năm" + broken)
    assert [paragraph.text for paragraph in article.paragraphs] == [p.text for p in cleaner.article(sample_page).paragraphs]


def test_normalised_texts_keep_their_places(cleaner, sample_page):
    page = unicodedata.normalize("NFD", sample_page).replace(" ", "\u00a0").replace("lửa", "l\u200bửa")
    plain, article = cleaner.article(page), cleaner.article(page, normalize=True)
    assert article.title == unicodedata.normalize("NFC", plain.title).replace("\u00a0", " ").replace("\u200b", "")
    assert [(p.start, p.end) for p in article.paragraphs] == [(p.start, p.end) for p in plain.paragraphs]
    assert unicodedata.is_normalized("NFC", article.text)


def test_a_page_without_an_article_says_so(cleaner):
    with pytest.warns(InputWarning, match="has no article"):
        article = cleaner.article("Trang chủ\nThời sự\nKinh tế\n")
    assert "no_article" in article.flags
    assert (article.title, article.text, article.paragraphs, article.spans) == ("", "", (), ())
    assert cleaner.article("").flags == ("no_article",)


def test_what_is_no_page_is_refused(cleaner):
    with pytest.raises(InputError, match="argument of article is bytes"):
        cleaner.article(b"x")
    with pytest.raises(InputError, match="one string"):
        cleaner.articles("x")


def test_the_columns_of_tables_are_those_of_records(cleaner, sample_page):
    pa = pytest.importorskip("pyarrow")
    from classifier.formats.article_type import article_type

    record = cleaner.article(sample_page).to_dict()
    kind = article_type(pa)
    assert [kind.field(number).name for number in range(kind.num_fields)] == list(record)
    assert pa.array([record], kind).to_pylist() == [record]
