"""Silence: how long Codex has said nothing on a turn, and when that is long enough to look for oneself.

Any message may be lost, the last one too; a turn that waited for it would run for ever. So a turn on which
nothing was heard for ``CODEX_MCP_SILENCE_SECONDS`` is looked up, whether it seems to be at work or not. As
long as it stays silent it is looked up again, after pauses that double up to eightfold: an hour of compiling
and a question that waits for a person are silent by right (docs/decisions/0012). Times are the event loop's
seconds: they pace our looking, and decide nothing about a turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from codex_control_plane_contract.values import JsonObject

_MOST_DOUBLINGS = 3


@dataclass(slots=True)
class Silence:
    """The silence of one turn: since when, or since the last look; and how often it was looked up."""

    thread_id: str
    since: float
    looks: int = 0

    def breaks(self, now: float) -> None:
        """Begin anew: something was heard."""
        self.since, self.looks = now, 0

    def looked(self, now: float) -> None:
        """Take note of a look; the next one comes later."""
        self.since, self.looks = now, self.looks + 1


class Silences:
    """The silences of the turns in hand on one link."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silences: dict[str, Silence] = {}

    def attend(self, turns: Mapping[str, str], now: float) -> list[str]:
        """Keep watch over exactly these turns (thread ids by turn id); return those to be looked up now.

        A turn that was not watched yet counts as heard now; one that is returned counts as looked up.
        """
        self._silences = {
            turn_id: self._silences.get(turn_id) or Silence(thread_id, now)
            for turn_id, thread_id in turns.items()
        }
        due = [turn_id for turn_id, silence in self._silences.items() if self._due(silence) <= now]
        for turn_id in due:
            self._silences[turn_id].looked(now)
        return due

    def next_look(self) -> float | None:
        """Return when the next turn is to be looked up, unless it is heard before; None without a turn."""
        return min(map(self._due, self._silences.values()), default=None)

    def hear(self, params: JsonObject, now: float) -> None:
        """Take note of the parameters of a message: it breaks the silence of the turn that it names."""
        silence = self._silences.get(_turn_of(params))
        if silence is not None:
            silence.breaks(now)

    def rest(self, thread_id: str, now: float) -> bool:
        """Take note that a thread is at rest, so that its turn must have ended; return if one is watched.

        However long the turn was silent before, the next look is a single period away.
        """
        resting = [silence for silence in self._silences.values() if silence.thread_id == thread_id]
        for silence in resting:
            silence.breaks(now)
        return bool(resting)

    def _due(self, silence: Silence) -> float:
        return silence.since + self._seconds * (1 << min(silence.looks, _MOST_DOUBLINGS))


def _turn_of(params: JsonObject) -> str:
    """Return the id of the turn that a message is about; empty where it names none."""
    turn = params.get("turn")
    found = turn.get("id") if isinstance(turn, dict) else params.get("turnId")
    return found if isinstance(found, str) else ""
