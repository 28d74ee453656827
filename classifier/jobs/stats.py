"""Job statistics: pages, lines by label, bytes, and the share of text dropped, as text and as JSON.

Statistics of parts add up, whichever process counted them. Characters and bytes are those of non-blank lines, without line ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from classifier.io.notices import KINDS, NAMED, NO_ACCENTS, NOT_VIETNAMESE, Notice, sentence
from classifier.labels import LABELS, Label
from classifier.results import LabelledLine, Labels

__all__ = ["Stats", "counted"]


_BY_NAME = {label.value: label for label in LABELS}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the singular or the plural.

    >>> counted(1, "record"), counted(0, "page"), counted(1200, "file")
    ('1 record', '0 pages', '1200 files')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Stats:
    """Counts of pages and lines."""

    def __init__(self) -> None:
        """Start at zero."""
        self.pages = self.bytes = self.chars = self.dropped_chars = 0
        self.lines: Counter[tuple[bool, Label]] = Counter()  # by (kept, label)
        self.notices: Counter[str] = Counter()  # pages by kind of notice
        self.named: dict[str, list[str]] = {}  # the first of them, by kind

    @property
    def share_dropped(self) -> float:
        """Share of the characters that were dropped; 0 if there were none."""
        return self.dropped_chars / self.chars if self.chars else 0.0

    def add(self, other: Stats) -> None:
        """Add the counts of another part."""
        self.pages += other.pages
        self.bytes += other.bytes
        self.chars += other.chars
        self.dropped_chars += other.dropped_chars
        self.lines.update(other.lines)
        self.notices.update(other.notices)
        for kind, names in other.named.items():
            self._name(kind, names)

    def add_notices(self, notices: Sequence[Notice], name: str) -> None:
        """Count the notices about one page."""
        for kind, _, detail in notices:
            self.notices[kind] += 1
            self._name(kind, [f"{name} ({detail})" if detail else name])

    def _name(self, kind: str, names: Sequence[str]) -> None:
        known = self.named.setdefault(kind, [])
        known += names[: NAMED - len(known)]

    def plus(self, other: Stats) -> Stats:
        """Return the sum of two parts."""
        total = Stats()
        total.add(self)
        total.add(other)
        return total

    def recorded(self) -> dict[str, Any]:
        """Return all counts as values that JSON has; see `restored`."""
        lines = [[kept, label, count] for (kept, label), count in self.lines.items()]
        return {**vars(self), "lines": lines}

    @classmethod
    def restored(cls, entry: dict[str, Any]) -> Stats:
        """Return the statistics that `recorded` returned."""
        stats = cls()
        vars(stats).update(entry)
        stats.notices = Counter(entry["notices"])
        stats.lines = Counter({(kept, _BY_NAME[label]): count for kept, label, count in entry["lines"]})
        return stats

    def add_lines(self, lines: Iterable[LabelledLine]) -> None:
        """Count lines of a page that is still open; the page itself is not counted."""
        for line in lines:
            if line.label:
                self.lines[line.kept, line.label] += 1
                self.bytes += len(line.text.encode("utf-8", "surrogatepass"))
                self.chars += len(line.text)
                self.dropped_chars += 0 if line.kept else len(line.text)

    @classmethod
    def of_pages(cls, labels: Labels) -> tuple[Stats, list[float]]:
        """Return the counts of whole pages, and each page's share of dropped characters."""
        stats, nonblank = cls(), labels.codes >= 0
        stats.pages = len(labels.offsets) - 1
        for kept in (True, False):
            counts = np.bincount(labels.codes[nonblank & (labels.kept == kept)], minlength=len(LABELS))
            stats.lines.update({(kept, label): int(count) for label, count in zip(LABELS, counts) if count})
        stats.bytes = len("".join([line for line, is_text in zip(labels.lines, nonblank) if is_text]).encode("utf-8", "surrogatepass"))
        sizes = np.where(nonblank, np.fromiter(map(len, labels.lines), np.int64, len(labels.lines)), 0)
        sums = np.concatenate(([0], sizes.cumsum())), np.concatenate(([0], np.where(labels.kept, 0, sizes).cumsum()))
        stats.chars, stats.dropped_chars = (int(sum_[-1]) for sum_ in sums)
        chars, dropped = (np.diff(sum_[labels.offsets]) for sum_ in sums)
        return stats, (dropped / np.maximum(chars, 1)).tolist()

    def summary(self) -> list[str]:
        """Return two lines of text: how many lines of each label were kept, and how many dropped."""
        parts = []
        for kept, word in ((True, "kept"), (False, "dropped")):
            by_label = ", ".join(f"{label} {self.lines[kept, label]}" for label in LABELS if self.lines[kept, label])
            share = self.share_dropped if not kept else 1 - self.share_dropped
            of_text = f" ({share:.1%} of the text)" if self.chars else ""
            parts.append(f"{word} {counted(self._count(kept), 'line')}{of_text}" + (f": {by_label}" if by_label else ""))
        return parts

    def notice_lines(self, but: str = "") -> list[str]:
        """Return one sentence for each kind of notice but one, with the number of pages, the names of the first, and the way out."""
        return [sentence(kind, self.notices[kind], self.named[kind]) for kind in KINDS if self.notices[kind] and kind != but]

    @property
    def language(self) -> dict[str, float]:
        """Shares of the pages in Vietnamese, in Vietnamese without accents, and in other languages; pages too short to judge count as
        Vietnamese."""
        counts = {"vi_without_accents": self.notices[NO_ACCENTS], "other": self.notices[NOT_VIETNAMESE]}
        counts = {"vi": self.pages - sum(counts.values()), **counts}
        return {name: round(count / max(self.pages, 1), 6) for name, count in counts.items()}

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name, ready for `json.dumps`."""
        by_label = {label: {"kept": self.lines[True, label], "dropped": self.lines[False, label]} for label in LABELS}
        return {
            "pages": self.pages,
            "bytes": self.bytes,
            "characters": self.chars,
            "characters_dropped": self.dropped_chars,
            "share_dropped": round(self.share_dropped, 6),
            "lines": {"kept": self._count(True), "dropped": self._count(False)},
            "labels": by_label,
            "notices": {kind: self.notices[kind] for kind in KINDS},
            "language": self.language,
        }

    def _count(self, kept: bool) -> int:
        return sum(count for (side, _), count in self.lines.items() if side == kept)
