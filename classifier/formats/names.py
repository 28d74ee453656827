"""Format detection by file suffix, and the names of outputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from classifier.errors import InputError
from classifier.io.compression import compression_of, without_compression

__all__ = ["FORMATS", "OUTPUTS", "conversion", "format_of", "is_known", "output_name", "with_suffix"]

_SUFFIXES = {
    ".txt": "text", ".text": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".html": "html",
    ".htm": "html", ".xhtml": "html", ".parquet": "parquet", ".warc": "warc", ".wet": "warc",
}  # fmt: skip


FORMATS = tuple(dict.fromkeys(_SUFFIXES.values()))
OUTPUTS = {"html": "text"}  # output format of the inputs that are not written in their own
_WRITABLE = (".txt", ".jsonl", ".json", ".csv", ".tsv", ".parquet")
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


def conversion(path: str | None, formats: Iterable[str]) -> str | None:
    """Return the format that the name of an output asks for; None if inputs in these formats are written so anyway.

    Raises:
        InputError: the format cannot be written, or not from these inputs.

    >>> conversion("clean.jsonl", ["parquet"]), conversion("clean.jsonl", ["jsonl"]), conversion("clean.out", ["csv"])
    ('jsonl', None, None)
    """
    if path is None or not is_known(path):
        return None
    wanted, own = format_of(path), {OUTPUTS.get(form, form) for form in formats}
    if wanted == "parquet" and compression_of(path):
        raise InputError(f"{path}: Parquet compresses its columns itself; name the output {without_compression(path)}")
    if own == {wanted}:
        return None
    if wanted in ("html", "warc"):
        what = "HTML is read, not written" if wanted == "html" else "WET is written from WARC and WET only"
        raise InputError(f"{path}: {what}; name an output that ends in {', '.join(_WRITABLE[:-1])} or {_WRITABLE[-1]}")
    return wanted


def with_suffix(name: str, suffix: str) -> str:
    """Return a file name with `suffix` in place of its format and compression suffixes, or after a name without them.

    >>> with_suffix("sub/page.html.gz", ".tsv"), with_suffix("bao.vn__1", ".tsv")
    ('sub/page.tsv', 'bao.vn__1.tsv')
    """
    bare = without_compression(name)
    return str(PurePath(bare).with_suffix(suffix)) if is_known(bare) else bare + suffix
