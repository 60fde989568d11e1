"""The pairs of contracts that show the matrix: the base spec, and one edit of it.

Each case is read in both directions: what an edit adds, taking it back removes. A verdict is written here
once more, as a letter for each reader (callers, rows, work, importers): Breaking, Risky, Additive, or - for
nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen.comparison.verdicts import Change


@dataclass(frozen=True)
class Edit:
    """Text of a file of the spec that is replaced; a file is added if there is nothing to replace."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Case:
    """What an edit does to an element of a kind, and what its undoing does."""

    kind: str
    edits: Sequence[Edit]
    forth: tuple[Change, str]
    back: tuple[Change, str] | None
    """None where the undoing is a change of another kind."""
    given: Sequence[Edit] = ()
    """Edits that both contracts have."""

    def __str__(self) -> str:
        """The name of the test."""
        return f"{self.kind} {self.forth[0]}"


def _edits(file: str, pairs: Sequence[str]) -> Sequence[Edit]:
    return [Edit(file, old, new) for old, new in zip(pairs[::2], pairs[1::2], strict=True)]


JOB: Final = "lifecycles/job.yaml"
COMMAND: Final = "lifecycles/worker_command.yaml"
NOTE: Final = "records/note.yaml"
TYPES: Final = "types/job.yaml"
TOOL: Final = "tools/get_job.yaml"
SETTINGS: Final = "config.yaml"
CODEX: Final = "codex.yaml"
ERRORS: Final = "errors.yaml"

_FOLLOWS: Final = """\
follows:
  lifecycle: job
  named_by: batch_id
  role_in: batch_role
  roles:
    part: {open: nothing, done: close}
"""
_BATCH: Final = (
    Edit(
        JOB,
        "  tries: {",
        "  batch_id: {type: text, optional: true, means: The batch.}\n"
        "  batch_role: {type: enum, optional: true, values: [part], means: Its part.}\n"
        "  tries: {",
    ),
    Edit(
        "lifecycles/batch.yaml",
        "",
        f"""\
# yaml-language-server: $schema=../../schemas/spec/lifecycle.schema.json
lifecycle: batch
id_prefix: bat
means: Several things to do.
source: a test
record:
  title: {{type: text, means: What to do.}}
{_FOLLOWS}statechart:
  name: batch
  states:
    opened:
      initial: true
      transitions:
        - {{event: close, target: closed}}
    closed: {{final: true}}
states:
  opened: {{means: It is open., waits_for: none, next_action: look, poll_after_seconds: 1}}
  closed: {{means: It ended., waits_for: none, next_action: none, poll_after_seconds: 0}}
events:
  begin: {{means: A client wants it., by: [client], creates: opened, sets: {{title: given}}}}
  close: {{means: It is done., by: [worker], ignored: [closed]}}
""",
    ),
)
"""A lifecycle that follows that of the base spec."""

_ARGUMENT: Final = "    job_id: {type: string, minLength: 1}\n"
_MEMO: Final = """\
# yaml-language-server: $schema=../../schemas/spec/record.schema.json
record: memo
means: What to keep.
source: a test
columns:
  text: {type: text, means: What to keep.}
"""
_SECOND_TOOL: Final = """\
# yaml-language-server: $schema=../../schemas/spec/tool.schema.json
tool: peek
title: Peek at a job
group: stable
role: read
source: a test
description: Peek at a job.
passive: true
idempotency: natural
annotations: {readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false}
handler: jobs.peek
input:
  type: object
  required: [job_id]
  properties:
    job_id: {type: string, minLength: 1}
output: {$ref: Job}
errors: [INVALID_ARGUMENT]
next_tools: []
examples:
  - title: Peek
    input: {job_id: job_1}
"""
_ARCHIVE: Final = _edits(
    JOB,
    (
        "    done: {final: true}\n",
        (
            "    done:\n      transitions:\n        - {event: archive, target: archived}\n"
            "    archived: {final: true}\n"
        ),
        "events:\n",
        """\
  archived:
    means: It is kept.
    waits_for: none
    next_action: none
    poll_after_seconds: 0
    requires: [ended_at]
events:
  archive:
    means: It is put away.
    by: [worker]
    ignored: [archived]
    illegal: [queued, running]
""",
        "    illegal: [done]\n",
        "    illegal: [done, archived]\n",
        "    ignored: [done]\n",
        "    ignored: [done, archived]\n",
    ),
)
"""Another state, reached by another event, behind one that was the last."""

_TWO_ENDS: Final = _edits(
    JOB,
    (
        "        - {event: finish, target: done}\n",
        (
            "        - {event: finish, target: done}\n        - {event: drop, target: done}\n"
            "        - {event: lose, target: lost}\n"
        ),
        "    done: {final: true}\n",
        "    done: {final: true}\n    lost: {final: true}\n",
        "events:\n",
        """\
  lost:
    means: It is lost.
    waits_for: none
    next_action: none
    poll_after_seconds: 0
    requires: [ended_at]
events:
  drop:
    means: Nobody wants it.
    by: [worker]
    sets: {ended_at: now}
    ignored: [done, lost]
    illegal: [queued]
  lose:
    means: Nobody finds it.
    by: [worker]
    sets: {ended_at: now}
    ignored: [done, lost]
    illegal: [queued]
""",
        "    illegal: [done]\n",
        "    illegal: [done, lost]\n",
        "    ignored: [done]\n    illegal: [queued]\n",
        "    ignored: [done, lost]\n    illegal: [queued]\n",
    ),
)


def _column(definition: str, effect: str) -> Sequence[Edit]:
    """Another column of jobs, set by their submission."""
    return _edits(
        JOB,
        (
            "  tries: {type",
            f"  size: {{{definition}, means: How big.}}\n  tries: {{type",
            "    creates: queued\n    sets: {title: given}\n",
            f"    creates: queued\n    sets: {{title: given, size: {effect}}}\n",
        ),
    )


def _argument(definition: str) -> Sequence[Edit]:
    """Another argument of the tool."""
    return _edits(TOOL, (_ARGUMENT, f"{_ARGUMENT}    extra: {definition}\n"))


def _argument_edit(old: str, new: str) -> Sequence[Edit]:
    return _edits(TOOL, (f"    extra: {old}\n", f"    extra: {new}\n"))


def _result(definition: str) -> Sequence[Edit]:
    """Another field of the result."""
    return _edits(TYPES, ("      sort: {", f"      extra: {definition}\n      sort: {{"))


def _stored(definition: str) -> Sequence[Edit]:
    """Another field of the errors that rows hold."""
    return _edits(TYPES, ("      code: {", f"      extra: {definition}\n      code: {{"))


def _type_edit(old: str, new: str) -> Sequence[Edit]:
    return _edits(TYPES, (f"      extra: {old}\n", f"      extra: {new}\n"))


_TOOL_CASES: Final = (
    Case(
        "text",
        _edits("contract.yaml", ("title: Jobs", "title: Tasks")),
        ("changed", "A---"),
        ("changed", "A---"),
    ),
    Case("tool", [Edit("tools/peek.yaml", "", _SECOND_TOOL)], ("added", "A---"), ("removed", "B---")),
    Case(
        "hint",
        _edits(
            TOOL,
            ("openWorldHint: false", "openWorldHint: true"),
        ),
        ("widened", "B---"),
        ("narrowed", "A---"),
        _edits(TOOL, ("passive: true", "passive: false", "readOnlyHint: true", "readOnlyHint: false")),
    ),
    Case(
        "idempotency",
        _edits(TOOL, ("idempotency: natural", "idempotency: client_request_id")),
        ("changed", "B---"),
        ("changed", "B---"),
    ),
    Case(
        "tool group",
        _edits(TOOL, ("group: stable", "group: extra")),
        ("changed", "R---"),
        ("changed", "R---"),
        _edits("contract.yaml", ("groups:\n", "groups:\n  extra: Tried out.\n")),
    ),
    Case(
        "tool error",
        _edits(TOOL, ("errors: [INVALID_ARGUMENT]", "errors: [INVALID_ARGUMENT, JOB_LOST]")),
        ("added", "R---"),
        ("removed", "A---"),
    ),
    Case(
        "next tool",
        _edits(TOOL, ("next_tools: []", "next_tools: [get_job]")),
        ("added", "A---"),
        ("removed", "A---"),
    ),
    Case(
        "error",
        _edits(
            ERRORS,
            (
                "  JOB_LOST:\n",
                (
                    "  JOB_TORN: {retryable: false, stored: true, when: It is torn., next: Submit it.}\n"
                    "  JOB_LOST:\n"
                ),
            ),
        ),
        ("added", "AA--"),
        ("removed", "AB--"),
    ),
    Case(
        "error retryability",
        _edits(ERRORS, ("retryable: false\n    stored", "retryable: true\n    stored")),
        ("changed", "R---"),
        ("changed", "R---"),
    ),
    Case(
        "finding",
        _edits(
            "findings.yaml",
            (
                "  no_worker",
                "  slow: {severity: broken, means: It is slow., recommended_action: Wait.}\n  no_worker",
            ),
        ),
        ("added", "A---"),
        ("removed", "R---"),
    ),
    Case(
        "finding",
        _edits("findings.yaml", ("severity: broken", "severity: degraded")),
        ("changed", "R---"),
        ("changed", "R---"),
    ),
)

_INPUT_CASES: Final = (
    Case("input field", _argument("{type: string}"), ("added", "A---"), ("removed", "B---")),
    Case(
        "input requirement",
        _edits(TOOL, ("  required: [job_id]\n", "")),
        ("removed", "A---"),
        ("added", "B---"),
    ),
    Case(
        "input type",
        _argument_edit("{type: integer}", "{type: number}"),
        ("widened", "A---"),
        ("narrowed", "B---"),
        _argument("{type: integer}"),
    ),
    Case(
        "input type",
        _argument_edit("{type: integer}", "{type: string}"),
        ("changed", "B---"),
        ("changed", "B---"),
        _argument("{type: integer}"),
    ),
    Case(
        "input choice",
        _argument_edit("{type: string}", "{type: string, enum: [a]}"),
        ("added", "B---"),
        ("removed", "A---"),
        _argument("{type: string}"),
    ),
    Case(
        "input word",
        _argument_edit("{enum: [a]}", "{enum: [a, b]}"),
        ("added", "A---"),
        ("removed", "B---"),
        _argument("{enum: [a]}"),
    ),
    Case("input bound", _edits(TOOL, (", maximum: 45", "")), ("removed", "A---"), ("added", "B---")),
    Case(
        "input bound",
        _edits(TOOL, ("maximum: 45", "maximum: 60")),
        ("widened", "A---"),
        ("narrowed", "B---"),
    ),
    Case(
        "input bound",
        _argument_edit('{type: string, pattern: "^a"}', '{type: string, pattern: "^b"}'),
        ("changed", "B---"),
        ("changed", "B---"),
        _argument('{type: string, pattern: "^a"}'),
    ),
    Case("input default", _edits(TOOL, (", default: 0", "")), ("removed", "R---"), ("added", "R---")),
    Case(
        "input default",
        _edits(TOOL, ("default: 0", "default: 5")),
        ("changed", "R---"),
        ("changed", "R---"),
    ),
    Case(
        "input openness",
        _argument_edit(
            "{type: object, additionalProperties: true}",
            "{type: object, additionalProperties: {type: string}}",
        ),
        ("narrowed", "B---"),
        ("widened", "A---"),
        _argument("{type: object, additionalProperties: true}"),
    ),
)

_RESULT_CASES: Final = (
    Case("result field", _result("{type: string}"), ("added", "A---"), ("removed", "B---")),
    Case(
        "result guarantee",
        _edits(TYPES, ("required: [jobId, status]", "required: [jobId]")),
        ("removed", "B---"),
        ("added", "A---"),
    ),
    Case(
        "result type",
        _type_edit("{type: integer}", "{type: number}"),
        ("widened", "B---"),
        ("narrowed", "A---"),
        _result("{type: integer}"),
    ),
    Case(
        "result type",
        _type_edit("{type: integer}", "{type: string}"),
        ("changed", "B---"),
        ("changed", "B---"),
        _result("{type: integer}"),
    ),
    Case(
        "result choice",
        _type_edit("{type: string}", "{type: string, enum: [a]}"),
        ("added", "A---"),
        ("removed", "R---"),
        _result("{type: string}"),
    ),
    Case(
        "result word",
        _edits(TYPES, ("enum: [small, large]", "enum: [small, large, huge]")),
        ("added", "R---"),
        ("removed", "R---"),
    ),
    Case(
        "result bound",
        _type_edit("{type: integer}", "{type: integer, minimum: 1}"),
        ("added", "A---"),
        ("removed", "R---"),
        _result("{type: integer}"),
    ),
    Case(
        "result bound",
        _type_edit("{type: integer, minimum: 1}", "{type: integer, minimum: 2}"),
        ("narrowed", "A---"),
        ("widened", "R---"),
        _result("{type: integer, minimum: 1}"),
    ),
    Case(
        "result bound",
        _type_edit("{type: string, format: date-time}", "{type: string, format: uri}"),
        ("changed", "B---"),
        ("changed", "B---"),
        _result("{type: string, format: date-time}"),
    ),
    Case(
        "result openness",
        _type_edit(
            "{type: object, additionalProperties: true}",
            "{type: object, additionalProperties: {type: string}}",
        ),
        ("narrowed", "R---"),
        ("widened", "A---"),
        _result("{type: object, additionalProperties: true}"),
    ),
)

_STORED_CASES: Final = (
    Case("stored field", _stored("{type: string}"), ("added", "-AR-"), ("removed", "-BR-")),
    Case(
        "stored guarantee",
        _edits(TYPES, ("required: [code]", "required: [code, extra]")),
        ("added", "-BB-"),
        ("removed", "-AB-"),
        _stored("{type: string}"),
    ),
    Case(
        "stored type",
        _type_edit("{type: integer}", "{type: number}"),
        ("widened", "-AR-"),
        ("narrowed", "-BB-"),
        _stored("{type: integer}"),
    ),
    Case(
        "stored type",
        _type_edit("{type: integer}", "{type: string}"),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
        _stored("{type: integer}"),
    ),
    Case(
        "stored choice",
        _type_edit("{type: string}", "{type: string, enum: [a]}"),
        ("added", "-BB-"),
        ("removed", "-AR-"),
        _stored("{type: string}"),
    ),
    Case(
        "stored word",
        _type_edit("{enum: [a]}", "{enum: [a, b]}"),
        ("added", "-AR-"),
        ("removed", "-BB-"),
        _stored("{enum: [a]}"),
    ),
    Case(
        "stored bound",
        _type_edit("{type: integer}", "{type: integer, maximum: 9}"),
        ("added", "-BR-"),
        ("removed", "-AR-"),
        _stored("{type: integer}"),
    ),
    Case(
        "stored bound",
        _type_edit("{type: integer, maximum: 9}", "{type: integer, maximum: 8}"),
        ("narrowed", "-BR-"),
        ("widened", "-AR-"),
        _stored("{type: integer, maximum: 9}"),
    ),
    Case(
        "stored bound",
        _type_edit("{type: string, format: date-time}", "{type: string, format: uri}"),
        ("changed", "-BR-"),
        ("changed", "-BR-"),
        _stored("{type: string, format: date-time}"),
    ),
    Case(
        "stored openness",
        _type_edit(
            "{type: object, additionalProperties: true}",
            "{type: object, additionalProperties: {type: string}}",
        ),
        ("narrowed", "-BR-"),
        ("widened", "-AR-"),
        _stored("{type: object, additionalProperties: true}"),
    ),
)

_SETTING_CASES: Final = (
    Case(
        "setting",
        _edits(
            SETTINGS,
            (
                "settings:\n",
                "settings:\n  JOB_NAME: {name: job, type: text, optional: true, means: A name.}\n",
            ),
        ),
        ("added", "A---"),
        ("removed", "B---"),
    ),
    Case(
        "setting type",
        _edits(SETTINGS, ("{name: job, type: text", "{name: job, type: path")),
        ("changed", "B---"),
        ("changed", "B---"),
        _edits(
            SETTINGS,
            (
                "settings:\n",
                "settings:\n  JOB_NAME: {name: job, type: text, optional: true, means: A name.}\n",
            ),
        ),
    ),
    Case(
        "setting word",
        _edits(SETTINGS, ("values: [fast, slow]", "values: [fast, slow, lazy]")),
        ("added", "A---"),
        ("removed", "B---"),
    ),
    Case("setting bound", _edits(SETTINGS, ("maximum: 8, ", "")), ("removed", "A---"), ("added", "B---")),
    Case(
        "setting bound",
        _edits(SETTINGS, ("maximum: 8", "maximum: 6")),
        ("narrowed", "B---"),
        ("widened", "A---"),
    ),
    Case(
        "setting default",
        _edits(SETTINGS, ("default: 4", "default: 5")),
        ("changed", "R---"),
        ("changed", "R---"),
    ),
    Case(
        "setting default",
        _edits(SETTINGS, ("default: 4, ", "optional: true, ")),
        ("removed", "R---"),
        ("added", "R---"),
    ),
    Case(
        "settings file variable",
        _edits(SETTINGS, ("[JOB_CONFIG]", "[JOB_CONFIG, OLD_CONFIG]")),
        ("added", "A---"),
        ("removed", "B---"),
    ),
)

_CODEX_CASES: Final = (
    Case(
        "codex minimum",
        _edits(CODEX, ("minimum_version: 0.154.0", "minimum_version: 0.160.0")),
        ("narrowed", "B-B-"),
        ("widened", "A-A-"),
    ),
    Case(
        "codex message",
        _edits(
            CODEX,
            (
                "notifications:\n",
                "notifications:\n  turn/ended: {means: Ends., without: No., params: {threadId: string!}}\n",
            ),
        ),
        ("added", "--R-"),
        ("removed", "--R-"),
    ),
    Case(
        "codex field",
        _edits(CODEX, ("{cwd: string}", "{cwd: string, model: string}")),
        ("added", "--R-"),
        ("removed", "--A-"),
    ),
    Case(
        "codex field",
        _edits(CODEX, ("{cwd: string}", "{cwd: string!}")),
        ("changed", "--R-"),
        ("changed", "--R-"),
    ),
    Case(
        "codex question",
        _edits(CODEX, ("refused_requests:\n", "refused_requests:\n  item/look: Nothing is shown.\n")),
        ("added", "R-A-"),
        ("removed", "A-B-"),
    ),
    Case(
        "codex question",
        _edits(CODEX, ("kind: approval", "kind: user_input")),
        ("changed", "R-R-"),
        ("changed", "R-R-"),
    ),
    Case(
        "codex override",
        _edits(CODEX, ("methods:\n", 'configuration:\n  delay: {value: "1", reason: It waits.}\nmethods:\n')),
        ("added", "--R-"),
        ("removed", "--R-"),
    ),
    Case(
        "codex override",
        _edits(CODEX, ('value: "1"', 'value: "2"')),
        ("changed", "--R-"),
        ("changed", "--R-"),
        _edits(CODEX, ("methods:\n", 'configuration:\n  delay: {value: "1", reason: It waits.}\nmethods:\n')),
    ),
    Case(
        "codex prompt",
        _edits(CODEX, ("methods:\n", "prompts:\n  again: {means: It goes on., text: Go on.}\nmethods:\n")),
        ("added", "--A-"),
        ("removed", "--R-"),
    ),
    Case(
        "codex prompt",
        _edits(CODEX, ("text: Go on.", "text: Carry on.")),
        ("changed", "--A-"),
        ("changed", "--A-"),
        _edits(CODEX, ("methods:\n", "prompts:\n  again: {means: It goes on., text: Go on.}\nmethods:\n")),
    ),
)

_TABLE_CASES: Final = (
    Case("table", [Edit("records/memo.yaml", "", _MEMO)], ("added", "-AA-"), ("removed", "-BB-")),
    Case(
        "table rule",
        _edits("records/memo.yaml", ("source: a test\n", "source: a test\nsingleton: true\n")),
        ("narrowed", "-BB-"),
        ("widened", "-AR-"),
        [Edit("records/memo.yaml", "", _MEMO)],
    ),
    Case(
        "id prefix",
        _edits(JOB, ("id_prefix: job", "id_prefix: task")),
        ("changed", "RR--"),
        ("changed", "RR--"),
    ),
    Case(
        "column", _column("type: integer, optional: true", "optional"), ("added", "-AA-"), ("removed", "-BB-")
    ),
    Case(
        "given column",
        _edits(JOB, ("size: {type: integer, optional: true", "size: {type: integer")),
        ("added", "-BB-"),
        ("removed", "-AB-"),
        _column("type: integer, optional: true", "given"),
    ),
    Case(
        "given column",
        _edits(JOB, ("size: {type: integer, default: 3", "size: {type: integer")),
        ("changed", "-AA-"),
        None,
        _column("type: integer, default: 3", "given"),
    ),
    Case(
        "filled column",
        _edits(JOB, ("size: {type: integer, optional: true", "size: {type: integer, default: 3")),
        ("added", "-RB-"),
        ("removed", "-AB-"),
        _column("type: integer, optional: true", "given"),
    ),
    Case(
        "filled column",
        _edits(JOB, ("default: 0", "default: 1")),
        ("changed", "-RR-"),
        ("changed", "-RR-"),
    ),
    Case(
        "column type",
        _edits(JOB, ("size: {type: integer", "size: {type: number")),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
        _column("type: integer", "given"),
    ),
    Case(
        "column word",
        _edits(COMMAND, ("values: [notify]", "values: [notify, stop]")),
        ("added", "-AR-"),
        ("removed", "-BB-"),
    ),
    Case(
        "stored shape",
        _edits(JOB, ("shape: Error", "shape: Failure")),
        ("added", "-AA-"),
        ("removed", "-AA-"),
    ),
    Case(
        "column type",
        _edits(JOB, ("shape: Error", "shape: Failure")),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
    ),
    Case(
        "column reference",
        _edits(NOTE, ("type: text, references: job", "type: text")),
        ("removed", "-AA-"),
        ("added", "-BR-"),
    ),
    Case(
        "column reference",
        _edits(NOTE, ("references: job", "references: worker_command")),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
    ),
    Case(
        "unique rule",
        _edits(
            JOB,
            ("unique:\n", "unique:\n  - {columns: [title, tries], while: [open], means: One of its kind.}\n"),
        ),
        ("added", "-BB-"),
        ("removed", "-AB-"),
    ),
    Case(
        "unique rule",
        _edits(JOB, ("while: [open]", "while: [queued]")),
        ("widened", "-AB-"),
        ("narrowed", "-BB-"),
    ),
    Case(
        "unique rule",
        _edits(JOB, ("while: [open]", "while: [open], where: tries > 0")),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
    ),
    Case(
        "index",
        _edits(NOTE, ("index:\n", "index:\n  - {columns: [text]}\n")),
        ("added", "-A--"),
        ("removed", "-A--"),
    ),
)

_MACHINE_CASES: Final = (
    Case("state", _ARCHIVE, ("added", "-AR-"), ("removed", "-BB-")),
    Case("finality", _ARCHIVE, ("widened", "BRR-"), ("narrowed", "ABB-")),
    Case("event", _ARCHIVE, ("added", "-AA-"), ("removed", "-BB-")),
    Case(
        "status",
        _edits(JOB, ("    means: It runs.\n", "    means: It runs.\n    presents_as: queued\n")),
        ("changed", "B---"),
        ("changed", "B---"),
    ),
    Case(
        "state guidance",
        _edits(JOB, ("means: It runs.\n    waits_for: none", "means: It runs.\n    waits_for: codex")),
        ("changed", "A---"),
        ("changed", "A---"),
    ),
    Case(
        "state fact",
        _edits(JOB, ("    means: It runs.\n", "    means: It runs.\n    holds_slot: true\n")),
        ("changed", "R-R-"),
        ("changed", "R-R-"),
    ),
    Case(
        "state condition",
        _edits(JOB, ("    forbids: [ended_at]\n", "")),
        ("removed", "-AR-"),
        ("added", "-BB-"),
    ),
    Case(
        "state condition",
        _edits(
            JOB,
            (
                "    requires: [ended_at]\n",
                "    forbids: [ended_at]\n",
                "sets: {ended_at: now, problem",
                "sets: {ended_at: cleared, problem",
            ),
        ),
        ("changed", "-BB-"),
        ("changed", "-BB-"),
    ),
    Case(
        "creation",
        _edits(JOB, ("    creates: queued\n", "    creates: running\n")),
        ("changed", "-RB-"),
        ("changed", "-RB-"),
        _edits(
            JOB,
            (
                "  start:\n",
                ("  retry: {means: Again., by: [client], creates: queued, sets: {title: given}}\n  start:\n"),
            ),
        ),
    ),
    Case(
        "actor",
        _edits(JOB, ("begins.\n    by: [worker]", "begins.\n    by: [worker, clock]")),
        ("added", "--A-"),
        ("removed", "--B-"),
    ),
    Case(
        "cell",
        _edits(JOB, ("    ignored: [running]\n    illegal: [done]\n", "    illegal: [running, done]\n")),
        ("narrowed", "-RB-"),
        ("widened", "-AA-"),
    ),
    Case(
        "cell",
        _edits(JOB, ("event: drop, target: done", "event: drop, target: lost")),
        ("changed", "-RB-"),
        ("changed", "-RB-"),
        _TWO_ENDS,
    ),
    Case(
        "assignment",
        _edits(JOB, ("    sets: {tries: incremented}\n", "")),
        ("removed", "--R-"),
        ("added", "--R-"),
    ),
    Case(
        "assignment",
        _edits(JOB, ("problem: optional}", "problem: given}")),
        ("changed", "--R-"),
        ("changed", "--R-"),
    ),
    Case("order", _edits(JOB, ("    emits: [notify]\n", "")), ("removed", "--R-"), ("added", "--R-")),
    Case(
        "consequence",
        [Edit("lifecycles/batch.yaml", _FOLLOWS, "")],
        ("removed", "--R-"),
        ("added", "--R-"),
        _BATCH,
    ),
    Case(
        "consequence",
        [Edit("lifecycles/batch.yaml", "done: close", "done: nothing")],
        ("changed", "--R-"),
        ("changed", "--R-"),
        _BATCH,
    ),
    Case(
        "touch",
        _edits(
            JOB, ("touches:\n", "touches:\n  retry: {means: It was tried., sets: {tries: incremented}}\n")
        ),
        ("added", "--A-"),
        ("removed", "--B-"),
    ),
)

_PYTHON_CASES: Final = (
    Case(
        "python module",
        [
            Edit(
                "lifecycles/thing.yaml",
                "",
                """\
# yaml-language-server: $schema=../../schemas/spec/lifecycle.schema.json
lifecycle: thing
id_prefix: thg
means: Something.
source: a test
record:
  title: {type: text, means: What it is.}
statechart:
  name: thing
  states:
    new:
      initial: true
      transitions:
        - {event: end, target: ended}
    ended: {final: true}
states:
  new: {means: It is new., waits_for: slot, next_action: look, poll_after_seconds: 1}
  ended: {means: It ended., waits_for: none, next_action: none, poll_after_seconds: 0}
events:
  make: {means: It is made., by: [worker], creates: new, sets: {title: given}}
  end: {means: It ends., by: [worker], ignored: [ended]}
""",
            )
        ],
        ("added", "---A"),
        ("removed", "---B"),
    ),
    Case("python name", _ARCHIVE, ("added", "---A"), ("removed", "---B")),
    Case(
        "python name",
        _edits(
            TYPES,
            (
                "{enum: [small, large]}",
                "{type: object, description: A sort., properties: {a: {type: string}}}",
            ),
        ),
        ("changed", "---B"),
        ("changed", "---B"),
    ),
    Case(
        "python bases",
        _edits(TYPES, ("    extends: Next\n    properties: {kin", "    properties: {kin")),
        ("changed", "---R"),
        ("changed", "---R"),
        _edits(
            TYPES,
            (
                "  Job:\n",
                (
                    "  Kin:\n    type: object\n    description: Kin.\n    extends: Next\n"
                    "    properties: {kin: {type: string}}\n  Job:\n"
                ),
            ),
        ),
    ),
    Case(
        "python parameter",
        _edits(JOB, ("problem: optional}", "problem: optional, tries: kept}")),
        ("added", "---A"),
        ("removed", "---B"),
    ),
    Case(
        "python requirement",
        _edits(JOB, ("problem: optional}", "problem: given}")),
        ("added", "---B"),
        ("removed", "---A"),
    ),
    Case(
        "python type",
        _edits(JOB, ("size: {type: integer", "size: {type: number")),
        ("changed", "---R"),
        ("changed", "---R"),
        _column("type: integer", "given"),
    ),
)

CASES: Final[Sequence[Case]] = (
    *_TOOL_CASES,
    *_INPUT_CASES,
    *_RESULT_CASES,
    *_STORED_CASES,
    *_SETTING_CASES,
    *_CODEX_CASES,
    *_TABLE_CASES,
    *_MACHINE_CASES,
    *_PYTHON_CASES,
)
