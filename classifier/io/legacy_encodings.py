"""Detection of legacy Vietnamese encodings: windows-1258, TCVN3 (ABC) and VNI.

Decoded with the right encoding, nearly all accented words are Vietnamese syllables; decoded as Latin-1 they are not, and words
of other languages are not in any encoding. Does not convert text: the tables cover lower case and whole words only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

__all__ = ["CONVERTERS", "legacy_encoding"]

# At least EVIDENCE different words, and SHARE of all accented words, must be Vietnamese in the legacy encoding only. The
# share is 0.93 or more on Vietnamese in these encodings, at most 0.15 on French, German, Spanish, Portuguese and Vietnamese in
# Unicode. A page of which only half is garbage still exceeds the threshold.
EVIDENCE, SHARE = 4, 0.4

_TONES = "\u0300\u0301\u0309\u0303\u0323"  # grave, acute, hook above, tilde, dot below
_TCVN3 = dict(
    zip(  # TCVN 5712:1993 VN3; capitals with tones came from a separate, capitals-only font
        range(0xA1, 0xFF),
        "ĂÂÊÔƠƯĐăâêôơưđ------àảãáạ-ằẳẵắ-------ặầẩẫấậè-ẻẽéẹềểễếệìỉ---ĩíịò-ỏõóọồổỗốộờởỡớợù-ủũúụừửữứựỳỷỹýỵ",
    )
)
_VNI_MARKS = dict(
    zip(
        "øùûõïâáàåãäêéèúüë",
        (*_TONES, *("\u0302" + tone for tone in ("", *"\u0301\u0300\u0309\u0303\u0323")),
         *("\u0306" + tone for tone in ("", *"\u0301\u0300\u0309\u0303\u0323"))),
    )
)  # fmt: skip
_VNI_LETTERS = str.maketrans({"ñ": "đ", "ô": "ơ", "ö": "ư", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"})
_VNI_PAIR = re.compile(f"([aeouyôö])([{''.join(_VNI_MARKS)}])")


def _from_tcvn3(word: str) -> str:
    return word.translate(_TCVN3)


def _from_vni(word: str) -> str:
    pieces = _VNI_PAIR.split(word.lower())  # text, letter, mark, text, letter, mark, ..., text
    for mark in range(2, len(pieces), 3):
        pieces[mark] = _VNI_MARKS[pieces[mark]]
    for other in (index for index in range(len(pieces)) if index % 3 != 2):
        pieces[other] = pieces[other].translate(_VNI_LETTERS)
    return "".join(pieces)


def _from_windows_1258(word: str) -> str:
    return word.encode("latin-1").decode("cp1258", "replace")


_DECODERS: dict[str, Callable[[str], str]] = {"TCVN3 (ABC)": _from_tcvn3, "VNI": _from_vni, "windows-1258": _from_windows_1258}
CONVERTERS = {
    "TCVN3 (ABC)": "iconv -f TCVN5712-1 -t UTF-8",
    "VNI": "UniKey's converter, from VNI Windows to Unicode",
    "windows-1258": "iconv -f WINDOWS-1258 -t UTF-8",
}

_ONSET = "(?:ngh|ch|gh|gi|kh|ng|nh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
# Rhymes without a final consonant; nuclei of rhymes with one.
_OPEN = "a[iouy]?|â[uy]|eo?|êu?|i[au]?|iêu|o[ei]?|oa[ioy]?|oeo|ôi?|ơi?|u[aiêơ]?|uây|uy[au]?|uôi|ư[aiu]?|ươ[iu]|y|yêu"
_CLOSED = "(?:[aăâeêioôơuưy]|oa|oă|oe|oo|uâ|uê|uy|uyê|iê|yê|uô|ươ)"
_SYLLABLE = re.compile(f"{_ONSET}(?:{_OPEN}|{_CLOSED}(?:m|ng?|nh|(?P<stop>ch?|p|t)))")
_UNTONED = str.maketrans("", "", _TONES)


def _is_syllable(word: str) -> bool:
    """Return whether a word can be a Vietnamese syllable, by its letters and tone."""
    parts = unicodedata.normalize("NFD", word.lower())
    bare = parts.translate(_UNTONED)
    tones = len(parts) - len(bare)
    match = _SYLLABLE.fullmatch(unicodedata.normalize("NFC", bare))
    if not match or tones > 1:
        return False
    return not match["stop"] or "\u0301" in parts or "\u0323" in parts  # -c, -ch, -p, -t allow acute and dot below only


_RUN = re.compile("[A-Za-z\xa1-\xff]+")
_LETTER = re.compile("[A-Za-z]")


def _words(text: str) -> list[str]:
    """Return the words that mix ASCII letters and Latin-1 characters; a lone pound sign or guillemet proves nothing."""
    return [word for word in _RUN.findall(text) if not word.isascii() and _LETTER.search(word)]


def legacy_encoding(text: str, sound_words: int) -> str | None:
    """Return the encoding that turns the accented words of a text, decoded as Latin-1, into Vietnamese, or None.

    `sound_words` is the number of further words that count as evidence against a legacy encoding.

    >>> legacy_encoding("Hµ Néi lµ thñ ®« cña ViÖt Nam", 0)
    'TCVN3 (ABC)'
    """
    words = [word for word in _words(text) if not _is_syllable(word)]
    found = {encoding: [word for word in words if _is_syllable(decode(word))] for encoding, decode in _DECODERS.items()}
    best = max(found, key=lambda encoding: len(found[encoding]))
    enough = len(set(found[best])) >= EVIDENCE and len(found[best]) >= SHARE * (len(words) + sound_words)
    return best if enough else None
