"""One look at the store, which every part of a result shares."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.store.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Consistent reads, the time of the look by the store's clock (milliseconds), and the settings."""

    reader: Reader
    now: int
    settings: Settings


@contextlib.contextmanager
def look(context: Context) -> Generator[Moment, None, None]:
    """Give a moment to read from; call it on a thread. Raises CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE."""
    store = context.store
    with store.read() as reader:
        yield Moment(reader=reader, now=store.clock.now(), settings=context.settings)
