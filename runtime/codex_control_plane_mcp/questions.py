"""Codex's questions: in words, with their risk, and which arguments answer them.

Method names and shapes: spec/codex.yaml, server_requests. The answers themselves are composed in `answers`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from codex_control_plane_contract.lifecycles.interaction import InteractionRow
from codex_control_plane_contract.types import AnswerSchema, FileChange, Question, RiskSummary
from codex_control_plane_contract.values import JsonArray, JsonObject, JsonValue

Kind = Literal["approval", "permissions", "user_input", "elicitation"]

COMMAND = "item/commandExecution/requestApproval"
FILE_CHANGE = "item/fileChange/requestApproval"
PERMISSIONS = "item/permissions/requestApproval"
USER_INPUT = "item/tool/requestUserInput"
ELICITATION = "mcpServer/elicitation/request"
TOOL_CALL: Final = "mcp_tool_call"
"""How Codex marks an elicitation in which not the MCP server asks, but Codex, for leave to call its tool."""

_DIFF_CHARS = 20_000
_DANGEROUS = (
    "rm ",
    "sudo ",
    "dd ",
    "mkfs",
    "curl ",
    "wget ",
    "git push",
    "chmod ",
    "chown ",
    "kill",
    "> /dev/",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is stored: which request, its parameters, the changes under question."""

    method: str
    kind: Kind
    params: JsonObject
    changes: JsonArray | None = None


def asked_of(row: InteractionRow) -> Asked:
    """Return the question that a row holds."""
    return Asked(row.method, row.kind, row.params, row.changes)


def prompt(asked: Asked) -> str:
    """Return the question in words that a person can answer."""
    params = asked.params
    reason = _text(params.get("reason"))
    because = f" Reason given: {reason}" if reason else ""
    if asked.method == COMMAND:
        return _command_prompt(params) + because
    if asked.method == FILE_CHANGE:
        paths = ", ".join(change["path"] for change in file_changes(asked)) or "files"
        return f"Codex asks to change: {paths}.{because}"
    if asked.method == PERMISSIONS:
        return f"Codex asks for more permissions: {_wish(params.get('permissions'))}.{because}"
    if asked.method == USER_INPUT:
        return " ".join(question["question"] for question in questions(asked)) or "Codex asks a question."
    return _elicitation_prompt(params)


def questions(asked: Asked) -> list[Question]:
    """Return the single questions of a user_input request; empty for the other kinds."""
    listed = asked.params.get("questions")
    if asked.method != USER_INPUT or not isinstance(listed, list):
        return []
    return [_question(entry) for entry in listed if isinstance(entry, dict)]


def file_changes(asked: Asked) -> list[FileChange]:
    """Return the file changes under question, each diff cut at 20,000 characters."""
    return [_file_change(change) for change in asked.changes or [] if isinstance(change, dict)]


def risk(asked: Asked) -> RiskSummary:
    """Return what an acceptance would allow, and how much that is."""
    params = asked.params
    if asked.method == COMMAND:
        command = _text(params.get("command"))
        level: Literal["medium", "high"] = "high" if any(word in command for word in _DANGEROUS) else "medium"
        return {
            "level": level,
            "category": "command",
            "summary": "Runs outside the sandbox.",
            "commandPreview": command[:500],
        }
    if asked.method == FILE_CHANGE:
        summary: RiskSummary = {
            "level": "medium",
            "category": "file_change",
            "summary": f"Changes {len(asked.changes or [])} file(s).",
        }
        if root := _text(params.get("grantRoot")):
            summary["grantRoot"] = root
        return summary
    if asked.method == PERMISSIONS:
        return {"level": "high", "category": "permissions", "summary": "Widens what this turn may touch."}
    if asked.method == USER_INPUT:
        return {"level": "low", "category": "question", "summary": "Answers go to Codex as they are."}
    if _object(params.get("_meta")).get("codex_approval_kind") == TOOL_CALL:
        return {"level": "medium", "category": "elicitation", "summary": "Lets a tool of an MCP server run."}
    return {"level": "medium", "category": "elicitation", "summary": "Answers go to an MCP server."}


def answer_schema(asked: Asked) -> AnswerSchema:
    """Return which arguments of codex_answer_pending_interaction fit."""
    match asked.kind:
        case "approval":
            return {"type": "approval_decision", "arguments": ["decision"]}
        case "permissions":
            return {"type": "permissions", "arguments": ["permissions", "scope"]}
        case "user_input":
            return {"type": "question_answers", "arguments": ["answers"]}
        case "elicitation":
            schema = asked.params.get("requestedSchema")
            form: AnswerSchema = {"type": "elicitation", "arguments": ["action", "content"]}
            if isinstance(schema, dict):
                form["schema"] = schema
            return form


def is_secret(asked: Asked) -> bool:
    """Return whether an answer may hold a secret, which must not be stored in the clear (contract §10)."""
    return any(question.get("isSecret", False) for question in questions(asked))


def refusal(asked: Asked) -> JsonObject:
    """Return the answer that declines: what the deadline sends."""
    match asked.kind:
        case "approval":
            return {"decision": "decline"}
        case "permissions":
            return {"permissions": {}, "scope": "turn"}
        case "user_input":
            return {"answers": {}}
        case "elicitation":
            return {"action": "decline", "content": None}


def _command_prompt(params: JsonObject) -> str:
    network = _object(params.get("networkApprovalContext"))
    if host := _text(network.get("host")):
        return f"Codex asks to reach {host} ({_text(network.get('protocol'))})."
    directory = _text(params.get("cwd"))
    return f"Codex asks to run: {_text(params.get('command'))} (in {directory})."


def _elicitation_prompt(params: JsonObject) -> str:
    # A device-authenticated one has a description in place of a message.
    asks = _text(params.get("message")) or _text(params.get("description"))
    words = f"{_text(params.get('serverName'))} asks: {asks}"
    if url := _text(params.get("url")):
        return f"{words} (at {url})"
    call = _object(params.get("_meta"))
    return f"{words} Parameters: {_brief(call['tool_params'])}" if "tool_params" in call else words


def _wish(permissions: JsonValue) -> str:
    """Return in words what is asked for; what has no words, as JSON."""
    return "; ".join(_wishes(_object(permissions))) or _brief(permissions)


def _wishes(permissions: JsonObject) -> Iterator[str]:
    network, files = _object(permissions.get("network")), _object(permissions.get("fileSystem"))
    if network.get("enabled") is True:
        yield "use the network"
    for access in ("read", "write"):
        paths = files.get(access)
        if isinstance(paths, list) and paths:
            yield f"{access} in {', '.join(map(_text, paths))}"
    named = [*_items(files.get("read")), *_items(files.get("write"))]
    for entry in map(_object, _items(files.get("entries"))):
        place = _object(entry.get("path"))
        # The list of entries repeats what `read` and `write` name.
        if place.get("path") not in named:
            yield f"{_text(entry.get('access'))} {_brief(place)}"


def _question(entry: JsonObject) -> Question:
    question: Question = {"id": _text(entry.get("id")), "question": _text(entry.get("question"))}
    if header := _text(entry.get("header")):
        question["header"] = header
    if entry.get("isSecret") is True:
        question["isSecret"] = True
    if entry.get("isOther") is True:
        question["isOther"] = True
    options = entry.get("options")
    if isinstance(options, list) and options:
        question["options"] = [
            {"label": _text(option.get("label")), "description": _text(option.get("description"))}
            for option in options
            if isinstance(option, dict)
        ]
    return question


def _file_change(change: JsonObject) -> FileChange:
    kind = change.get("kind")
    shown: FileChange = {
        "path": _text(change.get("path")),
        "kind": _text(kind.get("type")) if isinstance(kind, dict) else _text(kind),
    }
    diff = _text(change.get("diff"))
    if diff:
        shown["diff"] = diff[:_DIFF_CHARS]
    if len(diff) > _DIFF_CHARS:
        shown["truncated"] = True
    return shown


def _brief(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= 500 else f"{text[:500]}…"


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _items(value: JsonValue) -> JsonArray:
    return value if isinstance(value, list) else []


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
