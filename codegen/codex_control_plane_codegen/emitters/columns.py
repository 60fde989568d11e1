"""How a column of the spec appears in Python."""

from collections.abc import Iterator, Sequence

from codex_control_plane_codegen.model import Assignment, Column
from codex_control_plane_codegen.python_source import Call, Expression, camel_case

_PYTHON_TYPES = {"text": "str", "integer": "int", "timestamp": "int", "number": "float", "boolean": "bool"}
_JSON_TYPES = {"object": "JsonObject", "array": "JsonArray"}
_KINDS = {
    "text": "text",
    "enum": "text",
    "integer": "integer",
    "timestamp": "integer",
    "number": "number",
    "boolean": "boolean",
}


def python_type(column: Column) -> str:
    """The type of a filled column: a built-in, the alias of an enum, or the shape of a JSON value."""
    if column.type == "enum":
        return camel_case(column.name)
    if column.type == "json":
        shape = column.shape or "object"
        return _JSON_TYPES.get(shape, shape)
    return _PYTHON_TYPES[column.type]


def field_type(column: Column) -> str:
    """The type of the column in a row."""
    return f"{python_type(column)} | None" if column.optional else python_type(column)


def stored_column(column: Column) -> Expression:
    """The `Column` of the emitted module `rows` that reads it."""
    if column.type == "json":
        kind = "array" if column.shape == "array" else "object"
    else:
        kind = _KINDS[column.type]
    named: dict[str, Expression] = {"optional": True} if column.optional else {}
    if column.values:
        named["values"] = column.values
    return Call("Column", (column.name, kind), named)


def shapes(columns: Sequence[Column]) -> set[str]:
    """The names of the JSON shapes that the columns have, as Python imports them."""
    return {python_type(column) for column in columns if column.type == "json"}


def parameters(assignments: Sequence[Assignment], columns: Sequence[Column]) -> Iterator[str]:
    """The keywords with which a method is given the new values, those without a default first."""
    by_name = {column.name: column for column in columns}
    given = [item for item in assignments if item.effect == "given"]
    perhaps = [item for item in assignments if item.effect in ("optional", "kept")]
    for item in given:
        yield f"{item.column}: {python_type(by_name[item.column])}"
    for item in perhaps:
        yield f"{item.column}: {python_type(by_name[item.column])} | None = None"


def copies(assignments: Sequence[Assignment]) -> bool:
    """Whether the new row takes columns over from another one, which its function is given as `original`."""
    return any(item.effect == "copied" for item in assignments)


def arguments(assignments: Sequence[Assignment], columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    """The named parameters of the statement, as expressions over the keywords and `original`."""
    by_name = {column.name: column for column in columns}
    for item in assignments:
        column = by_name[item.column]
        if item.effect == "copied":
            yield column.name, _stored(f"original.{column.name}", column, may_be_none=column.optional)
        elif item.effect in ("given", "optional", "kept"):
            yield column.name, _stored(column.name, column, may_be_none=item.effect != "given")


def _stored(value: str, column: Column, *, may_be_none: bool) -> str:
    if column.type == "json":
        return f"{'optional_json_text' if may_be_none else 'json_text'}({value})"
    return value
