"""Content sniffing: reject input that is not UTF-8 text before it becomes silent garbage.

`require_utf8` raises an error that names what the bytes look like and how to convert them: binary files, UTF-16 and UTF-32
without a byte order mark, Vietnamese in windows-1258, TCVN3 (ABC) or VNI, as raw bytes or misread as Latin-1 and saved as UTF-8
("Hµ Néi", "Vieät Nam"), and double-encoded UTF-8 ("Viá»‡t Nam"). Does not detect legacy encodings of other languages.
"""

from __future__ import annotations

import codecs

from classifier.errors import InputError

__all__ = ["SAMPLE", "Sniffer", "require_utf8"]

SAMPLE = 1 << 16  # bytes examined
FIRST_CHECK = 1 << 10  # bytes examined by the first check

# A file is binary if control characters that no text editor writes exceed both this share and this number; a stray few are text.
CONTROL_SHARE, CONTROLS = 0.05, 16
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))

_MAGIC = (  # (signature, file type, advice)
    (b"%PDF-", "a PDF file", "convert it to text first, for example with pdftotext"),
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


_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


class Sniffer:
    """Buffers the first bytes of an input and checks them at 1, 4, 16 and 64 KB, or at the end of a shorter input.

    Fixed checkpoints make the verdict independent of how the bytes were chunked.
    """

    def __init__(self, name: str, of_records: bool = False) -> None:
        """Start before the first byte of an input; `name` is for messages.

        An input of records is not refused because its first records are garbled, only if most of its first 64 KB is: `inspection`
        judges each record.
        """
        self._name, self._of_records = name, of_records
        self._head = bytearray()
        self._next = FIRST_CHECK

    def feed(self, chunk: bytes) -> None:
        """Process the next bytes; raise InputError if the input is not readable text."""
        if self._next > SAMPLE:
            return
        if not self._head:  # before a reader of records complains about the first one
            _refuse_signature(chunk, self._name, self._of_records)
        self._head += chunk[: SAMPLE - len(self._head)]
        while self._next <= min(len(self._head), SAMPLE):
            require_utf8(bytes(self._head[: self._next]), self._name, not self._of_records or self._next == SAMPLE)
            self._next *= 4

    def flush(self) -> None:
        """Check an input that ended before the last checkpoint."""
        if self._next <= SAMPLE:
            require_utf8(bytes(self._head), self._name)


def require_utf8(sample: bytes, name: str, garbled: bool = True) -> None:
    """Raise InputError if the first bytes of an input are clearly not UTF-8 text or, if `garbled`, are garbled text in UTF-8."""
    _refuse_signature(sample, name)
    if len(sample.translate(None, _CONTROLS)) < len(sample) - max(CONTROLS, CONTROL_SHARE * len(sample)):
        _refuse_binary(sample, name)
    if not sample.isascii():
        _refuse_legacy(sample, name, garbled)


def _refuse_signature(sample: bytes, name: str, of_records: bool = False) -> None:
    """Raise InputError for a file of another type, and for records in UTF-16, whose byte order mark nobody has taken off."""
    for magic, what, advice in _MAGIC:
        if sample.startswith(magic) and (magic != b"BZh" or sample[4:10] == b"1AY&SY"):
            raise InputError(f"{name}: looks like {what}; {advice}")
    if of_records and sample.startswith(_WIDE_BOMS):
        raise InputError(f"{name}: UTF-16, but JSON is UTF-8; convert it: iconv -f UTF-16 -t UTF-8 FILE")


def _refuse_binary(sample: bytes, name: str) -> None:
    """Raise InputError for UTF-16 or UTF-32, recognised by the positions of its NULs, or for a binary file."""
    nuls = [sample[start::4].count(0) / (len(sample) / 4) for start in range(4)]
    for encoding, nul_bytes, least, other_bytes in (
        ("UTF-32LE", (2, 3), 0.9, (0,)),
        ("UTF-32BE", (0, 1), 0.9, (3,)),
        ("UTF-16LE", (1, 3), 0.3, (0, 2)),  # the high byte of some Vietnamese letters is not NUL
        ("UTF-16BE", (0, 2), 0.3, (1, 3)),
    ):
        if all(nuls[i] > least for i in nul_bytes) and all(nuls[i] < 0.05 for i in other_bytes):
            raise InputError(f"{name}: looks like {encoding} without a byte order mark; {_advice(encoding)}")
    raise InputError(f"{name}: looks like a binary file; tinsach reads text (--encoding utf-8 reads it as it is)")


def _advice(encoding: str) -> str:
    return f"convert it: iconv -f {encoding} -t UTF-8 FILE, or pass --encoding {encoding.lower()}"


# UTF-8 bytes frequent in Vietnamese and absent from misread legacy text: đ ă ơ ư, the block U+1EA0-1EFF, combining marks.
_UNICODE_MARKS = (b"\xe1\xba", b"\xe1\xbb", b"\xc4\x90", b"\xc4\x91", b"\xc4\x82", b"\xc4\x83", b"\xc6\xa0", b"\xc6\xa1",
                  b"\xc6\xaf", b"\xc6\xb0", b"\xcc")  # fmt: skip
_DOUBLE_ENCODED = ("\u00e1\u00ba".encode(), "\u00e1\u00bb".encode())  # the first two bytes of that block, encoded once more


_ASCII = bytes(range(128))


def _is_utf8(sample: bytes) -> bool:
    """Return whether bytes are UTF-8, perhaps cut inside its last character."""
    try:
        codecs.utf_8_decode(sample, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_legacy(sample: bytes, name: str, garbled: bool) -> None:
    utf8 = _is_utf8(sample)
    # A third of Vietnamese text is not ASCII; in UTF-8, no character changes if ASCII is left out.
    foreign = sample.translate(None, _ASCII) if utf8 else sample
    unicode_marks = sum(map(foreign.count, _UNICODE_MARKS))
    latin = foreign.count(b"\xc3") + foreign.count(b"\xc2")
    if 2 * unicode_marks > latin and utf8:
        return  # Vietnamese in Unicode has 2.6 times as many of these as Latin-1 letters
    text = sample.decode("utf-8", "ignore")
    undecodable = len(sample) - len(text.encode())
    if 2 * unicode_marks > latin and undecodable < 4:
        return
    if garbled and (twice := sum(map(sample.count, _DOUBLE_ENCODED))) >= 4 and twice > unicode_marks:
        raise InputError(
            f"{name}: looks like UTF-8 that was read as windows-1252 and saved as UTF-8 once more; "
            "undo that, for example with ftfy (--encoding utf-8 reads it as it is)"
        )
    from classifier.io.legacy_encodings import CONVERTERS, legacy_encoding  # only on suspicion: building its tables is slow

    if undecodable >= 4 and (found := legacy_encoding(sample.decode("latin-1"), 0)):
        raise InputError(
            f"{name}: looks like Vietnamese in {found}, not UTF-8; convert it with {CONVERTERS[found]} (--encoding NAME reads it as it is)"
        )
    if garbled and (found := legacy_encoding(text.encode("latin-1", "replace").decode("latin-1"), unicode_marks)):
        raise InputError(
            f"{name}: looks like Vietnamese in {found} that was read as Latin-1 and saved as UTF-8; undo that with "
            f"iconv -f UTF-8 -t CP1252, then convert it with {CONVERTERS[found]} (--encoding utf-8 reads it as it is)"
        )
