"""Arrow type of the field `article`: a struct with the fields of `Article.to_dict`, the same in every file."""

from __future__ import annotations

from typing import Any

__all__ = ["article_type"]


def article_type(arrow: Any) -> Any:
    """Return the struct type; dates are ISO 8601 text, since each keeps its own UTC offset."""
    text, integer = arrow.string(), arrow.int64()
    passages = arrow.list_(arrow.struct([("text", text), ("kind", text), ("start", integer), ("end", integer)]))
    kinds = {"paragraphs": passages, "captions": passages, "authors": arrow.list_(text), "flags": arrow.list_(text)}
    kinds["confidence"] = arrow.float64()
    return arrow.struct([(name, kinds.get(name, text)) for name in _FIELDS])


_FIELDS = (
    "title", "lead", "paragraphs", "captions", "authors", "published", "updated", "source", "agency", "language", "confidence", "flags",
)  # fmt: skip
