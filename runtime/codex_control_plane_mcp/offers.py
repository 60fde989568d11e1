"""What Codex offers for a question beside yes and no: decisions that outlast it.

Such a decision is an object. It makes a rule, of whatever it holds, that stays in Codex's home, so only what
Codex offers for this very question may be given, as a whole (docs/decisions/0100).
"""

from collections.abc import Iterator

from codex_control_plane_contract.values import JsonArray, JsonObject, JsonValue
from codex_control_plane_mcp.questions import Asked

DECISIONS = ("accept", "acceptForSession", "decline", "cancel")
"""What every approval takes: Codex takes each of them also where it lists fewer."""


def offered_payloads(asked: Asked) -> list[JsonObject]:
    """Return the decisions that Codex offers as objects for an approval; empty where it offers none.

    A Codex that lists no `availableDecisions` says only what it proposes; each proposal is such a decision.
    """
    if asked.kind != "approval":
        return []
    listed = asked.params.get("availableDecisions")
    if isinstance(listed, list):
        return [decision for decision in listed if isinstance(decision, dict)]
    return [*_proposed(asked.params)]


def available_decisions(asked: Asked) -> list[str]:
    """Return every decision that fits an approval, an offered object by its key; empty for other kinds."""
    if asked.kind != "approval":
        return []
    return [*DECISIONS, *(name for decision in offered_payloads(asked) for name in decision)]


def offered_terms(asked: Asked) -> list[str]:
    """Return for how long a leave for a tool of an MCP server may be given beyond the question."""
    meta = asked.params.get("_meta")
    terms = meta.get("persist") if isinstance(meta, dict) else None
    return [term for term in _items(terms) if isinstance(term, str)]


def _proposed(params: JsonObject) -> Iterator[JsonObject]:
    amendment = params.get("proposedExecpolicyAmendment")
    if isinstance(amendment, list) and amendment:
        yield {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": amendment}}
    for entry in _items(params.get("proposedNetworkPolicyAmendments")):
        yield {"applyNetworkPolicyAmendment": {"network_policy_amendment": entry}}


def _items(value: JsonValue) -> JsonArray:
    return value if isinstance(value, list) else []
