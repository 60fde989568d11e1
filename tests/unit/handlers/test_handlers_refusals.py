"""Requests of Codex that nobody can answer: counted on the worker's row, shown in health."""

from functools import partial

from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller
from codex_control_plane_mcp.worker.refusals import count


def refuse(worker: PlayedWorker, method: str) -> None:
    """Let the worker count a refused request."""
    worker.change(partial(count, worker.worker_id, method))


def test_health_names_each_method_and_how_often_it_was_asked(
    client: ToolCaller, worker: PlayedWorker
) -> None:
    """It is a hint, since the work goes on."""
    for method in ("item/new/request", "item/new/request", "item/tool/call"):
        refuse(worker, method)
    health = client.call("codex_health_summary")
    [found] = [one for one in health["findings"] if one["id"] == "refused_requests"]
    assert found["severity"] == "healthy"
    assert "item/new/request (2), item/tool/call (1)" in found["message"]


def test_names_that_never_end_are_counted_together(client: ToolCaller, worker: PlayedWorker) -> None:
    """A Codex that makes up names fills no store."""
    for number in range(100):
        refuse(worker, f"made/up/{number}")
    with client.store.read() as reader:
        row = reader.worker(worker.worker_id)
    assert row is not None
    assert row.refused_requests is not None
    assert len(row.refused_requests) == 21
    assert row.refused_requests["others"] == 80
