"""The emitted lifecycles side by side, for checks that treat them all alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from codex_control_plane_contract import lifecycles
from codex_control_plane_contract.values import Value


@dataclass(frozen=True, slots=True)
class LifecycleTable:
    """One lifecycle: its table in the store and its transitions, with states and events as plain text."""

    name: str
    module: ModuleType
    table: str
    key: str
    read: Callable[[Mapping[str, Value]], object]
    """Makes a typed row of a stored one; raises ValueError for one that does not fit its state."""
    cells: Mapping[tuple[str, str], str]
    targets: Mapping[tuple[str, str], str]
    creations: Mapping[str, str]
    actors: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, str]
    paths: Mapping[str, tuple[str, ...]]
    ended: frozenset[str]

    @classmethod
    def of(cls, name: str) -> "LifecycleTable":
        """Return what is emitted for one lifecycle."""
        module: ModuleType = vars(lifecycles)[name]
        emitted = vars(module)
        return cls(
            name=name,
            module=module,
            table=emitted["TABLE"],
            key=emitted["KEY"],
            read=emitted["read"],
            cells=emitted["CELLS"],
            targets=emitted["TARGETS"],
            creations=emitted["CREATIONS"],
            actors=emitted["ACTORS"],
            evidence=emitted["EVIDENCE"],
            paths=emitted["PATHS"],
            ended=frozenset(state for state, facts in emitted["FACTS"].items() if facts.terminal),
        )


LIFECYCLES: Final[Mapping[str, LifecycleTable]] = {
    name: LifecycleTable.of(name) for name in lifecycles.__all__
}
