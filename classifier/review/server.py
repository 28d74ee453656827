"""Local HTTP server of `tinsach review`: serves labelled pages to a browser on the same computer and receives the changes.

It listens on the loopback interface only. A request needs a random token in its path and the server's own address as its Host,
which defeats DNS rebinding. Changes have to be sent as JSON, which browsers do not let pages of other sites send.
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
MAX_BODY = 1 << 20  # bytes per save; html_page.MAX_LINES changes take some 100 KB
REQUEST_TIMEOUT = 20  # seconds, so that an incomplete request cannot hold a thread forever
_HEADERS = {
    "Cache-Control": "no-store",  # a cached page would miss later saves
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest of the policy is in the page
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the URL contains the token
    "X-Content-Type-Options": "nosniff",
}


class ReviewServer(ThreadingHTTPServer):
    """HTTP server for pages under review, addressed by index."""

    daemon_threads = True  # idle browser connections must not block the exit; `ReviewedPage.close` waits for saves

    def __init__(self, pages: Sequence[ReviewedPage], port: int = 0) -> None:
        """Listen on `port`, or on any free port if it is 0.

        Raises:
            InputError: the port is invalid or in use.
        """
        self.pages, self.token = pages, secrets.token_urlsafe(16)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "not a number from 0 to 65535"
            raise InputError(f"--port {port}: {reason}; choose another, or leave it out") from error

    def server_bind(self) -> None:
        """Bind without the host name lookup that HTTPServer does, which can be slow."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def hosts(self) -> tuple[str, str]:
        """Accepted values of the Host header."""
        return f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def url(self) -> str:
        """URL of the first page."""
        return f"http://{self.hosts[0]}/{self.token}/0"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore dropped connections and timeouts; report anything else, as it is a bug."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    timeout = REQUEST_TIMEOUT

    def do_GET(self) -> None:
        number = self._number()
        if number is None:
            return self._not_found()
        try:
            page = self.server.pages[number].open(number, len(self.server.pages))
        except (InputError, OSError) as error:
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{_reason(error)}\n".encode(), "text/plain")
        self._answer(HTTPStatus.OK, page.encode(), "text/html")

    def do_POST(self) -> None:
        number = self._number()
        if number is None:
            return self._not_found()
        if self.headers.get_content_type() != "application/json" or self.headers.get("Origin", self._own_origin()) != self._own_origin():
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "changes have to be sent as application/json, from the page itself")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(HTTPStatus.LENGTH_REQUIRED, "changes have to be sent with their length")
        if len(length) > 9 or int(length) > MAX_BODY:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"changes of more than {MAX_BODY} bytes; label fewer lines at a time")
        self._save(self.server.pages[number], self.rfile.read(int(length)))

    def _save(self, page: ReviewedPage, body: bytes) -> None:
        try:
            page.save(*_parse_change(body))
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
        """Return the index of the requested page, or None if the request is not authorised or there is no such page."""
        prefix, _, number = self.path.rpartition("/")
        authorised = secrets.compare_digest(prefix.encode(), f"/{self.server.token}".encode())
        if not authorised or self.headers.get("Host") not in self.server.hosts:
            return None
        return {str(number): number for number in range(len(self.server.pages))}.get(number)

    def _not_found(self) -> None:
        self._answer(HTTPStatus.NOT_FOUND, b"nothing here; use the address that tinsach review printed\n", "text/plain")

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _not_found

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
        """Log nothing: the page itself shows errors."""


def _reason(error: InputError | OSError) -> str:
    return os_error_message(error) if isinstance(error, OSError) else str(error)


def _parse_change(body: bytes) -> tuple[int, int, dict[int, str]]:
    """Return the window, the sequence number and the labels by line index of a save."""
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
