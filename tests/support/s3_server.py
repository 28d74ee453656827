"""An S3 server on 127.0.0.1, in a process of its own, and an HTTP proxy in front of it that fails as its script says.

The server is moto's: it speaks the protocol of S3 over HTTP, multipart uploads included, and PyPI has it, which is where CI gets
everything else. It checks no signatures and no permissions, so denials come from the proxy too.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

__all__ = ["ENVIRONMENT", "Fault", "FaultyProxy", "faulty_proxy", "s3_server", "server_process"]

# What boto reads; no file of the user's is looked at.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "bi-mat-khong-in-ra", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "2",
}  # fmt: skip
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_GONE = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
_BROKEN = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"

_ERRORS = {"500": _BROKEN, "403": _DENIED, "404": _GONE}


class Fault(NamedTuple):
    """What happens to requests whose `METHOD /path?query` matches a pattern."""

    kind: str  # "500", "403", "404", "reset" (in the middle of the answer), "lost" (the answer, once the server has acted), "slow"
    requests: str = ""  # regular expression
    times: int = 1 << 30
    seconds: float = 0.0  # of "slow", before the second half of the answer


class FaultyProxy(ThreadingHTTPServer):
    """The proxy; `seen` counts requests, `failed` the faults by kind."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int) -> None:
        """Listen on any free port, in front of the server at `port`."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.faults: list[Fault] = []
        self.chance: tuple[random.Random, float, tuple[str, ...]] | None = None  # faults at random: share of requests, kinds
        self.seen: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self, request: str) -> Fault | None:
        """Return the fault for a request, and use it up."""
        with self._lock:
            self.seen[request.partition(" ")[0]] += 1
            fault = self._scripted(request) or self._random()
            if fault:
                self.failed[fault.kind] += 1
            return fault

    def _scripted(self, request: str) -> Fault | None:
        for place, fault in enumerate(self.faults):
            if fault.times and re.search(fault.requests, request):
                self.faults[place] = fault._replace(times=fault.times - 1)
                return fault
        return None

    def _random(self) -> Fault | None:
        if self.chance is None:
            return None
        source, share, kinds = self.chance
        return Fault(source.choice(kinds)) if source.random() < share else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that were killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def _handle(self) -> None:
        body = self._body()
        fault = self.server.next_fault(f"{self.command} {self.path}")
        if fault and fault.kind in _ERRORS:
            data = _ERRORS[fault.kind]
            self._answer(int(fault.kind), [("Content-Type", "application/xml")], data, len(data))
            return
        status, headers, data, length = self._forwarded(body)
        if fault and fault.kind == "lost":
            self._reset()
            return
        half = len(data) // 2 if fault else len(data)
        self._answer(status, headers, data[:half], length)
        if fault and fault.kind == "reset":
            self._reset()
        elif fault:
            time.sleep(fault.seconds)
            self.wfile.write(data[half:])

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes, int]:
        """Return status, headers, body and announced length of the server's answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        dropped = ("transfer-encoding", "connection", "content-length", "expect")
        headers = {key: value for key, value in self.headers.items() if key.lower() not in dropped}
        connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        data = answer.read()
        length = int(answer.getheader("Content-Length") or len(data))
        kept = [(key, value) for key, value in answer.getheaders() if key.lower() not in dropped]
        connection.close()
        return answer.status, kept, data, length

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, length: int) -> None:
        self.send_response_only(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
            self.wfile.flush()

    def _reset(self) -> None:
        """Close the connection with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


@contextmanager
def faulty_proxy(port: int) -> Iterator[FaultyProxy]:
    """Run a proxy in front of the server at a port."""
    proxy = FaultyProxy(port)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


@contextmanager
def s3_server() -> Iterator[int]:
    """Run an S3 server in a process of its own; yield its port."""
    with server_process([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"]) as port:
        yield port


@contextmanager
def server_process(command: Sequence[str]) -> Iterator[int]:
    """Run a server on 127.0.0.1 in a process of its own, with a free port in place of PORT in its command; yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(port) if word == "PORT" else word for word in command]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"the server has ended; run: {' '.join(map(str, server.args))}")  # type: ignore[arg-type]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server does not listen after 30 seconds")
