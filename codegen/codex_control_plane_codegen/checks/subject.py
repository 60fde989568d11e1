"""What the checks look at: the model, what follows from it, and which names it has."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.documents import kind_of
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import CodexField, Element, Lifecycle, Model, Record, TypeDefinition
from codex_control_plane_codegen.places import Key, Place
from codex_control_plane_codegen.protocol.fitting import Protocol
from codex_control_plane_codegen.python_source import camel_case
from codex_control_plane_codegen.shapes import Shapes

_DERIVED: Final[Mapping[str, Collection[str]]] = {
    "contract": ("NextAction", "QueueReason"),
    "errors": ("ErrorCode",),
    "findings": ("FindingId",),
    "repairs": ("RepairAction",),
    "tool": ("ToolName",),
}
"""Kind of document → the types that follow from it, beside the statuses of the lifecycles."""


@dataclass(frozen=True)
class Subject:
    """A model under check.

    `unread` holds the documents, as paths, that are broken and therefore not in the model: a name that one
    of them may declare is not reported as unknown.
    """

    facts: Facts
    unread: frozenset[str]
    pins: Mapping[str, Protocol] = field(default_factory=dict[str, Protocol])
    """Version → pinned protocol of Codex."""

    @property
    def model(self) -> Model:
        """The model itself."""
        return self.facts.model

    def whole(self, kind: str) -> bool:
        """Whether every document of the kind was read, so that a name that is not there is unknown."""
        kinds = (kind, "tool") if kind == "types" else (kind,)
        return all(kind_of_path(path) not in kinds for path in self.unread)

    @cached_property
    def types(self) -> Mapping[str, TypeDefinition]:
        """The declared types by name."""
        return self.shapes.declared

    @cached_property
    def type_names(self) -> Collection[str]:
        """Every name that a reference may have, those included that unread documents would give."""
        derived = [name for kind, names in _DERIVED.items() if not self.whole(kind) for name in names]
        stems = [PurePosixPath(path).stem for path in self.unread if kind_of_path(path) == "lifecycle"]
        statuses = [f"{camel_case(stem)}Status" for stem in stems]
        return {*self.types, *self.shapes.derived, *derived, *statuses}

    @cached_property
    def next_actions(self) -> Collection[str]:
        """The words of nextRecommendedAction."""
        return [word.name for word in self.model.contract.next_actions] if self.model.contract else []

    @cached_property
    def tool_groups(self) -> Collection[str]:
        """The groups that a tool may stand in."""
        return [word.name for word in self.model.contract.groups] if self.model.contract else []

    @cached_property
    def tools(self) -> Collection[str]:
        """The names of all tools."""
        return [tool.name for tool in self.model.tools]

    @cached_property
    def errors(self) -> Collection[str]:
        """All error codes."""
        return [error.code for error in self.model.errors]

    @cached_property
    def shapes(self) -> Shapes:
        """The types as JSON Schemas, derived ones included."""
        return Shapes(self.facts)

    @cached_property
    def codex_fields(self) -> Sequence[CodexField]:
        """Every field of Codex's protocol that is used, in the order of the document."""
        codex = self.model.codex
        if not codex:
            return ()
        fields = [(*method.params, *method.result) for method in codex.methods]
        fields += [shape.fields for shape in codex.shapes]
        fields += [notification.params for notification in codex.notifications]
        fields += [request.params for request in codex.server_requests]
        return [field for group in fields for field in group]

    @cached_property
    def tables(self) -> Sequence[Lifecycle | Record]:
        """Everything that becomes a table."""
        return [*self.model.lifecycles, *self.model.records]

    @cached_property
    def commands(self) -> Collection[str]:
        """What a worker can be asked: the values of `command_type` of the lifecycle `worker_command`."""
        lifecycle = self.facts.lifecycles.get("worker_command")
        column = lifecycle.columns.get("command_type") if lifecycle else None
        return column.values if column else ()


def kind_of_path(path: str) -> str | None:
    """The kind of the document at the path, as text."""
    return kind_of(PurePosixPath(path))


def place_of(element: Element, *keys: Key) -> Place:
    """Where the element stands, or the part of it that `keys` lead to."""
    return element.document.place(*element.keys, *keys)


def key_place_of(element: Element, *keys: Key) -> Place:
    """Where the key of the element stands, or that of a part of it."""
    return element.document.key_place(*element.keys, *keys)


def unknown(code: str, what: str, name: str, known: Collection[str], place: Place) -> Iterator[Diagnostic]:
    """A finding if the name is none of the known ones."""
    if name not in known:
        suggestion = nearest(name, known)
        hint = "" if suggestion else f"Known: {', '.join(known) or 'none'}."
        yield Diagnostic(code, place, f"There is no {what} `{name}`", hint, suggestion)


def listed(names: Collection[str]) -> str:
    """The names as a phrase: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
