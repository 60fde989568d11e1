"""The table of codes: every kind of finding about a spec, once.

Families: Y the files as YAML, S their schemas, R references and names, L lifecycles, T tools, C settings,
X the Codex app-server, V the composition, D differences from what was released. A code keeps its meaning for
ever; one that is given up is not used again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding: what it is called, why it is a fault, what it looks like and what cures it."""

    title: str
    cause: str
    example: str
    cure: str
    severity: Severity = "error"


_YAML: Final[Mapping[str, Code]] = {
    "SPEC-Y001": Code(
        "Not YAML",
        "The file breaks the syntax of YAML 1.2, so nothing behind this place can be read.",
        "means: One task: from start to end.",
        "Mostly a text with `: `, `#` or a quote in it: put the text in double quotes.",
    ),
    "SPEC-Y002": Code(
        "Key given twice",
        "A mapping has the same key twice. YAML readers silently keep one of them.",
        "errors: [INVALID_ARGUMENT]\nerrors: [INTERNAL_ERROR]",
        "Merge the two, or remove one.",
    ),
    "SPEC-Y003": Code(
        "YAML beyond the spec language",
        "Anchors, aliases, tags, directives and keys that are no texts make one place in a file mean several "
        "things, or depend on who reads it.",
        "sets: &end {completed_at: now}",
        "Write the value out. What repeats belongs into a group, a type or the compiler.",
    ),
    "SPEC-Y004": Code(
        "Not one mapping",
        "Every file of the spec is one document, and its root is a mapping.",
        "- lifecycle: operation",
        "Start with the key that names what the file holds, and use one file for each document.",
    ),
    "SPEC-Y005": Code(
        "File out of place",
        "The directory, the name and the ending of a file say what it is. No compiler reads this one, so its "
        "rules would not hold.",
        "spec/tool/codex_submit_task.yml",
        "Move or rename it; notes belong into docs/.",
    ),
    "SPEC-Y006": Code(
        "Unreadable file",
        "The file could not be opened, or it is not UTF-8.",
        "spec/errors.yaml in Latin-1",
        "Check its permissions, and save it as UTF-8.",
    ),
    "SPEC-Y007": Code(
        "Missing document",
        "contract.yaml, errors.yaml, config.yaml, findings.yaml, codex.yaml and composition.yaml occur "
        "once and "
        "are needed.",
        "no spec/errors.yaml",
        "Add the file, or call the compiler with the right --root.",
    ),
    "SPEC-Y008": Code(
        "Editors do not know the schema",
        "The first line of every file of the spec names its schema, so that editors complete and check it.",
        "lifecycle: operation",
        "Start the file with the comment that the finding shows.",
        "warning",
    ),
    "SPEC-Y009": Code(
        "Placeholder left",
        "`new` writes FILL IN where only a person knows what belongs there. It compiles, so that the rest "
        "can be tried, but clients would read it.",
        "means: FILL IN what is true of a row in this state.",
        "Write what the placeholder asks for in its place.",
        "warning",
    ),
}

_SCHEMA: Final[Mapping[str, Code]] = {
    "SPEC-S001": Code(
        "Unknown key",
        "The schema of the document has no such key at this place, so nobody would read it.",
        "next_acton: none",
        "Correct the spelling, or move the key to where it belongs.",
    ),
    "SPEC-S002": Code(
        "Missing key",
        "The schema of the document needs a key that is not there. There are no silent defaults.",
        "queued: {means: It waits.}",
        "Add the key; the hint says what it means.",
    ),
    "SPEC-S003": Code(
        "Wrong type",
        "The value is of another type than its key needs.",
        "contract_version: 1",
        "Write what the message asks for. A number that is a name goes in quotes.",
    ),
    "SPEC-S004": Code(
        "Value not allowed",
        "The key takes one of a few words, and this is none of them.",
        "waits_for: humans",
        "Take one of the words in the hint.",
    ),
    "SPEC-S005": Code(
        "Badly written text",
        "Names follow one style by their role: arguments, states, events and columns snake_case, result "
        "fields "
        "camelCase, types CamelCase, errors and variables UPPER_CASE. What a name means is a sentence.",
        "properties: {operationId: {type: string}}",
        "Write it as the message says.",
    ),
    "SPEC-S006": Code(
        "Out of bounds",
        "A number, a text or a list is smaller or larger than its schema allows.",
        "poll_after_seconds: -1",
        "Choose a value within the bounds.",
    ),
    "SPEC-S007": Code(
        "Listed twice",
        "A list of names holds one of them twice.",
        "ignored: [completed, completed]",
        "Keep one.",
    ),
    "SPEC-S008": Code(
        "Keys that do not go together",
        "A key has a meaning only beside, or only without, another one.",
        "pid: {type: integer, values: [one, two]}",
        "Drop one of the keys; the message says why.",
    ),
}

_REFERENCES: Final[Mapping[str, Code]] = {
    "SPEC-R001": Code(
        "Unknown type",
        "A reference leads to no type of spec/types and to none that the compiler derives (OperationStatus "
        "and the like for each lifecycle, NextAction, QueueReason, ErrorCode, FindingId, RepairAction, "
        "ToolName).",
        "status: {$ref: OperationState}",
        "Correct the name, or declare the type.",
    ),
    "SPEC-R002": Code(
        "Unknown state or group",
        "A transition, a group, a rule or an event names a state that the lifecycle does not have.",
        "- {event: claim, target: runing}",
        "Correct the name, or add the state.",
    ),
    "SPEC-R004": Code(
        "Unknown error",
        "A tool says that it answers an error that spec/errors.yaml does not have.",
        "errors: [INVALID_ARGUMENTS]",
        "Correct the code, or add the error.",
    ),
    "SPEC-R005": Code(
        "Unknown next action",
        "A state recommends a next action that spec/contract.yaml does not have; clients act on these words.",
        "next_action: poll_operation",
        "Correct the word, or add it to next_actions.",
    ),
    "SPEC-R006": Code(
        "Unknown tool",
        "A tool names a following tool that does not exist.",
        "next_tools: [codex_get_status]",
        "Correct the name, or add the tool.",
    ),
    "SPEC-R007": Code(
        "Unknown lifecycle",
        "A column refers to a lifecycle that does not exist; it would become a foreign key to no table.",
        "operation_id: {type: text, references: operations, means: The task.}",
        "Correct the name, or drop `references`.",
    ),
    "SPEC-R008": Code(
        "Unknown column",
        "A state, an event, a touch, a rule or an index names a column that the record does not have.",
        "requires: [complete_at]",
        "Correct the name, or add the column.",
    ),
    "SPEC-R009": Code(
        "Unknown worker command",
        "An event emits a command that is no value of command_type of the lifecycle worker_command.",
        "emits: [deliver_answers]",
        "Correct the name, or add the value.",
    ),
    "SPEC-R010": Code(
        "Unknown group of tools",
        "A tool stands in a group that spec/contract.yaml does not have.",
        "group: stabel",
        "Correct the name, or add the group.",
    ),
    "SPEC-R011": Code(
        "Unknown shape of Codex",
        "A field of Codex's protocol is of a shape that spec/codex.yaml does not declare.",
        "result: {thread: Threat!}",
        "Correct the name, or declare the shape.",
    ),
    "SPEC-R012": Code(
        "Two names for one thing",
        "A lifecycle, record or tool is named differently in its file, in the name of the file or in its "
        "chart.",
        "tool: codex_submit   # in spec/tools/codex_submit_task.yaml",
        "Use one name.",
    ),
    "SPEC-R013": Code(
        "One name for two things",
        "Two tables, types, tools, handlers, settings or id prefixes have one name, or a group that of a "
        "state, "
        "or a touch that of an event, or a type that of a derived one.",
        "groups: {running: [starting, running]}",
        "Rename one of the two.",
    ),
    "SPEC-R014": Code(
        "Circle",
        "A group contains itself, or a type extends itself, so that neither ever ends.",
        "groups: {active: [busy], busy: [active]}",
        "Break the circle.",
    ),
    "SPEC-R015": Code(
        "Unused type",
        "No tool and no column leads to the type, or no field of Codex is of the shape.",
        "types: {Leftover: {enum: [a, b]}}",
        "Remove it, or refer to it.",
        "warning",
    ),
    "SPEC-R016": Code(
        "Unused error",
        "No tool answers the error, and it is not said to be one that rows hold (`stored: true`).",
        "CODEX_LOST: {retryable: false, when: Never., next: Nothing.}",
        "List it at a tool, mark it as stored, or remove it.",
        "warning",
    ),
    "SPEC-R017": Code(
        "Event that is no command",
        "Events are verbs in the imperative (claim, accept, complete), states adjectives or participles "
        "(queued, running). An event that is named like what follows from it reads as a state.",
        "events: {completed: {means: The turn completed., by: [codex]}}",
        "Name the event as one would order it, and the state as what is then true.",
        "warning",
    ),
    "SPEC-R018": Code(
        "Name that says nothing",
        "Words like manager, helper, util, data and info fit everything, so they say nothing of a thing.",
        "handler: task_helpers.submit_task",
        "Name the role of the thing.",
        "warning",
    ),
    "SPEC-R019": Code(
        "Name that Python reserves",
        "Columns, arguments and the properties of types become attributes, events and touches methods. None "
        "of them can be called from, class, import or like another keyword. The properties of an object "
        "within an argument or a type can: no attribute is made of them.",
        "properties: {from: {type: string}}",
        "Say which one it is (from_turn), or put it into an object.",
    ),
    "SPEC-R020": Code(
        "Unknown role",
        "A lifecycle follows rows in a role that their column `role_in` does not have.",
        "roles: {planning: {queued: nothing}}   # and workflow_role has values [plan, execution]",
        "Correct the name, or add the value to the column.",
    ),
    "SPEC-R021": Code(
        "Unknown event of a follower",
        "A follower says that a change of the followed row raises an event that it does not have.",
        "roles: {plan: {completed: present_plan}}",
        "Correct the name, or describe the event; `nothing` is the word for none.",
    ),
}

_LIFECYCLES: Final[Mapping[str, Code]] = {
    "SPEC-L001": Code(
        "Undecided cell",
        "Every event may come in every state: late, repeated or from a program that is wrong. For each state "
        "the spec says what it does there; there is no silent default.",
        "complete: {means: It is done., by: [worker]}   # and what if it was cancelled?",
        "Make it a transition, or list the state under ignored (a repeat or too late), illegal (a fault of "
        "the "
        "caller) or conflict (it contradicts what is known).",
    ),
    "SPEC-L002": Code(
        "Cell decided twice",
        "An event has two answers in one state, perhaps because a group contains the state.",
        "ignored: [ended]\nconflict: [failed]   # failed is in ended",
        "Keep one; name the states of the group one by one where they differ.",
    ),
    "SPEC-L003": Code(
        "State without description",
        "The statechart has a state that `states` does not describe, so nobody could tell a client what to "
        "do.",
        "statechart: {name: job, states: {paused: {}}}",
        "Describe it under `states`.",
    ),
    "SPEC-L004": Code(
        "State without chart",
        "`states` describes a state that the statechart does not have.",
        "states: {runing: {means: It runs.}}",
        "Correct the name, add it to the chart, or remove the description.",
    ),
    "SPEC-L005": Code(
        "Event without description",
        "A transition has an event that `events` does not describe, so nobody knows who may raise it.",
        "- {event: finnish, target: done}",
        "Correct the name, or describe it under `events`.",
    ),
    "SPEC-L006": Code(
        "Event without transition",
        "An event is described and neither creates a row nor leads anywhere.",
        "events: {pause: {means: It pauses., by: [client]}}",
        "Add a transition, or remove the event.",
    ),
    "SPEC-L007": Code(
        "Way out of a final state",
        "Clients stop looking at a row in a final state; a way out of it would make their last word wrong.",
        "done: {final: true, transitions: [{event: reopen, target: queued}]}",
        "Remove the transition, or the `final`.",
    ),
    "SPEC-L008": Code(
        "Unreachable state",
        "No event creates a row in this state, and no way leads to it.",
        "statechart: {name: job, states: {paused: {transitions: [{event: resume, target: running}]}}}",
        "Add a transition to it, or remove it.",
    ),
    "SPEC-L009": Code(
        "State without end",
        "No way leads from this state to a final one: such a row would be open for ever.",
        "paused: {}",
        "Add a transition that ends it, or make it final.",
    ),
    "SPEC-L010": Code(
        "No beginning",
        "A lifecycle has exactly one initial state, and an event that creates rows in it.",
        "two states with `initial: true`",
        "Mark one state, and give one event `creates`.",
    ),
    "SPEC-L011": Code(
        "Waiting without a way out",
        "A row waits, and only a client or Codex can end that. Both may be gone for ever.",
        "pending: {waits_for: human}   # and the only event is raised by a client",
        "Add a transition raised by the worker, the clock or an operator.",
    ),
    "SPEC-L012": Code(
        "State that contradicts itself",
        "A state forbids a column that it requires, or one that is never empty: no row could be in it.",
        "requires: [turn_id]\nforbids: [turn_id]",
        "Keep one of the two, or make the column optional.",
    ),
    "SPEC-L013": Code(
        "Required column is not brought",
        "An event leads to a state that requires a column, and neither the event sets it nor did every way "
        "to "
        "its source. The database would refuse the row.",
        "finish leads to done, which requires finished_at",
        "Let the event set the column, or let the state before require it.",
    ),
    "SPEC-L014": Code(
        "Forbidden column is brought",
        "An event sets, or leaves set, a column that the state behind it forbids. The database would refuse "
        "the "
        "row.",
        "sets: {turn_id: given}   # and the target has forbids: [turn_id]",
        "Do not set the column, clear it, or do not forbid it.",
    ),
    "SPEC-L015": Code(
        "New row with a hole",
        "An event creates a row without a column that is never empty and has no default.",
        "submit: {creates: queued, sets: {}}",
        "Add the column to `sets`, or give it a default, or make it optional.",
    ),
    "SPEC-L016": Code(
        "Column cannot hold that",
        "`now` needs a timestamp, `incremented` an integer, `optional` and `cleared` a column that may be "
        "empty; a row that is being created has nothing to keep, clear or count, and no other row has "
        "anything to copy from.",
        "sets: {title: now}",
        "Use another word, or change the column.",
    ),
    "SPEC-L017": Code(
        "Creation as a transition",
        "An event either creates a row or changes one.",
        "submit: {creates: queued}   # and a transition {event: submit, ...}",
        "Use two events.",
    ),
    "SPEC-L018": Code(
        "Final state with wishes",
        "A row in a final state waits for nothing, holds no slot and cannot be cancelled.",
        "done: {waits_for: codex}   # and final: true in the chart",
        "Correct the description, or the chart.",
    ),
    "SPEC-L019": Code(
        "Evidence missing",
        "What Codex did is known only from what it said: a reply, a notification or its history. An event "
        "that is raised in its name and names none of them would turn a guess into a fact.",
        "complete: {means: The turn completed., by: [codex]}",
        "Say under `evidence` which message or which part of the history shows it.",
    ),
    "SPEC-L020": Code(
        "Consequence not said",
        "A lifecycle follows the rows of another one. For each role and each state of such a row it says "
        "which of its events is raised. There is no silent default: a workflow could stand still for ever.",
        "roles: {plan: {completed: offer_plan}}   # and what if the plan failed?",
        "Name the event that the state raises, or say `nothing`.",
    ),
    "SPEC-L021": Code(
        "Consequence said twice",
        "A state of a followed row has two consequences in one role, perhaps because a group contains it, or "
        "two lifecycles follow one role.",
        "roles: {plan: {ended: fail, completed: offer_plan}}",
        "Keep one; name the states of the group one by one where they differ.",
    ),
    "SPEC-L022": Code(
        "Role that nobody follows",
        "The column that says what part a followed row plays has a value that no lifecycle follows: what "
        "such a row does would have no consequence.",
        "workflow_role: {type: enum, values: [plan, execution, rehearsal], means: Its part.}",
        "Let a lifecycle follow the role, or remove the value.",
    ),
    "SPEC-L023": Code(
        "Follower that refuses",
        "An event that a followed row raises is illegal or a conflict in some state of the follower. The two "
        "change in one transaction, so the followed row could not change either.",
        "fail: {means: It failed., by: [worker], illegal: [completed]}",
        "List the states under `ignored`: the follower has moved on.",
    ),
    "SPEC-L024": Code(
        "Follower that does not listen",
        "Whoever changes the followed row raises the event of its follower, in the same transaction and in "
        "the same name. Someone may do the one and not the other.",
        "fail: {means: It failed., by: [worker]}   # and an operator may end the task",
        "Add the actor to `by` of the event.",
    ),
}

_TOOLS: Final[Mapping[str, Code]] = {
    "SPEC-T001": Code(
        "Root of an input is no object",
        "MCP wants `type: object` at the root of every input. One violation makes the whole list of tools "
        "fail.",
        "input: {type: string}",
        "Make it an object with one property.",
    ),
    "SPEC-T002": Code(
        "Combinator",
        "oneOf, anyOf, allOf, not, if, then and else at the root of an input make the Anthropic API refuse "
        "the "
        "whole session, and models fill them badly anywhere else.",
        "input: {type: object, oneOf: [...]}",
        "Write one closed object with optional properties, and say in the description what goes together.",
    ),
    "SPEC-T003": Code(
        "List of types",
        "A list of types is refused by strict clients.",
        "type: [string, 'null']",
        "Name one type, and leave the property out of `required`.",
    ),
    "SPEC-T004": Code(
        "Bare true or false",
        "A bare boolean as a schema is refused by strict clients, and tells a model nothing.",
        "properties: {answer: true}",
        "Write the type. `additionalProperties: true` on an object that is open on purpose is allowed.",
    ),
    "SPEC-T005": Code(
        "Reference by address",
        "References are bare names of types; clients follow no addresses, and some refuse them.",
        "$ref: https://example.com/task.json",
        "Declare the shape in spec/types.",
    ),
    "SPEC-T006": Code(
        "Text too long for clients",
        "Clients cut descriptions and instructions at 2048 characters.",
        "a description of three pages",
        "Put the essentials first and shorten the rest.",
    ),
    "SPEC-T007": Code(
        "Name too long",
        "Clients put mcp__codex-control-plane-mcp__ before the name, and models accept 64 characters in all.",
        "tool: codex_get_everything_about_one_operation",
        "Shorten the name to 34 characters.",
    ),
    "SPEC-T008": Code(
        "Missing hint",
        "A tool has all four hints of MCP, because clients assume the worst of a missing one.",
        "annotations: {readOnlyHint: true}",
        "Add readOnlyHint, destructiveHint, idempotentHint and openWorldHint.",
    ),
    "SPEC-T009": Code(
        "Hint that contradicts",
        "A tool is read-only exactly if it is passive, and then destroys nothing and reaches nowhere; it is "
        "idempotent unless its idempotency is none.",
        "passive: true\nannotations: {readOnlyHint: false, ...}",
        "Correct the hint, or `passive`, or `idempotency`.",
    ),
    "SPEC-T010": Code(
        "Example is no valid call",
        "The input of an example does not fit the input of its tool; models copy examples.",
        "input: {wait_seconds: 60}   # at most 45",
        "Correct the example, or the input.",
    ),
    "SPEC-T011": Code(
        "Example is no valid answer",
        "The output of an example does not fit what its tool answers.",
        "output: {ok: true}",
        "Correct the example, or the type.",
    ),
    "SPEC-T012": Code(
        "Answer is no object",
        "A tool answers with an object, to which the compiler adds `ok`.",
        "output: {$ref: OperationType}",
        "Wrap the type in an object.",
    ),
    "SPEC-T013": Code(
        "Required but not described",
        "An object requires a property that it does not have.",
        "required: [operationId]\nproperties: {operation: {type: string}}",
        "Correct the name, or describe the property.",
    ),
    "SPEC-T014": Code(
        "Default does not fit",
        "The default of an argument is not a value that its own schema allows.",
        "limit: {type: integer, maximum: 50, default: 100}",
        "Correct the default, or the bounds.",
    ),
}

_SETTINGS: Final[Mapping[str, Code]] = {
    "SPEC-C001": Code(
        "Default does not fit",
        "The default of a setting or a column is of another type, none of its values or out of its bounds.",
        "{name: lease_seconds, type: integer, default: fifteen}",
        "Correct the default.",
    ),
    "SPEC-C002": Code(
        "Impossible bounds",
        "The smallest value of a setting is larger than its largest one.",
        "minimum: 60\nmaximum: 10",
        "Swap the bounds.",
    ),
}

_CODEX: Final[Mapping[str, Code]] = {
    "SPEC-X001": Code(
        "Wanted and declined",
        "A notification is listened to and opted out of, or a server request is asked of people and refused.",
        "notifications: {item/started: ...}\nopt_out: [item/started]",
        "Keep one of the two.",
    ),
    "SPEC-X002": Code(
        "Tested version is too old",
        "The Codex that the tests run is older than the oldest one that will do.",
        "minimum_version: 0.160.0\ntested_version: 0.154.0",
        "Raise the tested version, or lower the minimum.",
    ),
    "SPEC-X003": Code(
        "Version without its protocol",
        "Codex's own protocol is pinned in schemas/codex for each of pinned_versions, the oldest and the "
        "tested one among them. What is said of Codex is checked against it.",
        "pinned_versions: [0.154.0, 0.163.0]   # and no schemas/codex/0.163.0",
        "Pin it: codex-control-plane-mcp-codegen codex-pin --binary PATH. Or correct the list.",
    ),
    "SPEC-X004": Code(
        "Codex has no such message",
        "The pinned protocol of the tested version has no method, notification or request of that name, so "
        "it would be refused or never come.",
        "methods: {thread/rename: ...}",
        "Correct the name; docs/codex-versions.md says how a newer Codex is taken.",
    ),
    "SPEC-X005": Code(
        "Codex has no such field",
        "The message or the type has no such field in the pinned protocol of the tested version. Codex would "
        "ignore it, or it would never be there.",
        "params: {threadID: string!}",
        "Correct the name, or drop the field.",
    ),
    "SPEC-X006": Code(
        "Codex gives the field another type",
        "What would be sent is refused by Codex, or what is read is left out as invalid.",
        "params: {limit: string}",
        "Write the type that the message names.",
    ),
    "SPEC-X007": Code(
        "Present for one and absent for the other",
        "Codex insists on a field that may be left out here, or may leave out one that is relied on here. "
        "The message would then fail.",
        "params: {threadId: string}",
        "Add or drop the `!`; a field that is nowhere named has to be named and sent.",
    ),
    "SPEC-X008": Code(
        "Experimental, or not any more",
        "Codex answers an experimental method only to clients that ask for such, and may drop it without "
        "notice; whoever reads the spec must know.",
        "thread/backgroundTerminals/clean: {means: ...}",
        "Add or drop `experimental: true`.",
    ),
    "SPEC-X009": Code(
        "No rule for a lost reply",
        "A call changes something at Codex, and its reply may be lost. Whoever finds the attempt open must "
        "know what shows that it took effect, and what the absence of that means; else it would be guessed, "
        "or sent twice.",
        "turn/start: {means: ..., changes: true}",
        "Add `if_lost` with `evidence` and `absent_means`; and `looked_up_in`, `remains_unknown` and "
        "`choices` where Codex has to be asked.",
    ),
    "SPEC-X010": Code(
        "Evidence from nowhere",
        "A lost reply is looked up in a method that is not called, or that recovery does not rely on; or an "
        "operator is offered a choice that nobody explains.",
        "if_lost: {evidence: ..., looked_up_in: thread/list, absent_means: ...}",
        "Name a method with `evidence: true`, and only choices of `choices`.",
    ),
}

_COMPARISON: Final[Mapping[str, Code]] = {
    "SPEC-D001": Code(
        "Break that nobody approved",
        "The contract breaks a reader of the last release, and neither a new contract version nor an "
        "approval says that this is meant. A new version warns callers and importers; rows and running work "
        "read none.",
        "The state `queued` is gone; tasks that are queued during the upgrade are stranded.",
        "Undo it, or say in spec/approvals.yaml under its fingerprint why it is meant, and until when.",
    ),
    "SPEC-D002": Code(
        "Contract version not raised",
        "Callers or importers of the last release are broken, and contract_version is still the same.",
        'contract_version: "1"  # and the tool codex_interrupt_turn is gone',
        "Raise contract_version by one; the changelog tells users what to do.",
    ),
    "SPEC-D003": Code(
        "Contract version raised for nothing",
        "contract_version is not the released one, and no caller and no importer is broken; or it is not the "
        "next one. Clients that check it would refuse a server that they understand.",
        'contract_version: "2"  # and one optional argument is new',
        "Set it as the hint says.",
    ),
    "SPEC-D004": Code(
        "Approval that expired",
        "The day until which a break was approved is over, and the break is still there.",
        "diff-0123456789ab: {reason: Nobody uses it., expires: 2026-01-31}",
        "Undo the break, or find out why it is still meant and set another day.",
    ),
    "SPEC-D005": Code(
        "Approval of nothing",
        "No break has this fingerprint: it was undone, it is released, or it has become another one.",
        "diff-0123456789ab: {reason: Nobody uses it., expires: 2027-01-31}",
        "Remove the approval, or correct its fingerprint.",
        "warning",
    ),
    "SPEC-D006": Code(
        "Missing migration",
        "The tables differ from the released ones, and no migration is newer than the released ones. State "
        "files of users would keep the old tables.",
        "spec/lifecycles/operation.yaml has a new column, and 0001_initial.sql is the last migration.",
        "Add the next numbered file to runtime/codex_control_plane_mcp/store/migrations.",
    ),
}

_COMPOSITION: Final[Mapping[str, Code]] = {
    "SPEC-V001": Code(
        "Unknown part of the composition",
        "A step, a decision or a promise names a row, surrounding, bound, decision or step that the "
        "composition "
        "does not have, or a row is of a lifecycle that does not exist.",
        "when: {tsak: queued}",
        "Correct the name, or declare the part.",
    ),
    "SPEC-V002": Code(
        "Unknown value",
        "A condition or an assignment names a value that its row, surrounding or bound cannot have.",
        "when: {worker: dead}   # values: [gone, alive]",
        "Take a state or group of the lifecycle or `absent`, a declared value, or `left` or `spent`.",
    ),
    "SPEC-V003": Code(
        "Unknown event",
        "A step raises an event that the lifecycle of the row does not have.",
        "then: [task.clame]",
        "Correct the name, or add the event to the lifecycle.",
    ),
    "SPEC-V004": Code(
        "Not for this actor to raise",
        "The lifecycle says who may raise an event. The client speaks for itself only; the worker also "
        "for what "
        "it has heard from Codex; what the clock brings about is written by the worker. Codex and "
        "faults write "
        "nothing.",
        "cancel: {actor: worker, then: [task.cancel], ...}   # cancel is by: [client]",
        "Correct the actor of the step, or `by` of the event.",
    ),
    "SPEC-V005": Code(
        "More rows than one",
        "The composition follows one row of each part. That is the whole truth only if the database "
        "allows no "
        "second one that is open: a `unique` rule of the lifecycle must cover every state that is not final.",
        "unique: [{columns: [subject_id, kind], while: [sent], ...}]   # and unknown ones?",
        "Widen the rule to every open state, or add one.",
    ),
}

CODES: Final[Mapping[str, Code]] = {
    **_YAML,
    **_SCHEMA,
    **_REFERENCES,
    **_LIFECYCLES,
    **_TOOLS,
    **_SETTINGS,
    **_CODEX,
    **_COMPARISON,
    **_COMPOSITION,
}
"""Id → kind of finding."""

UNKNOWN_NAMES: Final = frozenset(
    {"SPEC-R001", "SPEC-R002", "SPEC-R004", "SPEC-R005", "SPEC-R006", "SPEC-R007", "SPEC-R008", "SPEC-R009"}
    | {"SPEC-R010", "SPEC-R011"}
)
"""The codes of names that lead nowhere; one wrong name is one finding in each file."""
