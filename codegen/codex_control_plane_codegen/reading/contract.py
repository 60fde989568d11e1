"""Reads the documents that occur once, except that of Codex."""

from collections.abc import Iterator

from codex_control_plane_codegen.model import (
    Approval,
    Configuration,
    Contract,
    ErrorDefinition,
    Finding,
    Meaning,
    Repair,
    Setting,
)
from codex_control_plane_codegen.reading.nodes import Node


def read_contract(root: Node) -> Contract:
    """What the server calls itself, and its words."""
    return Contract(
        **root.place,
        name=root.text("name"),
        title=root.text("title"),
        version=root.text("contract_version"),
        source=root.text("source"),
        instructions=root.text("instructions"),
        groups=tuple(read_meanings(root, "groups")),
        next_actions=tuple(read_meanings(root, "next_actions")),
        queue_reasons=tuple(read_meanings(root, "queue_reasons")),
    )


def read_meanings(root: Node, key: str) -> Iterator[Meaning]:
    """The words under the key, each with its sentence."""
    for name, node in root.entries(key):
        yield Meaning(**node.place, name=name, means=str(node.value).strip())


def read_errors(root: Node) -> Iterator[ErrorDefinition]:
    """The error codes."""
    for code, node in root.entries("errors"):
        yield ErrorDefinition(
            **node.place,
            code=code,
            retryable=node.get("retryable", False),
            when=node.text("when"),
            next=node.text("next"),
            stored=node.get("stored", False),
        )


def read_findings(root: Node) -> Iterator[Finding]:
    """The findings of the health summary."""
    for name, node in root.entries("findings"):
        yield Finding(
            **node.place,
            id=name,
            severity=node.text("severity"),
            means=node.text("means"),
            recommended_action=node.text("recommended_action"),
        )


def read_repairs(root: Node) -> Iterator[Repair]:
    """The repairs."""
    for action, node in root.entries("repairs"):
        yield Repair(
            **node.place,
            action=action,
            means=node.text("means"),
            scope=node.text("scope"),
            attempts=node.get("attempts"),
            window_seconds=node.get("window_seconds"),
        )


def read_approvals(root: Node) -> Iterator[Approval]:
    """The breaks that are meant."""
    for fingerprint, node in root.entries("approvals"):
        yield Approval(
            **node.place,
            fingerprint=fingerprint,
            reason=node.text("reason"),
            expires=node.text("expires"),
        )


def read_configuration(root: Node) -> Configuration:
    """The settings."""
    return Configuration(
        **root.place,
        source=root.text("source"),
        file_variables=root.names("file_variables"),
        settings=tuple(_setting(variable, node) for variable, node in root.entries("settings")),
    )


def _setting(variable: str, node: Node) -> Setting:
    return Setting(
        **node.place,
        variable=variable,
        name=node.text("name"),
        type=node.get("type"),
        means=node.text("means"),
        optional=node.get("optional", False),
        values=node.names("values"),
        minimum=node.get("minimum"),
        maximum=node.get("maximum"),
        default=node.names("default") if node.get("type") == "paths" else node.get("default"),
    )
