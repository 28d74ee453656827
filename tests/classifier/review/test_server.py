"""The review server: access control, request validation, and the command that runs it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classifier.cli import main
from classifier.review.labelled_page import read_page
from classifier.review.page import ReviewedPage
from classifier.review.server import MAX_BODY, ReviewServer
from tests.classifier.explain.test_report import data_in
from tests.classifier.review.test_page import DRAFT
from tests.support.processes import running


@pytest.fixture
def served(tmp_path, cleaner) -> Iterator[ReviewServer]:
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(DRAFT, encoding="utf-8")
    with ReviewServer([ReviewedPage(str(tmp_path / name), cleaner) for name in ("a.tsv", "b.tsv")]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: ReviewServer, method: str = "GET", path: str | None = None, body: object = None, **headers: str):
    """Return the status, headers and body of a response; a JSON body is parsed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    given = {"Host": server.hosts[0]} | ({"Content-Type": "application/json"} if method == "POST" else {})
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, f"/{server.token}/0" if path is None else path, data, given)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(text) if answer.headers.get_content_type() == "application/json" else text


def change(sequence: int = 1, window: int = 1, **labels: int) -> dict:
    return {"window": window, "sequence": sequence, "changes": {name[1:]: code for name, code in labels.items()}}


def test_it_listens_to_this_computer_only(served):
    assert served.socket.getsockname()[0] == "127.0.0.1"
    assert re.fullmatch(rf"http://127\.0\.0\.1:{served.server_port}/[\w-]{{22}}/0", served.url)


def test_a_page_comes_and_its_changes_go_into_the_file(served, tmp_path):
    status, headers, page = ask(served)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in headers["Server"]
    assert data_in(page.decode())["window"] == 1
    assert ask(served, "POST", body=change(_2=6))[::2] == (200, {})
    assert read_page(tmp_path / "a.tsv").labels == ["nav", "-", "most_read", "footer"]
    assert (tmp_path / "b.tsv").read_text(encoding="utf-8") == DRAFT


ELSEWHERE = ("/", "/0", "/favicon.ico", "/é/0", "x", *(path.replace("T", "/{token}") for path in (
    "T", "T/", "T/2", "T/-1", "T/00", "T/0/0", "Tx/0", "/xT/0", "T/../0", "T/0?x",
)))  # fmt: skip


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nothing_else_is_there(served, path):
    for method in ("GET", "POST"):
        target = path.format(token=served.token).encode().decode("latin-1")
        with socket.create_connection(("127.0.0.1", served.server_port), timeout=20) as raw:
            raw.sendall(f"{method} {target} HTTP/1.0\r\nHost: {served.hosts[0]}\r\n\r\n".encode("latin-1"))
            assert raw.recv(100).split()[1] == b"404", (method, path)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", "0.0.0.0:{port}", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_names_for_it_are_refused(served, method, host):
    """DNS rebinding: another site's host name that resolves to this computer."""
    assert ask(served, method, body=change() if method == "POST" else None, Host=host.format(port=served.server_port))[0] == 404


def test_localhost_is_its_name_too(served):
    assert ask(served, Host=f"localhost:{served.server_port}")[0] == 200


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_find_nothing(served, method):
    assert ask(served, method)[0] == 404


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (change(), {"Content_Type": "text/plain"}, 415, "application/json, from the page itself"),
        (change(), {"Content_Type": "application/x-www-form-urlencoded"}, 415, "from the page itself"),
        (change(), {"Origin": "http://evil.example"}, 415, "from the page itself"),
        (change(), {"Origin": "null"}, 415, "from the page itself"),
        (None, {"Content_Length": "-1"}, 411, "with their length"),
        (None, {"Content_Length": "1e3"}, 411, "with their length"),
        (None, {"Content_Length": str(MAX_BODY + 1)}, 413, "label fewer lines"),
        (None, {"Content_Length": "9" * 5000}, 413, "label fewer lines"),
        (b"", {}, 400, "not what the page sends"),
        (b"{", {}, 400, "not what the page sends"),
        (b"\xff", {}, 400, "not what the page sends"),
        (b"[" * 100_000, {}, 400, "not what the page sends"),
        ([], {}, 400, "not what the page sends"),
        ({"window": 1, "sequence": "2", "changes": {}}, {}, 400, "not what the page sends"),
        ({"window": True, "sequence": 2, "changes": {}}, {}, 400, "not what the page sends"),
        ({"window": 1, "sequence": 2, "changes": []}, {}, 400, "not what the page sends"),
        (change(_0=-1), {}, 400, "not what the page sends"),
        (change(_0=12), {}, 400, "not what the page sends"),
        ({"window": 1, "sequence": 1, "changes": {"0": "nav"}}, {}, 400, "not what the page sends"),
        ({"window": 1, "sequence": 1, "changes": {"x": 1}}, {}, 400, "not what the page sends"),
        (change(_1=0), {}, 400, "line 2 cannot be labelled"),
        (change(_44=0), {}, 400, "line 45 cannot be labelled"),
        (change(window=7, _0=0), {}, 409, "in another window"),
    ],
)
def test_what_the_page_would_not_send_is_refused(served, tmp_path, body, headers, status, reason):
    ask(served)
    found, _, answer = ask(served, "POST", body=body, **headers)
    assert (found, reason in answer["error"]) == (status, True), answer
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8") == DRAFT


def test_its_own_origin_is_welcome(served):
    ask(served)
    assert ask(served, "POST", body=change(_0=1), Origin=f"http://{served.hosts[0]}")[0] == 200


def test_late_saves_and_foreign_changes(served, tmp_path):
    ask(served)
    assert ask(served, "POST", body=change(9, _2=6))[0] == 200
    assert ask(served, "POST", body=change(8, _2=1))[0] == 200
    assert read_page(tmp_path / "a.tsv").labels[2] == "most_read"
    (tmp_path / "a.tsv").write_text("nav\tcủa người khác\n", encoding="utf-8")
    status, _, answer = ask(served, "POST", body=change(10, _2=1))
    assert (status, "changed by somebody else" in answer["error"]) == (409, True)
    (tmp_path / "a.tsv").write_text("titel\thỏng\n", encoding="utf-8")
    status, _, text = ask(served)
    assert (status, b"a.tsv:1: 'titel' is no label" in text) == (500, True)


def test_saves_at_the_same_time_end_with_the_newest(served, tmp_path):
    ask(served)
    statuses = []

    def save(number: int) -> None:
        statuses.append(ask(served, "POST", body=change(number, _0=number, _2=number))[0])

    threads = [threading.Thread(target=save, args=(number,)) for number in (5, 9, 2, 8, 7, 1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * len(threads)
    assert read_page(tmp_path / "a.tsv").labels == ["comment", "-", "comment", "footer"]


def test_a_disk_that_fails_is_told(served, tmp_path, monkeypatch):
    ask(served)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    status, _, answer = ask(served, "POST", body=change(_2=6))
    assert (status, "No space left on device; make room" in answer["error"]) == (500, True)
    assert sorted(os.listdir(tmp_path)) == ["a.tsv", "b.tsv"]


# -- the command ---------------------------------------------------------------------------------------------------------


@contextmanager
def started(*args: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; yield its process, and the address of its first page."""
    command = [sys.executable, "-m", "classifier", "review", *args]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | env) as process:
        yield process, process.stdout.readline().strip()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_with_everything_saved(tmp_path, number, status):
    for name in ("sure.tsv", "unsure.tsv"):
        (tmp_path / name).write_text(DRAFT.replace("body", "most_read") if name == "sure.tsv" else DRAFT, encoding="utf-8")
    with started(str(tmp_path)) as (process, url):
        found = re.fullmatch(r"http://([\d.]+):(\d+)(/[\w-]+/0)", url)
        assert found, url
        connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=20)
        connection.request("GET", found[3])
        assert data_in(connection.getresponse().read().decode())["name"] == "unsure.tsv"  # least certain first
        idle = socket.create_connection((found[1], int(found[2])))  # browsers keep such connections open
        body = json.dumps(change(_2=6))
        connection.request("POST", found[3], body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        idle.close()
    assert (process.returncode, out) == (status, "")
    assert err.endswith("tinsach: saved; 1 label corrected in 1 of 2 files\n")
    assert read_page(tmp_path / "unsure.tsv").labels[2] == "most_read"


def test_it_does_not_say_saved_when_nothing_was(tmp_path):
    (tmp_path / "a.tsv").write_text(DRAFT, encoding="utf-8")
    with started(str(tmp_path)) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1].endswith("\ntinsach: no changes saved\n")


def test_open_hands_the_address_to_the_browser(tmp_path):
    (tmp_path / "a.tsv").write_text(DRAFT, encoding="utf-8")
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    os.mkfifo(seen)
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{seen}"\n')
    browser.chmod(0o755)
    with started(str(tmp_path / "a.tsv"), "--open", BROWSER=f"{browser} %s") as (_, url):
        assert seen.read_text() == url


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere.tsv"], "nowhere.tsv: No such file or directory"),
        (["bad.tsv"], "bad.tsv:2: 'titel' is no label"),
        (["empty"], "empty: no labelled page.tsv in it"),
        (["a.tsv", "--port", "99999"], "--port 99999: not a number from 0 to 65535; choose another"),
        (["a.tsv", "--port", "-1"], "--port -1: not a number from 0 to 65535; choose another"),
        (["a.tsv", "--port", "{taken}"], "Address already in use; choose another, or leave it out"),
        (["a.tsv", "--model", "nowhere.npz"], "nowhere.json: cannot be read"),
    ],
)
def test_misuse_is_one_line(tmp_path, monkeypatch, capsys, args, message):
    monkeypatch.chdir(tmp_path)
    Path("a.tsv").write_text(DRAFT, encoding="utf-8")
    Path("bad.tsv").write_text("nav\tmột\ntitel\thai\n", encoding="utf-8")
    Path("empty").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["review", *(arg.format(taken=other.getsockname()[1]) for arg in args)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
