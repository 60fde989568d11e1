"""The state file as the server holds it: opened at first use, and again after a fault or a replacement."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.server.loading import LOADING
from codex_control_plane_mcp.settings import state_file

if TYPE_CHECKING:
    from codex_control_plane_mcp.store.bells import Listener
    from codex_control_plane_mcp.store.clock import Clock
    from codex_control_plane_mcp.store.store import Store


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open store, which file it is, and the bell that tells workers that a server lives.

    Nobody answers that bell: a pipe that is full has rung already. A worker looks for bells before it leaves
    for want of work.
    """

    store: "Store"
    identity: tuple[int, int]
    presence: "Listener"

    def close(self) -> None:
        self.presence.close()
        self.store.close()


class StateFile:
    """The one store of a server, on the clock of the system if none is given; usable from any thread."""

    def __init__(self, settings: Settings, clock: "Clock | None" = None) -> None:
        self._clock = clock
        self.path = state_file(settings)
        self._busy_seconds = float(settings.state_busy_seconds)
        self._opening = threading.Lock()
        self._opened: _Opened | None = None

    @property
    def ready(self) -> bool:
        """Whether `store` returns at once."""
        opened = self._opened
        return opened is not None and opened.identity == _identity(self.path)

    def store(self) -> "Store":
        """Return the open store.

        A file that somebody moved away is not written to any more: workers read the one that has the name.
        Raises CODEX_STATE_UNUSABLE or CODEX_STATE_BUSY.
        """
        with LOADING:
            # Imported here: a client has its first replies before any file is opened.
            from codex_control_plane_mcp.store.store import Store  # noqa: PLC0415 - see above

        with self._opening:
            opened = self._opened
            if opened is None or opened.identity != _identity(self.path):
                self.forget()
                store = Store.open(self.path, clock=self._clock, busy_seconds=self._busy_seconds)
                opened = _Opened(store, _identity(self.path), store.bells.listen())
                self._opened = opened
            return opened.store

    def forget(self) -> None:
        """Open it anew at the next use, for a file that has turned out unusable."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells this file from another of the same name; (0, 0) if there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)
