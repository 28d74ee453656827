"""HTML: one document per file, converted to lines by resiliparse; the output is plain text.

Each block-level element gives a line, as does a row of a table, its cells separated by two tabs, and a caption of a figure; `<br>`
breaks lines. The picture of a caption is a line `![]()` before it. Text that a browser does not show is left out: scripts,
templates, `noscript`, elements that are `hidden`, styled `display:none` or `aria-hidden`, and alternative texts of pictures; options
keep the hidden ones and the alternative texts. A page that would have no text at all keeps what is hidden. An article that is in
JSON-LD only is not read, but reported (`Record.only_in_script`).

Encoding, by precedence: as requested, byte order mark, UTF-8 if the bytes are valid UTF-8, the charset declared by HTTP or the
document (`<meta charset>`), else UTF-8. Does not select the article, which is the classifier's task, and does not keep the markup.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from classifier.errors import InputError, require_library
from classifier.formats.base import NO_EXTRAS, BadRecord, Extras, Options, Record
from classifier.formats.size_limit import read_within
from classifier.io.encoding import Decoding, TextDecoder
from classifier.io.sniffing import Sniffer

__all__ = ["Reader", "html_to_lines", "is_only_in_script", "require_extractor", "text_of"]

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD = 4096  # bytes searched for the declared encoding; the standard says 1024, but pages exceed that


class Reader:
    """Reader of a single document."""

    def __init__(self, file: BinaryIO, name: str, options: Options) -> None:
        """See `formats.registry.open_reader`."""
        self._file, self.name, self._options = file, name, options
        require_extractor(name)

    def __iter__(self) -> Iterator[Record | BadRecord]:
        """Yield the text of the document, which is held in memory."""
        data = read_within(self._file, self.name, self._options)
        try:
            text, undecodable = text_of(data, self.name, self._options.decoding)
        except InputError as error:
            yield BadRecord(1, data, str(error).removeprefix(f"{self.name}: "))
            return
        lines = html_to_lines(text, self._options)
        yield Record(lines, None, undecodable, only_in_script=is_only_in_script(text, lines))

    def fields(self, record: Record, text: str, extras: Extras = NO_EXTRAS) -> dict[str, Any]:
        """Return the name of the document and its text."""
        return {"file": self.name, self._options.field: text, **extras}


def text_of(data: bytes, name: str, decoding: Decoding, declared: str | None = None) -> tuple[str, int]:
    """Decode a document; return its source and the number of bytes replaced or left out. `declared` is the charset declared by HTTP.

    Raises:
        InputError: the bytes are not text, or cannot be decoded under the policy "strict".
    """
    encoding = decoding.encoding
    if not encoding and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):  # declarations are unreliable; text in other encodings is hardly ever valid UTF-8
            text = data.decode("utf-8")
            _sniff(data, name)
            return text.removeprefix("\ufeff"), 0
        encoding = _declared(data, declared)
    if encoding:
        if not decoding.encoding and encoding == "utf-8":  # often declared out of habit: other input is still rejected
            _sniff(data, name)
        decoding = Decoding(encoding, decoding.errors)
    decoder = TextDecoder(name, decoding)
    text = decoder.feed(data) + decoder.flush()
    return text.removeprefix("\ufeff"), decoder.undecodable  # the parser would take the mark as body text, which ends the head


def _sniff(data: bytes, name: str) -> None:
    sniffer = Sniffer(name)
    sniffer.feed(data)
    sniffer.flush()


def _declared(data: bytes, declared: str | None) -> str | None:
    """Return a declared encoding that Python knows, for bytes that are not valid UTF-8; None: `TextDecoder` decides."""
    if data.startswith(codecs.BOM_UTF8):
        return None
    found = _DECLARED.search(data[:_HEAD])
    for name in (declared, found[1].decode("ascii", "replace") if found else None):
        try:
            encoding = codecs.lookup(name or "").name
            Decoding(encoding).checked()
        except (LookupError, InputError):
            continue
        # A document whose declaration can be read is not UTF-16, whatever it says. The HTML standard reads Latin-1 as windows-1252.
        return {"iso8859-1": "cp1252", "ascii": "cp1252"}.get(encoding, "utf-8" if encoding.startswith("utf-") else encoding)
    return None


def require_extractor(name: str) -> None:
    """Raise InputError unless resiliparse is installed; `name` is the input that needs it."""
    with require_library("html", name):
        import resiliparse.extract.html2text
        import resiliparse.parse.html  # noqa: F401


def html_to_lines(source: str, options: Options) -> str:
    """Return the visible text of a document, as lines; needs resiliparse (see `require_extractor`)."""
    text = _extract(source, options)
    if (body := _lost_body(source, text)) and (whole := _extract(body, options)):
        text = whole
    if not text and not options.html_hidden:  # a page that a script reveals
        text = _extract(source, options._replace(html_hidden=True))
    return text


def _extract(source: str, options: Options) -> str:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(_DISPLAY_NONE.sub("display:none", _NOSCRIPT.sub(" ", source)))
    if tree.body is None:
        return ""
    _mark_captions(tree)
    _join_cells(tree)
    skipped = ["svg", *(() if options.html_hidden else _HIDDEN), *(() if options.html_alt else _ALTERNATIVES)]
    # Without alt_texts, resiliparse leaves figcaptions out too.
    text = extract_plain_text(tree, preserve_formatting=True, list_bullets=False, alt_texts=True, skip_elements=skipped)
    return "\n".join(map(_tidy, text.split("\n")))


def _tidy(line: str) -> str:
    """Return a line without the indentation of list items, and the cells of a row without white space around them."""
    return "\t\t".join(cell.strip(" ") for cell in line.strip().split("\t\t")) if "\t\t" in line else line.strip()


_ARTICLE_BODY = re.compile(r'"articleBody"\s*:\s*("(?:[^"\\]|\\.){0,2000})')
_PROBES, _PROBE_WORDS = 5, 6  # places in an article that are looked for in the text of its page, and the words of each


def is_only_in_script(source: str, text: str) -> bool:
    """Return whether a document has an article in JSON-LD (`articleBody`) that is not in its text."""
    found = _ARTICLE_BODY.search(source) if '"articleBody"' in source else None
    if found is None:
        return False
    try:
        body = json.loads(found[1] + '"', strict=False)
    except ValueError:  # not JSON, or cut inside an escape
        return False
    words, page = _without_tags(body).split(), " ".join(text.split())
    starts = range(0, len(words) - _PROBE_WORDS + 1, max(1, len(words) // _PROBES))
    return bool(starts) and not any(" ".join(words[start : start + _PROBE_WORDS]) in page for start in starts)


def _without_tags(text: str) -> str:
    """Return text without tags and entities: an articleBody may be HTML."""
    return html.unescape(re.sub(r"<[^<>]*>", " ", text))


# -- broken heads --------------------------------------------------------------------------------------------------------------

# `noscript` in the head ends the head where it holds anything but links; with scripts, a browser shows none of it.
_NOSCRIPT = re.compile(r"<noscript\b[^>]*>[^<]*(?:<(?!/?(?:noscript|script|body|html)\b)[^<]*)*</noscript\s*>", re.IGNORECASE)
_BODY = re.compile(r"<body\b", re.IGNORECASE)
_END_OF_HEAD = re.compile(r"</head\s*>", re.IGNORECASE)
_UNCLOSED = re.compile(r"<(title|style|script|textarea|template|noscript|select)\b|(<!--)", re.IGNORECASE)


def _lost_body(source: str, text: str) -> str:
    """Return the body of a document that an unclosed element or comment of its head swallows; empty if there is none.

    HTML parsers treat all up to the end tag, or the end of the document, as a title, a style, a script or a comment.
    """
    start = _BODY.search(source) or _END_OF_HEAD.search(source)
    if start is None or (text and not _is_swallowed(source.lower(), start.start())):
        return ""
    return source[start.start() :]


def _is_swallowed(source: str, start: int) -> bool:
    """Return whether an element or comment that begins before the only `<body` of a document ends behind it, or not at all."""
    position = 0
    while (found := _UNCLOSED.search(source, position, start)) is not None:
        end = "-->" if found[2] else f"</{found[1]}"
        position = source.find(end, found.end())
        if position < 0 or position > start:
            return position < 0 or _BODY.search(source, position) is None
    return False


# -- the tree ------------------------------------------------------------------------------------------------------------------

# Selectors of what is not shown, and of what has only an alternative text or shows where a browser lacks the thing itself.
_HIDDEN = ["[hidden]", "[aria-hidden='true' i]", "[style*='display:none' i]", "dialog:not([open])"]
_ALTERNATIVES = ["img", "area", "object", "video", "audio", "canvas"]
_DISPLAY_NONE = re.compile(r"(?<=[\s\"';])display\s*:\s*none(?=[^<>]{0,500}>)", re.IGNORECASE)
# What Markdown has for a picture, on a line before its caption. The best of seven forms tried on tests/cases/sample_page.txt, six
# captions at five positions each, with a provisional model: 2 of 30 kept as body, against 9 for a line of its own alone. One page
# and the same captions for choice and count: measure again with the released model before relying on the size of the effect.
_PICTURE = "![]()"
# Characters of a cell of a table of data: of several paragraphs, and of one. Layout tables hold whole articles in a cell.
_LONG_CELL, _LONGEST_CELL = 100, 300
_BLOCKS = "p, div, br, ul, ol, li, h1, h2, h3, h4, h5, h6, blockquote, pre, center, section, article"
_PARAGRAPHS = "p, br, div, li"
_NO_DATA = "table, img, figure, form, iframe, video"


def _mark_captions(tree: Any) -> None:
    """Make each caption one line, behind a line for its picture."""
    for caption in tree.body.query_selector_all("figcaption")[:]:  # resiliparse repeats the query for each step of an iterator
        if caption.parent_element.closest("figcaption") is None and (caption.text_content or "").strip():
            _join_blocks(caption)
            mark = tree.document.create_element("div")
            mark.append(tree.document.create_text_node(_PICTURE))
            caption.before(mark)


def _join_cells(tree: Any) -> None:
    """Make each row of data one line."""
    for row in tree.body.query_selector_all("tr")[:]:
        cells = [cell for cell in _chain(row.first_element_child, "next_element_sibling") if cell.tag in ("td", "th")]
        if len(cells) > 1 and all(map(_is_data, cells)):
            for cell in cells:
                _join_blocks(cell)


def _is_data(cell: Any) -> bool:
    """Return whether a cell belongs into a row of data: short, and without pictures or further tables."""
    if cell.query_selector(_NO_DATA) is not None:
        return False
    length = len(cell.text_content or "")
    return length <= _LONG_CELL or (length <= _LONGEST_CELL and len(cell.query_selector_all(_PARAGRAPHS)) <= 1)


def _join_blocks(element: Any) -> None:
    """Make the text of an element one line: unwrap the blocks in it, with spaces around them."""
    document = element.owner_document
    for block in element.query_selector_all(_BLOCKS)[:]:
        block.before(document.create_text_node(" "))
        block.after(document.create_text_node(" "))
        block.replace_with(*_chain(block.first_child, "next_sibling"))


def _chain(node: Any, following: str) -> list[Any]:
    """Return a node and those that follow it."""
    nodes = []
    while node is not None:
        nodes.append(node)
        node = getattr(node, following)
    return nodes
