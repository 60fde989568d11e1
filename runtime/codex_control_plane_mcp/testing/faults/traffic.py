"""What goes over a connection between a worker and Codex: each message with what it is about."""

import json
from collections.abc import Mapping, MutableMapping
from typing import cast

from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue
from codex_control_plane_mcp.testing.faults.fault import Direction, Subject


class Traffic:
    """The messages of one connection.

    A reply names no method, so the calls before it are remembered; so are the questions of Codex in
    ``asked``, which is shared by all connections, since an answer may come over another one.
    """

    def __init__(self, asked: MutableMapping[str, str]) -> None:
        self._asked = asked
        self._called: dict[str, str] = {}

    def subject(self, direction: Direction, message: Mapping[str, JsonValue]) -> Subject | None:
        """Return what a message is about, None for one that cannot be told."""
        method, key = message.get("method"), json.dumps(message.get("id"))
        if isinstance(method, str):
            return self._spoken(direction, method, key if "id" in message else None)
        return self._answered(direction, key)

    def _spoken(self, direction: Direction, method: str, key: str | None) -> Subject:
        if key is None:
            return Subject("notification", method)
        if direction == "to_codex":
            self._called[key] = method
            return Subject("request", method)
        self._asked[key] = method
        return Subject("question", method)

    def _answered(self, direction: Direction, key: str) -> Subject | None:
        if direction == "to_codex":
            return Subject("answer", self._asked[key]) if key in self._asked else None
        return Subject("reply", self._called[key]) if key in self._called else None


def read_message(frame: str | bytes) -> JsonObject:
    """Return the message in a frame; neither side writes anything but objects."""
    return cast("JsonObject", json.loads(frame))
