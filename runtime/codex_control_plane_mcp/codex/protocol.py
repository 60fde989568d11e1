"""What a `codex` program lacks of the protocol that the server needs, by its own account.

Versions that were compared when the server was compiled are not asked. Any other one is asked once: it writes
its JSON Schemas (some 0.1 s), and the verdict is kept in the state directory until another program is there.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol, cast

from codex_control_plane_mcp.codex.binary import Binary, run_binary
from codex_control_plane_mcp.codex.errors import BinaryLacksProtocol, BinaryUnusable
from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue

_LOG = logging.getLogger(__name__)

SCHEMA_SECONDS: Final = 30.0
"""Longest that a program may take to write its schemas."""

_VERDICT: Final = "codex-protocol.json"
_BUNDLE: Final = "codex_app_server_protocol.schemas.json"
_UNIONS: Final[Mapping[str, str]] = {
    "methods": "ClientRequest",
    "notifications": "ServerNotification",
    "serverRequests": "ServerRequest",
}


class Need(Protocol):
    """A message that must be there: what is written to it, and what must come back, like ``thread.id``."""

    @property
    def section(self) -> str:
        """One of methods, notifications and serverRequests."""
        ...

    @property
    def name(self) -> str:
        """The name of the message."""
        ...

    @property
    def sends(self) -> tuple[str, ...]:
        """The parameters that are written."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields that are relied on."""
        ...


async def require_protocol(
    binary: Binary, version: str, needs: Sequence[Need], known: Collection[str], state_directory: Path
) -> None:
    """Return if `version` is a known one, or the program has all that is needed, or cannot be asked.

    A program that writes no schemas is not refused for that: its first refused call will tell. Raises
    BinaryLacksProtocol.
    """
    if version in known:
        return
    key = _key(binary, version, needs)
    missing = _kept_verdict(state_directory, key)
    if missing is None:
        try:
            missing = [*missing_from(await _bundle(binary), needs)]
        except (BinaryUnusable, OSError, ValueError) as fault:
            _LOG.warning("Codex %s does not say what it can do, and is used as it is: %s", version, fault)
            return
        await asyncio.to_thread(_keep_verdict, state_directory, key, missing)
    if missing:
        raise BinaryLacksProtocol(binary.path, version, missing)


def missing_from(bundle: JsonObject, needs: Sequence[Need]) -> Iterator[str]:
    """Yield what the schemas lack, like ``turn/start`` or ``turn/start params.clientUserMessageId``."""
    schemas = _Schemas(bundle)
    for need in needs:
        reference = schemas.parameters_of(need)
        if reference is None:
            yield need.name
            continue
        params = schemas.definition(reference)
        known = schemas.fields(params)
        yield from (f"{need.name} params.{name}" for name in need.sends if name not in known)
        if need.section == "methods":
            required = schemas.required(params) - {*need.sends}
            yield from (f"{need.name} params.{name}, which it insists on" for name in sorted(required))
        half = "result" if need.section == "methods" else "params"
        whole = (
            schemas.definition(f"{reference.removesuffix('Params')}Response") if half == "result" else params
        )
        yield from (f"{need.name} {half}.{path}" for path in need.reads if not schemas.has(whole, path))


@dataclass(frozen=True, slots=True)
class _Schemas:
    """The bundle of schemas that Codex writes: JSON Schema of draft 7."""

    bundle: JsonObject

    def parameters_of(self, need: Need) -> str | None:
        """Return the reference to the parameters of a message; None if there is no such message."""
        for variant in _parts(self.definition(_UNIONS[need.section]), "oneOf"):
            match variant:
                case {"properties": {"method": {"enum": [need.name]}, "params": {"$ref": str(reference)}}}:
                    return reference
                case _:
                    pass
        return None

    def definition(self, reference: str) -> JsonValue:
        """Return what ``#/definitions/v2/Turn``, or a bare name, leads to."""
        node: JsonValue = self.bundle.get("definitions")
        for step in reference.removeprefix("#/definitions/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
        return node

    def fields(self, schema: JsonValue) -> dict[str, JsonValue]:
        """Return the fields of an object, or of whatever a union or a list may hold."""
        match schema:
            case {"$ref": str(reference)}:
                return self.fields(self.definition(reference))
            case {"items": items}:
                return self.fields(items)
            case _:
                fields = _object(schema, "properties")
                for part in [*_parts(schema, "oneOf"), *_parts(schema, "anyOf"), *_parts(schema, "allOf")]:
                    fields = self.fields(part) | fields
                return fields

    def required(self, schema: JsonValue) -> set[str]:
        """Return the fields that an object must have."""
        return {name for name in _parts(schema, "required") if isinstance(name, str)}

    def has(self, schema: JsonValue, path: str) -> bool:
        """Return whether the field that the path leads to exists."""
        for name in path.split("."):
            fields = self.fields(schema)
            if name not in fields:
                return False
            schema = fields[name]
        return True


async def _bundle(binary: Binary) -> JsonObject:
    """Return the schemas of the program. Raises BinaryUnusable, OSError and ValueError."""
    with TemporaryDirectory(prefix="codex-schemas-") as directory:
        command = ["app-server", "generate-json-schema", "--experimental", "--out", directory]
        await run_binary(binary, command, SCHEMA_SECONDS)
        text = await asyncio.to_thread(Path(directory, _BUNDLE).read_text, "utf-8")
    # Half a megabyte: long enough to hold up the event loop.
    bundle = await asyncio.to_thread(json.loads, text)
    return cast("JsonObject", bundle) if isinstance(bundle, dict) else {}


def _key(binary: Binary, version: str, needs: Sequence[Need]) -> JsonObject:
    """Return what a verdict is about: this file as it is now, and these needs."""
    status = binary.path.stat()
    return {
        "binary": str(binary.path),
        "version": version,
        "size": status.st_size,
        "modifiedNs": status.st_mtime_ns,
        "needs": hashlib.sha256(repr(needs).encode()).hexdigest(),
    }


def _kept_verdict(state_directory: Path, key: JsonObject) -> list[str] | None:
    try:
        kept = json.loads((state_directory / _VERDICT).read_text(encoding="utf-8"))
        return [str(one) for one in kept["missing"]] if kept["of"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_verdict(state_directory: Path, key: JsonObject, missing: Sequence[str]) -> None:
    """Write the verdict; one that is torn or lost is only found anew."""
    text = json.dumps({"of": key, "missing": missing})
    (state_directory / _VERDICT).write_text(text, encoding="utf-8")


def _object(schema: JsonValue, key: str) -> dict[str, JsonValue]:
    value = schema.get(key) if isinstance(schema, dict) else None
    return value if isinstance(value, dict) else {}


def _parts(schema: JsonValue, key: str) -> list[JsonValue]:
    value = schema.get(key) if isinstance(schema, dict) else None
    return value if isinstance(value, list) else []
