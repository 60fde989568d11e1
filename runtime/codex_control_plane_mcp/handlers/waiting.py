"""Work on the store away from the event loop, and waiting for its changes without polling (contract §19.9).

Every commit of any process rings the bells. A listener is made before the first look, so that no change can
fall between the look and the wait; each call has its own, since a bell carries no content and two calls that
drained the same pipe would take rings from each other.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from codex_control_plane_mcp.store.bells import Listener

ResultT = TypeVar("ResultT")


async def on_thread(work: Callable[[], ResultT]) -> ResultT:
    """Return what `work` returns, done on a thread: the event loop serves the other calls meanwhile."""
    return await anyio.to_thread.run_sync(work)


async def first_found(
    look: Callable[[], ResultT | None], listener: Listener, seconds: float
) -> ResultT | None:
    """Return what `look` finds, now or after a bell; None when `seconds` have passed without.

    `look` reads the store, on a thread. The time is the event loop's.
    """
    with anyio.move_on_after(seconds):
        while True:
            found = await on_thread(look)
            if found is not None:
                return found
            await anyio.wait_readable(listener)
            # Before the next look: a ring during the look is then heard after it.
            listener.drain()
    return None
