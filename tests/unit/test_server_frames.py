"""Lines and messages: whatever bytes arrive, in whatever pieces."""

import json

from hypothesis import given
from hypothesis import strategies as st
from mcp_types import JSONRPCError

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.server.frames import Rejection, decode, encode
from codex_control_plane_mcp.server.lines import LineSplitter, Overlong

TEXTS = st.text(st.characters(categories=["Cs", "Cc", "L", "N", "P"]), max_size=20)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "1.0", 2]),
        "id": VALUES,
        "method": VALUES,
        "params": VALUES,
        "result": VALUES,
        "error": VALUES,
    },
)


@given(st.binary())
def test_any_bytes_are_a_message_or_are_refused(line: bytes) -> None:
    """Nothing else can happen, and a refusal can be sent."""
    frame = decode(line)
    if isinstance(frame, Rejection):
        assert json.loads(encode(frame.answer()))["error"]["code"] in (-32700, -32600)


@given(MESSAGES)
def test_any_object_is_a_message_or_is_refused(content: dict[str, JsonValue]) -> None:
    """What was read can be written, as one line."""
    frame = decode(json.dumps(content).encode())
    line = encode(frame.answer() if isinstance(frame, Rejection) else frame)
    assert line.count(b"\n") == 1
    json.loads(line)


@given(st.lists(st.binary(max_size=12)), st.integers(min_value=1, max_value=20))
def test_lines_do_not_depend_on_how_their_bytes_arrive(chunks: list[bytes], limit: int) -> None:
    """Each line is given once, whole or as overlong; a last one without a line feed too."""
    splitter = LineSplitter(limit)
    found = [line for chunk in chunks for line in splitter.feed(chunk)] + list(splitter.finish())
    expected = b"".join(chunks).split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert found == [line if len(line) <= limit else Overlong(limit) for line in expected]


def test_an_error_that_a_client_sends_is_read_as_one() -> None:
    """The SDK pairs it with a request of ours."""
    assert isinstance(decode(b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'), JSONRPCError)
