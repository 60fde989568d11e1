"""Answers to Codex's questions, in the one form that Codex takes.

Codex consumes a malformed answer without a word, and there is no second chance. So every answer is composed
here and nowhere else, by the server before it is stored: it fits the question, and the schema that is pinned
from Codex for the answers to it (generated, codex_answers).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from codex_control_plane_contract.arguments import AnswerPendingInteractionArguments
from codex_control_plane_contract.codex_answers import ANSWER_SCHEMAS
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.values import JsonArray, JsonObject, JsonValue
from codex_control_plane_mcp.offers import DECISIONS, offered_payloads, offered_terms
from codex_control_plane_mcp.places import name_place
from codex_control_plane_mcp.questions import Asked, answer_schema, questions

ValueT = TypeVar("ValueT")

_RAW: Final = "raw_response"
_SHOWN_CHARS: Final = 500


def compose(asked: Asked, arguments: AnswerPendingInteractionArguments) -> JsonObject:
    """Return the answer as Codex takes it. Raises INVALID_ARGUMENT for one that does not fit the question."""
    _refuse_strangers(asked, arguments)
    raw = arguments.raw_response
    answer = {**raw} if raw is not None else _composed(asked, arguments)
    place = _RAW if raw is not None else ""
    _refuse_unoffered(asked, answer, arguments)
    _fit(answer, ANSWER_SCHEMAS[asked.method], place)
    _fit_question(asked, answer, place)
    return answer


def _composed(asked: Asked, arguments: AnswerPendingInteractionArguments) -> JsonObject:
    match asked.kind:
        case "approval":
            if arguments.decision_payload is not None:
                return {"decision": {**arguments.decision_payload}}
            return {"decision": _given("decision", arguments.decision, list(DECISIONS))}
        case "permissions":
            return _granted(arguments)
        case "user_input":
            given = _given("answers", arguments.answers, _ids(asked))
            return {"answers": {name: {"answers": [*texts]} for name, texts in given.items()}}
        case "elicitation":
            action = _given("action", arguments.action, ["accept", "decline", "cancel"])
            return {
                "action": action,
                "content": {**(arguments.content or {})} if action == "accept" else None,
            }


def _granted(arguments: AnswerPendingInteractionArguments) -> JsonObject:
    hints = ["{} grants nothing", "a part of what is asked"]
    grant: JsonObject = {
        "permissions": {**_given("permissions", arguments.permissions, hints)},
        "scope": arguments.scope,
    }
    if arguments.strict_auto_review is not None:
        grant["strictAutoReview"] = arguments.strict_auto_review
    return grant


def _refuse_strangers(asked: Asked, arguments: AnswerPendingInteractionArguments) -> None:
    fitting = [*answer_schema(asked)["arguments"]]
    given = {
        "decision": arguments.decision,
        "decision_payload": arguments.decision_payload,
        "answers": arguments.answers,
        "action": arguments.action,
        "content": arguments.content,
        "permissions": arguments.permissions,
        "strict_auto_review": arguments.strict_auto_review,
    }
    names = [name for name, value in given.items() if value is not None]
    optional = {"approval": {"decision_payload"}, "permissions": {"strict_auto_review"}}
    for name in names:
        if name not in fitting and name not in optional.get(asked.kind, set()):
            raise InvalidArgument(
                f"{name} does not fit a question of kind {asked.kind}; give {' and '.join(sorted(fitting))}.",
                path=name,
                allowed=[*sorted(fitting)],
            )
    if arguments.raw_response is not None and names:
        raise InvalidArgument(f"{_RAW} is the whole answer; leave {names[0]} out.", path=names[0])
    if "decision" in names and "decision_payload" in names:
        raise InvalidArgument("Give decision or decision_payload, not both.", path="decision_payload")


def _refuse_unoffered(asked: Asked, answer: JsonObject, arguments: AnswerPendingInteractionArguments) -> None:
    """Refuse what would outlast the question and that Codex does not offer for it (docs/decisions/0100)."""
    decision, meta = answer.get("decision"), answer.get("_meta")
    if asked.kind == "approval" and isinstance(decision, dict) and decision not in offered_payloads(asked):
        raise InvalidArgument(
            "Codex does not offer this decision for this question. Give one that it offers, as a whole.",
            path="decision_payload" if arguments.decision_payload is not None else f"{_RAW}.decision",
            allowed=[*DECISIONS, *offered_payloads(asked)],
        )
    term = meta.get("persist") if isinstance(meta, dict) else None
    if asked.kind == "elicitation" and term is not None and term not in offered_terms(asked):
        raise InvalidArgument(
            "Codex does not offer to keep this answer for that long.",
            path=f"{_RAW}._meta.persist",
            allowed=[*offered_terms(asked)],
        )


def _fit_question(asked: Asked, answer: JsonObject, place: str) -> None:
    """Refuse what the schema of the answer allows and this question does not."""
    match asked.kind:
        case "approval":
            return
        case "permissions":
            _fit_wish(asked, answer, _below(place, "permissions"))
        case "user_input":
            _fit_questions(asked, answer, _below(place, "answers"))
        case "elicitation":
            schema = asked.params.get("requestedSchema")
            if answer.get("action") == "accept" and isinstance(schema, dict):
                _fit(answer.get("content"), schema, _below(place, "content"), shown=schema)


def _fit_wish(asked: Asked, answer: JsonObject, place: str) -> None:
    wanted = asked.params.get("permissions")
    for path, allowed in _excess(answer["permissions"], wanted, place):
        raise InvalidArgument(f"{path} was not asked for.", path=path, allowed=allowed)


def _excess(granted: JsonValue, wanted: JsonValue, place: str) -> Iterator[tuple[str, JsonArray]]:
    """Yield each place, at any depth, where more is granted than was asked, with what was asked there.

    Null, false, an empty object and a shorter list grant less, or nothing.
    """
    if granted is None or granted is False or granted == wanted:
        return
    if isinstance(granted, dict):
        known = wanted if isinstance(wanted, dict) else {}
        for name, value in granted.items():
            if name in known:
                yield from _excess(value, known[name], _below(place, name))
            elif value is not None:
                yield _below(place, name), [*known]
    elif isinstance(granted, list):
        items = wanted if isinstance(wanted, list) else []
        for index, item in enumerate(granted):
            if item not in items:
                yield f"{place}[{index}]", items
    else:
        yield place, [wanted]


def _fit_questions(asked: Asked, answer: JsonObject, place: str) -> None:
    known = _ids(asked)
    given = answer["answers"]
    assert isinstance(given, dict), "the schema of the answer says so"
    for name in given:
        if name not in known:
            path = _below(place, name)
            raise InvalidArgument(f"{path}: no such question.", path=path, allowed=[*known])
    for name in known:
        entry = given.get(name)
        if not isinstance(entry, dict) or not entry.get("answers"):
            path = _below(place, name)
            raise InvalidArgument(f"{path}: this question has no answer.", path=path, allowed=[*known])


def _fit(value: JsonValue, schema: JsonObject, place: str, *, shown: JsonObject | None = None) -> None:
    """Refuse a value that does not fit; an MCP server that gave no usable schema checks it itself."""
    # Imported here: few calls are answers, and the validator costs every server its start time.
    import jsonschema_rs  # noqa: PLC0415

    try:
        fault = next(iter(jsonschema_rs.validator_for(schema).iter_errors(value)), None)
    except (ValueError, jsonschema_rs.ValidationError):
        return
    if fault is not None:
        path = name_place(fault.instance_path, below=place)
        rule = shown if shown is not None else _rule(schema, fault.schema_path)
        raise InvalidArgument(f"{path}: {fault.message[:_SHOWN_CHARS]}", path=path, allowed=rule)


def _rule(schema: JsonObject, path: Sequence[str | int]) -> JsonValue:
    """Return the part of a schema that a value breaks; its name alone, if the part is long."""
    rule: Any = schema
    for step in path:
        rule = rule[step]
    return rule if len(json.dumps(rule)) <= _SHOWN_CHARS else str(path[-1])


def _given(name: str, value: ValueT | None, allowed: list[str]) -> ValueT:
    if value is None:
        raise InvalidArgument(f"{name} is missing; this question needs it.", path=name, allowed=[*allowed])
    return value


def _ids(asked: Asked) -> list[str]:
    return [question["id"] for question in questions(asked)]


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
