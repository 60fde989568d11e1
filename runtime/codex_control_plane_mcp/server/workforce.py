"""The workers of a server in mode `inline`: one is kept running where there is work (spec/config.yaml)."""

from collections.abc import Mapping

from codex_control_plane_contract.records import ExecutorLeaseRow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.server.handover import request_handover
from codex_control_plane_mcp.server.state_file import StateFile
from codex_control_plane_mcp.server.summoning import Summoner
from codex_control_plane_mcp.version import program_version
from codex_control_plane_mcp.worker_starts import WorkerStarts


class Workforce:
    """What one server does so that its tasks are carried out."""

    def __init__(
        self, settings: Settings, state: StateFile, environ: Mapping[str, str], actor_id: str
    ) -> None:
        self._settings = settings
        self._state = state
        self._actor_id = actor_id
        starts = WorkerStarts(state.path.parent)
        self._summoner = Summoner(starts, self._lease, environ, relieve=self._relieve)

    def summon(self) -> None:
        """See to it, in the background, that a worker runs; one of an older version is asked to hand over."""
        self._summoner.summon()

    def watch(self) -> None:
        """See to it, for as long as this process lives, that a worker runs while there is work.

        Where an earlier session, or the machine, has left work behind, a worker is asked for right away;
        where a worker dies that has work, another one is, as late as its lease falls due.
        """
        self._summoner.watch(self._work_is_left, seconds=self._settings.lease_seconds)

    def _lease(self) -> ExecutorLeaseRow:
        with self._state.store().read() as reader:
            return reader.lease()

    def _work_is_left(self) -> bool:
        # A client that only looks at the list of tools should leave no state file behind.
        if not self._state.path.exists():
            return False
        with self._state.store().read() as reader:
            return any(reader.open_work().values())

    def _relieve(self) -> bool:
        return request_handover(self._state.store(), actor_id=self._actor_id, version=program_version())
