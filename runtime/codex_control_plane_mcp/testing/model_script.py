"""What the scripted model shall do, read from the last user message of a request.

A script is one step per line, in a fenced block whose language is `model`, or on lines that start with
`model:`; both forms may be mixed with prose:

    say TEXT             finish with this assistant message
    plan TEXT            finish with a proposed plan (Codex makes a plan item of it in plan mode)
    think TEXT           a reasoning item
    run COMMAND          run a shell command within the sandbox
    ask COMMAND          run a shell command outside of it, which asks for approval
    patch PATH CONTENT   create a file, which asks for approval outside of the writable roots
    question TEXT        ask the person through `request_user_input`
    widen PATH           ask for leave to write in a directory, through `request_permissions`
    use SERVER TOOL JSON call a tool of an MCP server that Codex uses
    call TOOL JSON       call a tool that a client of Codex offers (`dynamicTools`)
    wait GATE            hold the response until the gate is opened
    fail STATUS [TYPE]   answer with this HTTP status (after output: end the stream with `response.failed`)

Lines that start with `next:` are the script for messages that follow and hold none themselves.

``\\n`` stands for a line break in TEXT and CONTENT. The steps are done in order; each of `run`, `ask`,
`patch`, `question`, `widen`, `use` and `call` ends one model call, so the number of tool outputs after the
message tells where to go on. The script therefore needs no memory and outlives a restart of the model.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

Verb: TypeAlias = Literal[
    "say", "plan", "think", "run", "ask", "patch", "question", "widen", "use", "call", "wait", "fail"
]
"""The first word of a step."""

TOOL_VERBS: Final[frozenset[Verb]] = frozenset({"run", "ask", "patch", "question", "widen", "use", "call"})
"""Verbs that end a model call: Codex calls the model again with the output of the tool."""

_FENCE: Final = re.compile(r"^```model[ \t]*\n(?P<steps>.*?)^```", re.MULTILINE | re.DOTALL)
_LINE: Final = re.compile(r"^[ \t]*model:[ \t]*(?P<step>.+)$", re.MULTILINE)
_NEXT_LINE: Final = re.compile(r"^[ \t]*next:[ \t]*(?P<step>.+)$", re.MULTILINE)
_SUMMARY_LENGTH: Final = 80


class ScriptUnreadable(Exception):
    """A line of a script is no step; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the model does; `text` is all after the verb, with its line breaks."""

    verb: Verb
    text: str


def read_script(text: str, earlier: Sequence[str] = ()) -> tuple[Step, ...]:
    """Return the steps in a user message, else those that the latest of `earlier` ones has for what follows.

    Without either it is a canned answer that echoes the message. Raises ScriptUnreadable.
    """
    steps = tuple(read_step(line) for line in _step_lines(text))
    if steps:
        return steps
    for message in reversed(earlier):
        lines = [match["step"] for match in _NEXT_LINE.finditer(message)]
        if lines:
            return tuple(read_step(line) for line in lines)
    summary = " ".join(text.split())[:_SUMMARY_LENGTH]
    return (Step("say", f"I was asked: {summary}" if summary else "I was asked nothing."),)


def read_step(line: str) -> Step:
    """Return the step that one line describes. Raises ScriptUnreadable."""
    verb, _, text = line.strip().partition(" ")
    if verb not in get_args(Verb) or not text.strip():
        raise ScriptUnreadable(f"no step of a model script: {line.strip()!r}")
    return Step(cast(Verb, verb), text.strip().replace("\\n", "\n"))


def steps_of_call(steps: Sequence[Step], tool_outputs: int) -> tuple[Step, ...]:
    """Return the steps of one model call, given how many tool outputs followed the user message.

    The first call ends with the first tool step, and so on. After the last step the model says so.
    """
    calls: list[list[Step]] = [[]]
    for step in steps:
        calls[-1].append(step)
        if step.verb in TOOL_VERBS:
            calls.append([])
    if tool_outputs < len(calls) and calls[tool_outputs]:
        return tuple(calls[tool_outputs])
    return (Step("say", "Done."),)


def _step_lines(text: str) -> Iterator[str]:
    found = [(match.start(), match["steps"].splitlines()) for match in _FENCE.finditer(text)]
    found += [(match.start(), [match["step"]]) for match in _LINE.finditer(text)]
    for _, lines in sorted(found):
        yield from (line for line in lines if line.strip())
