"""Texts in Arrow columns: found by name or path through structs, read as UTF-8 from all types of strings, and replaced.

pyarrow is passed in, since it is an optional library.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "array_at", "is_list", "is_string", "is_text", "list_of_lines", "path_of", "set_text", "type_at", "utf8_of", "value_type", "with_texts",
]  # fmt: skip


def path_of(fields: Any, name: str, arrow: Any) -> tuple[int, ...] | None:
    """Return where a field is, by its very name or by a path through structs; None if it does not exist, or twice."""
    names = [field.name for field in fields]
    if names.count(name) == 1:
        return (names.index(name),)
    head, dot, rest = name.partition(".")
    while dot:
        if names.count(head) == 1 and arrow.types.is_struct(fields.field(position := names.index(head)).type):
            inner = path_of(_struct_fields(fields.field(position).type, arrow), rest, arrow)
            if inner is not None:
                return (position, *inner)
        step, dot, rest = rest.partition(".")
        head = f"{head}.{step}"
    return None


def _struct_fields(kind: Any, arrow: Any) -> Any:
    return arrow.schema([kind.field(number) for number in range(kind.num_fields)])


def type_at(schema: Any, path: tuple[int, ...]) -> Any:
    """Return the type at a path of a schema."""
    kind = schema.field(path[0]).type
    for position in path[1:]:
        kind = kind.field(position).type
    return kind


def array_at(rows: Any, path: tuple[int, ...]) -> Any:
    """Return the values at a path; null where a struct around them is."""
    from pyarrow import compute

    return compute.struct_field(rows.column(path[0]), list(path[1:])) if path[1:] else rows.column(path[0])


def value_type(kind: Any, arrow: Any) -> Any:
    """Return the type of the values of a column: that of the dictionary, if it has one."""
    return kind.value_type if arrow.types.is_dictionary(kind) else kind


_STRINGS, _BYTES = ("string", "large_string", "string_view"), ("binary", "large_binary", "binary_view")


def is_string(kind: Any, arrow: Any) -> bool:
    """Return whether values of a type are strings."""
    return _is_any(kind, _STRINGS, arrow)


def is_text(kind: Any, arrow: Any) -> bool:
    """Return whether values of a type are strings, or bytes that may be UTF-8."""
    return _is_any(kind, _STRINGS + _BYTES, arrow)


def _is_any(kind: Any, names: tuple[str, ...], arrow: Any) -> bool:
    return any(getattr(arrow.types, f"is_{name}", lambda _: False)(kind) for name in names)  # pyarrow 14 and 15 have no views


def is_list(kind: Any, arrow: Any) -> bool:
    """Return whether values of a type are lists of any length."""
    return arrow.types.is_list(kind) or arrow.types.is_large_list(kind)


def utf8_of(array: Any, limit: int, arrow: Any) -> list[bytes | int | None]:
    """Return texts as UTF-8, lists of strings joined by newlines; of a text beyond the limit, not copied into Python, its size."""
    kind = array.type
    if arrow.types.is_null(kind):
        return [None] * len(array)
    if not is_list(kind, arrow):
        return [_within(text, size, limit) for text, size in _with_sizes(array, arrow)]
    strings = iter(_with_sizes(array.flatten(), arrow))
    return [None if count is None else _joined([next(strings) for _ in range(count)], limit) for count in _counts(array)]


def _with_sizes(array: Any, arrow: Any) -> list[tuple[Any, int | None]]:
    """Return texts as scalars of bytes, which are not copied yet, with their sizes."""
    from pyarrow import compute

    kind = array.type
    texts = _as_binary(array.cast(kind.value_type) if arrow.types.is_dictionary(kind) else array, arrow)
    return list(zip(texts, compute.binary_length(texts).to_pylist()))


def _within(text: Any, size: int | None, limit: int) -> bytes | int | None:
    return size if size is not None and size > limit else text.as_py()


def _joined(strings: list[tuple[Any, int | None]], limit: int) -> bytes | int:
    size = sum(size or 0 for _, size in strings) + max(len(strings) - 1, 0)
    return size if size > limit else b"\n".join(text.as_py() or b"" for text, _ in strings)


def _as_binary(array: Any, arrow: Any) -> Any:
    """Return an array of strings or bytes as bytes, which pyarrow does not check for UTF-8."""
    kind = array.type
    if getattr(arrow.types, "is_string_view", lambda _: False)(kind):
        array = array.cast(arrow.large_string())
    return array.cast(arrow.large_binary())


def _counts(array: Any) -> list[int | None]:
    from pyarrow import compute

    return compute.list_value_length(array).to_pylist()


def list_of_lines(text: str) -> list[str]:
    """Return the lines of a text as a list; an empty text has none."""
    return text.split("\n") if text else []


def with_texts(column: Any, path: tuple[int, ...], texts: list[str | None], arrow: Any) -> Any:
    """Return a column with other texts at a path in it; null structs stay null."""
    kind = column.type
    if not path:
        return _text_array(texts, kind, arrow)
    inner = [column.field(number) for number in range(kind.num_fields)]
    inner[path[0]] = with_texts(inner[path[0]], path[1:], texts, arrow)
    fields = [kind.field(number) for number in range(kind.num_fields)]
    return arrow.StructArray.from_arrays(inner, fields=fields, mask=column.is_null())


def _text_array(texts: list[str | None], kind: Any, arrow: Any) -> Any:
    if arrow.types.is_null(kind):
        return arrow.nulls(len(texts))
    if is_list(kind, arrow):
        return arrow.array([None if text is None else list_of_lines(text) for text in texts], kind)
    strings = arrow.array(texts, arrow.large_string())
    if arrow.types.is_dictionary(kind):
        return strings.cast(kind.value_type).dictionary_encode().cast(kind)
    if getattr(arrow.types, "is_binary_view", lambda _: False)(kind):
        return strings.cast(arrow.binary()).cast(kind)
    return strings.cast(kind)


def set_text(row: dict[str, Any], fields: Any, path: tuple[int, ...], text: object) -> None:
    """Replace the text at a path of a row, which `to_pylist` made."""
    kind = None
    for position in path[:-1]:
        field = fields.field(position) if kind is None else kind.field(position)
        row, kind = row[field.name], field.type
    row[(fields if kind is None else kind).field(path[-1]).name] = text
