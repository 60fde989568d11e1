"""Arguments of `codex_submit_task` that do not fit its operation type (contract §3)."""

from collections.abc import Iterable

from codex_control_plane_contract.arguments import SubmitTaskArguments
from codex_control_plane_contract.errors import InvalidArgument

_OF_THE_TURN = ("model", "effort", "collaboration_mode", "sandbox", "approval_policy")
"""What a turn is begun with, so that neither words for a running one nor a bare copy can bring it."""

_BESIDE_THE_PROMPT = ("input_items", "output_schema")
"""What goes to Codex with the prompt of a new turn only."""


def refuse_steer_misfits(arguments: SubmitTaskArguments) -> None:
    """Raise INVALID_ARGUMENT unless the arguments name a turn and what to say to it, and nothing more."""
    _require("steer_turn", arguments, ("expected_turn_id", "message"))
    if arguments.thread_id is None and arguments.chat_id is None:
        raise InvalidArgument("steer_turn needs thread_id or chat_id.", path="thread_id")
    _refuse(
        arguments,
        (*_OF_THE_TURN, *_BESIDE_THE_PROMPT, "title", "source_thread_id", "workflow_id"),
        "does not fit steer_turn: the turn runs",
    )
    _refuse_recovery(arguments, "steer_turn: it runs no turn of its own")


def refuse_fork_misfits(arguments: SubmitTaskArguments) -> None:
    """Raise INVALID_ARGUMENT unless the arguments name a thread to copy, and fit what is said to the copy."""
    _require("fork_thread", arguments, ("source_thread_id",))
    _refuse(arguments, ("thread_id", "chat_id"), "does not fit fork_thread: give source_thread_id")
    _refuse(arguments, ("workflow_id",), "fits execute_plan only")
    _refuse(arguments, ("expected_turn_id",), "fits steer_turn only")
    if arguments.ephemeral:
        raise InvalidArgument(
            "ephemeral forks are not supported: Codex keeps them in memory only, where a crash loses them.",
            path="ephemeral",
            allowed=[False],
        )
    for name in ("sandbox", "approval_policy"):
        if getattr(arguments, name) == "respect_existing":
            raise InvalidArgument(
                f"{name} respect_existing fits send_message; a copy has no settings of its own yet.",
                path=name,
            )
    if arguments.message is None:
        _refuse(
            arguments,
            ("effort", "collaboration_mode", "sandbox", "approval_policy", *_BESIDE_THE_PROMPT),
            "fits a fork with a message only",
        )
        _refuse_recovery(arguments, "fork_thread without a message: it runs no turn")


def refuse_execution_misfits(arguments: SubmitTaskArguments) -> None:
    """Raise INVALID_ARGUMENT unless the arguments name a workflow, or the thread of a plan."""
    named = [name for name in ("workflow_id", "thread_id", "chat_id") if getattr(arguments, name) is not None]
    if not named:
        raise InvalidArgument("execute_plan needs workflow_id or chat_id.", path="workflow_id")
    if "workflow_id" in named and len(named) > 1:
        raise InvalidArgument("Give workflow_id or the thread of the plan; not both.", path=named[1])
    if "workflow_id" in named:
        _refuse(arguments, ("project_id",), "is that of the workflow")
    _refuse(arguments, ("cwd", "title", "input_items"), "does not fit execute_plan: the plan is made")
    _refuse(arguments, ("expected_turn_id",), "fits steer_turn only")
    _refuse(arguments, ("source_thread_id",), "fits fork_thread only")
    if arguments.collaboration_mode == "plan":
        raise InvalidArgument(
            "execute_plan carries a plan out, which mode plan forbids.",
            path="collaboration_mode",
            allowed=["default"],
        )


def refuse_other_misfits(arguments: SubmitTaskArguments) -> None:
    """Raise INVALID_ARGUMENT for what only a steer or a fork may bring or leave out."""
    _require(arguments.operation_type, arguments, ("message",))
    _refuse(arguments, ("expected_turn_id",), "fits steer_turn only")
    _refuse(arguments, ("source_thread_id",), "fits fork_thread only")
    _refuse(arguments, ("workflow_id",), "fits execute_plan only")
    if arguments.ephemeral:
        raise InvalidArgument("ephemeral is not supported.", path="ephemeral", allowed=[False])


def _require(operation_type: str, arguments: SubmitTaskArguments, names: Iterable[str]) -> None:
    for name in names:
        if getattr(arguments, name) is None:
            raise InvalidArgument(f"{operation_type} needs {name}.", path=name)


def _refuse(arguments: SubmitTaskArguments, names: Iterable[str], reason: str) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            raise InvalidArgument(f"{name} {reason}.", path=name)


def _refuse_recovery(arguments: SubmitTaskArguments, reason: str) -> None:
    if arguments.recovery_policy == "continue":
        raise InvalidArgument(
            f"recovery_policy continue does not fit {reason}.", path="recovery_policy", allowed=["report"]
        )
