"""Emits `lifecycles/<name>.py`: typed rows with one method per event, and the tables of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_control_plane_codegen.emitters import columns
from codex_control_plane_codegen.facts import Facts, LifecycleFacts
from codex_control_plane_codegen.model import Assignment, Column, Event, State, Touch
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import (
    Call,
    Code,
    Expression,
    assignment,
    camel_case,
    expression,
    signature,
)
from codex_control_plane_codegen.statements import insert_statement, touch_statement, update_statement
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """The package `lifecycles`, if there are any: one module per lifecycle."""
    package = CONTRACT_PACKAGE / "lifecycles"
    sources = [lifecycle.lifecycle.document.path for lifecycle in facts.lifecycles.values()]
    names = sorted(facts.lifecycles)
    if names:
        yield Output(package / "__init__.py", render("lifecycles_init.py", names=names, sources=sources))
    for name, lifecycle in facts.lifecycles.items():
        yield Output(package / f"{name}.py", render("lifecycle.py", view=View(lifecycle)))


@dataclass(frozen=True)
class View:
    """A lifecycle as its template shows it."""

    facts: LifecycleFacts

    @property
    def alias(self) -> str:
        """The union of all its rows."""
        return camel_case(self.facts.lifecycle.name)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its record."""
        return self.facts.lifecycle.columns

    @property
    def enums(self) -> list[Column]:
        """The columns that get an alias of their own."""
        return [column for column in self.columns if column.type == "enum"]

    @property
    def type_names(self) -> list[str]:
        """The shapes that are imported from `types`."""
        return sorted(columns.shapes(self.columns) - {"JsonObject", "JsonArray"})

    @property
    def value_names(self) -> list[str]:
        """The names that are imported from `values`."""
        return ["Actor", "Cell", "Value", *(columns.shapes(self.columns) & {"JsonObject", "JsonArray"})]

    @property
    def encoders(self) -> list[str]:
        """The functions that are imported from `rows` to store JSON."""
        lifecycle = self.facts.lifecycle
        used = [item.sets for item in lifecycle.events] + [item.sets for item in lifecycle.touches]
        calls = [call for sets in used for _, call in columns.arguments(sets, self.columns)]
        return [
            name
            for name in ("json_text", "optional_json_text")
            if any(call.startswith(f"{name}(") for call in calls)
        ]

    def field_type(self, column: Column) -> str:
        """The type of a column in the base of all rows."""
        return columns.field_type(column)

    def narrowed(self, state: State) -> Iterator[tuple[str, str]]:
        """The fields whose type the state fixes, with that type."""
        for name, column in self.facts.columns.items():
            if column.optional and name in state.requires:
                yield name, columns.python_type(column)
            elif column.optional and name in state.forbids:
                yield name, "None"

    def edges(self, state: State) -> list[tuple[Event, str]]:
        """The events that leave the state, with their targets."""
        return [
            (self.facts.events[event], target)
            for (source, event), target in self.facts.targets.items()
            if source == state.name
        ]

    def method(self, event: Event, target: str) -> str:
        """The first lines of an event's method."""
        keywords = list(columns.parameters(event.sets, self.columns))
        given = ["self", "*", *keywords] if keywords else ["self"]
        return signature(f"def {event.name}", given, f"Change[{camel_case(target)}]", 4)

    def creation(self, event: Event) -> str:
        """The first lines of a creation's function."""
        original = [f"original: {self.alias}Row"] if columns.copies(event.sets) else []
        given = [*original, "*", f"{self.facts.key}: str", *columns.parameters(event.sets, self.columns)]
        return signature(f"def {event.name}", given, f"Change[{camel_case(event.creates or '')}]")

    def touch(self, touch: Touch) -> str:
        """The first lines of a touch's method."""
        keywords = list(columns.parameters(touch.sets, self.columns))
        given = ["self", "*", *keywords] if keywords else ["self"]
        return signature(f"def {touch.name}", given, "Touch", 4)

    def edge_name(self, event: str, source: str | None = None) -> str:
        """The constant that holds an edge."""
        return f"_{source}_{event}".upper() if source else f"_{event}".upper()

    def returned_change(self, event: Event, source: str) -> str:
        """The body of an event's method."""
        call = Call(
            f"{self.edge_name(event.name, source)}.of", (Code("self"),), _codes(event.sets, self.columns)
        )
        return "return " + expression(call, 8, 15)

    def returned_creation(self, event: Event) -> str:
        """The body of a creation's function."""
        call = Call(
            f"{self.edge_name(event.name)}.creating",
            (Code(self.facts.key),),
            _codes(event.sets, self.columns),
        )
        return "return " + expression(call, 4, 11)

    def returned_touch(self, touch: Touch) -> str:
        """The body of a touch's method."""
        parameters: Expression = {"id": Code("self.row_id"), **_codes(touch.sets, self.columns)}
        call = Call(
            "Touch",
            (),
            {
                "lifecycle": self.facts.lifecycle.name,
                "row_id": Code("self.row_id"),
                "statement": touch_statement(self.facts, touch),
                "parameters": parameters,
            },
        )
        return "return " + expression(call, 8, 15)

    def edge(self, event: Event, source: str | None, target: str) -> str:
        """The constant of an edge; a creation has no source."""
        row = camel_case(target)
        statement = (
            update_statement(self.facts, event, source, target)
            if source
            else insert_statement(self.facts, event)
        )
        call = Call(
            "Edge",
            (),
            {
                "lifecycle": self.facts.lifecycle.name,
                "event": event.name,
                "source": source,
                "target": target,
                "statement": statement,
                "actors": event.by,
                "required_evidence": event.evidence,
                "fenced": self.facts.lifecycle.fenced,
                "emits": event.emits,
                "read": Call("reader", (Code(row), Code("read"))),
            },
        )
        return assignment(call, f"{self.edge_name(event.name, source)}: Final[Edge[{row}]]")

    @property
    def table(self) -> str:
        """The table that reads stored rows."""
        names = ("revision", "created_at", "updated_at")
        stored: list[Expression] = [
            Call("Column", (self.facts.key, "text")),
            Call("Column", ("state", "text")),
            *(Call("Column", (name, "integer")) for name in names),
            *map(columns.stored_column, self.columns),
        ]
        call = Call("Table", (Code("TABLE"), Code("KEY"), tuple(stored)))
        return assignment(call, "_STORED: Final")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every column of the table."""
        return (self.facts.key, "state", "revision", "created_at", "updated_at", *self.facts.columns)

    @property
    def classes(self) -> Expression:
        """The class of each state."""
        return {name: Code(camel_case(name)) for name in self.facts.states}

    @property
    def row_classes(self) -> list[str]:
        """The classes of all states, by name."""
        return [camel_case(name) for name in self.facts.states]

    @property
    def requires(self) -> Expression:
        """The columns that a state needs, where it needs any."""
        return {state.name: state.requires for state in self.facts.lifecycle.states if state.requires}

    @property
    def forbids(self) -> Expression:
        """The columns that a state leaves empty, where it does."""
        return {state.name: state.forbids for state in self.facts.lifecycle.states if state.forbids}

    @property
    def presented(self) -> bool:
        """Whether clients see another word than the state for some state."""
        return any(state.presents_as for state in self.facts.lifecycle.states)

    @property
    def status_map(self) -> Expression:
        """The word for each state."""
        return {name: self.facts.status(name) for name in self.facts.states}

    @property
    def group_map(self) -> Expression:
        """The states of each group."""
        return {name: Call("frozenset", (states,)) for name, states in self.facts.groups.items()}

    @property
    def cells(self) -> Expression:
        """What each event does in each state."""
        return self.facts.cells

    @property
    def targets(self) -> Expression:
        """Where each event leads."""
        return self.facts.targets

    @property
    def creation_map(self) -> Expression:
        """The state in which each creation makes a row."""
        return {name: event.creates for name, event in self.facts.creations.items()}

    @property
    def event_names(self) -> list[str]:
        """Every event, creations first."""
        return [*self.facts.creations, *self.facts.events]

    @property
    def actors(self) -> Expression:
        """Who may raise each event."""
        return {event.name: event.by for event in self.facts.lifecycle.events}

    @property
    def evidence(self) -> Expression:
        """What shows that an event happened."""
        return {event.name: event.evidence for event in self.facts.lifecycle.events if event.evidence}

    @property
    def paths(self) -> Expression:
        """The shortest way to each state."""
        return self.facts.paths

    @property
    def state_facts(self) -> Expression:
        """What the spec says of each state."""
        return {state.name: _state_facts(self.facts, state) for state in self.facts.lifecycle.states}

    @property
    def change_names(self) -> list[str]:
        """The names that are imported from `change`."""
        return ["Change", "Edge", "reader", *(["Touch"] if self.facts.lifecycle.touches else [])]

    @property
    def row_summary(self) -> str:
        """What the base of all rows is."""
        return f"A stored row of `{self.facts.lifecycle.name}`, whatever its state."


def _codes(assignments: Sequence[Assignment], stored: Sequence[Column]) -> dict[str, Expression]:
    return {name: Code(call) for name, call in columns.arguments(assignments, stored)}


def _state_facts(facts: LifecycleFacts, state: State) -> Call:
    return Call(
        "StateFacts",
        (),
        {
            "means": state.means,
            "status": facts.status(state.name),
            "terminal": state.final,
            "cancellable": state.cancellable,
            "waits_for": state.waits_for,
            "waits_for_human": state.waits_for == "human",
            "holds_slot": state.holds_slot,
            "retry_safe": state.retry_safe,
            "next_action": state.next_action,
            "poll_after_seconds": state.poll_after_seconds,
        },
    )
