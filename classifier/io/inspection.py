"""Inspection of page texts: notices text that is not plain lines of Vietnamese before its labels are trusted.

Searches of whole texts run at C speed; what costs more runs only on a text that gives reason to. A page is inspected in windows
of fixed size, so that memory is bounded and the result does not depend on how the text arrived. Never raises an exception and
never changes a label. `letters`, `garbled` and `joined` take the closer looks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from classifier.io.notices import HTML, JSON, LINE_ENDS, ONE_LINE, SEVERAL, WRITTEN, Notice, notice
from classifier.lines import split_lines

__all__ = ["Inspector", "inspect", "inspect_page"]

WINDOW = 1 << 16  # characters inspected together
SAMPLE = 1 << 9  # characters, at equal distances, that decide whether letters are looked at more closely

# Vietnamese letters that other languages hardly use, frequent enough to be in every sample; and how many there are per space: one
# of 340 real pages has fewer, half of them have twice as many.
_FREQUENT, SOUND = "đưạếộả", 0.06
SIGNS = 0.002  # share of a sample that signs have from which they are looked at more closely
QUESTION_MARKS = 0.008  # share of question marks in the sample
FEW_CHARS = 100  # a shorter text proves nothing about its language

FEW_LINES, LONG_TEXT, SENTENCES = 3, 1000, 5  # a page on one line: lines at most, characters and sentences at least
_SENTENCE_END = re.compile(r"[.!?…][\"”’)]?\s")
ENDS = 3  # other line ends from which they are taken for such, if there are at least as many as real ones
_OTHER_LINE_ENDS = {"\x85": "U+0085", "\x0b": "VT, U+000B", "\x0c": "FF, U+000C", "\u2028": "U+2028", "\u2029": "U+2029"}

_JSON = re.compile(r'[\ufeff\s]*(?:\{\s*"[^"\n]{0,200}"\s*:|\[\s*(?:\{\s*"|"(?:[^"\\\n]|\\.){0,9999}"\s*[,\]]))')
_TAG = re.compile(
    r"<(?:(?P<frame>!doctype|html|head|body|script|style|meta|link|div|section|article|nav|header|footer|ul|table|form)"
    r"|(?P<br>br)|/?(?:p|a|b|i|em|strong|span|img|li|ol|tr|td|th|h[1-6]|figure|figcaption|blockquote)|/(?:div|ul|table))\b",
    re.IGNORECASE,
)
_ESCAPED_BR = re.compile(r"&lt;br\b", re.IGNORECASE)
# Elements that lay out a page from which text is HTML, if there is one tag for every four lines; lines that start with a tag from
# which it is, if they are at least half of all. Stray tags in sound lines are hidden from the model anyway.
FRAMES, TAGGED_LINES = 3, 5
INDENT = 40


def inspect(text: str) -> tuple[Notice, ...]:
    r"""Return what is noticed about the lines of one page, joined by LF.

    >>> [found.kind for found in inspect("Trang chủ\\nThời sự\\nLàng gốm bên sông đỏ lửa trở lại\\n")]
    ['written_line_ends']
    """
    inspector = Inspector()
    inspector.add_text(text)
    return inspector.end_page()


def inspect_page(page: str) -> tuple[Notice, ...]:
    """Return what is noticed about a page with line ends of any kind: the same as about its lines in a stream."""
    return inspect("\n".join(split_lines(page)) if "\r" in page else page.removesuffix("\n"))


class Inspector:
    """Incremental inspection of pages: add text or lines as they arrive, get the notices when a page ends."""

    def __init__(self) -> None:
        """Start before the first line of a page."""
        self._waiting: list[str] = []  # lines, of less than one window
        self._size = 0  # of `_waiting`, in characters
        self._start()

    def _start(self) -> None:
        self._chars = 0  # inspected, of the page
        self._few_lines, self._sentences = True, 0
        self._found: dict[str, str] = {}  # details by kind
        self._letters: Counter[str] = Counter()  # evidence about the letters; see `letters`

    def add_text(self, text: str) -> None:
        """Add the lines of a whole page, joined by LF."""
        for start in range(0, len(text), WINDOW):
            self._inspect(text[start : start + WINDOW])

    def add_lines(self, lines: Sequence[str]) -> None:
        """Add lines without their line ends."""
        self._waiting += lines
        self._size += sum(map(len, lines)) + len(lines)
        if self._size > WINDOW:
            text = "\n".join(self._waiting)
            *windows, rest = [text[start : start + WINDOW] for start in range(0, len(text), WINDOW)]
            del text  # as long as a window, mostly: memory holds it once
            self._waiting, self._size = [rest], len(rest) + 1
            for window in windows:
                self._inspect(window)

    def end_page(self) -> tuple[Notice, ...]:
        """Return the notices of the page, and start the next one."""
        if self._waiting:
            self._inspect("\n".join(self._waiting))
            self._waiting, self._size = [], 0
        if self._few_lines and self._chars >= LONG_TEXT and self._sentences >= SENTENCES and not self._found:
            self._found[ONE_LINE] = ""
        if JSON in self._found:
            self._found = {JSON: ""}  # whose strings may hold anything
        elif self._letters:
            from classifier.io.letters import judge

            self._found.update(judge(self._letters, self._chars, HTML in self._found))
        found = tuple(notice(kind, detail) for kind, detail in self._found.items())
        self._start()
        return found

    def _inspect(self, text: str) -> None:
        if not self._chars and text[:INDENT].lstrip("\ufeff \t\r\n")[:1] in ("{", "[") and _JSON.match(text):
            self._found[JSON] = ""
        self._chars += len(text)
        few_lines = _has_few_lines(text)
        if few_lines:
            self._sentences += len(_SENTENCE_END.findall(text))
        self._few_lines &= few_lines
        sample = text[:: max(1, len(text) // SAMPLE)]
        if "<" in text or (sample.count("&") > SIGNS * len(sample) and "&lt;" in text):
            self._look_at_tags(text)
        self._look_at_line_ends(text, sample, few_lines)
        self._look_at_letters(text, sample)
        if _may_be_joined(text):
            from classifier.io.joined import boundaries

            if boundaries(text):
                self._found[SEVERAL] = ""

    def _look_at_tags(self, text: str) -> None:
        lines = 1 + text.count("\n") - text.endswith("\n")
        tags = list(_TAG.finditer(text))
        frames = sum(tag["frame"] is not None for tag in tags)
        first = sum(_starts_a_line(text, tag.start()) for tag in tags)
        breaks = sum(tag["br"] is not None for tag in tags) + len(_ESCAPED_BR.findall(text))
        laid_out = frames >= FRAMES and 4 * len(tags) >= lines
        one_line = lines < TAGGED_LINES <= len(tags) and 2 * breaks < len(tags)
        if laid_out or one_line or first >= max(TAGGED_LINES, lines / 2):
            self._found[HTML] = ""
        elif breaks >= max(ENDS, lines - 1):
            self._found[WRITTEN] = "<br>"

    def _look_at_line_ends(self, text: str, sample: str, few_lines: bool) -> None:
        seen = text if few_lines else sample  # what ends most lines of a long text is in its sample
        if seen.count("\\") > SIGNS * len(seen) and (written := text.count("\\n")) >= ENDS and written >= text.count("\n"):
            self._found[WRITTEN] = "\\n"
        for char, name in _OTHER_LINE_ENDS.items():
            if char in seen and (ends := text.count(char)) >= ENDS and ends >= text.count("\n"):
                self._found[LINE_ENDS] = name

    def _look_at_letters(self, text: str, sample: str) -> None:
        sound = len(text) < FEW_CHARS or _is_sound(sample) or _is_sound(text)
        marked = sample.count("?") > QUESTION_MARKS * len(sample)
        # What UTF-8 read as windows-1252 and its kin, as MacRoman, or as an OEM code page shows; and lost letters.
        if not sound or marked or "º" in text or "Æ" in text or "∫" in text or "║" in text or "\ufffd" in text:
            from classifier.io.letters import evidence  # on suspicion only

            self._letters.update(evidence(text, not sound, marked))


def _is_sound(text: str) -> bool:
    limit, letters = SOUND * text.count(" "), 0
    for letter in _FREQUENT:  # two or three of them are enough in most texts
        letters += text.count(letter)
        if letters > limit:
            return True
    return False


def _has_few_lines(text: str) -> bool:
    """Return whether a text has at most FEW_LINES lines; most texts show soon that they have more."""
    place = -1
    for _ in range(FEW_LINES):
        place = text.find("\n", place + 1)
        if place < 0:
            return True
    return place == len(text) - 1


def _starts_a_line(text: str, place: int) -> bool:
    """Return whether only white space, of at most INDENT characters, is between a line's start and a place in it."""
    before = text[max(0, place - INDENT) : place]
    return not before[before.rfind("\n") + 1 :].strip() and ("\n" in before or place < INDENT)


def _may_be_joined(text: str) -> bool:
    """Return whether a text may be several pages: a byte order mark or an imprint before its end, or its first lines once more."""
    head, tenth = text[: text.find("\n", 24) + 1].removeprefix("\ufeff"), len(text) // 10
    return (
        ("\ufeff" in text and "\n\ufeff" in text)
        or text.find("Giấy phép", tenth, 5 * tenth) >= 0
        or (0 < len(head) < 300 and text.find("\n" + head, max(tenth, len(head)), 9 * tenth) >= 0)
    )
