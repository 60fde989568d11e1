"""The typed model of a spec: what its documents say, before anything is concluded from them.

Every element remembers the document that it stands in and the keys that lead to it, so that a
diagnostic can point at it. A name that refers to another element stays a name here; whether it
leads anywhere is for the checks to say. The spec language is described in docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.places import Keys

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

Actor: TypeAlias = Literal["client", "worker", "codex", "clock", "operator"]
ColumnType: TypeAlias = Literal["text", "integer", "number", "boolean", "timestamp", "enum", "json"]
Effect: TypeAlias = Literal["given", "optional", "kept", "now", "cleared", "incremented", "copied"]
SettingType: TypeAlias = Literal["text", "integer", "boolean", "enum", "path", "paths"]
StepActor: TypeAlias = Literal["client", "worker", "codex", "clock", "operator", "fault"]
WaitsFor: TypeAlias = Literal["human", "codex", "quota", "slot", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something that a document of the spec says, and where it says it."""

    document: Document = field(repr=False, compare=False)
    keys: Keys = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Element):
    """A persistent field of a lifecycle or a record."""

    name: str
    type: ColumnType
    means: str
    optional: bool = False
    values: tuple[str, ...] = ()
    shape: str | None = None
    references: str | None = None
    default: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueRule(Element):
    """Columns that together occur once, perhaps only in some states or under an SQL condition."""

    columns: tuple[str, ...]
    states: tuple[str, ...]
    """The states and groups of `while`; empty for always."""
    where: str | None
    absorbs: bool
    """Whether an insert that would break the rule adds nothing, rather than fail."""
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Element):
    """Columns that are looked up together."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Element):
    """A name for several states; its members are states or other groups."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(Element):
    """An edge of the statechart."""

    source: str
    event: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Element):
    """A state: its place in the statechart and what the spec says of it beside the chart.

    A state may stand in only one of the two blocks; `charted` and `described` tell which.
    """

    name: str
    charted: bool
    described: bool
    initial: bool
    final: bool
    means: str
    waits_for: WaitsFor
    next_action: str
    poll_after_seconds: int
    holds_slot: bool
    cancellable: bool
    retry_safe: bool
    requires: tuple[str, ...]
    forbids: tuple[str, ...]
    presents_as: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Element):
    """What an event or a touch does to one column."""

    column: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Element):
    """An event: who raises it, what it needs and sets, and where it is no transition."""

    name: str
    means: str
    by: tuple[Actor, ...]
    evidence: str | None
    creates: str | None
    """The state in which it creates a row; None for an event of an existing row."""
    sets: tuple[Assignment, ...]
    emits: tuple[str, ...]
    ignored: tuple[str, ...]
    illegal: tuple[str, ...]
    conflict: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch(Element):
    """An update that is no change of state: neither revision nor journal know of it."""

    name: str
    means: str
    sets: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence(Element):
    """What a follower does once a row that it follows is in a state, or in a state of a group."""

    state: str
    events: tuple[str, ...]
    """The events of the follower, one of which is raised; `nothing` says that none has to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Element):
    """A part that a followed row may play for its follower."""

    name: str
    consequences: tuple[Consequence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows(Element):
    """How a lifecycle moves with the rows of another one that name it."""

    lifecycle: str
    named_by: str
    """The column of the followed row that holds the key of its follower."""
    role_in: str
    """The column of the followed row that holds its role."""
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle(Element):
    """One kind of row that changes state, and every way in which it may."""

    name: str
    id_prefix: str | None
    means: str
    source: str
    fenced: bool
    groups: tuple[Group, ...]
    columns: tuple[Column, ...]
    unique: tuple[UniqueRule, ...]
    indexes: tuple[Index, ...]
    touches: tuple[Touch, ...]
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    events: tuple[Event, ...]
    follows: Follows | None
    statechart: JsonObject
    """The block in python-statemachine's own dialect, as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Element):
    """A table without states."""

    name: str
    means: str
    source: str
    singleton: bool
    append_only: bool
    columns: tuple[Column, ...]
    unique: tuple[UniqueRule, ...]
    indexes: tuple[Index, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefinition(Element):
    """A shared shape: a JSON Schema in which `$ref` holds the bare name of another type."""

    name: str
    source: str
    extends: str | None
    schema: JsonObject
    """The schema as it stands, without `extends`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Element):
    """A call of a tool, and what it might answer."""

    title: str
    input: JsonObject
    output: JsonObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Element):
    """One tool that clients see."""

    name: str
    title: str
    group: str
    role: str
    source: str
    description: str
    passive: bool
    idempotency: str
    annotations: Mapping[str, bool]
    handler: str
    input: JsonObject
    output: str
    """The name of the type that a success answers."""
    errors: tuple[str, ...]
    next_tools: tuple[str, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDefinition(Element):
    """One error code: when it is answered and what to do next."""

    code: str
    retryable: bool
    when: str
    next: str
    stored: bool = False
    """Whether rows hold it (as `last_error`) without any tool answering it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Element):
    """One finding of the health summary."""

    id: str
    severity: str
    means: str
    recommended_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair(Element):
    """One repair, and how often it may be tried on one scope within a time."""

    action: str
    means: str
    scope: str
    attempts: int
    window_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Element):
    """One environment variable."""

    variable: str
    name: str
    type: SettingType
    means: str
    optional: bool = False
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | bool | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(Element):
    """The settings of the program and the variables that may name a file of them."""

    source: str
    file_variables: tuple[str, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning(Element):
    """A word of the contract and the sentence that explains it."""

    name: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract(Element):
    """What the server calls itself, and the words that are not bound to one lifecycle or tool."""

    name: str
    title: str
    version: str
    source: str
    instructions: str
    groups: tuple[Meaning, ...]
    next_actions: tuple[Meaning, ...]
    queue_reasons: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Element):
    """A break of the released contract that is meant."""

    fingerprint: str
    reason: str
    expires: str
    """The last day on which it counts, like ``2027-01-31``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexField(Element):
    """A field of Codex's protocol that is used here; `string!` is required, `Turn[]` a list."""

    name: str
    type: str
    """string, integer, number, boolean, object, any, or the name of a shape."""
    many: bool
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexShape(Element):
    """An object of Codex's protocol, as far as it is used here."""

    name: str
    fields: tuple[CodexField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexLoss(Element):
    """What follows when a message of Codex is lost (docs/architecture.md, One way to call Codex)."""

    evidence: str
    """What shows what the message would have said."""
    looked_up_in: str | None
    """The method whose answer holds it."""
    absent_means: str
    remains_unknown: str | None
    """What is not known while it cannot be looked up."""
    choices: tuple[str, ...]
    """What an operator may decide then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexAnswers(Element):
    """The answers to what Codex asks."""

    means: str
    if_lost: CodexLoss


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexMethod(Element):
    """A method of the app-server that is called."""

    name: str
    means: str
    without: str
    """What is lost where Codex does not have it."""
    optional: bool
    """Whether the server works all the same then."""
    experimental: bool
    changes: bool
    evidence: bool
    if_lost: CodexLoss | None
    """None where nothing changes, so that it can be called again."""
    params: tuple[CodexField, ...]
    result: tuple[CodexField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexNotification(Element):
    """A notification of the app-server that is listened to; its words are those of a method."""

    name: str
    means: str
    without: str
    optional: bool
    if_lost: CodexLoss | None
    params: tuple[CodexField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexServerRequest(Element):
    """A question of the app-server that becomes an interaction; its words are those of a method."""

    name: str
    kind: str
    means: str
    without: str
    optional: bool
    params: tuple[CodexField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexOverride(Element):
    """A setting of Codex that is overridden when the app-server starts."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexPrompt(Element):
    """A prompt of our own, which no caller wrote."""

    name: str
    means: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codex(Element):
    """The part of the app-server's protocol that is used."""

    source: str
    minimum_version: str
    tested_version: str
    pinned_versions: tuple[str, ...]
    """Every version whose protocol is in ``schemas/codex``."""
    configuration: tuple[CodexOverride, ...]
    prompts: tuple[CodexPrompt, ...]
    choices: tuple[Meaning, ...]
    methods: tuple[CodexMethod, ...]
    shapes: tuple[CodexShape, ...]
    notifications: tuple[CodexNotification, ...]
    opt_out: tuple[str, ...]
    server_requests: tuple[CodexServerRequest, ...]
    answers: CodexAnswers | None
    refused_requests: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedRow(Element):
    """A row that the composition follows, named by the part that it plays."""

    name: str
    lifecycle: str
    where: Mapping[str, str]
    """Column → value that tells it from other rows of the lifecycle."""
    single: bool
    """Whether the database allows no second open row of it."""
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounding(Element):
    """Something around the rows: a process, a message on its way, what Codex has."""

    name: str
    values: tuple[str, ...]
    starts: tuple[str, ...]
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(Element):
    """How often something may happen."""

    name: str
    limit: int
    varies: bool
    """Whether everything from nothing to the limit is a start."""
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Element):
    """What parts of the composition may be, by their names; all must hold, and an empty one always does."""

    allowed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise(Element):
    """An event of a row as part of a transaction, perhaps only under a condition."""

    row: str
    event: str
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Element):
    """A decision as part of a transaction."""

    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Element):
    """Events that belong together and are part of several steps."""

    name: str
    means: str
    then: tuple[Raise, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite(Element):
    """What a step makes of a surrounding: old value → new value; `*` stands for every old value."""

    surrounding: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Element):
    """Something that may happen: one transaction, or one event around it."""

    name: str
    actor: StepActor
    means: str
    assumes: str
    when: Condition
    then: tuple[Raise | Decide, ...]
    sets: tuple[Rewrite, ...]
    spends: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Element):
    """A part of the composition that is explored by itself."""

    name: str
    means: str
    without: tuple[str, ...]
    """The steps that it leaves out."""
    on_request: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise(Element):
    """What holds in every state that can be reached.

    Either `never` is not met, or from wherever `whenever` is met, `reaches` can be met.
    """

    name: str
    means: str
    never: Condition | None
    whenever: Condition | None
    reaches: Condition | None
    without: tuple[str, ...]
    """Steps that it does not count on, besides those of the client and faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition(Element):
    """How rows move together, and what holds all the same."""

    means: str
    source: str
    rows: tuple[ComposedRow, ...]
    surroundings: tuple[Surrounding, ...]
    bounds: tuple[Bound, ...]
    decisions: tuple[Decision, ...]
    steps: tuple[Step, ...]
    views: tuple[View, ...]
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A whole spec. The documents that occur once are None where they are missing."""

    documents: tuple[Document, ...]
    """Those that say what the server is; approvals do not."""
    contract: Contract | None
    configuration: Configuration | None
    codex: Codex | None
    composition: Composition | None
    lifecycles: tuple[Lifecycle, ...]
    records: tuple[Record, ...]
    types: tuple[TypeDefinition, ...]
    tools: tuple[Tool, ...]
    errors: tuple[ErrorDefinition, ...]
    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...]
    approvals: tuple[Approval, ...]
    tested_protocol: JsonObject = field(default_factory=dict[str, "JsonValue"])
    """What is pinned of the protocol of the tested Codex; empty where nothing is."""
