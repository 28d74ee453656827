"""The local server behind `tinsach review`: labelled pages out to a browser on the same computer, changes back in.

It listens on the loopback interface only. Whoever asks has to know a random token in the path, and to name the server by its own
address (a page elsewhere that has its name resolve to 127.0.0.1 cannot); changes have to come as JSON, which no other site's page may
send. What it leaves out: what the pages hold and how they are saved (`review`).
"""

from __future__ import annotations

import json
import secrets
import socketserver
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from classifier.errors import InputError
from classifier.io.files import os_error_message
from classifier.labels import LABELS
from classifier.review.page import Conflict, ReviewedPage

__all__ = ["MAX_BODY", "ReviewServer"]

HOST = "127.0.0.1"
MAX_BODY = 1 << 20  # bytes of a save; one of report.MAX_LINES changes has some 100 KB
PATIENCE = 20  # seconds for a request to come in, so that half of one holds no thread for good
_HEADERS = {
    "Cache-Control": "no-store",  # a page from the past would not know what has been saved since
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest stands in the page
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
}


class ReviewServer(ThreadingHTTPServer):
    """Serves pages under review, each by its number."""

    daemon_threads = True  # a browser's idle connections must not keep it from ending; saves are waited for by themselves

    def __init__(self, pages: Sequence[ReviewedPage], port: int = 0) -> None:
        """Listen on a port, or on any that is free.

        Raises:
            InputError: the port is none, or taken.
        """
        self.pages, self.token = pages, secrets.token_urlsafe(16)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "no number from 0 to 65535"
            raise InputError(f"--port {port}: {reason}; choose another, or leave it out") from error

    def server_bind(self) -> None:
        """Bind, without looking up this computer's name as HTTPServer does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def hosts(self) -> tuple[str, str]:
        """What a browser that was given the address calls the server."""
        return f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def url(self) -> str:
        """Where the first page is."""
        return f"http://{self.hosts[0]}/{self.token}/0"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that have gone; tell everything else as a bug."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    timeout = PATIENCE

    def do_GET(self) -> None:
        number = self._number()
        if number is None:
            return self._nothing()
        try:
            page = self.server.pages[number].open(number, len(self.server.pages))
        except (InputError, OSError) as error:
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{_said(error)}\n".encode(), "text/plain")
        self._answer(HTTPStatus.OK, page.encode(), "text/html")

    def do_POST(self) -> None:
        number = self._number()
        if number is None:
            return self._nothing()
        if self.headers.get_content_type() != "application/json" or self.headers.get("Origin", self._own_origin()) != self._own_origin():
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "changes come as application/json, from the page itself")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(HTTPStatus.LENGTH_REQUIRED, "changes come with their length")
        if len(length) > 9 or int(length) > MAX_BODY:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"changes of more than {MAX_BODY} bytes; label fewer lines at a time")
        self._save(self.server.pages[number], self.rfile.read(int(length)))

    def _save(self, page: ReviewedPage, body: bytes) -> None:
        try:
            page.save(*_change(body))
        except Conflict as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except InputError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except OSError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, os_error_message(error))
        else:
            self._answer(HTTPStatus.OK, b"{}", "application/json")

    def _own_origin(self) -> str:
        return f"http://{self.headers.get('Host')}"

    def _number(self) -> int | None:
        """Return which page is asked for, by somebody who may."""
        before, _, number = self.path.rpartition("/")
        known = secrets.compare_digest(before.encode(), f"/{self.server.token}".encode())
        if not known or self.headers.get("Host") not in self.server.hosts:
            return None
        return {str(number): number for number in range(len(self.server.pages))}.get(number)

    def _nothing(self) -> None:
        self._answer(HTTPStatus.NOT_FOUND, b"nothing here; see the address that tinsach review has printed\n", "text/plain")

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _nothing

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._answer(status, json.dumps({"error": reason}).encode(), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        return "tinsach"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the page shows what is wrong."""


def _said(error: InputError | OSError) -> str:
    return os_error_message(error) if isinstance(error, OSError) else str(error)


def _change(body: bytes) -> tuple[int, int, dict[int, str]]:
    """Return window, sequence and labels by index, of a save."""
    try:
        change = json.loads(body)
        window, sequence = change["window"], change["sequence"]
        codes = {int(index): code for index, code in change["changes"].items()}
        labels = {index: LABELS[code].value for index, code in codes.items() if code >= 0}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise InputError("not what the page sends; reload it") from error
    if not (type(window) is type(sequence) is int) or len(labels) != len(codes):
        raise InputError("not what the page sends; reload it")
    return window, sequence, labels
