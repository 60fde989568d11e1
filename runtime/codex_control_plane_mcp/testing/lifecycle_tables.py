"""The emitted lifecycles side by side, for checks that treat them all alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from codex_control_plane_contract import lifecycles


@dataclass(frozen=True, slots=True)
class LifecycleTable:
    """One lifecycle: its table in the store and its transitions, with states and events as plain text."""

    name: str
    module: ModuleType
    table: str
    key: str
    cells: Mapping[tuple[str, str], str]
    targets: Mapping[tuple[str, str], str]
    creations: Mapping[str, str]
    actors: Mapping[str, tuple[str, ...]]
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
            cells=emitted["CELLS"],
            targets=emitted["TARGETS"],
            creations=emitted["CREATIONS"],
            actors=emitted["ACTORS"],
            paths=emitted["PATHS"],
            ended=frozenset(state for state, facts in emitted["FACTS"].items() if facts.terminal),
        )


LIFECYCLES: Final[Mapping[str, LifecycleTable]] = {
    name: LifecycleTable.of(name) for name in lifecycles.__all__
}
