"""`tinsach ask`: prompts, answers in files, and a server that misbehaves."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

import classifier
from classifier.asking.conversation import ATTEMPTS
from classifier.asking.endpoint import RETRIES
from classifier.asking.prompt import LINES_PER_PROMPT
from classifier.cli import main
from classifier.lines import is_blank, split_lines
from classifier.review.labelled_page import read_page
from classifier.review.page import ReviewedPage
from tests.support.chat_server import Reply, chat_server, labelled_as, prompted

KEY = "sk-123"
EVERY_NAV = labelled_as(lambda text: "nav")


@pytest.fixture
def pages(tmp_path, sample_page, monkeypatch) -> Path:
    """Return a folder with the sample page as a page of Bãi Sông, and make its parent the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "bao-bai-song__1.txt").write_text(sample_page, encoding="utf-8")
    return folder


def right_rows(page: str) -> str:
    """Return the labels of the shipped model as an answer."""
    return "".join(f"{line.number} {line.label}\n" for line in classifier.load().label_lines(split_lines(page)) if line.label)


def ask(server, *options: str) -> int:
    return main(["ask", "pages", "--output-dir", "asked", "--endpoint", server.url, "--model", "thử", "--yes", *options])


# -- files -----------------------------------------------------------------------------------------------------------------------


def test_prompts_and_answers_in_files(pages, sample_page, capsys):
    assert main(["ask", "pages", "--output-dir", "asked"]) == 0
    assert "1 prompt in asked" in capsys.readouterr().err
    prompt = Path("asked/bao-bai-song__1.prompt.txt").read_text(encoding="utf-8")
    assert list(prompted(prompt).values()) == [line for line in split_lines(sample_page) if not is_blank(line)]
    Path("asked/bao-bai-song__1.answer.txt").write_text(f"Đây là kết quả:\n```\n{right_rows(sample_page)}```\n", encoding="utf-8")
    (pages / "bao-bai-song__1.txt").unlink()  # answers are read without the pages
    assert main(["ask", "--read", "asked"]) == 0
    page = read_page("asked/bao-bai-song__1.tsv")
    assert page.lines == split_lines(sample_page)
    assert page.labels == [str(line.label or "-") for line in classifier.load().label_lines(page.lines)]


def test_wrong_answers_are_named_and_the_others_written(pages, sample_page, capsys):
    for number in (2, 3):
        (pages / f"bao-bai-song__{number}.txt").write_text(sample_page, encoding="utf-8")
    assert main(["ask", "pages", "--output-dir", "asked"]) == 0
    rows = right_rows(sample_page)
    Path("asked/bao-bai-song__1.answer.txt").write_text(rows, encoding="utf-8")
    Path("asked/bao-bai-song__2.answer.txt").write_text(rows.replace("9 title", "9 headline"), encoding="utf-8")
    assert main(["ask", "--read", "asked"]) == 1
    told = capsys.readouterr().err
    assert "asked/bao-bai-song__2.answer.txt:9: 'headline' is no label; choose from" in told
    assert "asked/bao-bai-song__2.answer.txt:8: no row for line 9; add what is missing" in told
    assert "1 page without an answer, such as asked/bao-bai-song__3.answer.txt" in told
    assert sorted(path.name for path in Path("asked").glob("*.tsv")) == ["bao-bai-song__1.tsv"]
    assert main(["ask", "--read", "asked/bao-bai-song__1.answer.txt"]) == 0


def test_labelled_pages_are_not_overwritten(pages, sample_page, capsys):
    main(["ask", "pages", "--output-dir", "asked"])
    Path("asked/bao-bai-song__1.answer.txt").write_text(right_rows(sample_page), encoding="utf-8")
    target = Path("asked/bao-bai-song__1.tsv")
    target.write_text("body\tđã sửa\n", encoding="utf-8")
    assert main(["ask", "--read", "asked"]) == 0
    assert target.read_text(encoding="utf-8") == "body\tđã sửa\n"
    assert "1 labelled page there already" in capsys.readouterr().err
    assert main(["ask", "--read", "asked", "--force"]) == 0
    assert read_page(target).lines == split_lines(sample_page)


def test_long_pages_are_asked_in_parts(pages, capsys):
    lines = [f"Mục số {number}" for number in range(2 * LINES_PER_PROMPT + 1)]
    (pages / "bao-bai-song__1.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    assert main(["ask", "pages", "--output-dir", "asked"]) == 0
    for number in (1, 2, 3):
        prompt = Path(f"asked/bao-bai-song__1.prompt-{number}.txt").read_text(encoding="utf-8")
        assert main(["ask", "--read", "asked"]) == 1
        Path(f"asked/bao-bai-song__1.answer-{number}.txt").write_text(EVERY_NAV(prompt), encoding="utf-8")
    assert "no row for lines" in capsys.readouterr().err
    assert main(["ask", "--read", "asked"]) == 0
    assert [label for label in read_page("asked/bao-bai-song__1.tsv").labels if label != "-"] == ["nav"] * len(lines)


def test_a_changed_page_is_not_mixed_with_old_answers(pages, capsys):
    main(["ask", "pages", "--output-dir", "asked"])
    (pages / "bao-bai-song__1.txt").write_text("Trang chủ\n", encoding="utf-8")
    assert main(["ask", "pages", "--output-dir", "asked"]) == 1
    assert "the page has changed since asked/bao-bai-song__1.page.txt was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["ask"], "name the pages to ask"),
        (["ask", "pages"], "name the pages to ask and an --output-dir"),
        (["ask", "pages", "--output-dir", "pages"], "keep pages in another folder"),
        (["ask", "--read", "pages"], "no page in it that was asked"),
        (["ask", "--read", "pages/bao-bai-song__1.txt"], "not the name of an answer"),
        (["ask", "--read", "asked.answer.txt"], "asked.answer.txt: no such file"),
        (["ask", "pages", "--read", "asked"], "leave out PAGE"),
        (["ask", "pages", "--output-dir", "asked", "--endpoint", "http://127.0.0.1:1/v1"], "belong together"),
        (["ask", "pages", "--output-dir", "asked", "--yes"], "name the --endpoint"),
        (["ask", "pages", "--output-dir", "asked", "--force"], "prompts alone make none"),
        (["ask", "pages", "--output-dir", "asked", "--endpoint", "127.0.0.1", "--model", "thử"], "not an address"),
        (["ask", "pages", "--output-dir", "asked", "--endpoint", "http://me:pw@127.0.0.1/v1", "--model", "thử"], "leave out user"),
    ],
)
def test_bad_usage(pages, args, message, capsys):
    assert main(args) == 2
    assert message in capsys.readouterr().err


def test_an_answer_without_its_page(pages, capsys):
    main(["ask", "pages", "--output-dir", "asked"])
    Path("asked/bao-bai-song__9.answer.txt").write_text("1 nav\n", encoding="utf-8")
    assert main(["ask", "--read", "asked"]) == 2
    assert "bao-bai-song__9.answer.txt: an answer without its page" in capsys.readouterr().err


# -- a server --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def library():
    pytest.importorskip("openai")


def test_a_server_labels_the_pages_and_nobody_asks_twice(library, pages, sample_page, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "tổ-chức")
    with chat_server(right_rows(sample_page)) as server:
        assert ask(server) == 0
        told = capsys.readouterr().err
        assert ask(server) == 0
        Path("asked/bao-bai-song__1.tsv").unlink()
        assert ask(server) == 0
    assert read_page("asked/bao-bai-song__1.tsv").lines == split_lines(sample_page)
    ((headers, body),) = server.requests
    prompt = Path("asked/bao-bai-song__1.prompt.txt").read_text(encoding="utf-8")
    assert body == {"model": "thử", "messages": [{"role": "user", "content": prompt}]}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert not any(name.startswith("openai-") for name in headers)
    assert f"1 page, 38 lines in 1 prompt of {len(prompt):,} characters, will be sent to 127.0.0.1:" in told
    assert "with the key in OPENAI_API_KEY" in told
    assert KEY not in told


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_sent_unasked(library, pages, sample_page, capsys, monkeypatch):
    with chat_server(right_rows(sample_page)) as server:
        command = ["ask", "pages", "--output-dir", "asked", "--endpoint", server.url, "--model", "thử"]
        for stdin, message in (
            (io.StringIO("y\n"), "nothing was sent: there is no terminal"),
            (Terminal("\n"), "nothing was sent; the prompts"),
        ):
            monkeypatch.setattr(sys, "stdin", stdin)
            assert main(command) == 2
            assert message in capsys.readouterr().err
            assert not server.requests
        monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
        assert main(command) == 0
        assert len(server.requests) == 1


def test_a_wrong_answer_is_sent_back_with_its_faults(library, pages, sample_page):
    rows = right_rows(sample_page)
    cut, beyond, unknown = rows[: len(rows) // 2], rows + "99 nav\n", rows.replace("9 title", "9 headline")
    for number, wrong in enumerate((cut, beyond, unknown, ""), 1):
        with chat_server(wrong, rows) as server:
            assert main(["ask", "pages", "--output-dir", f"asked{number}", "--endpoint", server.url, "--model", "thử", "--yes"]) == 0
        said = [message["content"] for message in server.requests[1][1]["messages"]]
        assert said[1:-1] == ([wrong] if wrong else [])
        assert "Your answer cannot be used:\n- answer:" in said[-1]
    assert Path("asked1/bao-bai-song__1.tsv").read_bytes() == Path("asked4/bao-bai-song__1.tsv").read_bytes()


def test_a_model_that_never_learns_is_asked_a_few_times(library, pages, sample_page, capsys):
    (pages / "bao-bai-song__2.txt").write_text(sample_page, encoding="utf-8")
    with chat_server("1 nav", "1 nav", "1-900 nav", right_rows(sample_page)) as server:
        assert ask(server) == 1
        assert len(server.requests) == ATTEMPTS + 1
        told = capsys.readouterr().err
        assert "asked/bao-bai-song__1.rejected.txt:1: 1-900 is not within lines 1-42" in told
        assert "save it as asked/bao-bai-song__1.answer.txt" in told
        assert Path("asked/bao-bai-song__2.tsv").exists()
        assert not Path("asked/bao-bai-song__1.tsv").exists()
        assert ask(server) == 0  # the page that failed is asked again, the other is not
        assert len(server.requests) == ATTEMPTS + 2
    assert not Path("asked/bao-bai-song__1.rejected.txt").exists()


def test_errors_that_pass_are_waited_for(library, pages, sample_page):
    with chat_server(429, 500, 503, right_rows(sample_page)) as server:
        assert ask(server) == 0
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("reply", "message", "requests"),
    [
        (500, "HTTP 500", RETRIES + 1),
        (429, "run the same command again later", RETRIES + 1),
        (401, "set OPENAI_API_KEY to a key of this server", 1),
        (404, "check --endpoint and --model", 1),
        (Reply(wait=60), "no answer in time", RETRIES + 1),
        (Reply(body=b"<html>"), "not an answer of an OpenAI-compatible server", 1),
        (Reply(body=b'{"choices": []}'), "not an answer of an OpenAI-compatible server", 1),
    ],
)
def test_errors_that_stay_stop_the_run(library, pages, reply, message, requests, capsys, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the retries
    with chat_server(reply) as server:
        assert ask(server, *(["--timeout", "0.2"] if isinstance(reply, Reply) and reply.wait else [])) == 2
        assert len(server.requests) == requests
    assert message in capsys.readouterr().err


def test_a_page_that_the_server_rejects_does_not_stop_the_others(library, pages, sample_page, capsys):
    (pages / "bao-bai-song__2.txt").write_text(sample_page, encoding="utf-8")
    with chat_server(400, right_rows(sample_page)) as server:
        assert ask(server) == 1
    assert "rejects the request (HTTP 400)" in capsys.readouterr().err
    assert [path.name for path in Path("asked").glob("*.tsv")] == ["bao-bai-song__2.tsv"]


def test_answers_before_an_error_are_kept(library, pages, sample_page, capsys):
    (pages / "bao-bai-song__2.txt").write_text(sample_page, encoding="utf-8")
    with chat_server(right_rows(sample_page), 404) as server:
        assert ask(server) == 2
    assert [path.name for path in Path("asked").glob("*.tsv")] == ["bao-bai-song__1.tsv"]


def test_neither_pages_nor_key_follow_a_redirect(library, pages, sample_page, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server(right_rows(sample_page)) as other:
        for status in (301, 302, 307, 308):
            with chat_server(Reply(status, headers=(("Location", f"{other.url}/chat/completions?key={KEY}"),))) as server:
                assert ask(server) == 2
            told = capsys.readouterr().err
            assert f"redirect (HTTP {status})" in told
            assert KEY not in told
        assert not other.requests


def test_neither_pages_nor_key_go_through_a_proxy_in_the_clear(library, pages, sample_page, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server(right_rows(sample_page)) as proxy, chat_server(right_rows(sample_page)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert ask(server) == 0
    assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_a_server_cannot_make_the_key_appear(library, pages, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server(Reply(401, json.dumps({"error": {"message": f"wrong key: {KEY}"}}).encode())) as server:
        assert ask(server) == 2
    told = capsys.readouterr().err
    assert "wrong key: [OPENAI_API_KEY]" in told
    assert KEY not in told


def test_a_key_travels_encrypted(library, pages, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["ask", "pages", "--output-dir", "asked", "--endpoint", "http://192.0.2.1/v1", "--model", "thử", "--yes"]) == 2
    assert "would travel unencrypted" in capsys.readouterr().err


def test_a_key_that_is_no_key(library, pages, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "mật khẩu")
    assert main(["ask", "pages", "--output-dir", "asked", "--endpoint", "http://127.0.0.1:1/v1", "--model", "thử", "--yes"]) == 2
    assert "the key in OPENAI_API_KEY holds characters that no key has" in capsys.readouterr().err


def test_without_the_library_the_extra_is_named(pages, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    assert main(["ask", "pages", "--output-dir", "asked", "--endpoint", "http://127.0.0.1:1/v1", "--model", "thử"]) == 2
    assert "--endpoint: needs openai, which is not installed; run: pip install 'tinsach[ask]'" in capsys.readouterr().err


def test_review_begins_with_the_page_and_the_line_that_tinsach_doubts(pages, sample_page, cleaner):
    (pages / "bao-bai-song__2.txt").write_text(sample_page, encoding="utf-8")
    main(["ask", "pages", "--output-dir", "asked"])
    rows = right_rows(sample_page)
    Path("asked/bao-bai-song__1.answer.txt").write_text(rows, encoding="utf-8")
    Path("asked/bao-bai-song__2.answer.txt").write_text(rows.replace("13 body", "13 footer"), encoding="utf-8")
    assert main(["ask", "--read", "asked"]) == 0
    agreed, doubted = (ReviewedPage(f"asked/bao-bai-song__{number}.tsv", cleaner) for number in (1, 2))
    assert doubted.doubt > agreed.doubt
    shown = [line for line in doubted._shown() if isinstance(line, list)]
    assert min(shown, key=lambda line: line[5])[0] == 12  # the certainty of its label, and the index of line 13
    assert not any(line[6] for line in shown)  # none counts as set by a person
