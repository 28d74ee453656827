"""Decoding (error policies, byte order marks, any chunking) and sniffing, which rejects input that would become garbage."""

from __future__ import annotations

import codecs
import contextlib
import io
import shutil
import subprocess
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.io.encoding import Decoding, TextDecoder, read_lines
from classifier.io.legacy_encodings import CONVERTERS
from classifier.io.sniffing import Sniffer, require_utf8
from classifier.lines import line_starts, split_lines
from tests.support.paths import CASES

ROWS = [row.split("\t") for row in (CASES / "encodings.tsv").read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
VIETNAMESE = [text for language, text in ROWS if language == "vi"]

# -- encoders for the legacy encodings, as far as the cases need them ---------------------------------------------------

TONES = "\u0300\u0301\u0309\u0303\u0323"
TCVN3_SINGLE = dict(zip("ăâêôơưđ", range(0xA8, 0xAF)))
TCVN3_TONED = {  # grave, hook, tilde, acute, dot below, in the order of the standard
    "a": (0xB5, 0xB6, 0xB7, 0xB8, 0xB9),
    "ă": (0xBB, 0xBC, 0xBD, 0xBE, 0xC6),
    "â": (0xC7, 0xC8, 0xC9, 0xCA, 0xCB),
    "e": (0xCC, 0xCE, 0xCF, 0xD0, 0xD1),
    "ê": (0xD2, 0xD3, 0xD4, 0xD5, 0xD6),
    "i": (0xD7, 0xD8, 0xDC, 0xDD, 0xDE),
    "o": (0xDF, 0xE1, 0xE2, 0xE3, 0xE4),
    "ô": (0xE5, 0xE6, 0xE7, 0xE8, 0xE9),
    "ơ": (0xEA, 0xEB, 0xEC, 0xED, 0xEE),
    "u": (0xEF, 0xF1, 0xF2, 0xF3, 0xF4),
    "ư": (0xF5, 0xF6, 0xF7, 0xF8, 0xF9),
    "y": (0xFA, 0xFB, 0xFC, 0xFD, 0xFE),
}
VNI_SINGLE = {"đ": "ñ", "ì": "ì", "í": "í", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "ơ": "ô", "ư": "ö"}
VNI_TONED = {"â": "àáåãä", "ă": "èéúüë", "": "øùûõï"}  # grave, acute, hook, tilde, dot below
VNI_PLAIN = {"â": "â", "ă": "ê"}


def parts_of(char: str) -> tuple[str, str]:
    """Return a letter without its tone, and the tone."""
    parts = unicodedata.normalize("NFD", char)
    tone = next((mark for mark in parts if mark in TONES), "")
    return unicodedata.normalize("NFC", parts.replace(tone, "") if tone else parts), tone


def tcvn3(text: str) -> bytes:
    out = bytearray()
    for char in text:
        letter, tone = parts_of(char.lower())  # TCVN3 has no capitals with tones
        if tone:
            out.append(TCVN3_TONED[letter]["\u0300\u0309\u0303\u0301\u0323".index(tone)])
        elif letter in TCVN3_SINGLE:
            out.append(TCVN3_SINGLE[letter])
        else:
            out += char.encode("ascii")
    return bytes(out)


def vni(text: str) -> bytes:
    return "".join(char if char.isascii() else vni_letter(char) for char in text).encode("latin-1")


def vni_letter(char: str) -> str:
    letter, tone = parts_of(char.lower())
    if char.lower() in VNI_SINGLE:
        out = VNI_SINGLE[char.lower()]
    else:
        base = unicodedata.normalize("NFD", letter)[0]
        hat = {"\u0302": "â", "\u0306": "ă"}.get(unicodedata.normalize("NFD", letter)[1:], "")
        mark = VNI_TONED[hat][TONES.index(tone)] if tone else VNI_PLAIN[hat]
        out = VNI_SINGLE.get(letter, base) + mark
    return out.upper() if char.isupper() else out


def windows_1258(text: str) -> bytes:
    out = b""
    for char in text:
        letter, tone = parts_of(char)
        try:
            out += char.encode("cp1258")
        except UnicodeEncodeError:
            out += (letter + tone).encode("cp1258")
    return out


LEGACY = {"TCVN3": (tcvn3, "TCVN5712-1"), "VNI": (vni, "UniKey"), "windows-1258": (windows_1258, "WINDOWS-1258")}


def test_the_tables_of_this_test_are_right():
    """The TCVN3 bytes were made by iconv."""
    assert tcvn3("Việt Nam, Hà Nội") == b"Vi\xd6t Nam, H\xb5 N\xe9i"
    assert vni("Việt Nam, Hà Nội, đường").decode("latin-1") == "Vieät Nam, Haø Noäi, ñöôøng"
    for text in VIETNAMESE:
        assert unicodedata.normalize("NFC", windows_1258(text).decode("cp1258")) == text


@pytest.mark.parametrize("name", LEGACY)
def test_legacy_vietnamese_is_named_with_its_converter(name):
    encode, converter = LEGACY[name]
    for text in VIETNAMESE:
        raw = encode(text)
        for sample in (raw, raw * 50, b"\n".join([b"<plain line>"] * 200) + raw):
            with pytest.raises(InputError, match=rf"page.txt: looks like Vietnamese in {name}.* not UTF-8.*{converter}"):
                require_utf8(sample, "page.txt")
        for misread in ("latin-1", "cp1252"):
            with pytest.raises(InputError, match=rf"in {name}.* read as Latin-1 .*{converter}"):
                require_utf8(raw.decode(misread).encode(), "page.txt")


def test_utf8_saved_twice_is_named():
    for text in VIETNAMESE:
        for copies in (1, 100):
            twice = (text * copies).encode().decode("latin-1").encode()
            with pytest.raises(InputError, match=r"saved as UTF-8 once more; .*ftfy"):
                require_utf8(twice, "page.txt")


@pytest.mark.parametrize("piece", ["a", "é", "aé", "éa", "eâ", "ab é ", "Vieät ", "´a` ", "ö"])
@pytest.mark.slow  # asserts CPU time, which other processes on the machine may disturb
def test_sniffing_is_fast_on_any_input(piece):
    data = ("é" + piece * 70_000).encode()[:65536]
    start = time.process_time()
    for sample in (data, data.decode("utf-8", "ignore").encode("latin-1")):
        with contextlib.suppress(InputError):
            require_utf8(sample, "page.txt")
    assert time.process_time() - start < 2


def test_a_page_that_is_garbage_below_its_menu_is_refused():
    sound, garbage = "\n".join(VIETNAMESE[:2]), "\n".join(tcvn3(text).decode("latin-1") for text in VIETNAMESE)
    with pytest.raises(InputError, match="TCVN3"):
        require_utf8(f"{sound}\n{garbage}\n".encode(), "page.txt")


@pytest.mark.parametrize(("language", "text"), ROWS)
def test_other_text_is_not_taken_for_legacy_vietnamese(language, text):
    for form in ("NFC", "NFD"):
        for copies in (1, 3, 200):
            require_utf8(unicodedata.normalize(form, (text + "\n") * copies).encode(), "page.txt")
    if language not in ("vi", "ru", "zh", "cs"):
        require_utf8((text + "\n").encode("latin-1", "ignore") * 20, "page.txt")


def test_composed_pages_and_their_pieces_pass(composed_pages):
    for page in composed_pages:
        data = page.encode()
        require_utf8(data, "page.txt")
        for start in range(0, len(data), 700):
            require_utf8(data[start : start + 700], "page.txt")  # also in the middle of a character


def test_a_few_bad_bytes_pass_the_sniffer(sample_page):
    data = sample_page.encode()
    for bad in (b"\xe9", b"\xff", b"Caf\xe9 \xe0 la carte, d\xe9j\xe0 vu, na\xefve, fianc\xe9"):
        require_utf8(data[:500] + bad + data[500:] + bad, "page.txt")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF.*pdftotext"),
        (b"PK\x03\x04\x14\x00", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office"),
        (b"\x1f\x8b\x08\x00", "gunzip"),
        (b"BZh91AY&SY", "bunzip2"),
        (b"\xfd7zXZ\x00", "xz -dc"),
        (b"\x28\xb5\x2f\xfd", "zstd -dc"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x7fELF\x02", "program"),
        (bytes(range(256)) * 20, "binary file"),
        (bytes(5000), "binary file"),
        *((VIETNAMESE[0].encode(name), f"{name.upper()}.*iconv -f {name.upper()}") for name in ("utf-16le", "utf-16be")),
        *((VIETNAMESE[0].encode(name), f"{name.upper()}.*--encoding {name}") for name in ("utf-32le", "utf-32be")),
    ],
    ids=lambda value: value[:14] if isinstance(value, str) else "",
)
def test_what_is_no_text_is_named(data, named):
    with pytest.raises(InputError, match=f"looks like .*{named}"):
        require_utf8(data, "page.txt")


@pytest.mark.parametrize(
    "data", [b"BZh is a prefix", b"GIF8 is another", b"\0", b"a\0b\n" * 3, b"\x1b[1mtin\x1b[0m\x07\n" * 9, b"\x08" * 15, b""]
)
def test_a_few_control_characters_are_text(data):
    require_utf8(data, "page.txt")


# -- decoding ------------------------------------------------------------------------------------------------------------

PIECES = st.lists(st.sampled_from([*"aế\n\r\f\v\0\u2028\u0085\u200b\u202e\ufeff🙂", "e\u0302\u0301", "\r\n"]), max_size=30).map("".join)
CHOPPED = st.lists(st.integers(0, 6), max_size=30)


def decoded(data: bytes, cuts: list[int], decoding: Decoding) -> tuple[str, int]:
    decoder, text = TextDecoder("page.txt", decoding), ""
    for size in cuts:
        text += decoder.feed(data[:size])
        data = data[size:]
    return text + decoder.feed(data) + decoder.flush(), decoder.undecodable


@given(PIECES, CHOPPED, st.sampled_from(["replace", "strict", "skip"]))
def test_valid_text_is_preserved(text, cuts, policy):
    assert decoded(text.encode(), cuts, Decoding(errors=policy)) == (text, 0)
    assert decoded(text.encode("utf-8-sig"), cuts, Decoding(errors=policy)) == ("\ufeff" + text, 0)
    for encoding, mark in (("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-32-be", codecs.BOM_UTF32_BE)):
        if encoding != "utf-16-le" or not text.startswith("\0"):  # followed by a NUL, this mark is that of UTF-32
            assert decoded(mark + text.encode(encoding), cuts, Decoding(errors=policy)) == (text, 0)
        assert decoded(text.encode(encoding), cuts, Decoding(encoding, policy)) == (text, 0)


@given(st.binary(max_size=12), CHOPPED)
def test_bad_bytes_are_replaced_or_dropped_however_they_are_cut(data, cuts):
    for encoding in ("utf-8", "utf-16-le", "shift_jis", "cp1258"):
        assert decoded(data, cuts, Decoding(encoding))[0] == data.decode(encoding, "replace")
        text, dropped = decoded(data, cuts, Decoding(encoding, "skip"))
        assert text == data.decode(encoding, "ignore")
        if encoding in ("utf-8", "utf-16-le"):
            assert dropped == len(data) - len(text.encode(encoding))


@given(PIECES, PIECES, st.sampled_from([b"\xff", b"\xe1\xba", b"\xed\xa0\x80", b"\xc0\xaf"]), CHOPPED)
def test_strict_names_file_line_and_offset(before, after, bad, cuts):
    data = before.encode() + bad + b"|" + after.encode()
    line = len(split_lines(before + "|"))
    with pytest.raises(InputError, match=rf"^page.txt: line {line}, byte offset {len(before.encode())}: not valid utf-8"):
        decoded(data, cuts, Decoding("utf-8", "strict"))


def test_strict_names_the_position_after_a_mark_and_at_the_end():
    with pytest.raises(InputError, match="line 2, byte offset 8: not valid utf-16-le"):
        decoded(codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le") + b"\x00", [], Decoding(errors="strict"))
    with pytest.raises(InputError, match="line 1, byte offset 3: not valid utf-8"):
        decoded(b"abc\xe1", [2], Decoding(errors="strict"))


@pytest.mark.parametrize("name", ["nope", "hex", "rot13", "a\0b", "base64"])
def test_unknown_encodings_are_refused(name):
    with pytest.raises(InputError, match="--encoding"):
        Decoding(name).checked()
    for known in ("utf-8", "UTF-16", "cp1258", "latin-1", "utf-8-sig", None):
        Decoding(known).checked()


def test_naming_an_encoding_turns_sniffing_off():
    for data in (tcvn3(VIETNAMESE[0]), b"%PDF-1.7", bytes(5000)):
        assert decoded(data, [], Decoding("latin-1"))[0] == data.decode("latin-1")


@given(st.lists(st.integers(1, 3000), max_size=40))
def test_the_verdict_does_not_depend_on_the_cuts(sizes):
    """Input that is valid for a kilobyte, then garbage, is rejected at the same checkpoint however it is chunked."""
    data = "\n".join(VIETNAMESE[:2] * 3).encode()[:1000] + tcvn3("\n".join(VIETNAMESE * 10))
    sniffer = Sniffer("page.txt")
    with pytest.raises(InputError, match="TCVN3"):  # noqa: PT012 - any of these calls may raise
        for size in sizes:
            sniffer.feed(data[:size])
            data = data[size:]
        sniffer.feed(data)
        sniffer.flush()


@given(PIECES)
def test_lines_are_those_of_split_lines(text):
    blocks = [*read_lines(io.BytesIO(text.encode()), TextDecoder("x", Decoding()))]
    assert [line for block in blocks for line in block.lines] == split_lines(text)
    assert [start for block in blocks for start in block.starts] == line_starts(text, split_lines(text))


@pytest.mark.skipif(not shutil.which("iconv"), reason="no iconv here")
def test_the_converters_convert():
    """The commands in the messages restore the text (in lower case, since TCVN3 has no capitals with tones)."""
    for text in VIETNAMESE:
        lower = text.lower()
        for encode, converter in ((tcvn3, "TCVN3 (ABC)"), (windows_1258, "windows-1258")):
            command = CONVERTERS[converter].split()
            assert command[0] == "iconv"
            done = subprocess.run(command, input=encode(lower), capture_output=True, check=True)
            assert unicodedata.normalize("NFC", done.stdout.decode()) == lower
            misread = encode(lower).decode("cp1252").encode()
            undone = subprocess.run(["iconv", "-f", "UTF-8", "-t", "CP1252"], input=misread, capture_output=True, check=True)
            assert undone.stdout == encode(lower)


def test_decoders_in_several_threads_count_their_own_bytes():
    """Error handlers are global, by name, and each decoder once set its own."""

    def count(bad: int) -> int:
        decoder = TextDecoder("page.txt", Decoding("utf-8", "skip"))
        for _ in range(300):
            decoder.feed(b"a" + b"\xff" * bad)
        return decoder.undecodable

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(count, range(8))) == [300 * bad for bad in range(8)]
    first, second = (TextDecoder("page.txt", Decoding("utf-8", "skip")) for _ in range(2))
    first.feed(b"a\xff"), second.feed(b"\xff\xff")
    assert (first.undecodable, second.undecodable) == (1, 2)
