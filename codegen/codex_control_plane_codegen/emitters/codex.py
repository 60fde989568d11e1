"""Emits `codex.py`: typed calls of the app-server, its notifications and its questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import (
    Codex,
    CodexField,
    CodexLoss,
    CodexMethod,
    CodexNotification,
    CodexServerRequest,
)
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import (
    Call,
    Code,
    Expression,
    camel_case,
    expression,
    signature,
    snake_case,
)
from codex_control_plane_codegen.templating import render

_SCALARS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "JsonObject",
    "any": "JsonValue",
}


def emit(facts: Facts) -> Iterator[Output]:
    """`codex.py`, if the spec names Codex's protocol."""
    codex = facts.model.codex
    if codex is None:
        return
    view = View(codex)
    text = render("codex.py", view=view, codex=codex, sources=[codex.document.path])
    yield Output(CONTRACT_PACKAGE / "codex.py", text)


@dataclass(frozen=True)
class View:
    """Codex's protocol as the template shows it."""

    codex: Codex

    def required(self, fields: Sequence[CodexField]) -> list[CodexField]:
        """The fields that a message must have, before those that it may have."""
        return sorted(fields, key=lambda field: not field.required)

    def received(self, field: CodexField) -> str:
        """The type of a field in what Codex sends."""
        kind = _SCALARS.get(field.type, field.type)
        return f"list[{kind}]" if field.many else kind

    def entry(self, field: CodexField) -> str:
        """The type of a field of a TypedDict."""
        return self.received(field) if field.required else f"NotRequired[{self.received(field)}]"

    def attribute(self, field: CodexField) -> str:
        """The type of a field of a dataclass; what is left out is None."""
        kind = self.received(field)
        return kind if field.required or field.type == "any" else f"{kind} | None"

    def notification(self, notification: CodexNotification) -> str:
        """The class of a notification."""
        name = camel_case(notification.name)
        return name if "/" in notification.name else f"{name}Notification"

    def request(self, request: CodexServerRequest) -> str:
        """The class of a question."""
        return camel_case(request.name.removeprefix("item/"))

    def result(self, method: CodexMethod) -> str:
        """The type of a reply; None where nothing of it is in use."""
        return f"{camel_case(method.name)}Result" if method.result else "None"

    def call(self, method: CodexMethod) -> str:
        """The first lines of a method's call, with the reasons for what a linter would say."""
        parameters = ["self", "*", "timeout: float"]
        parameters += [self._parameter(field) for field in self.required(method.params)]
        return signature(f"async def {snake_case(method.name)}", parameters, self.result(method), 4)

    def _parameter(self, field: CodexField) -> str:
        kind = {"object": "Mapping[str, JsonValue]"}.get(field.type, _SCALARS.get(field.type, field.type))
        kind = f"Sequence[{kind}]" if field.many else kind
        name = snake_case(field.name)
        return f"{name}: {kind}" if field.required else f"{name}: {kind} | None = None"

    def body(self, method: CodexMethod) -> str:
        """The body of a method's call."""
        params: Expression = {field.name: Code(snake_case(field.name)) for field in method.params}
        spoken = "self._call" if method.changes else "self._ask"
        call = Call(spoken, (method.name, params, Code("timeout")))
        if not method.result:
            return "await " + expression(call, 8, 14)
        reply = Call("cast", (self.result(method), Code("reply")))
        return f"reply = await {expression(call, 8, 22)}\n        return {expression(reply, 8, 15)}"

    def fields(self, fields: Sequence[CodexField]) -> tuple[Expression, ...]:
        """The table of the fields."""
        return tuple(self._field(field) for field in fields)

    def _field(self, field: CodexField) -> Call:
        flags = {"required": field.required, "many": field.many}
        named: dict[str, Expression] = {name: True for name, set_ in flags.items() if set_}
        return Call("Field", (field.name, snake_case(field.name), field.type), named)

    @property
    def shapes(self) -> Expression:
        """The fields of each shape."""
        return {shape.name: self.fields(shape.fields) for shape in self.codex.shapes}

    @property
    def replies(self) -> Expression:
        """The fields of each method's reply."""
        return {method.name: self.fields(method.result) for method in self.codex.methods}

    @property
    def notifications(self) -> Expression:
        """Class and fields of each notification."""
        return {
            each.name: (Code(self.notification(each)), self.fields(each.params))
            for each in self.codex.notifications
        }

    @property
    def requests(self) -> Expression:
        """Class and fields of each question."""
        return {
            each.name: (Code(self.request(each)), self.fields(each.params))
            for each in self.codex.server_requests
        }

    @property
    def notification_classes(self) -> list[str]:
        """The classes of all notifications."""
        return [self.notification(each) for each in self.codex.notifications]

    @property
    def request_classes(self) -> list[str]:
        """The classes of all questions."""
        return [self.request(each) for each in self.codex.server_requests]

    @property
    def choice_names(self) -> list[str]:
        """What an operator may decide."""
        return [each.name for each in self.codex.choices]

    @property
    def choices(self) -> Expression:
        """What an operator may decide, with what follows."""
        return {each.name: each.means for each in self.codex.choices}

    @property
    def losses(self) -> list[tuple[str, Expression]]:
        """What follows each message that is lost, by the name of its constant."""
        rules = [(each.name, each.if_lost) for each in self.codex.methods]
        rules += [(each.name, each.if_lost) for each in self.codex.notifications]
        rules += [("answer", self.codex.answers.if_lost)] if self.codex.answers else []
        return [(snake_case(name).upper(), _loss(rule)) for name, rule in rules if rule is not None]

    @property
    def kinds(self) -> list[str]:
        """What sorts of answer the questions want."""
        return list(dict.fromkeys(each.kind for each in self.codex.server_requests))

    @property
    def refused(self) -> Expression:
        """The questions that are refused, with the reason."""
        return {each.name: each.means for each in self.codex.refused_requests}

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods that are called."""
        return tuple(each.name for each in self.codex.methods)

    @property
    def needs(self) -> tuple[Expression, ...]:
        """What the server cannot work without."""
        codex = self.codex
        needs = [
            self._need("methods", method.name, method.params, method.result)
            for method in codex.methods
            if not method.optional
        ]
        received = (("notifications", codex.notifications), ("serverRequests", codex.server_requests))
        needs += [
            self._need(section, message.name, (), message.params)
            for section, messages in received
            for message in messages
            if not message.optional
        ]
        return tuple(needs)

    def _need(
        self, section: str, name: str, sends: Sequence[CodexField], reads: Sequence[CodexField]
    ) -> Call:
        return Call("Need", (section, name, tuple(field.name for field in sends), tuple(self._paths(reads))))

    def _paths(self, fields: Sequence[CodexField]) -> Iterator[str]:
        """The fields that must be there, with those of their shapes."""
        shapes = {shape.name: shape.fields for shape in self.codex.shapes}
        for field in fields:
            if field.required:
                yield field.name
                yield from (f"{field.name}.{path}" for path in self._paths(shapes.get(field.type, ())))

    @property
    def configuration(self) -> tuple[tuple[str, str], ...]:
        """The settings that are overridden."""
        return tuple((each.name, each.value) for each in self.codex.configuration)


def _loss(rule: CodexLoss) -> Call:
    return Call(
        "Loss",
        (),
        {
            "evidence": rule.evidence,
            "looked_up_in": rule.looked_up_in,
            "absent_means": rule.absent_means,
            "remains_unknown": rule.remains_unknown,
            "choices": rule.choices,
        },
    )
