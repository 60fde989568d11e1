"""The wrecker: kills and stops processes at random, as nobody would dare to on purpose."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Final, Literal, TypeAlias, get_args

from codex_control_plane_mcp.codex.app_server_record import read_record
from codex_control_plane_mcp.process_identity import ProcessIdentity, is_alive
from codex_control_plane_mcp.testing.chaos.line import Line
from codex_control_plane_mcp.testing.rig import Rig

Victim: TypeAlias = Literal["worker", "server", "app-server"]

_WEIGHTS: Final[Mapping[Victim, int]] = {"worker": 4, "server": 3, "app-server": 2}
_STOPPED_SHARE: Final = 0.25
_LONGEST_STORM: Final = 8
_LONGEST_STOP_SECONDS: Final = 5.0


class Wrecker:
    """Brings storms: a few blows, `pace` seconds apart on average, then calm until some task has ended.

    Without the calm it would only measure whether a worker starts faster than it is killed. `kills` and
    `stops` count what was hit.
    """

    def __init__(self, rig: Rig, lines: Sequence[Line], seed: int, *, pace: float) -> None:
        self._rig = rig
        self._lines = lines
        self._random = Random(seed)  # noqa: S311 -- a seed is the point: the same order of blows again
        self._pace = pace
        self._stopped: set[int] = set()
        self._reviving: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self.kills: Counter[Victim] = Counter()
        self.stops: Counter[Victim] = Counter()

    async def run(self, struck: Callable[[], None]) -> None:
        """Strike until cancelled; `struck` is called after each blow."""
        while True:
            for _ in range(self._random.randint(1, _LONGEST_STORM)):
                await asyncio.sleep(self._random.expovariate(1 / self._pace))
                if await self._strike():
                    struck()
            self._ended.clear()
            await self._ended.wait()

    def calm_down(self) -> None:
        """Take note that a task has ended."""
        self._ended.set()

    async def relent(self) -> None:
        """Let whatever is stopped go on."""
        for reviving in self._reviving:
            reviving.cancel()
        await asyncio.gather(*self._reviving, return_exceptions=True)
        for pid in [*self._stopped]:
            self._continue(pid)

    async def _strike(self) -> bool:
        """Kill or stop one process; return whether there was one of the kind that the dice chose."""
        [victim] = self._random.choices(get_args(Victim), weights=[*_WEIGHTS.values()])
        seconds = self._random.uniform(0.2, _LONGEST_STOP_SECONDS)
        stop = self._random.random() < _STOPPED_SHARE
        pid = await asyncio.to_thread(self._find, victim)
        if pid is None or pid in self._stopped:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP if stop else signal.SIGKILL)
            (self.stops if stop else self.kills)[victim] += 1
        if stop:
            self._stopped.add(pid)
            reviving = asyncio.create_task(self._revive(pid, seconds), name=f"revive {pid}")
            self._reviving.add(reviving)
            reviving.add_done_callback(self._reviving.discard)
        return True

    def _find(self, victim: Victim) -> int | None:
        match victim:
            case "worker":
                return self._executing_worker()
            case "server":
                return self._random.choice(self._lines).pid
            case "app-server":
                running = read_record(self._rig.state_directory)
                return running.identity.pid if running is not None and is_alive(running.identity) else None

    def _executing_worker(self) -> int | None:
        with self._rig.store.read() as reader:
            lease = reader.lease()
        if lease.pid is None or lease.process_started is None:
            return None
        return lease.pid if is_alive(ProcessIdentity(lease.pid, lease.process_started)) else None

    async def _revive(self, pid: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._continue(pid)

    def _continue(self, pid: int) -> None:
        self._stopped.discard(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
