"""Bells: wake the processes that wait for a change of the store, without polling.

Each listener owns a named pipe in the ``bells`` folder beside the state file; whoever commits writes one
byte into every pipe. A pipe has no limit on the length of its path (a unix socket has 107 bytes), and one
that nobody reads any more refuses the writer at once (ENXIO), which is how the dead are swept away.
A bell carries no content: who hears it reads the store.
"""

import contextlib
import errno
import os
import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

_NAME = re.compile(r"(\d+)-[0-9a-f]{8}")


class Listener:
    """One end that hears the bells; :attr:`fileno` becomes readable when one rings."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        os.mkfifo(self._path, 0o600)
        try:
            # Read and write: the pipe never reports end of file when the last ringer closes its end.
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def drain(self) -> bool:
        """Forget what has rung so far; return whether anything had."""
        rung = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._descriptor, 4096):
                rung = True
        return rung

    def close(self) -> None:
        """Stop listening and remove the pipe."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Bells:
    """The folder of bells of one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listen(self) -> Listener:
        """Return a new listener; it hears every ring from now on."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return Listener(self._folder)

    def ring(self) -> None:
        """Wake every listener; one that is gone is swept away, a full pipe has rung already.

        Never raises: it comes after a commit, which stays committed whoever hears of it.
        """
        for path, pid in self._pipes():
            descriptor = self._end(path, pid)
            if descriptor is not None:
                with contextlib.suppress(BlockingIOError, BrokenPipeError):
                    os.write(descriptor, b"!")
                os.close(descriptor)

    def listening(self) -> set[int]:
        """Return the process ids of those that listen now."""
        pids: set[int] = set()
        for path, pid in self._pipes():
            descriptor = self._end(path, pid)
            if descriptor is not None:
                os.close(descriptor)
                pids.add(pid)
        return pids

    def _pipes(self) -> list[tuple[Path, int]]:
        """Return every pipe with the process id of its owner; any other file in the folder is not ours."""
        with contextlib.suppress(OSError):
            names = [_NAME.fullmatch(path.name) for path in self._folder.iterdir()]
            return [(self._folder / name[0], int(name[1])) for name in names if name]
        return []

    def _end(self, path: Path, pid: int) -> int | None:
        """Return the writing end of a pipe, or None and sweep it where nobody reads it."""
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            # The owner may be between mkfifo and open; only a dead owner's pipe is removed.
            if error.errno == errno.ENXIO and _is_dead(pid):
                path.unlink(missing_ok=True)
            return None


def _is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
