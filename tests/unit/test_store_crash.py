"""What a killed process leaves behind: all that it was told is committed, and nothing else."""

from pathlib import Path

from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.python_child import PythonChild

PRELUDE = """
import sys
from pathlib import Path
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.store import Store

store = Store.open(Path(sys.argv[1]))

def submission(operation_id):
    return operation.submit(
        operation_id=operation_id, operation_type="start_chat", payload_hash="", message="", project_id="",
        project_path="/", cwd="/", sandbox="read-only", approval_policy="never", recovery_policy="report",
        max_continuations=1, runs_turn=True, agent_id="", resource_keys=[], priority="normal",
        estimated_cost_class="normal", ranked_at=0,
        timeout_seconds=60)
"""

COMMIT_FOR_EVER = (
    PRELUDE
    + """
for number in range(1_000_000):
    with store.transaction("child") as (transaction, _):
        row = transaction.apply(submission(f"op_{number}"))
        transaction.apply(row.cancel())
    print(number)
"""
)

STAY_IN_A_TRANSACTION = (
    PRELUDE
    + """
with store.transaction("child") as (transaction, _):
    transaction.apply(submission("op_0"))
    print("applied")
    sys.stdin.readline()
"""
)


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    """Every commit that the killed process knew of is there; of the next one, all or nothing."""
    path = tmp_path / "state" / "state.sqlite"
    with PythonChild(COMMIT_FOR_EVER, path) as child:
        known = [int(child.hear()) for _ in range(25)]
        child.kill()
    with Store.open(path) as store, store.read() as reader:
        assert all(reader.operation(f"op_{number}") for number in known)
        rows = reader.journal(limit=1_000_000)
    assert len(rows) % 2 == 0


def test_what_was_not_committed_is_gone(tmp_path: Path) -> None:
    """The open transaction of a killed process leaves no row and no lock."""
    path = tmp_path / "state" / "state.sqlite"
    with PythonChild(STAY_IN_A_TRANSACTION, path) as child:
        assert child.hear() == "applied"
        child.kill()
    with Store.open(path, busy_seconds=0.0) as store, store.transaction("after") as (_, reader):
        assert reader.operation("op_0") is None
        assert reader.journal(limit=1) == []
