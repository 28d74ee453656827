"""Changes of texts that several tests make."""

from __future__ import annotations

import unicodedata


def unaccented(text: str) -> str:
    """Return Vietnamese text without its accents."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in bare if not unicodedata.combining(char))
