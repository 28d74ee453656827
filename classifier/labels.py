"""The twelve line labels, each with a one-sentence description and an example, and the rules for borderline cases.

Their order is part of the model format: it is the order of the probabilities. `DEFAULT_KEEP` is the article itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from classifier.errors import InputError

__all__ = ["BORDERLINE", "DEFAULT_KEEP", "EVIDENCE", "HEADINGS", "LABELS", "Label", "parse_keep"]


class Label(str, Enum):
    """The role of a line on its page; compares equal to its name, so `line.label == "body"` works."""

    description: str
    example: str

    def __new__(cls, value: str, description: str, example: str) -> Label:
        """Attach description and example to the string value."""
        label = str.__new__(cls, value)
        label._value_ = value
        label.description = description
        label.example = example
        return label

    TITLE = "title", "the page's own headline, each time it is printed as a headline", "Làng gốm bên sông đỏ lửa trở lại"
    BODY = (
        "body",
        "the article: lead, paragraphs, subheads, list items, quotes, its tables and boxes",
        "Sáng 4/3, ba lò gốm đầu tiên của làng được nhóm lửa sau hai năm nguội lạnh.",
    )
    CAPTION = (
        "caption",
        "captions, credits and alt texts of the article's own pictures and videos",
        "Người thợ trẻ vuốt miệng bình trên bàn xoay. (Ảnh: Vũ Lâm)",
    )
    META = "meta", "byline, dateline, source, agency", "07:15 | 04/03/2025 GMT+7"
    NAV = (
        "nav",
        "menus, breadcrumbs, buttons, sharing, search, login, tags, pagination, loading texts, site clock, price widgets",
        "Trang chủ > Văn hóa > Làng nghề",
    )
    RELATED = (
        "related",
        "links and teasers to other articles, headings and times included, wherever they stand",
        "Tin cùng chuyên mục",
    )
    MOST_READ = "most_read", "lists under a most-read heading, heading included", "Đọc nhiều"
    MEDIA = (
        "media",
        "video, photo, infographic and podcast strips, player texts, stray image markup",
        "[Video] Một ngày ở xưởng gốm",
    )
    WEATHER = (
        "weather",
        "weather widgets; any teaser whose headline is a weather forecast",
        "Thời tiết hôm nay (4/3): Bắc Bộ trưa chiều hửng nắng",
    )
    COMMENT = "comment", "reader comments, the comment form and its hints", "Ý kiến của bạn sẽ được duyệt trước khi đăng"
    PROMO = "promo", "ads, sponsored boxes, newsletter, app and follow-us calls", "Tải ứng dụng để đọc báo nhanh hơn"
    FOOTER = (
        "footer",
        "imprint: publisher, licence, editor-in-chief, address, phones, copyright, mobile-version link",
        "Tổng biên tập: Đặng Vĩnh Khoa",
    )

    def __str__(self) -> str:
        """Return the bare name; without this, `str(label)` and f-strings would depend on the Python version."""
        return self.value

    def __format__(self, spec: str) -> str:
        """Format the bare name."""
        return format(self.value, spec)


LABELS: tuple[Label, ...] = tuple(Label)
DEFAULT_KEEP: frozenset[Label] = frozenset({Label.TITLE, Label.BODY})

# The labelling guide beyond the table: cases on which people and language models differ. docs/RETRAINING.md lists them.
BORDERLINE = (
    "A subhead of the article is body; title is the page's own headline only, every time it is printed as a headline.",
    "A teaser for another article is related wherever it is, also between paragraphs; its heading, section, author, time, counts "
    "and picture text belong to it, and so does a link such as “Xem thêm” that ends a list of teasers.",
    "Texts of the article's own pictures and videos, their titles included, are caption, even where they tell the story; prose "
    "between the pictures of a photo story is body.",
    "Dialogs for login, payment or consent are nav; the form for comments and its hints are comment.",
    "Share buttons are nav, links to the publisher's pages on other networks promo, and links inside the imprint footer.",
    "The clock of the site is nav; the date of the article is meta.",
    "Markup of a picture without any text is media.",
    "In lines that a crawler has put above the page, the headline is title, and source and date are meta.",
)

# Classes of the first pass. The headings of six kinds of blocks are classes of their own, since a heading determines what follows it.
HEADINGS = ("related", "most_read", "media", "comment", "promo", "weather")
EVIDENCE = (*(label.value for label in LABELS), *(f"{name} heading" for name in HEADINGS))


def parse_keep(names: str | Iterable[str]) -> frozenset[Label]:
    """Return the labels named by an iterable or by one comma-separated string.

    Raises:
        InputError: a name is unknown, or none is given.

    >>> sorted(parse_keep("body, caption"))
    [<Label.BODY: 'body'>, <Label.CAPTION: 'caption'>]
    """
    if not isinstance(names, Iterable):
        raise InputError(f"keep takes label names, not {type(names).__name__}; give one string, such as 'title,body', or a list")
    wanted = names.split(",") if isinstance(names, str) else list(names)
    wanted = [str(name).strip() for name in wanted]
    known = {label.value: label for label in LABELS}
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        problem = f"unknown label {unknown[0]!r}" if unknown else "no label to keep"
        raise InputError(f"{problem}; choose from {', '.join(label.value for label in LABELS)}")
    return frozenset(known[name] for name in wanted)
