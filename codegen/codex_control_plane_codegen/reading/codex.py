"""Reads ``spec/codex.yaml``."""

from collections.abc import Iterator

from codex_control_plane_codegen.model import (
    Codex,
    CodexAnswers,
    CodexField,
    CodexLoss,
    CodexMethod,
    CodexNotification,
    CodexOverride,
    CodexPrompt,
    CodexServerRequest,
    CodexShape,
)
from codex_control_plane_codegen.reading.contract import read_meanings
from codex_control_plane_codegen.reading.nodes import Node


def read_codex(root: Node) -> Codex:
    """The part of the app-server's protocol that is used."""
    return Codex(
        **root.place,
        source=root.text("source"),
        minimum_version=root.text("minimum_version"),
        tested_version=root.text("tested_version"),
        pinned_versions=root.names("pinned_versions"),
        configuration=tuple(
            CodexOverride(**node.place, name=name, value=node.text("value"), reason=node.text("reason"))
            for name, node in root.entries("configuration")
        ),
        prompts=tuple(
            CodexPrompt(**node.place, name=name, means=node.text("means"), text=node.text("text"))
            for name, node in root.entries("prompts")
        ),
        choices=tuple(read_meanings(root, "choices")),
        methods=tuple(_method(name, node) for name, node in root.entries("methods")),
        shapes=tuple(
            CodexShape(**node.place, name=name, fields=tuple(_fields(root.child("shapes"), name)))
            for name, node in root.entries("shapes")
        ),
        notifications=tuple(_notification(name, node) for name, node in root.entries("notifications")),
        opt_out=root.names("opt_out"),
        server_requests=tuple(_server_request(name, node) for name, node in root.entries("server_requests")),
        answers=_answers(root),
        refused_requests=tuple(read_meanings(root, "refused_requests")),
    )


def _method(name: str, node: Node) -> CodexMethod:
    return CodexMethod(
        **node.place,
        name=name,
        means=node.text("means"),
        without=node.text("without"),
        optional=node.get("optional", False),
        experimental=node.get("experimental", False),
        changes=node.get("changes", False),
        evidence=node.get("evidence", False),
        if_lost=_loss(node) if "if_lost" in node.value else None,
        params=tuple(_fields(node, "params")),
        result=tuple(_fields(node, "result")),
    )


def _answers(root: Node) -> CodexAnswers | None:
    if "answers" not in root.value:
        return None
    node = root.child("answers")
    return CodexAnswers(**node.place, means=node.text("means"), if_lost=_loss(node))


def _loss(parent: Node) -> CodexLoss:
    node = parent.child("if_lost")
    return CodexLoss(
        **node.place,
        evidence=node.text("evidence"),
        looked_up_in=node.get("looked_up_in"),
        absent_means=node.text("absent_means"),
        remains_unknown=node.get("remains_unknown"),
        choices=node.names("choices"),
    )


def _notification(name: str, node: Node) -> CodexNotification:
    return CodexNotification(
        **node.place,
        name=name,
        means=node.text("means"),
        without=node.text("without"),
        optional=node.get("optional", False),
        if_lost=_loss(node) if "if_lost" in node.value else None,
        params=tuple(_fields(node, "params")),
    )


def _server_request(name: str, node: Node) -> CodexServerRequest:
    return CodexServerRequest(
        **node.place,
        name=name,
        kind=node.text("kind"),
        means=node.text("means"),
        without=node.text("without"),
        optional=node.get("optional", False),
        params=tuple(_fields(node, "params")),
    )


def _fields(node: Node, key: str) -> Iterator[CodexField]:
    for name, field in node.entries(key):
        bare = field.value.removesuffix("!")
        yield CodexField(
            **field.place,
            name=name,
            type=bare.removesuffix("[]"),
            many=bare.endswith("[]"),
            required=field.value.endswith("!"),
        )
