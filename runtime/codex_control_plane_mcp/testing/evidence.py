"""What a test wants to know of an operation or a workflow, which has it only in some states.

Each function raises AssertionError with the whole object where it is missing.
"""

from codex_control_plane_contract.types import Error, Operation, Plan, QueueReason, Workflow


def report(row: Operation) -> str:
    """Return the text of the final report."""
    found = row.get("finalReport")
    assert found is not None, f"no final report: {row}"
    return found["text"]


def fault(row: Operation) -> Error:
    """Return the last error."""
    found = row.get("lastError")
    assert found is not None, f"no error: {row}"
    return found


def thread_of(row: Operation | Workflow) -> str:
    """Return the id of the thread."""
    found = row.get("threadId")
    assert found is not None, f"no thread: {row}"
    return found


def plan_of(row: Operation | Workflow) -> Plan:
    """Return the plan that counts."""
    found = row.get("latestPlan")
    assert found is not None, f"no plan: {row}"
    return found


def candidate_of(row: Workflow) -> Plan:
    """Return the one later plan of the thread that may be adopted."""
    observed = row.get("workflowObservation")
    assert observed is not None, f"no plan turn: {row}"
    (candidate,) = observed["candidatePlans"]
    return candidate


def turn_id_of(row: Operation) -> str:
    """Return the id of the turn."""
    found = row.get("turnId")
    assert found is not None, f"no turn: {row}"
    return found


def queued_reason(row: Operation) -> QueueReason:
    """Return why the operation waits in the queue."""
    found = row.get("queueState")
    assert found is not None, f"not queued: {row}"
    return found["queuedReason"]


def end_source(row: Operation) -> str:
    """Return what told of the end of the turn: notification, reconciled or after_restart."""
    evidence = row.get("turnStatus", {}).get("terminalEvidence")
    assert evidence is not None, f"no evidence of the end: {row}"
    return evidence["source"]


def shown(row: Operation) -> list[str]:
    """Return the lines of progress in the answer."""
    return [event["text"] for event in row.get("progressEvents", [])]
