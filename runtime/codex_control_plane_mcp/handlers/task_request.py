"""A submission, checked and in one form, whatever words it came in (contract §2, §3, §7)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Self

from codex_control_plane_contract.arguments import SubmitTaskArguments
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles.operation import (
    ApprovalPolicy,
    CollaborationMode,
    DedupPolicy,
    EstimatedCostClass,
    OperationType,
    Priority,
    RecoveryPolicy,
    Sandbox,
)
from codex_control_plane_contract.types import InputItem
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.misfits import (
    refuse_execution_misfits,
    refuse_fork_misfits,
    refuse_other_misfits,
    refuse_steer_misfits,
)
from codex_control_plane_mcp.handlers.output_schema import refuse_unusable
from codex_control_plane_mcp.scheduling import normalised_keys

_APPROVAL_WORDS: Final[Mapping[str, ApprovalPolicy]] = {
    "never": "never",
    "on-request": "on-request",
    "untrusted": "untrusted",
    "respect_existing": "respect_existing",
    "on-failure": "on-request",
    "ask_openclaw": "on-request",
    "never_auto_approve": "never",
}
_NEVER_BLANK: Final = (
    "message",
    "client_request_id",
    "instructions",
    "goal",
    "goal_completion_objective",
)
_ADJUSTED_POLICY: Final = (
    "approval_policy on-failure is refused by current Codex; on-request is used instead."
)
_ADJUSTED_DETAIL: Final = "detail low makes current Codex leave an image out; auto is used instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What a caller asks for; None where it leaves the choice to the settings or to the thread."""

    operation_type: OperationType
    client_request_id: str | None
    message: str
    cwd: str | None
    project_id: str | None
    thread_id: str | None
    source_thread_id: str | None
    expected_turn_id: str | None
    workflow_id: str | None
    title: str | None
    model: str | None
    effort: str | None
    collaboration_mode: CollaborationMode
    sandbox: Sandbox | None
    approval_policy: ApprovalPolicy | None
    timeout_seconds: int
    recovery_policy: RecoveryPolicy
    max_continuations: int
    agent_id: str | None
    resource_keys: tuple[str, ...]
    priority: Priority
    estimated_cost_class: EstimatedCostClass
    input_items: tuple[InputItem, ...]
    output_schema: JsonObject | None
    dedup_policy: DedupPolicy
    force: bool
    allow_historical_continuation: bool
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, arguments: SubmitTaskArguments) -> Self:
        """Return the request. Raises INVALID_ARGUMENT for a text or a combination that does not fit."""
        refuse_unstorable(asdict(arguments))
        _refuse_misfits(arguments)
        if arguments.output_schema is not None:
            refuse_unusable(arguments.output_schema)
        given = arguments.approval_policy
        return cls(
            operation_type=arguments.operation_type,
            client_request_id=arguments.client_request_id,
            message=arguments.message or "",
            cwd=arguments.cwd,
            project_id=arguments.project_id,
            thread_id=arguments.thread_id or arguments.chat_id,
            source_thread_id=arguments.source_thread_id,
            expected_turn_id=arguments.expected_turn_id,
            workflow_id=arguments.workflow_id,
            title=arguments.title,
            model=arguments.model,
            effort=arguments.effort,
            collaboration_mode=arguments.collaboration_mode or "default",
            sandbox=arguments.sandbox,
            approval_policy=_APPROVAL_WORDS[given] if given is not None else None,
            timeout_seconds=arguments.timeout_seconds,
            recovery_policy=arguments.recovery_policy,
            max_continuations=arguments.max_continuations,
            agent_id=arguments.agent_id,
            resource_keys=tuple(normalised_keys(arguments.resource_keys or ())),
            priority=arguments.priority,
            estimated_cost_class=arguments.estimated_cost_class,
            input_items=tuple(arguments.input_items or ()),
            output_schema=arguments.output_schema,
            dedup_policy=arguments.dedup_policy,
            force=arguments.force,
            allow_historical_continuation=arguments.allow_historical_continuation,
            warnings=tuple(_warnings(arguments)),
        )

    @property
    def runs_turn(self) -> bool:
        """Whether a turn of its own carries the task (contract §8)."""
        return self.operation_type != "steer_turn" and bool(self.message)

    @property
    def is_prompt(self) -> bool:
        """Whether the guard against duplicates knows the task: not a steer or a fork (contract §7)."""
        return self.operation_type in ("start_chat", "send_message")

    @property
    def guarded(self) -> bool:
        """Whether a prompt that is active already stands in the way."""
        return self.is_prompt and self.dedup_policy != "idempotency_only" and not self.force

    @property
    def payload_hash(self) -> str:
        """The SHA-256, in hexadecimal, that tells whether a key names the same request again (contract §7).

        It covers the canonical JSON (sorted names, no blanks, ASCII) of what the caller sent: aliases
        resolved, absent arguments left out, defaults not filled in, so that a change of settings makes no
        old request another one. The key itself is left out, and `timeout_seconds`, which says how the task
        is run and not what it is, and so are `dedup_policy` and `force`, which say beside what it may run.
        What follows a death of the app-server is part of it: it may run the task's
        commands again.
        """
        continuing = self.recovery_policy == "continue"
        payload = {
            "operation_type": self.operation_type,
            "message": self.message or None,
            "cwd": self.cwd,
            "project_id": self.project_id,
            "thread_id": self.thread_id,
            "source_thread_id": self.source_thread_id,
            "expected_turn_id": self.expected_turn_id,
            "workflow_id": self.workflow_id,
            "title": self.title,
            "model": self.model,
            "effort": self.effort,
            "collaboration_mode": "plan" if self.collaboration_mode == "plan" else None,
            "sandbox": self.sandbox,
            "approval_policy": self.approval_policy,
            "recovery_policy": self.recovery_policy if continuing else None,
            "max_continuations": self.max_continuations if continuing else None,
            "agent_id": self.agent_id,
            "resource_keys": self.resource_keys or None,
            "priority": None if self.priority == "normal" else self.priority,
            "estimated_cost_class": None
            if self.estimated_cost_class == "normal"
            else self.estimated_cost_class,
            "input_items": [*self.input_items] or None,
            "output_schema": self.output_schema,
            "allow_historical_continuation": self.allow_historical_continuation or None,
        }
        given = {name: value for name, value in payload.items() if value is not None}
        canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _warnings(arguments: SubmitTaskArguments) -> Iterator[str]:
    """Yield what is understood otherwise than it is written."""
    if arguments.approval_policy == "on-failure":
        yield _ADJUSTED_POLICY
    if any(item.get("detail") == "low" for item in arguments.input_items or ()):
        yield _ADJUSTED_DETAIL


def refuse_unstorable(texts: Mapping[str, object]) -> None:
    """Refuse texts, by their arguments' names, that the store or Codex could not give back as they were.

    A prompt, a goal or a key of blanks alone is none, but a mistake in the program that calls.
    """
    for name, text in texts.items():
        if not isinstance(text, str):
            continue
        if name in _NEVER_BLANK and not text.strip():
            raise InvalidArgument(f"{name} is blank.", path=name, allowed="text, or leave it out")
        if "\0" in text:
            raise InvalidArgument(f"{name} holds a NUL character.", path=name, allowed="text without NUL")
        try:
            text.encode()
        except UnicodeEncodeError as fault:
            raise InvalidArgument(
                f"{name} holds half of a surrogate pair, which is no character.",
                path=name,
                allowed="Unicode text",
            ) from fault


def _refuse_misfits(arguments: SubmitTaskArguments) -> None:
    if arguments.recovery_policy == "report" and arguments.max_continuations > 1:
        raise InvalidArgument(
            "max_continuations fits recovery_policy continue only.", path="max_continuations", allowed=[1]
        )
    if arguments.operation_type == "fork_thread":
        refuse_fork_misfits(arguments)
        return
    if arguments.operation_type == "steer_turn":
        refuse_steer_misfits(arguments)
        _refuse_two_threads(arguments)
        return
    if arguments.operation_type == "execute_plan":
        refuse_execution_misfits(arguments)
        _refuse_two_threads(arguments)
        return
    refuse_other_misfits(arguments)
    if arguments.dedup_policy == "allow_parallel_with_resource_keys" and not arguments.resource_keys:
        raise InvalidArgument(
            "dedup_policy allow_parallel_with_resource_keys needs resource_keys.", path="resource_keys"
        )
    _refuse_other_thread_mode(arguments)
    if arguments.operation_type == "start_chat":
        _refuse_thread(arguments)
        if arguments.cwd is None and arguments.project_id is None:
            raise InvalidArgument("start_chat needs cwd or project_id.", path="cwd")
        return
    if arguments.title is not None:
        raise InvalidArgument("title fits start_chat only; the thread has its name.", path="title")
    if arguments.thread_id is None and arguments.chat_id is None:
        raise InvalidArgument("send_message needs thread_id or chat_id.", path="thread_id")
    _refuse_two_threads(arguments)


def _refuse_two_threads(arguments: SubmitTaskArguments) -> None:
    if None not in (arguments.thread_id, arguments.chat_id) and arguments.thread_id != arguments.chat_id:
        raise InvalidArgument("chat_id and thread_id name different threads; give one.", path="chat_id")


def _refuse_other_thread_mode(arguments: SubmitTaskArguments) -> None:
    """Refuse a thread_mode that says something else than operation_type."""
    means = "new_thread" if arguments.operation_type == "start_chat" else "continue_thread"
    if arguments.thread_mode not in (means, "auto"):
        raise InvalidArgument(
            f"{arguments.operation_type} means thread_mode {means}.",
            path="thread_mode",
            allowed=[means, "auto"],
        )
    if arguments.thread_mode == "new_thread" and arguments.allow_historical_continuation:
        raise InvalidArgument(
            "allow_historical_continuation may continue a thread; thread_mode new_thread may not.",
            path="allow_historical_continuation",
            allowed=[False],
        )


def _refuse_thread(arguments: SubmitTaskArguments) -> None:
    for name, value in (("thread_id", arguments.thread_id), ("chat_id", arguments.chat_id)):
        if value is not None:
            raise InvalidArgument(
                f"start_chat opens a new thread; to continue one, submit send_message with {name}.", path=name
            )
    if arguments.sandbox == "respect_existing":
        raise InvalidArgument(
            "sandbox respect_existing fits a thread that exists; start_chat opens a new one.",
            path="sandbox",
            allowed=["read-only", "workspace-write", "danger-full-access"],
        )
    if arguments.approval_policy == "respect_existing":
        raise InvalidArgument(
            "approval_policy respect_existing fits a thread that exists; start_chat opens a new one.",
            path="approval_policy",
            allowed=["never", "on-request", "untrusted"],
        )
