"""What a client loads before it does anything stays small, also with the tools that are still to come."""

import json
from typing import Final, cast

from codex_control_plane_contract.contract import INSTRUCTIONS
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.raw_client import RawClient

PLANNED_TOOLS: Final = 38
"""Contract §3."""
TO_COME: Final = max(PLANNED_TOOLS - len(TOOLS), 0)
BYTES_TO_COME: Final = 900
"""What a tool that is to come may take in the list: they read, and have few arguments (contract §3)."""
LONGEST_INSTRUCTIONS: Final = 2048
"""Clients cut them off there."""


def test_the_compact_guide_has_room_for_every_tool(raw: RawClient) -> None:
    """It is read at the start of every conversation: under 6,000 bytes, with the longest rules."""
    raw.initialize()
    guide = cast("JsonObject", raw.call("codex_get_agent_contract", {})["structuredContent"])
    tools = cast("list[JsonValue]", guide["tools"])
    assert "errors" not in guide
    tools_to_come = TO_COME * _bytes(tools) // len(tools)
    rules_to_come = LONGEST_INSTRUCTIONS - len(INSTRUCTIONS)
    assert _bytes(guide) + tools_to_come + rules_to_come < 6000


def test_the_list_of_tools_has_room_for_every_tool(raw: RawClient) -> None:
    """45,000 bytes at most, with what is set aside for those to come."""
    raw.initialize()
    listed = cast("JsonObject", raw.request("tools/list")["result"])
    assert _bytes(listed) + TO_COME * BYTES_TO_COME <= 45_000


def _bytes(value: JsonValue) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
