"""The worker's tasks for operations: one at a time for each."""

import asyncio

import pytest

from codex_control_plane_contract.errors import CodexStateBusy, InternalError
from codex_control_plane_mcp.worker.carrying import Carrying

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the worker."""
    return "asyncio"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause, which takes none."""
    made: list[float] = []

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("codex_control_plane_mcp.worker.carrying.asyncio.sleep", pause)
    return made


class Stage:
    """Pieces of work that stand still until they are let go, and what has been done so far."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.faults: list[tuple[str, str]] = []
        self.carrying = Carrying(lambda: None, self.fault)

    async def fault(self, operation_id: str, error: InternalError) -> None:
        """Keep a fault that was met."""
        self.faults.append((operation_id, str(error.details["incidentId"])))

    def carry(self, operation_id: str, name: str) -> None:
        """Carry a piece of work."""
        gate = self.gates[name] = asyncio.Event()

        async def work() -> None:
            self.done.append(f"{name} begins")
            await gate.wait()
            self.done.append(f"{name} ends")

        self.carrying.carry(operation_id, work)


async def settled() -> None:
    """Return when every task has gone on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_work_on_an_operation_waits_for_the_last() -> None:
    """What one task found out is acted on before the next task moves the operation on."""
    stage = Stage()
    stage.carry("op_1", "settling")
    stage.carry("op_1", "starting")
    stage.carry("op_2", "other")
    await settled()
    assert stage.done == ["settling begins", "other begins"]
    stage.gates["settling"].set()
    await settled()
    assert stage.done[2:] == ["settling ends", "starting begins"]
    await stage.carrying.cancel()


async def test_an_operation_is_carried_until_its_last_work_ends() -> None:
    """The end of an earlier task does not make a later one look as if nobody carried the operation."""
    stage = Stage()
    stage.carry("op_1", "settling")
    stage.carry("op_1", "starting")
    await settled()
    stage.gates["settling"].set()
    await settled()
    assert "op_1" in stage.carrying
    stage.gates["starting"].set()
    await settled()
    assert "op_1" not in stage.carrying
    assert not stage.carrying


async def test_cancelling_stops_what_runs_and_what_waits() -> None:
    """Nothing is begun any more once everything was stopped."""
    stage = Stage()
    stage.carry("op_1", "settling")
    stage.carry("op_1", "starting")
    await settled()
    await stage.carrying.cancel()
    assert stage.done == ["settling begins"]
    assert not stage.carrying


async def test_a_fault_of_one_work_ends_neither_the_others_nor_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The boundary of the work on one operation holds."""
    stage = Stage()

    async def broken() -> None:
        raise RuntimeError("on purpose")

    stage.carrying.carry("op_2", broken)
    stage.carry("op_1", "starting")
    await settled()
    stage.gates["starting"].set()
    await settled()
    assert stage.done == ["starting begins", "starting ends"]
    [(operation_id, incident)] = stage.faults
    assert operation_id == "op_2"
    assert any(incident in record.getMessage() for record in caplog.records)
    await stage.carrying.cancel()


async def test_faults_in_a_row_are_met_ever_later(pauses: list[float]) -> None:
    """Each pause is twice the last, up to a minute; work that ends well begins anew."""
    stage = Stage()

    async def broken() -> None:
        raise RuntimeError("on purpose")

    async def sound() -> None:
        return

    for work in (*[broken] * 7, sound, broken):
        stage.carrying.carry("op_1", work)
    await stage.carrying.drain(10)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 2]


async def test_a_locked_store_is_no_fault_of_the_work(pauses: list[float]) -> None:
    """Nothing is written on the task, and the same pause is made each time."""
    stage = Stage()

    async def busy() -> None:
        raise CodexStateBusy("The store is locked.")

    for _ in range(3):
        stage.carrying.carry("op_1", busy)
    await stage.carrying.drain(10)
    assert (pauses, stage.faults) == ([2, 2, 2], [])
