"""What is wrong, how bad it is, what to do about it (contract §14, spec/findings.yaml)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from codex_control_plane_contract.contract import FINDINGS
from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error, Finding, FindingId
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.workers import any_live
from codex_control_plane_mcp.redaction import redact
from codex_control_plane_mcp.worker_starts import WorkerStarts

SEVERITIES: Final = ("healthy", "degraded", "broken")
"""From the mildest to the worst."""


def finding(identifier: FindingId, message: str) -> Finding:
    """Return a finding with the severity and the advice of the spec."""
    known = FINDINGS[identifier]
    return {
        "id": identifier,
        "severity": known.severity,
        "message": redact(message),
        "recommendedAction": known.recommended_action,
    }


def findings_of_settings(settings: Settings) -> list[Finding]:
    """Return what is wrong with the settings."""
    return [] if settings.allowed_roots else [finding("allowed_roots", FINDINGS["allowed_roots"].means)]


def findings_of_work(
    moment: Moment, work: Mapping[str, int], executing: worker.Worker | None, state_directory: Path
) -> list[Finding]:
    """Return what keeps work from being done; `work` are the counts of `Reader.open_work`."""
    found = [*_absent_worker(moment, work, state_directory)]
    if executing is not None and executing.last_fault is not None:
        found.append(_fault(executing.last_fault))
    if executing is not None and executing.refused_requests:
        found.append(_refused(executing.refused_requests))
    if work["waiting_for_quota"]:
        found.append(_usage_limit(moment, work["waiting_for_quota"]))
    if work["in_doubt"]:
        found.append(
            finding(
                "unresolved_operations", f"What became of {work['in_doubt']} task(s) cannot be looked up."
            )
        )
    if work["interactions"]:
        found.append(
            finding("pending_interactions", f"{work['interactions']} question(s) of Codex are open.")
        )
    return found


def worst_first(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings in order of severity."""
    return sorted(found, key=lambda one: SEVERITIES.index(one["severity"]), reverse=True)


def _absent_worker(moment: Moment, work: Mapping[str, int], state_directory: Path) -> Iterator[Finding]:
    waiting = work["queued"] + work["waiting_for_quota"] + work["in_hand"] + work["commands"]
    if not waiting or any_live(moment):
        return
    if moment.settings.execution_mode != "inline":
        yield finding("no_live_worker", f"{waiting} task(s) or command(s) wait and no worker is alive.")
        return
    failure = WorkerStarts(state_directory).failure()
    # In mode inline a worker is on its way, unless the last one ended with an error.
    if failure is not None:
        end = failure.output.splitlines()[-1:] or ["It wrote nothing."]
        yield finding(
            "no_live_worker", f"The last worker ended with exit code {failure.exit_code}: {end[0][:500]}"
        )


def _usage_limit(moment: Moment, waiting: int) -> Finding:
    reset = moment.reader.next_reset()
    when = f"; the first goes on at {timestamp(reset)}" if reset is not None else ""
    return finding("usage_limit", f"{waiting} task(s) wait at the usage limit of Codex{when}.")


def _refused(requests: JsonObject) -> Finding:
    counts = ", ".join(f"{method} ({times})" for method, times in sorted(requests.items()))
    return finding("refused_requests", f"Refused since the worker began: {counts}.")


def _fault(fault: Error) -> Finding:
    """Return the finding that a worker's fault names; any other fault keeps the app-server away, too."""
    named = fault["details"].get("finding")
    known = isinstance(named, str) and named in FINDINGS
    return finding(cast("FindingId", named) if known else "app_server_exited", fault["message"])
