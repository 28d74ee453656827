"""Format detection by file suffix, and the names of outputs."""

from __future__ import annotations

from pathlib import PurePath

from classifier.io.compression import without_compression

__all__ = ["FORMATS", "OUTPUTS", "format_of", "is_known", "output_name", "with_suffix"]

_SUFFIXES = {
    ".txt": "text", ".text": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".html": "html",
    ".htm": "html", ".xhtml": "html", ".parquet": "parquet", ".warc": "warc", ".wet": "warc",
}  # fmt: skip


FORMATS = tuple(dict.fromkeys(_SUFFIXES.values()))
OUTPUTS = {"html": "text"}  # output format of the inputs that are not written in their own
_NEW_SUFFIXES = {"html": ".txt", "warc": ".wet"}  # suffixes of outputs, by input format, where they change


def is_known(name: str) -> bool:
    """Return whether a file name has the suffix of a format."""
    return PurePath(without_compression(name)).suffix.lower() in _SUFFIXES


def format_of(name: str) -> str:
    """Return the format of a file name's suffix; text if the suffix is unknown.

    >>> format_of("crawl/2025.JSONL"), format_of("crawl.jsonl.zst"), format_of("page.txt"), format_of("-")
    ('jsonl', 'jsonl', 'text', 'text')
    """
    return _SUFFIXES.get(PurePath(without_compression(name)).suffix.lower(), "text")


def output_name(name: str, form: str) -> str:
    """Return the name of the output for a file: the same name, with another suffix if the output needs one.

    >>> output_name("crawl.jsonl.gz", "jsonl")
    'crawl.jsonl.gz'
    >>> output_name("sub/page.html", "html")
    'sub/page.txt'
    """
    if form not in _NEW_SUFFIXES:
        return name
    bare = without_compression(name)
    return str(PurePath(bare).with_suffix(_NEW_SUFFIXES[form])) + name[len(bare) :]


def with_suffix(name: str, suffix: str) -> str:
    """Return a file name with `suffix` in place of its format and compression suffixes, or after a name without them.

    >>> with_suffix("sub/page.html.gz", ".tsv"), with_suffix("bao.vn__1", ".tsv")
    ('sub/page.tsv', 'bao.vn__1.tsv')
    """
    bare = without_compression(name)
    return str(PurePath(bare).with_suffix(suffix)) if is_known(bare) else bare + suffix
