"""Site memory: what it learns, merging, and the same results however pages are passed."""

from __future__ import annotations

import threading
import tracemalloc
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import classifier
from classifier import SiteMemory
from classifier.core.constraints import mark_of
from classifier.core.features import extract_features
from classifier.labels import LABELS
from classifier.lines import is_blank
from classifier.sites.evidence import count_pages
from classifier.sites.memory import MOST_PAGES, MOST_RESETS, LearnedPages
from classifier.sites.page_pass import MOST_LINES, PagePass
from classifier.sites.rule import EVERY_SITE, Rule

BODY = LABELS.index("body")
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


def learned(cleaner, pages, site=None, memory=None):
    """Return a memory that has learned pages of a site."""
    memory = memory or SiteMemory()
    memory.add(cleaner.at(site).learned_pages(pages))
    return memory


# -- learning --------------------------------------------------------------------------------------------------------------


def test_seen_on_counts_pages_by_letters(cleaner):
    memory = learned(cleaner, PAGES[:3])
    assert memory.seen_on("TỔNG BIÊN TẬP: ĐẶNG VĨNH KHOA") == memory.seen_on(STANDING[0]) == 3
    assert memory.seen_on("07:59 | 31/12/2024 GMT+7") == 3  # the values of digits are ignored
    assert memory.seen_on(ARTICLES[0][1]) == 1
    assert memory.seen_on(ARTICLES[4][1]) == memory.seen_on("  ") == memory.seen_on("") == 0
    assert memory.seen_on("Trang chủ") == 0  # too short to be remembered


def test_pages_are_counted_and_not_occurrences(cleaner):
    memory = learned(cleaner, [PAGES[0].replace(STANDING[0], f"{STANDING[0]}\n{STANDING[0]}"), PAGES[1]])
    assert memory.seen_on(STANDING[0]) == memory.counted == 2


def test_a_page_fetched_again_counts_once(cleaner):
    again = [page_of(number, "05/04/2026").replace("Đăng nhập", "Giá vàng nhẫn sáng nay giảm nhẹ") for number in range(len(PAGES))]
    memory = learned(cleaner, [*PAGES, *again])
    assert memory.seen_on(ARTICLES[0][1]) == 1
    assert memory.seen_on(STANDING[0]) == learned(cleaner, PAGES).seen_on(STANDING[0])


def test_sites_are_told_apart(cleaner):
    memory = learned(cleaner, PAGES[:2], "https://www.bao-bai-song.vn/a.html")
    assert memory.seen_on(STANDING[0], "bao-bai-song.vn") == memory.seen_on(STANDING[0], "www.Bao-Bai-Song.vn") == 2
    assert memory.seen_on(STANDING[0], "bao-khac.vn") == memory.seen_on(STANDING[0]) == 0


def test_reset_of_one_site_and_of_all(cleaner):
    memory = SiteMemory()
    for site in ("a.vn", "b.vn", None):
        learned(cleaner, PAGES[:2], site, memory)
    memory.reset("a.vn")
    assert [memory.seen_on(STANDING[0], site) for site in ("a.vn", "b.vn", None)] == [0, 2, 2]
    memory.reset("")
    assert [memory.seen_on(STANDING[0], site) for site in ("a.vn", "b.vn", None)] == [0, 2, 0]
    learned(cleaner, PAGES[:2], "a.vn", memory)
    assert memory.seen_on(STANDING[0], "a.vn") == 2
    memory.reset()
    assert [memory.seen_on(STANDING[0], site) for site in ("a.vn", "b.vn", None)] == [0, 0, 0]
    assert memory.counted == 0


def test_too_many_sites_to_reset_one_by_one():
    memory = SiteMemory()
    for number in range(MOST_RESETS):
        memory.reset(f"s{number}")
    memory.reset("s0")
    with pytest.raises(classifier.InputError, match="reset\\(\\) everything"):
        memory.reset("one-more")


def test_a_long_page_is_remembered_in_part():
    memory = SiteMemory()
    over = PagePass(memory, None)
    for start in range(0, MOST_LINES + 4000, 3000):
        hashes = np.arange(start + 1, start + 3001, dtype=np.uint64)
        over.add(np.zeros(3000, int), hashes, np.full(3000, 64), np.log(np.full((len(LABELS), 3000), 1 / 12)))
    assert over.settled(0).shape[1] == len(range(0, MOST_LINES + 4000, 3000)) * 3000  # what is over the limit does not wait
    seen = count_pages(memory.sets(np.arange(1, MOST_LINES + 4001, dtype=np.uint64), None))
    assert (seen[:MOST_LINES] == 1).all()
    assert not seen[MOST_LINES:].any()


# -- merging ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(st.data())
def test_merging_is_associative_and_commutative_and_parts_give_the_whole(cleaner, composed_pages, data):
    pages = [*composed_pages[:8], *PAGES, *PAGES[:2]]
    owners = data.draw(st.lists(st.integers(0, 7), min_size=len(pages), max_size=len(pages)))
    sites = ["a.vn" if number % 3 else None for number in range(len(pages))]
    whole, parts = SiteMemory(), [SiteMemory() for _ in range(8)]
    for page, site, owner in zip(pages, sites, owners):
        learned(cleaner, [page], site, whole)
        learned(cleaner, [page], site, parts[owner])
    data.draw(st.randoms(use_true_random=False)).shuffle(parts)
    cut = data.draw(st.integers(1, 7))
    left, right = parts[0].merge(*parts[1:cut]), parts[cut].merge(*parts[cut + 1 :])
    assert left.merge(right).to_bytes() == right.merge(left).to_bytes() == reduce(SiteMemory.merge, parts).to_bytes() == whole.to_bytes()


def test_memories_made_differently_do_not_merge():
    other = SiteMemory()
    other.reset("a.vn")
    for memory in (other, SiteMemory(3)):
        with pytest.raises(classifier.InputError, match="made alike"):
            SiteMemory().merge(memory)


# -- a memory that only judges ---------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.data())
def test_without_learning_the_order_of_pages_does_not_matter(cleaner, composed_pages, data):
    pages = [*composed_pages[:6], *PAGES, *composed_pages[:3]]
    order = data.draw(st.permutations(range(len(pages))))
    first, second = learned(cleaner, pages), learned(cleaner, [pages[number] for number in order])
    assert first.to_bytes() == second.to_bytes()
    expected = list(cleaner.remembering(first, learn=False).clean_pages(pages))
    assert list(cleaner.remembering(second, learn=False).clean_pages([pages[number] for number in order])) == [expected[n] for n in order]
    assert first.to_bytes() == second.to_bytes()


@pytest.mark.usefixtures("started_workers")
def test_without_learning_other_processes_load_the_memory(cleaner, composed_pages, tmp_path):
    pages = [*PAGES, *composed_pages[:3]]
    memory = learned(cleaner, pages)
    judge = cleaner.remembering(memory, learn=False)
    with pytest.raises(classifier.InputError, match="save it"):
        list(judge.clean_pages(pages, jobs=2))
    memory.save(tmp_path / "m.npz")
    assert list(judge.clean_pages(pages, jobs=2)) == list(judge.clean_pages(pages))
    recipe = judge.recipe
    learned(cleaner, composed_pages[3:5], None, memory)
    assert memory.path is None  # the file no longer holds what the memory does
    memory.save(tmp_path / "m.npz")
    with pytest.raises(classifier.InputError, match="not the same site memory"):
        recipe._replace(threshold=0.5).cleaner()


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
    assert_same(once, cleaner.label_pages(PAGES, memory=SiteMemory(MOST_PAGES)))  # no line is seen that often


def test_rules_go_before_memory():
    rules = classifier.SiteRules({EVERY_SITE: [Rule("tổng biên tập", None, mark_of([classifier.Label.BODY]), True)]})
    ruled = classifier.load(rules=rules)
    memory = SiteMemory(2)
    ruled.label_pages(PAGES, memory=memory)
    labels = ruled.label_pages(PAGES, memory=memory)
    homes = [row for row, line in enumerate(labels.lines) if line == STANDING[3]]
    assert (labels.codes[homes] == BODY).all()
    assert labels.probabilities[homes] == pytest.approx(np.ones(len(homes)))


def test_a_page_left_in_the_middle_is_not_counted(cleaner, sample_page):
    memory = SiteMemory()
    stream = cleaner.remembering(memory).stream()
    assert stream.feed(sample_page * 10) == []  # with a memory, lines are decided when their page ends
    del stream
    assert memory.counted == 0


def test_mistakes(cleaner):
    for pages in (0, 27, 2.0, "3", None, True):
        with pytest.raises(classifier.InputError, match="1 to 26"):
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


def test_threads_lose_nothing():
    memory = SiteMemory()
    hashes = np.arange(1, 2001, dtype=np.uint64)

    def learn(bit: int) -> None:
        memory.add(LearnedPages(None, hashes, np.full(2000, 1 << bit, np.uint64), 1))

    threads = [threading.Thread(target=learn, args=(bit,)) for bit in range(12, 64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.counted == 52
    assert (count_pages(memory.sets(hashes, None)) == 52).all()


@pytest.mark.slow  # asserts memory use, which a busy machine may disturb
def test_a_million_lines_take_less_than_32_megabytes():
    random = np.random.default_rng(1)
    tracemalloc.start()
    try:
        memory = SiteMemory()
        for _ in range(5000):
            hashes = random.integers(1, 1 << 63, 200, dtype=np.uint64)
            memory.add(LearnedPages(None, hashes, np.full(200, 2 | 1 << int(random.integers(12, 64)), np.uint64), 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory.sketch.cells.nbytes == 16 << 20
    assert peak < 32e6
    assert memory.counted == 5000
    assert memory.error() < 3e-4  # lines seen once hardly look as if another page had shown them


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
