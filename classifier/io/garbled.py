"""Detection of garbled Vietnamese (mojibake): UTF-8 decoded as a legacy encoding, legacy text decoded as Latin-1, and lost letters.

Works on decoded text, so that single pages and records are judged, and parts of them: an article may be garbled although the
menu around it is sound. `sniffing` judges the first bytes of a file.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from functools import lru_cache

from classifier.io.legacy_encodings import legacy_encoding

__all__ = ["ENOUGH", "garbled", "question_marks"]

ENOUGH = 4  # hits from which text is garbled; sound Vietnamese has none, and a garbled line of prose has dozens

_UTF8_READ_AS = (
    "mac_roman", "cp437", "cp850", "cp866", "cp1250", "cp1251", "cp1253", "cp1256", "cp1257", "koi8_r", "cp874", "gbk", "shift_jis",
    "big5", "euc_kr",
)  # fmt: skip
_LETTERS = (b"\xe1\xba", b"\xe1\xbb")  # how UTF-8 begins the letters U+1E80 to U+1EFF: two thirds of the accented letters of Vietnamese
_LATIN = ("áº", "á»", "Æ°", "Æ¡")  # the same in Latin-1, windows-1252, -1254 and -1258; and the letters ư and ơ
_TWICE = ("Ã¡Âº", "Ã¡Â»")  # ... and encoded and decoded once more
_C1 = re.compile("[\x80-\x9f]")
_LOST, FEW_LOST = "\ufffd", 3  # in a short text, this many are enough
_LEGACY_SIGNS = "µøÞ"  # of TCVN3, VNI and windows-1258: frequent letters and tones, and hardly any in sound Vietnamese


def garbled(text: str) -> Counter[str]:
    """Return how a text was garbled, with the number of places that show it; empty for sound text.

    >>> garbled("Làng gốm bên sông đỏ lửa trở lại".encode().decode("mac_roman"))
    Counter({'UTF-8 read as mac-roman': 5})
    """
    found: Counter[str] = Counter()
    for marks, times in ((_LATIN, ""), (_TWICE, " twice")):
        if hits := sum(text.count(mark) for mark in marks if mark[-1] in text):  # a search for one character is much faster
            found[f"UTF-8 read as {_latin_name(text)}{times}"] = hits
    for name, (misread, places) in _places().items():
        if any(mark[0] in text and mark in text for mark in misread) and (hits := len(places.findall(text))):
            found[f"UTF-8 read as {name.replace('_', '-')}"] = hits
    if (lost := text.count(_LOST)) > ENOUGH or (lost >= FEW_LOST and 50 * lost > len(text)):
        found["letters replaced by U+FFFD"] = max(lost, ENOUGH)
    if not any(hits >= ENOUGH for hits in found.values()) and (legacy := _legacy(text)):
        found[f"{legacy} read as Latin-1"] = ENOUGH
    return found


def _latin_name(text: str) -> str:
    if text.count("Ă") > text.count("Ã"):
        return "windows-1258"
    return "Latin-1" if _C1.search(text) else "windows-1252"


@lru_cache(maxsize=1)
def _places() -> dict[str, tuple[list[str], re.Pattern[str]]]:
    """Return by encoding what it makes of _LETTERS, and a pattern of that; a single character has to follow a Latin letter."""
    found = {}
    for name in _UTF8_READ_AS:
        marks = [mark for letters in _LETTERS if (mark := codecs.decode(letters, name, "ignore")) and not mark.isascii()]
        if len(marks) == len(_LETTERS):
            patterns = [("(?<=[A-Za-z])" if len(mark) == 1 else "") + re.escape(mark) for mark in marks]
            found[name] = marks, re.compile("|".join(patterns))
    return found


def _legacy(text: str) -> str | None:
    """Return the legacy encoding of a text whose bytes were read as Latin-1 or windows-1252, if it is one."""
    if not any(sign in text for sign in _LEGACY_SIGNS):
        return None
    return legacy_encoding(text.encode("cp1252", "replace").decode("latin-1"), 0)


# -- lost letters ------------------------------------------------------------------------------------------------------------

MARKED_WORDS, MARKED_SHARE = 8, 0.05  # words with a question mark inside; addresses are not counted, and sound pages have 1 % at most
_PUNCTUATION = ".,:;!\"'“”‘’()[]"
_OF_ADDRESS = re.compile(r"[/=&@]|\.\w")


def question_marks(text: str) -> tuple[int, int]:
    """Return the number of words that have question marks in place of letters, and the number of all words.

    >>> question_marks("Ti?u th??ng l?n tu?i lo ch? ký s?, v?y sao?")
    (5, 10)
    """
    words = text.split()
    marked = [word for word in words if "?" in word and _is_marked(word.strip(_PUNCTUATION))]
    return len(marked), len(words)


def _is_marked(word: str) -> bool:
    """Return whether a word has a question mark before its end, or several at its end, and is no address."""
    return ("?" in word.rstrip("?") or word.endswith("??")) and word.strip("?") != "" and not _OF_ADDRESS.search(word)
