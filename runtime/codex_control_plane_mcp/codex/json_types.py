"""The shape of what JSON can say, for values that come from Codex."""

from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""Any JSON value as the standard library decodes it."""

JsonObject: TypeAlias = dict[str, JsonValue]
"""A JSON object: the params and the result of every Codex method."""
