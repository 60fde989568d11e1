"""Write locks on paths: each conflicts with itself, its parents and its children (contract §8)."""

from collections import Counter

from codex_control_plane_mcp.scheduling.paths import ancestors, lock_paths
from codex_control_plane_mcp.store import Contender


class Locks:
    """What may not be written to; `broad_turns` tasks that name no paths may share one project."""

    def __init__(self, *, broad_turns: int) -> None:
        self._broad_turns = broad_turns
        self._broad: Counter[str] = Counter()
        self._narrow: set[str] = set()
        self._above: set[str] = set()

    def hold(self, task: Contender) -> None:
        """Lock what the task may write to; nothing for one that only reads."""
        if not task.writes:
            return
        for path in lock_paths(task.project_path, task.resource_keys):
            if task.resource_keys:
                self._narrow.add(path)
            else:
                self._broad[path] += 1
            self._above.update(ancestors(path))

    def bar(self, task: Contender) -> bool:
        """Return whether something that the task may write to is locked."""
        if not task.writes:
            return False
        return any(
            self._bars(path, broad=not task.resource_keys)
            for path in lock_paths(task.project_path, task.resource_keys)
        )

    def bar_all(self, project_path: str) -> bool:
        """Return whether no task that writes in the project can pass."""
        (path,) = lock_paths(project_path, [])
        return self._broad[path] > 0 and self._bars(path, broad=True)

    def _bars(self, path: str, *, broad: bool) -> bool:
        if path in self._above or path in self._narrow:
            return True
        if any(parent in self._narrow or self._broad[parent] for parent in ancestors(path)):
            return True
        return self._broad[path] >= (self._broad_turns if broad else 1)
