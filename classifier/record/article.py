"""Article record of a page: title, lead, paragraphs, captions, dates and authors, from its labelled lines.

`record_of` is the one place where the parts of the room `record` meet. Lines are sorted by label; `keep` and `threshold`, which choose
the lines of a clean text, do not matter here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from classifier.core.arrays import flatnonzero
from classifier.io.notices import NO_ARTICLE, NOTHING_KEPT, Notice, notice
from classifier.labels import LABELS, Label
from classifier.record.duplicates import copies, text_key
from classifier.record.flags import language, page_flags
from classifier.record.headline import headline_of, title_passages, title_rows
from classifier.record.metadata import find_metadata
from classifier.record.normalization import normalized
from classifier.record.paragraphs import CAPTION, LEAD, Paragraph, Passage, Span, kinds_of, passages
from classifier.results import Labels

__all__ = ["Article", "record_notices", "record_of", "with_header"]


DIGITS = 4  # decimals of a confidence


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says: empty texts, empty tuples and None stand for what it lacks.

    Offsets count characters of the page's text as it was given.
    """

    title: str
    paragraphs: tuple[Paragraph, ...]
    captions: tuple[Paragraph, ...]
    authors: tuple[str, ...]
    published: datetime | None  # aware: Indochina time where the page names no zone
    updated: datetime | None
    source: str | None  # where the article was taken from, as the page says
    agency: str | None
    language: str | None  # "vi"; None for a page in another language
    confidence: float | None  # expected article F1 of the page
    flags: tuple[str, ...]  # reasons for a review, mostly none
    spans: tuple[Span, ...]  # of `text`, in order

    @property
    def lead(self) -> str:
        """The paragraph under the headline that sums the article up; empty if the first paragraph is a subhead or a list."""
        return next((paragraph.text for paragraph in self.paragraphs if paragraph.kind == LEAD), "")

    @property
    def text(self) -> str:
        """Title and paragraphs, each on a line of its own."""
        return "\n".join([text for text in (self.title, *(paragraph.text for paragraph in self.paragraphs)) if text])

    def to_dict(self) -> dict[str, Any]:
        """Return the record as values that JSON has, with the lead and without the text and its spans; dates are ISO 8601."""
        record = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "spans"}
        for name in ("paragraphs", "captions"):
            record[name] = [paragraph._asdict() for paragraph in record[name]]
        for name in ("published", "updated"):
            record[name] = record[name] and record[name].isoformat()
        return {"title": self.title, "lead": self.lead} | record | {name: list(record[name]) for name in ("authors", "flags")}


def record_of(page: Labels, normalize: bool = False, confidence: float | None = None) -> Article:
    """Return the record of one labelled page; `confidence` is that of `page_confidences`."""
    clean = normalized if normalize else str
    rows = title_rows(page)
    titles = title_passages(page, rows, clean)
    others = ([row for row in _rows(page, label) if row not in rows] for label in (Label.BODY, Label.CAPTION))
    bodies, captions = (passages(page, chosen, clean) for chosen in others)
    title, first = headline_of(page, titles, bodies, clean)
    body = _without_copies(bodies, title)
    captions = list({text_key(caption.text): caption for caption in reversed(captions)}.values())[::-1]
    paragraphs = [Paragraph(found.text, kind, found.start, found.end) for found, kind in zip(body, kinds_of(body, first))]
    metadata = find_metadata(page.lines, page.codes, title.row + len(title.spans) - 1 if title else None)
    return Article(
        title=title.text if title else "",
        paragraphs=tuple(paragraphs),
        captions=tuple(Paragraph(found.text, CAPTION, found.start, found.end) for found in captions),
        authors=metadata.authors,
        published=metadata.published,
        updated=metadata.updated,
        source=metadata.source,
        agency=metadata.agency,
        language=language(page),
        confidence=confidence if confidence is None else round(confidence, DIGITS),
        flags=page_flags(page._replace(kept=page.codes == LABELS.index(Label.BODY))),
        spans=tuple(_spans([*([title] if title else []), *body])),
    )


def record_notices(page: Labels, record: Article) -> tuple[Notice, ...]:
    """Return the notices about a page for its record: a page with text and no paragraphs has no article; what is kept does not matter."""
    others = tuple(found for notices in page.notices for found in notices if found.kind != NOTHING_KEPT)
    return others if record.paragraphs or not (page.codes >= 0).any() else (*others, notice(NO_ARTICLE))


def with_header(record: Article) -> str:
    """Return the text of a record below lines that name its title, dates, authors and source, and a blank line."""
    values = {
        "Title": record.title,
        "Published": record.published and record.published.isoformat(),
        "Updated": record.updated and record.updated.isoformat(),
        "Authors": ", ".join(record.authors),
        "Source": record.source,
        "Flags": ", ".join(record.flags),
    }
    header = [f"{name}: {value}" for name, value in values.items() if value]
    return "\n".join([*header, "", *(paragraph.text for paragraph in record.paragraphs)])


def _rows(page: Labels, label: Label) -> list[int]:
    return flatnonzero(page.codes == LABELS.index(label)).tolist()


def _without_copies(bodies: Sequence[Passage], title: Passage | None) -> list[Passage]:
    """Return the paragraphs without copies, of the headline too."""
    keys = [text_key(body.text) for body in bodies]
    headline = text_key(title.text) if title else ""
    left = [place for place, key in enumerate(keys) if key != headline]
    dropped = copies([keys[place] for place in left])
    return [bodies[place] for number, place in enumerate(left) if number not in dropped]


def _spans(found: Sequence[Passage]) -> list[Span]:
    """Return the spans of passages that stand on lines of their own."""
    spans, start = [], 0
    for passage in found:
        spans += [Span(start + first, start + last, source, source_end) for first, last, source, source_end in passage.spans]
        start += len(passage.text) + 1
    return spans
