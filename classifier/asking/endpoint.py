"""Client of an OpenAI-compatible server: one request and its retries, through the `openai` library.

Nothing goes to another host than the one that the user named: redirects are refused, since they would carry the page along; and
the key comes from OPENAI_API_KEY only, and travels unencrypted to this machine only. It never appears in a message: what a server
says is shown without it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from classifier.errors import InputError, require_library

__all__ = ["KEY", "Endpoint", "Refused", "host_of"]

KEY = "OPENAI_API_KEY"
TIMEOUT = 300.0  # seconds without a byte; large models think for minutes before the first one
RETRIES = 5  # after 429, 5xx, time-outs and lost connections; waits grow from half a second to eight, or as the server asks
_LOCAL = ("127.0.0.1", "::1", "localhost")
_NO_KEY = "none"  # the library insists on a key; servers that need none ignore it
_MOST_SAID = 300  # characters of what a server says

Messages = Sequence[Mapping[str, str]]


class Refused(InputError):
    """The server rejects this request, such as a page that is too long for the model; others may succeed."""


class Endpoint:
    """A model on a server."""

    def __init__(self, url: str, model: str, timeout: float = TIMEOUT, retries: int = RETRIES) -> None:
        """Prepare the client; nothing is sent yet.

        Raises:
            InputError: the URL cannot be used, or `openai` is not installed.
        """
        self.host, self.model = host_of(url), model
        encrypted = urlsplit(url).scheme == "https"
        self._key = os.environ.get(KEY, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise InputError(f"the key in {KEY} holds characters that no key has; set it again")
        if self._key and not encrypted and urlsplit(url).hostname not in _LOCAL:
            raise InputError(f"--endpoint {url}: the key in {KEY} would travel unencrypted; use https://, or unset {KEY} if none is needed")
        with require_library("ask", "--endpoint"):
            import openai
        self._openai: Any = openai
        # Other hosts than the named one get neither pages nor key: a proxy of the environment may pass on what is encrypted only.
        http = openai.DefaultHttpxClient(follow_redirects=False, trust_env=encrypted)
        self._client: Any = openai.OpenAI(
            base_url=url, api_key=self._key or _NO_KEY, timeout=timeout, max_retries=retries, http_client=http
        )
        for name in ("organization", "project", "admin_api_key"):  # the library takes them from the environment, for its own server
            setattr(self._client, name, None)

    @property
    def uses_key(self) -> bool:
        """Whether there is a key, which is sent to the server."""
        return bool(self._key)

    def ask(self, messages: Messages) -> str:
        """Return the model's answer to a conversation; empty if it said nothing.

        Raises:
            Refused: the server rejects this request.
            InputError: the server cannot be reached, wants another key or model, or does not speak the protocol.
        """
        try:
            completion = self._client.chat.completions.create(model=self.model, messages=list(messages))
            return completion.choices[0].message.content or ""
        except self._openai.APIStatusError as error:
            raise self._status_error(error) from None  # the library's error holds the request, and with it the key
        except self._openai.APITimeoutError:
            raise InputError(f"{self.host}: no answer in time, after {RETRIES} retries; raise --timeout, or {_LATER}") from None
        except self._openai.APIConnectionError as error:
            raise InputError(f"{self.host}: cannot be reached ({self._said(error.__cause__ or error)}); {_LATER}") from None
        except (self._openai.OpenAIError, ValueError, AttributeError, LookupError, TypeError) as error:
            advice = "not an answer of an OpenAI-compatible server; check --endpoint, which often ends in /v1"
            raise InputError(f"{self.host}: {advice} ({self._said(error)})") from None

    def _status_error(self, error: Any) -> InputError:
        """Return the error for an HTTP status that is no success, its retries used up."""
        status, said = error.status_code, self._said(error)
        if 300 <= status < 400:
            target = str(error.response.headers.get("location", ""))[:_MOST_SAID]
            advice = f"pages go to the host of --endpoint only; name that address yourself if you trust it: {self._without_key(target)}"
            return InputError(f"{self.host}: answers with a redirect (HTTP {status}); {advice}")
        if status in (400, 413, 422):
            return Refused(f"{self.host}: rejects the request (HTTP {status}): {said}")
        ways = {401: f"set {KEY} to a key of this server", 403: f"check {KEY} and --model", 404: "check --endpoint and --model"}
        return InputError(f"{self.host}: HTTP {status}: {said}; {ways.get(status, _LATER)}")

    def _said(self, error: object) -> str:
        return " ".join(self._without_key(str(error)).split())[:_MOST_SAID]

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, f"[{KEY}]") if self._key else text


_LATER = "run the same command again later: answered pages are not asked again"


def host_of(url: str) -> str:
    """Return host and port of an endpoint.

    Raises:
        InputError: it is not an HTTP address, or carries a key.

    >>> host_of("http://127.0.0.1:8000/v1")
    '127.0.0.1:8000'
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"--endpoint {url}: not an address; give one like http://127.0.0.1:8000/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(f"--endpoint: leave out user, password and everything after the path; a key belongs into {KEY}")
    return parts.netloc
