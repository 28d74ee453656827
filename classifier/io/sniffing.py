"""Is this the text we were promised? A look at the first bytes of an input, before they can become silent garbage.

`require_utf8` raises an error that names what the bytes look like and how to convert them: UTF-16 without a byte order
mark, binary files, and Vietnamese in windows-1258, TCVN3 (ABC) or VNI, as raw bytes or read as Latin-1 and saved as UTF-8
("Hµ Néi", "Vieät Nam"), and UTF-8 saved as UTF-8 twice ("Viá»‡t Nam"). What it leaves out: converting anything, and
encodings of other languages.
"""

from __future__ import annotations

from classifier.errors import InputError

__all__ = ["SAMPLE", "Sniffer", "require_utf8"]

SAMPLE = 1 << 16  # bytes looked at
FIRST_LOOK = 1 << 10

# Control characters that no text editor writes, above this share and number, make a binary file; a stray few are text.
CONTROL_SHARE, CONTROLS = 0.05, 16
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))

_MAGIC = (  # (first bytes, what has them, what to do)
    (b"%PDF-", "a PDF file", "turn it into text first, for example with pdftotext"),
    (b"PK\x03\x04", "a zip archive or an Office document", "unpack it or save it as plain text first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document", "save it as plain text first"),
    (b"\x1f\x8b", "gzip-compressed data", "unpack it first: gunzip -c FILE | tinsach clean"),
    (b"BZh", "bzip2-compressed data", "unpack it first: bunzip2 -c FILE | tinsach clean"),
    (b"\xfd7zXZ\x00", "xz-compressed data", "unpack it first: xz -dc FILE | tinsach clean"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data", "unpack it first: zstd -dc FILE | tinsach clean"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", "tinsach reads text"),
    (b"\xff\xd8\xff", "a JPEG image", "tinsach reads text"),
    (b"GIF89a", "a GIF image", "tinsach reads text"),
    (b"SQLite format 3\x00", "an SQLite database", "export its text first"),
    (b"\x7fELF", "a program", "tinsach reads text"),
)


class Sniffer:
    """Keeps the first bytes of an input and looks at them when there are 1, 4, 16 and 64 KB, and at the end if it is shorter.

    Fixed points make the verdict depend on the bytes, not on how a pipe happened to cut them.
    """

    def __init__(self, name: str) -> None:
        """Start before the first byte of the input called `name`."""
        self._name = name
        self._head = bytearray()
        self._next = FIRST_LOOK

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raise InputError if they are no text that can be read."""
        if self._next > SAMPLE:
            return
        self._head += chunk[: SAMPLE - len(self._head)]
        while self._next <= min(len(self._head), SAMPLE):
            require_utf8(bytes(self._head[: self._next]), self._name)
            self._next *= 4

    def flush(self) -> None:
        """Look once more at an input that ended early."""
        if self._next <= SAMPLE:
            require_utf8(bytes(self._head), self._name)


def require_utf8(sample: bytes, name: str) -> None:
    """Raise InputError if the first bytes of an input are plainly not UTF-8 text; `name` is for the message."""
    for magic, what, advice in _MAGIC:
        if sample.startswith(magic) and (magic != b"BZh" or sample[4:10] == b"1AY&SY"):
            raise InputError(f"{name}: looks like {what}; {advice}")
    if len(sample.translate(None, _CONTROLS)) < len(sample) - max(CONTROLS, CONTROL_SHARE * len(sample)):
        _refuse_binary(sample, name)
    if not sample.isascii():
        _refuse_legacy(sample, name)


def _refuse_binary(sample: bytes, name: str) -> None:
    """Name the wide encoding whose NULs these are, or call it a binary file."""
    nuls = [sample[start::4].count(0) / (len(sample) / 4) for start in range(4)]
    for encoding, often, least, never in (
        ("UTF-32LE", (2, 3), 0.9, (0,)),
        ("UTF-32BE", (0, 1), 0.9, (3,)),
        ("UTF-16LE", (1, 3), 0.3, (0, 2)),  # the high byte of some Vietnamese letters is not NUL
        ("UTF-16BE", (0, 2), 0.3, (1, 3)),
    ):
        if all(nuls[i] > least for i in often) and all(nuls[i] < 0.05 for i in never):
            raise InputError(f"{name}: looks like {encoding} without a byte order mark; {_advice(encoding)}")
    raise InputError(f"{name}: looks like a binary file; tinsach reads text (--encoding utf-8 takes it as it is)")


def _advice(encoding: str) -> str:
    return f"convert it: iconv -f {encoding} -t UTF-8 FILE, or pass --encoding {encoding.lower()}"


# Letters that Vietnamese in UTF-8 is full of and no legacy reading has: đ ă ơ ư, the block U+1EA0-1EFF, combining marks.
_UNICODE_MARKS = (b"\xe1\xba", b"\xe1\xbb", b"\xc4\x90", b"\xc4\x91", b"\xc4\x82", b"\xc4\x83", b"\xc6\xa0", b"\xc6\xa1",
                  b"\xc6\xaf", b"\xc6\xb0", b"\xcc")  # fmt: skip
_TWICE = ("\u00e1\u00ba".encode(), "\u00e1\u00bb".encode())  # what becomes of the first two bytes of that block


def _refuse_legacy(sample: bytes, name: str) -> None:
    unicode_marks = sum(map(sample.count, _UNICODE_MARKS))
    latin = sample.count(b"\xc3") + sample.count(b"\xc2")
    text = sample.decode("utf-8", "ignore")
    undecodable = len(sample) - len(text.encode())
    if 2 * unicode_marks > latin and undecodable < 4:
        return  # Vietnamese in Unicode has 2.6 times as many of these as letters from Latin-1
    if (twice := sum(map(sample.count, _TWICE))) >= 4 and twice > unicode_marks:
        raise InputError(
            f"{name}: looks like UTF-8 that was read as windows-1252 and saved as UTF-8 once more; "
            "take that back, for example with ftfy (--encoding utf-8 takes it as it is)"
        )
    from classifier.io.legacy_encodings import CONVERTERS, legacy_encoding  # only on suspicion: its tables take longer than a page

    if undecodable >= 4 and (found := legacy_encoding(sample.decode("latin-1"), 0)):
        raise InputError(
            f"{name}: looks like Vietnamese in {found}, not UTF-8; convert it with {CONVERTERS[found]} (--encoding NAME takes it as it is)"
        )
    if found := legacy_encoding(text.encode("latin-1", "replace").decode("latin-1"), unicode_marks):
        raise InputError(
            f"{name}: looks like Vietnamese in {found} that was read as Latin-1 and saved as UTF-8; take that back with "
            f"iconv -f UTF-8 -t CP1252, then convert it with {CONVERTERS[found]} (--encoding utf-8 takes it as it is)"
        )
