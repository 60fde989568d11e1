"""Rows in any state, made as the product makes them: a creation, then events along the shortest path."""

import inspect
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import get_args

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.store import Fence, Store, Transaction
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES
from codex_control_plane_mcp.store.transaction import LifecycleRow

AnyChange = Change[LifecycleRow]

_PARENTS = {
    "operation_id": ("operation", "queued"),
    "replaces_operation_id": ("operation", "queued"),
    "attempt_id": ("attempt", "prepared"),
    "turn_id": ("turn", "running"),
    "plan_operation_id": ("operation", "queued"),
    "review_operation_id": ("operation", "queued"),
    "workflow_id": ("plan_workflow", "planning"),
}
"""The rows that others refer to from their creation on."""

_NAMED_LATER = {"execution_operation_id": ("operation", "queued")}
"""The rows that others refer to once an event has named them."""

ERROR: Error = {"code": "INTERNAL_ERROR", "message": "made by a test", "details": {}, "retryable": False}


class SampleRows:
    """Makes rows and changes for one store; texts and ids are unique, so that rows do not collide."""

    def __init__(self, store: Store, fence: Fence) -> None:
        self._store = store
        self._fence = fence
        self._numbers = itertools.count(1)

    def row(self, lifecycle: str, state: str) -> LifecycleRow:
        """Return a new row in this state, and whatever rows it refers to, from one transaction."""
        with self._store.transaction("sample", self._fence) as (transaction, _):
            return self._row(transaction, lifecycle, state)

    def creation(self, lifecycle: str, event: str) -> AnyChange:
        """Return the creation of a row, with sample values; the rows that it refers to are made."""
        with self._store.transaction("sample", self._fence) as (transaction, _):
            return self._creation(transaction, lifecycle, event)

    def change(self, row: LifecycleRow, event: str) -> AnyChange:
        """Return the change of a row along an event, with sample values; the rows that it names are made."""
        with self._store.transaction("sample", self._fence) as (transaction, _):
            return self._change(transaction, row, event)

    def apply(self, change: AnyChange) -> LifecycleRow:
        """Commit a change in the name of whoever may make it."""
        with self._store.transaction("sample", self._fence) as (transaction, _):
            return _apply(transaction, change)

    def contradict(self, lifecycle: str, row: LifecycleRow, *, event: str, target: str) -> None:
        """Report a second, different outcome of a row that has ended."""
        with self._store.transaction("sample", self._fence) as (transaction, _):
            transaction.record_conflict(
                lifecycle, row, event=event, target=target, by="codex", evidence="seen by a test"
            )

    def _row(self, transaction: Transaction, lifecycle: str, state: str) -> LifecycleRow:
        creation, *events = LIFECYCLES[lifecycle].paths[state]
        row = _apply(transaction, self._creation(transaction, lifecycle, creation))
        for event in events:
            row = _apply(transaction, self._change(transaction, row, event))
        return row

    def _change(self, transaction: Transaction, row: LifecycleRow, event: str) -> AnyChange:
        method: Callable[..., AnyChange] = getattr(row, event)
        module = inspect.getmodule(type(row))
        assert module is not None
        required = _required(method).items()
        values = {name: self._sample(kind, name, module) for name, kind in required}
        for name in values.keys() & _NAMED_LATER.keys():
            values[name] = self._row(transaction, *_NAMED_LATER[name]).row_id
        return method(**values)

    def _creation(self, transaction: Transaction, lifecycle: str, event: str) -> AnyChange:
        module, key = LIFECYCLES[lifecycle].module, LIFECYCLES[lifecycle].key
        create: Callable[..., AnyChange] = vars(module)[event]
        required = _required(create)
        copied = dict[str, LifecycleRow]()
        if required.pop("original", None):
            copied["original"] = self._row(transaction, lifecycle, module.INITIAL)
        values = {name: self._sample(kind, name, module) for name, kind in required.items()}
        for name in values.keys() & _PARENTS.keys() - {key}:
            values[name] = self._row(transaction, *_PARENTS[name]).row_id
        return create(**copied, **values)

    def _sample(self, kind: str, name: str, module: ModuleType) -> object:
        match kind:
            case "str":
                return f"{name}-{next(self._numbers)}"
            case "int":
                return next(self._numbers)
            case "bool":
                return True
            case "Error":
                return ERROR
            case "JsonObject":
                return {}
            case "JsonArray":
                return []
            case _:
                return get_args(vars(module)[kind])[0]


def _required(make: Callable[..., AnyChange]) -> dict[str, str]:
    """Return the keywords without a default, with their types as they are written."""
    parameters = inspect.signature(make).parameters.values()
    return {each.name: str(each.annotation) for each in parameters if each.default is each.empty}


def _apply(transaction: Transaction, change: AnyChange) -> LifecycleRow:
    return transaction.apply(change, by=change.actors[0], evidence="seen by a test")
