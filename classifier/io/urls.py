"""URLs of remote files: recognised, and shown without what is secret in them: users, passwords, signatures of HTTP addresses."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

__all__ = ["file_name", "is_http", "is_url", "protocol_of", "shown"]

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters at least: C:// is a drive
_USER = re.compile(r"(://)[^/\s'\"@]*@")
_QUERY = re.compile(r"(https?://[^\s'\"?]*)\?[^\s'\"]*", re.IGNORECASE)


def is_url(address: str | Path) -> bool:
    """Return whether an address is a URL, not a path.

    >>> is_url("s3://crawl/2025.warc.gz"), is_url("crawl/2025.warc.gz"), is_url("C://crawl")
    (True, False, False)
    """
    return isinstance(address, str) and _URL.match(address) is not None


def shown(text: str) -> str:
    """Return an address, or a message with addresses in it, without what is secret in them.

    >>> shown("ftp://minh:bimat@example.vn/crawl.jsonl"), shown("https://example.vn/a.warc?X-Amz-Signature=1f")
    ('ftp://example.vn/crawl.jsonl', 'https://example.vn/a.warc')
    """
    return _QUERY.sub(r"\1", _USER.sub(r"\1", text)) if "://" in text else text


def file_name(address: str) -> str:
    """Return the last part of an address.

    >>> file_name("https://example.vn/crawl/2025.jsonl.gz?part=1"), file_name("crawl/page.txt")
    ('2025.jsonl.gz', 'page.txt')
    """
    return PurePath(shown(address)).name


def protocol_of(url: str) -> str:
    """Return the protocol of a URL, in lower case.

    >>> protocol_of("S3://crawl/2025.warc.gz")
    's3'
    """
    return url.partition("://")[0].lower()


def is_http(url: str) -> bool:
    """Return whether an address is read over HTTP, which has files only.

    >>> is_http("https://example.vn/crawl.jsonl"), is_http("crawl.jsonl")
    (True, False)
    """
    return protocol_of(url) in ("http", "https")
