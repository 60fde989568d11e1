"""What Codex asked that no client of ours can answer: counted for health, kept no longer than the worker."""

from typing import Final

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.store import Reader, Transaction

_MOST_NAMES: Final = 20
_NAME_CHARS: Final = 100
_OTHERS: Final = "others"


def count(worker_id: str, method: str, transaction: Transaction, reader: Reader) -> None:
    """Count a refused request on the worker's row; only so many names are kept apart."""
    row = reader.worker(worker_id)
    if row is None:
        return
    counts: JsonObject = {**(row.refused_requests or {})}
    name = method[:_NAME_CHARS]
    if name not in counts and len(counts) >= _MOST_NAMES:
        name = _OTHERS
    before = counts.get(name)
    counts[name] = (before if isinstance(before, int) else 0) + 1
    transaction.touch(row.report_refusals(refused_requests=counts))
