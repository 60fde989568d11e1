"""Codex's questions: in words, with their risk, and with the one form of answer that Codex takes.

A malformed answer is consumed by Codex without a word, so every answer is composed here and nowhere else,
by the server before it is stored. Method names and shapes: spec/codex.yaml, server_requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from codex_control_plane_contract.arguments import AnswerPendingInteractionArguments
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles.interaction import InteractionRow
from codex_control_plane_contract.types import AnswerSchema, FileChange, Question, RiskSummary
from codex_control_plane_contract.values import JsonArray, JsonObject, JsonValue

ValueT = TypeVar("ValueT")

Kind = Literal["approval", "permissions", "user_input", "elicitation"]

COMMAND = "item/commandExecution/requestApproval"
FILE_CHANGE = "item/fileChange/requestApproval"
PERMISSIONS = "item/permissions/requestApproval"
USER_INPUT = "item/tool/requestUserInput"
ELICITATION = "mcpServer/elicitation/request"

DECISIONS = ("accept", "acceptForSession", "decline", "cancel")
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
        return f"Codex asks to run: {_text(params.get('command'))} (in {_text(params.get('cwd'))}).{because}"
    if asked.method == FILE_CHANGE:
        paths = ", ".join(change["path"] for change in file_changes(asked)) or "files"
        return f"Codex asks to change: {paths}.{because}"
    if asked.method == PERMISSIONS:
        return f"Codex asks for more permissions: {_brief(params.get('permissions'))}.{because}"
    if asked.method == USER_INPUT:
        return " ".join(question["question"] for question in questions(asked)) or "Codex asks a question."
    # A device-authenticated one has a description in place of a message.
    asks = _text(params.get("message")) or _text(params.get("description"))
    return f"{_text(params.get('serverName'))} asks: {asks}"


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


def compose(asked: Asked, arguments: AnswerPendingInteractionArguments) -> JsonObject:
    """Return the answer as Codex takes it. Raises INVALID_ARGUMENT for one that does not fit the question."""
    _refuse_strangers(asked, arguments)
    match asked.kind:
        case "approval":
            return {"decision": _given("decision", arguments.decision, list(DECISIONS))}
        case "permissions":
            return _granted(asked, arguments)
        case "user_input":
            return _answers(asked, arguments.answers)
        case "elicitation":
            return _elicited(asked, arguments)


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


def _refuse_strangers(asked: Asked, arguments: AnswerPendingInteractionArguments) -> None:
    fitting = set(answer_schema(asked)["arguments"])
    given = {
        "decision": arguments.decision,
        "answers": arguments.answers,
        "action": arguments.action,
        "content": arguments.content,
        "permissions": arguments.permissions,
    }
    for name, value in given.items():
        if value is not None and name not in fitting:
            raise InvalidArgument(
                f"{name} does not fit a question of kind {asked.kind}; give {' and '.join(sorted(fitting))}.",
                path=name,
                allowed=[*sorted(fitting)],
            )


def _granted(asked: Asked, arguments: AnswerPendingInteractionArguments) -> JsonObject:
    permissions = _given(
        "permissions", arguments.permissions, ["{} grants nothing", "a part of what is asked"]
    )
    wanted = asked.params.get("permissions")
    excess = sorted(set(permissions) - set(wanted if isinstance(wanted, dict) else {}))
    if excess:
        raise InvalidArgument(
            f"permissions.{excess[0]} was not asked for.",
            path=f"permissions.{excess[0]}",
            allowed=_keys(wanted),
        )
    return {"permissions": permissions, "scope": arguments.scope}


def _answers(asked: Asked, answers: Mapping[str, list[str]] | None) -> JsonObject:
    known = [question["id"] for question in questions(asked)]
    given = _given("answers", answers, known)
    for name in given:
        if name not in known:
            raise InvalidArgument(
                f"answers.{name}: no such question.", path=f"answers.{name}", allowed=[*known]
            )
    missing = [name for name in known if not given.get(name)]
    if missing:
        raise InvalidArgument(
            f"answers.{missing[0]}: this question has no answer.",
            path=f"answers.{missing[0]}",
            allowed=[*known],
        )
    return {"answers": {name: {"answers": [*texts]} for name, texts in given.items()}}


def _elicited(asked: Asked, arguments: AnswerPendingInteractionArguments) -> JsonObject:
    action = _given("action", arguments.action, ["accept", "decline", "cancel"])
    if action != "accept":
        return {"action": action, "content": None}
    content: JsonObject = dict(arguments.content or {})
    schema = asked.params.get("requestedSchema")
    if isinstance(schema, dict):
        _fit_content(content, schema)
    return {"action": "accept", "content": content}


def _fit_content(content: JsonObject, schema: JsonObject) -> None:
    # Imported here: few answers are elicitations, and the validator costs every server its start time.
    import jsonschema_rs  # noqa: PLC0415

    try:
        fault = next(iter(jsonschema_rs.validator_for(schema).iter_errors(content)), None)
    except (ValueError, jsonschema_rs.ValidationError):
        # The MCP server sent no usable schema; its own check will have to do.
        return
    if fault is not None:
        path = ".".join(["content", *(str(part) for part in fault.instance_path)])
        raise InvalidArgument(f"{path}: {fault.message}", path=path, allowed=[_brief(schema)])


def _given(name: str, value: ValueT | None, allowed: list[str]) -> ValueT:
    if value is None:
        raise InvalidArgument(f"{name} is missing; this question needs it.", path=name, allowed=[*allowed])
    return value


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


def _keys(value: JsonValue) -> list[JsonValue]:
    return [*value] if isinstance(value, dict) else []


def _brief(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= 500 else f"{text[:500]}…"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
