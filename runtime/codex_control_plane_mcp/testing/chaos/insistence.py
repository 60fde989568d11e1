"""Calls of a person who does not give up: what may be cured by waiting is asked again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from codex_control_plane_mcp.testing.task_client import CallFailed

AnswerT = TypeVar("AnswerT")

PATIENCE = 300.0
"""Longest time, in seconds, that a person waits for the end of something, which is stuck then."""

WAIT_SECONDS = 10
"""How long one look at a status waits for a change."""

_PAUSE_SECONDS = 0.3


async def insist(call: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """Return what a call answers, which may be said twice. Raises CallFailed for what no waiting cures."""
    while True:
        try:
            return await call()
        except CallFailed as failed:
            if not failed.error["retryable"]:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
