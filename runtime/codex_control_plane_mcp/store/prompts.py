"""What the store knows of the prompts of a project, without the prompts themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

from codex_control_plane_contract.lifecycles.operation import State
from codex_control_plane_contract.values import JsonObject, Value


@dataclass(frozen=True, slots=True)
class KnownPrompt:
    """A task as the guard against duplicates sees it; `prompt_print` is what it is compared by."""

    operation_id: str
    status: State
    thread_id: str | None
    turn_id: str | None
    prompt_hash: str
    prompt_print: JsonObject | None
    resource_keys: tuple[str, ...]

    @classmethod
    def read(cls, row: Mapping[str, Value]) -> Self:
        """Return a row of `active_prompts` or `finished_prompt`."""
        stored = row["prompt_print"]
        return cls(
            operation_id=str(row["operation_id"]),
            status=cast("State", row["state"]),
            thread_id=cast("str | None", row["thread_id"]),
            turn_id=cast("str | None", row["turn_id"]),
            prompt_hash=str(row["prompt_hash"]),
            prompt_print=cast("JsonObject", json.loads(stored)) if isinstance(stored, str) else None,
            resource_keys=tuple(json.loads(str(row["resource_keys"]))),
        )
