"""How frames of an app-server are read."""

import pytest

from codex_control_plane_mcp.codex.connection import server_version
from codex_control_plane_mcp.codex.messages import (
    Message,
    Notification,
    Refusal,
    Reply,
    ServerRequest,
    decode,
)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"method":"m","params":{"a":1}}', Notification("m", {"a": 1})),
        ('{"method":"m"}', Notification("m", {})),
        ('{"id":0,"method":"m","params":{}}', ServerRequest(0, "m", {})),
        ('{"id":"x","method":"m","params":null}', ServerRequest("x", "m", {})),
        ('{"id":1,"result":{"a":null}}', Reply(1, {"a": None})),
        ('{"id":1,"result":null}', Reply(1, None)),
        ('{"id":1,"error":{"code":-32600,"message":"no","data":[1]}}', Refusal(1, -32600, "no", [1])),
        ('{"id":1,"error":{}}', Refusal(1, 0, "", None)),
    ],
)
def test_each_kind_of_message_is_recognised(frame: str, message: Message) -> None:
    """A member that Codex leaves out has its neutral value."""
    assert decode(frame) == message


@pytest.mark.parametrize(
    "frame", ["", "{", "[]", "1", '{"id":1}', '{"id":true,"result":{}}', '{"id":1.5,"result":{}}', b"\xff"]
)
def test_what_is_no_message_is_skipped(frame: str | bytes) -> None:
    """Nothing that Codex could send ends the reader."""
    assert decode(frame) is None


@pytest.mark.parametrize(
    ("user_agent", "version"),
    [("codex-control-plane-mcp/0.163.0 (Debian 12.0.0; x86_64) xterm", "0.163.0"), ("odd", ""), ("", "")],
)
def test_the_version_is_read_from_the_user_agent(user_agent: str, version: str) -> None:
    """Codex says its version nowhere else."""
    assert server_version(user_agent) == version
