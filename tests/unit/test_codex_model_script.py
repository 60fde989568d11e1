"""How the scripted model reads its script."""

import pytest

from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.testing.model_request import ModelRequest
from codex_control_plane_mcp.testing.model_script import ScriptUnreadable, Step, read_script, steps_of_call
from codex_control_plane_mcp.testing.response_stream import ResponseStream

SCRIPT = (Step("think", "a"), Step("run", "b"), Step("ask", "c"), Step("say", "d"))


def user(text: str) -> JsonObject:
    """A message of the person in a request."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def test_lines_and_blocks_are_read_in_order() -> None:
    """Both forms may stand in prose."""
    text = "Please\nmodel: think a\n```model\nrun b\n\nask c\n```\nand then\n  model: say d"
    assert read_script(text) == SCRIPT


def test_a_message_without_a_script_is_echoed() -> None:
    """The canned answer is short."""
    assert read_script("what\n is up") == (Step("say", "I was asked: what is up"),)
    assert len(read_script("x" * 10_000)[0].text) < 120


@pytest.mark.parametrize("line", ["dance", "say", "model"])
def test_an_unknown_step_is_quoted(line: str) -> None:
    """A typing error in a test shall not look like an answer."""
    with pytest.raises(ScriptUnreadable, match=repr(line)):
        read_script(f"model: {line}")


def test_each_tool_step_ends_a_model_call() -> None:
    """The outputs so far tell which call it is; after the end there is still an answer."""
    assert steps_of_call(SCRIPT, 0) == SCRIPT[:2]
    assert steps_of_call(SCRIPT, 1) == SCRIPT[2:3]
    assert steps_of_call(SCRIPT, 2) == SCRIPT[3:]
    assert steps_of_call(SCRIPT, 3) == (Step("say", "Done."),)
    assert steps_of_call(SCRIPT[:2], 1) == (Step("say", "Done."),)


def test_injected_context_is_not_the_persons_message() -> None:
    """Codex speaks in the person's role too; outputs are counted from what the person said last."""
    body: JsonObject = {
        "client_metadata": {"thread_id": "t", "turn_id": "u"},
        "input": [
            user("old"),
            {"type": "function_call_output", "output": "before"},
            user("hello"),
            user("<environment_context>\n<cwd>/x</cwd>\n</environment_context>"),
            {"type": "function_call_output", "output": "after"},
            {"type": "custom_tool_call_output", "output": [{"type": "input_text", "text": "parts"}]},
        ],
    }
    request = ModelRequest.read({}, body)
    assert (request.thread_id, request.turn_id) == ("t", "u")
    assert (request.user_text, request.tool_outputs) == ("hello", ("after", "parts"))


def test_the_same_request_gives_the_same_bytes() -> None:
    """The model is deterministic, so that a repeated run of a test is the same run."""
    request = ModelRequest.read({"thread-id": "t"}, {"input": [user("hello")]})

    def answer() -> list[bytes]:
        stream = ResponseStream(request)
        return [stream.open(), *stream.step(Step("say", "a b")), stream.close()]

    assert answer() == answer()
