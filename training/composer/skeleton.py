"""Page skeletons: the layout of a gold page, without its text.

A skeleton file has one row per non-blank line, `label<TAB>blank lines before it<TAB>pattern`. The pattern keeps markup
(bullets, `#`, brackets, pipes) and replaces every piece of visible text by `⟨descriptor⟩` and every link target by `⟨uN⟩`,
where N is its length:

    related	1	  * [⟨S62⟩](⟨u48⟩ "⟨=⟩")

A text descriptor is `[flags]CASE LENGTH [END]`: CASE one of U(pper) T(itled) S(entence) l(ower) d(igit first) x(other),
LENGTH in characters, END the last character if it is punctuation; flags: h block heading, t date or time, n person's name,
c photo credit, k glued kicker, a letters without any accent, v web or mail address. A piece that repeats an earlier one
refers to it instead: `=17` (same text as piece 17 of the page), `+17:9` (starts with it and has 9 more characters), `<17:40`
(its first 40), `~17` (the same without accents), `=` (in a link's title: the text of its own link).

`python -m training.composer.skeleton PAGES OUT` extracts skeletons from gold TSV pages, a user's own included.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.errors import InputError
from classifier.labels import HEADINGS, LABELS
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL, read_page

__all__ = [
    "Row", "Skeleton", "SkeletonError", "extract", "gold_paths", "load_skeletons", "read_skeleton", "strip_accents",
]  # fmt: skip

ROOT = Path(__file__).parent.parent / "layouts"
NAMES = frozenset(label.value for label in LABELS)

TARGET = re.compile(r'\]\((?P<url>[^)\s"]*)(?P<gap>\s*)(?:"(?P<title>[^"]*)"?)?(?P<rest>[^)]*)\)')
MARKUP = re.compile(r"!\[|\[|\]|\*\*|\*|_{1,2}(?=\W|$)|(?<!\w)_{1,2}|\||^#+ |`|\\|<br>|&nbsp;")
HEADING_WORDS = re.compile(
    r"liên quan|cùng chuyên|cùng mục|cùng chủ đề|cùng tác giả|tin khác|bài khác|tin mới|mới nhất|mới cập nhật|đã đăng|"
    r"đọc thêm|xem thêm|đọc tiếp|quan tâm|đừng bỏ lỡ|gợi ý|tiêu điểm|nổi bật|nhiều nhất|đọc nhiều|xem nhiều|tin hot|"
    r"trong ngày|48 giờ|24h|video|media|podcast|tin ảnh|bình luận|ý kiến|phản hồi|quảng cáo|tài trợ|thời tiết|tin nóng",
    re.IGNORECASE,
)
CREDIT = re.compile(r"\bảnh\s*:|\(ảnh|- ảnh\b|\bảnh \d|ảnh minh họa|nguồn ảnh", re.IGNORECASE)
KICKER = re.compile(r"^\(?[\w.\- ]{2,24}\)?\s?[-–] |^[A-ZĐÀ-Ỹ]{2,}[\w.]* ?[-–] ")
DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}([/.-]\d{2,4})?|\d{1,2}[:h]\d{2}|\d+ (giờ|phút|ngày|tháng) trước|hôm (qua|nay)", re.IGNORECASE)
ADDRESS = re.compile(r"https?://|www\.|\w@\w|\w\.(vn|com|net|org)\b", re.IGNORECASE)
OPAQUE = {"⟨": "<", "⟩": ">"}


class SkeletonError(InputError):
    """A skeleton file breaks the format, or a folder holds no page; the message names file and line, or the folder."""


class Row(NamedTuple):
    """One non-blank line: its label, the blank lines before it, its pattern."""

    label: str
    blanks: int
    pattern: str

    @property
    def heading(self) -> bool:
        """Whether the row is a block heading; False for one that repeats an earlier line, whose descriptor has no flags."""
        return "⟨h" in self.pattern


class Skeleton(NamedTuple):
    """The layout of one page."""

    name: str  # publisher__n
    style: str  # name of the page's folder
    rows: tuple[Row, ...]

    @property
    def publisher(self) -> str:
        """The publisher part of the name; pages of one publisher stay in one split."""
        return self.name.split("__")[0]


def strip_accents(text: str) -> str:
    """Return the text without diacritics, as in slugs and old alt texts.

    >>> strip_accents("Đường lên Hà Giang")
    'Duong len Ha Giang'
    """
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "D"))


def gold_paths(folder: Path) -> dict[str, list[Path]]:
    """Return the paths of labelled pages by style, the name of a subfolder; a folder that holds pages itself is one style.

    Raises:
        SkeletonError: no page was found.
    """
    styles = [folder] if any(folder.glob("*.tsv")) else sorted(path for path in folder.iterdir() if path.is_dir())
    found = {style.name: sorted(style.glob("*.tsv")) for style in styles}
    found = {style: paths for style, paths in found.items() if paths}
    if not found:
        raise SkeletonError(f"{folder}: no publisher__n.tsv page in this folder or a subfolder")
    return found


class _Pieces:
    """The text pieces of a page so far, indexed to find repetitions."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._exact: dict[str, int] = {}
        self._bare: dict[str, int] = {}

    def describe(self, text: str, heading: bool) -> str:
        key = " ".join(re.findall(r"\w+", text.lower()))
        link = self._link(key, text) if key.count(" ") >= 2 or len(key) >= 12 else ""
        index = len(self.texts)
        self.texts.append(key)
        if not link.startswith("="):
            self._exact.setdefault(key, index)
            self._bare.setdefault(strip_accents(key), index)
        return f"⟨{link or descriptor(text, heading)}⟩"

    def _link(self, key: str, text: str) -> str:
        if key in self._exact:
            return f"={self._exact[key]}"
        bare = strip_accents(key)
        if bare == key and bare in self._bare:
            return f"~{self._bare[bare]}"
        for index in [*range(len(self.texts) - 1, max(-1, len(self.texts) - 6), -1), *range(min(3, len(self.texts)))]:
            other = self.texts[index]
            if len(other) >= 24 and key.startswith(other):
                return f"+{index}:{len(key) - len(other)}"
            if len(key) >= 24 and other.startswith(key):
                return f"<{index}:{len(text)}"
        return ""


def descriptor(text: str, heading: bool = False) -> str:
    """Return the descriptor of a piece of visible text: its form, none of its words.

    >>> descriptor("Thứ Năm, 20/12/2012, 10:18")
    'tS26'
    """
    words = re.findall(r"\w+", text)
    letters = [char for char in text if char.isalpha()]
    flags = ""
    if heading:
        flags += "h"
    if DATE.search(text) and len(text) < 90:
        flags += "t"
    titled = [word for word in words if word[0].isupper()]
    if 2 <= len(words) <= 5 and len(titled) == len(words) and not re.search(r"[\d,:!?]", text) and not heading:
        flags += "n"
    if CREDIT.search(text):
        flags += "c"
    if len(text) > 60 and KICKER.match(text):
        flags += "k"
    if len(letters) >= 12 and all(char.isascii() for char in letters):
        flags += "a"
    if ADDRESS.search(text):
        flags += "v"
    first = next((char for char in text if char.isalnum()), "")
    if len(letters) >= 3 and all(char.isupper() for char in letters):
        case = "U"
    elif len(words) >= 3 and len(titled) == len(words):
        case = "T"
    else:
        case = "d" if first.isdigit() else "l" if first.islower() else "S" if first.isupper() else "x"
    tail = text.rstrip()
    end = "..." if tail.endswith(("...", "…")) else tail[-1:] if tail and unicodedata.category(tail[-1])[0] in "PS" else ""
    return f"{flags}{case}{len(text.strip())}{'' if end in '⟨⟩' else end}"


def extract(name: str, style: str, labels: Sequence[str], lines: Sequence[str]) -> Skeleton:
    """Return the skeleton of one gold page."""
    rows, pieces, blanks, previous = [], _Pieces(), 0, ""
    for label, line in zip(labels, lines):
        if label == BLANK_LABEL or is_blank(line):
            blanks += 1
            continue
        visible = re.sub(r"\W+", " ", TARGET.sub("] ", line)).strip()
        short = len(visible) <= 24 and label != previous
        heading = label in HEADINGS and len(visible) <= 45 and (short or bool(HEADING_WORDS.search(visible)))
        rows.append(Row(label, blanks, _pattern(line, pieces, heading)))
        blanks, previous = 0, label
    return Skeleton(name, style, tuple(rows))


def _pattern(line: str, pieces: _Pieces, heading: bool) -> str:
    for char, other in OPAQUE.items():
        line = line.replace(char, other)
    out, position = [], 0
    for match in TARGET.finditer(line):
        linked: list[str] = []
        out.append(_plain(line[position : match.start()], pieces, heading, linked))
        out.append(f"](⟨u{len(match['url'])}⟩{match['gap']}")
        if match["title"] is not None:
            same = linked and match["title"].strip() == linked[-1]
            out.append('"⟨=⟩"' if same else f'"{_plain(match["title"], pieces, heading, [])}"')
        out.append(")")
        position = match.end()
    out.append(_plain(line[position:], pieces, heading, []))
    return "".join(out)


def _plain(text: str, pieces: _Pieces, heading: bool, found: list[str]) -> str:
    """Replace each piece of text between markup by its descriptor; keep markup and surrounding white space."""
    out, position = [], 0
    for match in [*MARKUP.finditer(text), None]:
        segment = text[position : match.start() if match else len(text)]
        words = segment.strip()
        if words and re.search(r"\w", words):
            lead = len(segment) - len(segment.lstrip())
            out.append(segment[:lead] + pieces.describe(words, heading) + segment[lead + len(words) :])
            found.append(words)
        else:
            out.append(segment)
        if match:
            out.append(match.group())
            position = match.end()
    return "".join(out)


def write_skeleton(skeleton: Skeleton, folder: Path) -> Path:
    """Write one skeleton file and return its path."""
    path = folder / f"{skeleton.style}__{skeleton.name}.skel"
    text = "".join(f"{row.label}\t{row.blanks}\t{row.pattern}\n" for row in skeleton.rows)
    path.write_text(text, encoding="utf-8")
    return path


def read_skeleton(path: Path) -> Skeleton:
    """Read one skeleton file.

    Raises:
        SkeletonError: a row is not `label<TAB>blanks<TAB>pattern`.
    """
    style, _, name = path.stem.partition("__")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line:
            continue
        fields = line.split("\t", 2)
        if len(fields) != 3 or fields[0] not in NAMES or not fields[1].isdigit():
            raise SkeletonError(f"{path}:{number}: expected label<TAB>number of blank lines before<TAB>pattern")
        rows.append(Row(fields[0], int(fields[1]), fields[2]))
    return Skeleton(name, style, tuple(rows))


def load_skeletons(root: Path = ROOT) -> list[Skeleton]:
    """Return all shipped skeletons, by file name."""
    return [read_skeleton(path) for path in sorted(root.glob("*.skel"))]


def main(argv: list[str] | None = None) -> int:
    """Extract the skeleton of every gold page in a folder or its style folders; return 1 if a page is faulty."""
    parser = argparse.ArgumentParser(description="Extract page skeletons (no text) from gold TSV pages.")
    parser.add_argument("pages", type=Path, help="folder of publisher__n.tsv pages, or of style folders of them")
    parser.add_argument("out", type=Path, nargs="?", default=ROOT, help="folder to write to (default: the shipped skeletons)")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        for style, paths in gold_paths(args.pages).items():
            for path in paths:
                page = read_page(path)
                write_skeleton(extract(path.stem, style, page.labels, page.lines), args.out)
                count += 1
    except InputError as error:
        print(f"skeleton: {error}", file=sys.stderr)
        return 1
    print(f"{count} skeletons in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
