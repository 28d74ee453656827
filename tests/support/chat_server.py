"""A server on 127.0.0.1 that speaks the protocol of chat completions, and misbehaves as its script says.

A script is a list of replies, one for each request, the last one repeated: a text is the model's answer; a number is an HTTP status;
a `Reply` is anything else. Requests are recorded as they came.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

__all__ = ["ChatServer", "Reply", "chat_server", "labelled_as", "prompted"]


class Reply(NamedTuple):
    """A raw HTTP reply, sent when `wait` seconds have passed or the server ends."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0


Script = Sequence["str | int | Reply | Callable[[str], str]"]


class ChatServer(ThreadingHTTPServer):
    """The server; `requests` holds the headers and the decoded body of each request."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script, self.ended = list(script), threading.Event()
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that did not wait."""

    def reply(self, body: dict[str, Any]) -> Reply:
        """Return the next reply of the script."""
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(entry, Reply):
            return entry
        if isinstance(entry, int):  # retried at once
            return Reply(entry, b'{"error": {"message": "out of order"}}', (("retry-after-ms", "1"),))
        text = entry if isinstance(entry, str) else entry(body["messages"][0]["content"])
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]}
        return Reply(body=json.dumps(answer).encode())


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        reply = self.server.reply(body)
        self.server.ended.wait(reply.wait)
        self.send_response(reply.status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(reply.body))), *reply.headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def chat_server(*script: str | int | Reply | Callable[[str], str]) -> Iterator[ChatServer]:
    """Serve a script until the block ends."""
    with ChatServer(script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


def prompted(prompt: str) -> dict[int, str]:
    """Return the lines that a prompt asks about, by number, as a reader of its text would."""
    asked = prompt.split("The lines to label, ")[1]
    return {int(number): text for number, text in re.findall(r"^(\d+): (.*)$", asked, re.MULTILINE)}


def labelled_as(labels: Callable[[str], str]) -> Callable[[str], str]:
    """Return a model that labels each line of a prompt by its text, a row for each."""
    return lambda prompt: "".join(f"{number} {labels(text)}\n" for number, text in prompted(prompt).items())
