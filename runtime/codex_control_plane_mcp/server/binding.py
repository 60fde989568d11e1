"""One tool bound to what a call of it needs: its compiled schemas and its handler."""

import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeAlias, cast

from jsonschema_rs import Draft202012Validator

from codex_control_plane_contract.tools import Tool
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.server.argument_faults import ArgumentCheck

Handler: TypeAlias = Callable[[Context, object], Awaitable[Mapping[str, JsonValue]]]

_HANDLERS: Final = "codex_control_plane_mcp.handlers"


@dataclass(frozen=True, slots=True)
class Binding:
    """What checks the arguments of a tool, what answers it, and what checks the answer."""

    arguments: ArgumentCheck
    handler: Handler
    result: Draft202012Validator

    @classmethod
    def of(cls, tool: Tool, handler: Handler) -> Self:
        """Return `tool`, answered by `handler`, with its schemas compiled."""
        # Masked, because the message of a misfit goes to the log, where no prompt belongs.
        result = Draft202012Validator(tool.output_schema, mask="(value)")
        return cls(ArgumentCheck(tool.input_schema), handler, result)


def handler_named(name: str) -> Handler:
    """Return the function that `spec/tools` names as `module.function`, of the package `handlers`.

    That there is such a function, and of the right type, `generated/handler_bindings.py` has shown.
    """
    module, _, function = name.partition(".")
    return cast("Handler", getattr(importlib.import_module(f"{_HANDLERS}.{module}"), function))
