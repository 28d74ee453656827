"""Site memory: each page counted once, as evidence for later pages only, independent of batching."""

from __future__ import annotations

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import classifier
from classifier import SiteMemory
from classifier.core.constraints import mark_of
from classifier.core.features import LOG_SCALE, extract_features
from classifier.labels import LABELS
from classifier.lines import is_blank, split_lines
from classifier.sites.memory import LIKELIHOOD_RATIO, MOST_LINES, MOST_RESETS, PagePass
from classifier.sites.rule import EVERY_SITE, Rule

TITLE, BODY, CAPTION, NAV = (LABELS.index(name) for name in ("title", "body", "caption", "nav"))
HEAD = ["Trang chủ", "Thời sự", "Kinh tế", "Văn hóa", "Đăng nhập", "Trang chủ > Văn hóa"]
STANDING = [
    "Bạn đọc gửi bài viết, hình ảnh về tòa soạn xin ghi rõ họ tên, địa chỉ và số điện thoại để tiện liên hệ khi cần xác minh.",
    "Tòa soạn không chịu trách nhiệm về nội dung quảng cáo của các đơn vị đặt trên trang, và không trả lại bản thảo đã gửi.",
    "Mời bạn tải ứng dụng của báo để nhận tin nhanh mỗi sáng, lưu bài đọc sau và nghe bản tin bằng giọng đọc miền Trung.",
    "Tổng biên tập: Đặng Vĩnh Khoa",
    "Giấy phép số 218/GP-BTTTT cấp ngày 12/5/2021",
]
ARTICLES = [
    ("Làng gốm bên sông đỏ lửa trở lại", "Sáng nay, ba lò gốm đầu tiên của làng Vĩnh Hòa đã được nhóm lửa sau hai năm nguội lạnh."),
    ("Cầu treo qua suối Mường Lam thông xe", "Người dân hai bản không còn phải đi vòng mười cây số để đưa con em mình tới lớp học."),
    (
        "Hợp tác xã nuôi ong trúng mùa nhãn",
        "Mỗi hộ thu hơn hai tạ mật, nhiều nhất trong vòng năm năm trở lại đây, ông Lường Văn Tấn cho biết.",
    ),
    ("Chợ nổi mở thêm phiên cuối tuần", "Từ tháng tư, ghe thuyền được phép neo đậu ở bến phía đông vào cả sáng thứ bảy lẫn chủ nhật."),
    ("Trường vùng cao có thư viện mới", "Hơn ba nghìn cuốn sách do cựu học sinh quyên góp đã lên tới nơi sau hai ngày đường đèo."),
]


def page_of(number: int, date: str = "04/03/2025") -> str:
    title, text = ARTICLES[number]
    return "\n".join(
        [*HEAD, f"07:15 | {date} GMT+7", title, text, text.replace(",", " cũng vậy,") + " Việc ấy ai cũng mong.", "", *STANDING]
    )


PAGES = [page_of(number) for number in range(len(ARTICLES))]


def assert_same(labels, other):
    for column, expected in zip(labels[:-1], other[:-1]):
        assert np.array_equal(column, expected)


def lines_of(hashes):
    return np.array(hashes, np.uint64)


def found_for(codes, surety=0.8):
    """Return log probabilities with `surety` for each code and the rest spread evenly."""
    table = np.full((len(LABELS), len(codes)), (1 - surety) / (len(LABELS) - 1))
    table[codes, np.arange(len(codes))] = surety
    return np.log(table)


def show(memory, pages, site=None):
    """Pass pages, lists of (hash, code, visible characters) per line, through a memory; return each page's log probabilities."""
    over, out = PagePass(memory, site), []
    for number, page in enumerate(pages):
        hashes, codes, sizes = (np.array(column) for column in zip(*page))
        out.append(
            over.revised(np.full(len(page), number), hashes.astype(np.uint64), LOG_SCALE[sizes].astype(np.float32), found_for(codes))
        )
    over.close(len(pages))
    return out


# -- counting --------------------------------------------------------------------------------------------------------------


def test_pages_are_counted_and_not_occurrences():
    memory = SiteMemory()
    memory_of = memory.sketch.places(lines_of([5]) ^ memory.key(None))
    show(memory, [[(5, NAV, 9), (5, NAV, 9), (6, NAV, 9)], [(5, NAV, 9)]])
    assert memory.sketch.counts(memory_of).tolist() == [2]
    assert memory.counted == 2


def test_seen_on_counts_by_letters(cleaner):
    memory = SiteMemory()
    cleaner.label_pages(PAGES[:3], memory=memory)
    assert memory.seen_on("TRANG CHỦ") == memory.seen_on("Tổng biên tập: Đặng Vĩnh Khoa") == 3
    assert memory.seen_on("07:59 | 31/12/2024 GMT+7") == 3  # the values of digits are ignored
    assert memory.seen_on(ARTICLES[0][1]) == 1
    assert memory.seen_on(ARTICLES[4][1]) == memory.seen_on("  ") == memory.seen_on("") == 0


def test_sites_are_told_apart(cleaner):
    memory = SiteMemory()
    cleaner.at("https://www.bao-bai-song.vn/a.html").label_pages(PAGES[:2], memory=memory)
    assert memory.seen_on("Trang chủ", "bao-bai-song.vn") == memory.seen_on("Trang chủ", "www.Bao-Bai-Song.vn") == 2
    assert memory.seen_on("Trang chủ", "bao-khac.vn") == memory.seen_on("Trang chủ") == 0


def test_reset_of_one_site_and_of_all(cleaner):
    memory = SiteMemory()
    for site in ("a.vn", "b.vn", None):
        cleaner.at(site).label_pages(PAGES[:2], memory=memory)
    memory.reset("a.vn")
    assert [memory.seen_on("Trang chủ", site) for site in ("a.vn", "b.vn", None)] == [0, 2, 2]
    memory.reset("")
    assert [memory.seen_on("Trang chủ", site) for site in ("a.vn", "b.vn", None)] == [0, 2, 0]
    cleaner.at("a.vn").label_pages(PAGES[:2], memory=memory)
    assert memory.seen_on("Trang chủ", "a.vn") == 2
    memory.reset()
    assert [memory.seen_on("Trang chủ", site) for site in ("a.vn", "b.vn", None)] == [0, 0, 0]
    assert memory.counted == 0


def test_too_many_sites_to_reset_one_by_one():
    memory = SiteMemory()
    for number in range(MOST_RESETS):
        memory.reset(f"s{number}")
    memory.reset("s0")
    with pytest.raises(classifier.InputError, match="reset\\(\\) everything"):
        memory.reset("one-more")


# -- effect on a line --------------------------------------------------------------------------------------------------------


def test_ten_to_one_against_body_worked_out_by_hand():
    """Body keeps a tenth of its 0.8 against the other labels: 0.08 / (0.08 + 0.2 - what caption loses)."""
    other = 0.2 / 11
    rest = 0.08 + other / LIKELIHOOD_RATIO + 10 * other
    first, second, third = show(SiteMemory(2), [[(7, BODY, 9)]] * 2 + [[(7, BODY, 9), (8, BODY, 9)]])
    assert np.exp(first[BODY, 0]) == np.exp(second[BODY, 0]) == pytest.approx(0.8)
    # The second page is a copy of the first (its whole article is known), so no line counts as seen on two pages.
    assert np.exp(third[BODY]) == pytest.approx([0.8, 0.8])
    pages = [[(7, NAV, 9), (20 + number, BODY, 90)] for number in range(2)]
    *_, last = show(SiteMemory(2), [*pages, [(7, BODY, 9), (8, BODY, 9)]])
    assert np.exp(last[BODY]) == pytest.approx([0.08 / rest, 0.8])
    assert np.exp(last[NAV]) == pytest.approx([other / rest, other])
    assert np.exp(last[CAPTION, 0]) == pytest.approx(other / LIKELIHOOD_RATIO / rest)
    assert np.exp(last).sum(axis=0) == pytest.approx([1, 1])


def test_a_line_the_model_is_sure_of_stays():
    memory = SiteMemory(2)
    show(memory, [[(7, NAV, 9), (20 + number, BODY, 90)] for number in range(9)])
    over = PagePass(memory, None)
    sure = over.revised(np.zeros(1, int), lines_of([7]), LOG_SCALE[[9]], found_for([BODY], 0.99))
    unsure = over.revised(np.zeros(1, int), lines_of([7]), LOG_SCALE[[9]], found_for([BODY], 0.4))
    assert sure.argmax() == BODY
    assert unsure.argmax() != BODY


def test_headlines_leads_and_separators_are_not_penalised():
    """Headlines and leads appear as links on other pages; lines without a letter or digit are not remembered."""
    memory = SiteMemory(2)
    seen = [(1, NAV, 40), (2, NAV, 90), (3, NAV, 90), (4, NAV, 9), (0, NAV, 3)]
    show(memory, [[*seen, (20 + number, BODY, 90)] for number in range(2)])
    page = [(2, BODY, 90), (1, TITLE, 40), (4, BODY, 9), (2, BODY, 90), (3, BODY, 90), (0, BODY, 3), (1, TITLE, 40), (3, BODY, 90)]
    (found,) = show(memory, [page])
    penalised = np.exp(found.max(axis=0)) < 0.79
    assert penalised.tolist() == [True, False, True, False, True, False, False, False]


@given(st.lists(st.integers(1, 40), max_size=12))
def test_leads_do_not_depend_on_the_cut(cuts):
    memory = SiteMemory(2)
    show(memory, [[*((n, NAV, 90) for n in range(1, 8)), (20 + number, BODY, 90)] for number in range(2)])
    random = np.random.default_rng(5)
    codes, hashes, sizes = random.choice([TITLE, BODY, BODY, NAV], 40), random.integers(1, 8, 40), random.choice([9, 90], 40)
    page, found = np.zeros(40, int), found_for(codes)
    bounds = [0, *sorted({*cuts} - {40}), 40]
    over, whole = PagePass(memory, None), PagePass(memory, None)
    parts = [over.revised(page[a:b], hashes[a:b].astype(np.uint64), LOG_SCALE[sizes[a:b]], found[:, a:b]) for a, b in pairwise(bounds)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole.revised(page, hashes.astype(np.uint64), LOG_SCALE[sizes], found))


# -- copies ------------------------------------------------------------------------------------------------------------------


def test_a_page_fetched_again_is_not_counted_again(cleaner):
    memory = SiteMemory()
    cleaner.label_pages(PAGES, memory=memory)
    assert memory.counted == len(PAGES)
    again = [page_of(number, "05/04/2026").replace("Đăng nhập", "Giá vàng nhẫn sáng nay giảm nhẹ") for number in range(len(PAGES))]
    cleaner.label_pages(again, memory=memory)
    assert memory.counted == len(PAGES)
    assert memory.seen_on(ARTICLES[0][1]) == 1


def test_a_second_pass_applies_what_the_first_one_learned():
    memory = SiteMemory(2)
    pages = [[(7, BODY, 9), (30 + number, TITLE, 40), (20 + number, BODY, 90)] for number in range(2)]
    first, second = show(memory, pages), show(memory, pages)
    assert memory.counted == 2
    assert all(np.exp(found[BODY, 0]) == pytest.approx(0.8) for found in first)
    assert all(np.exp(found[BODY, 0]) < 0.31 for found in second)  # 0.303, as derived above
    assert all(np.array_equal(a[:, 1:], b[:, 1:]) for a, b in zip(first, second))


def test_short_articles_among_much_standing_prose_are_counted():
    """Nine tenths of the kept text is known, but the headline is not."""
    memory = SiteMemory()
    show(memory, [[*((n, BODY, 300) for n in range(1, 9)), (30 + number, TITLE, 40), (20 + number, BODY, 90)] for number in range(5)])
    assert memory.counted == 5


def test_a_headline_of_every_day_with_a_new_article_is_counted():
    memory = SiteMemory()
    show(memory, [[(9, TITLE, 40), (20 + number, BODY, 90), (40 + number, BODY, 90)] for number in range(5)])
    assert memory.counted == 5


def test_an_article_that_grew_is_a_copy_and_a_page_without_one_is_not():
    memory = SiteMemory()
    show(memory, [[(9, TITLE, 40), (20, BODY, 400)], [(9, TITLE, 40), (20, BODY, 400), (21, BODY, 300)]])
    assert memory.counted == 1
    show(memory, [[(1, NAV, 9)], [(1, NAV, 9)]])
    assert memory.counted == 3


def test_a_long_page_is_remembered_in_part(cleaner):
    memory = SiteMemory()
    over = PagePass(memory, None)
    for start in range(0, MOST_LINES + 4000, 3000):
        hashes = np.arange(start + 1, start + 3001, dtype=np.uint64)
        over.revised(np.zeros(3000, int), hashes, np.full(3000, 64), found_for(np.full(3000, NAV)))
    assert sum(part[0].nbytes for part in over._parts) == 8 * MOST_LINES
    over.close(1)
    seen = memory.sketch.counts(memory.sketch.places(np.arange(1, MOST_LINES + 4001, dtype=np.uint64) ^ memory.key(None)))
    assert seen[:MOST_LINES].all()
    assert not seen[MOST_LINES:].any()


# -- through the cleaner -------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.data())
def test_results_do_not_depend_on_the_calls(cleaner, composed_pages, data):
    pages = [*composed_pages[:8], *PAGES, *composed_pages[4:8], page_of(1, "06/06/2026")]
    whole, parts = SiteMemory(2), SiteMemory(2)
    expected = cleaner.label_pages(pages, memory=whole)
    codes = []
    cuts = [0, *sorted(data.draw(st.sets(st.integers(1, len(pages) - 1), max_size=5))), len(pages)]
    for start, stop in pairwise(cuts):
        if data.draw(st.booleans()):
            codes += cleaner.label_pages(pages[start:stop], memory=parts).codes.tolist()
            continue
        stream = cleaner.remembering(parts).stream()
        for page in pages[start:stop]:
            lines = [line for half in (page[:200], page[200:]) for line in stream.feed(half)] + stream.end_page()
            codes += [-1 if line.label is None else LABELS.index(line.label) for line in lines]
    assert codes == expected.codes.tolist()
    assert np.array_equal(whole.sketch.cells, parts.sketch.cells)
    assert whole.counted == parts.counted


def test_every_call_agrees(cleaner, composed_pages):
    pages = [*composed_pages[:6], *PAGES, *composed_pages[:6]]
    of_pages = cleaner.clean_pages(pages, memory=SiteMemory(2))
    bound = cleaner.remembering(SiteMemory(2))
    assert list(of_pages) == [bound.clean_text(page) for page in pages]


@settings(max_examples=10)
@given(st.permutations(range(17)))
def test_the_first_copy_of_a_line_is_never_touched(cleaner, composed_pages, order):
    pages = [([*composed_pages[:6], *PAGES] * 2)[number] for number in order]
    plain, labels = cleaner.label_pages(pages), cleaner.label_pages(pages, memory=SiteMemory(2))
    lines = [line if not is_blank(line) else "-" for line in labels.lines]
    hashes = extract_features(lines).hashes[0].tolist()
    before: set[int] = set()
    for start, stop in pairwise(labels.offsets.tolist()):
        for row in range(start, stop):
            if hashes[row] not in before:
                assert labels.probabilities[row] == plain.probabilities[row]
                assert labels.codes[row] == plain.codes[row]
        before |= set(hashes[start:stop])


def test_off_unless_asked_for(cleaner):
    assert cleaner.memory is None
    once, again = cleaner.label_pages(PAGES), cleaner.label_pages(PAGES)
    assert_same(once, again)
    assert_same(once, cleaner.label_pages(PAGES, memory=SiteMemory(255)))  # no line is seen that often


def test_rules_go_before_memory():
    rules = classifier.SiteRules({EVERY_SITE: [Rule("trang chủ", None, mark_of([classifier.Label.BODY]), True)]})
    ruled = classifier.load(rules=rules)
    memory = SiteMemory(2)
    ruled.label_pages(PAGES, memory=memory)
    labels = ruled.label_pages(PAGES, memory=memory)
    homes = [row for row, line in enumerate(labels.lines) if line == "Trang chủ"]
    assert (labels.codes[homes] == BODY).all()
    assert labels.probabilities[homes] == pytest.approx(np.ones(len(homes)))


def test_a_page_left_in_the_middle_is_not_counted(cleaner, sample_page):
    memory = SiteMemory()
    lines = cleaner.remembering(memory).label_lines(iter(split_lines(sample_page) * 10))
    next(lines)
    lines.close()
    assert memory.counted == 0


def test_mistakes(cleaner):
    for pages in (0, 1, 256, 2.0, "3", None, True):
        with pytest.raises(classifier.InputError, match="2 to 255"):
            SiteMemory(pages)
    with pytest.raises(classifier.InputError, match=r"SiteMemory\.load"):
        cleaner.label_pages(PAGES, memory="memory.npz")
    with pytest.raises(classifier.InputError, match=r"SiteMemory\.load"):
        cleaner.clean_pages(PAGES, memory={})
    with pytest.raises(classifier.InputError, match="jobs=1"):
        cleaner.clean_pages(PAGES, jobs=2, memory=SiteMemory())
    memory = SiteMemory()
    with pytest.raises(classifier.InputError, match="decode bytes"):
        cleaner.label_pages([PAGES[0], b"bytes"], memory=memory)
    assert memory.counted == 0


def test_threads_lose_no_count():
    memory = SiteMemory()
    places = memory.sketch.places(np.arange(1, 2001, dtype=np.uint64))

    def count() -> None:
        for _ in range(30):
            memory.count_page(places)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.counted == 120
    assert (memory.sketch.counts(places) == 120).all()


@pytest.mark.slow  # asserts memory use, which a busy machine may disturb
def test_a_million_lines_take_less_than_32_megabytes():
    random = np.random.default_rng(1)
    tracemalloc.start()
    try:
        memory = SiteMemory()
        for _ in range(5000):
            memory.count_page(memory.sketch.places(random.integers(1, 1 << 63, 200, dtype=np.uint64)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory.sketch.cells.nbytes == 16 << 20
    assert peak < 32e6
    assert memory.counted == 5000
    assert memory.error() < 1e-6  # lines seen once do not look as if seen twice


def test_what_a_site_prints_in_every_article_is_dropped_and_the_articles_stay(cleaner):
    standing = "Loạt bài này được thực hiện với sự hỗ trợ của Quỹ Phát triển Báo chí Miền Trung."
    pages = [page.replace(f"\n{text}\n", f"\n{text}\n{standing}\n") for page, (_, text) in zip(PAGES, ARTICLES)]
    memory = SiteMemory()
    plain = [text.split("\n") for text in cleaner.clean_pages(pages)]
    in_order = [text.split("\n") for text in cleaner.clean_pages(pages, memory=memory)]
    learned = [text.split("\n") for text in cleaner.clean_pages(pages, memory=memory)]
    assert sum(standing in lines for lines in plain) >= 3  # the model alone keeps it on most pages
    assert [standing in lines for lines in in_order] == [True, True, False, False, False]
    assert [standing in lines for lines in learned] == [False] * 5
    for (title, text), *found in zip(ARTICLES, plain, in_order, learned):
        assert all(title in lines and text in lines for lines in found)
