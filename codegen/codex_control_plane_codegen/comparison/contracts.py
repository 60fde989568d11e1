"""Contracts to compare: the one that the spec compiles to, and those of a lock, a file or a git revision."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from codex_control_plane_codegen.comparison.elements import mapping
from codex_control_plane_codegen.emitters.contract_document import CONTRACT_DOCUMENT, FORMAT_VERSION
from codex_control_plane_codegen.model import JsonObject, JsonValue

LOCK: Final = "contract.lock"
"""The file at the root that holds the contract as it was last released."""

MIGRATIONS: Final = "runtime/codex_control_plane_mcp/store/migrations"
"""The directory of the numbered migrations, relative to the root."""

_MIGRATION: Final = re.compile(r"(?:.*/)?(\d{4})_\w+\.sql")


class UnreadableContractError(Exception):
    """There is no contract to compare with; the message says where it was looked for and what to do."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract document, with what is known of it beside its text."""

    name: str
    """How messages call it: a path or a revision."""
    document: JsonObject
    migration: int
    """The number of the newest migration; 0 for none."""
    released: bool = True
    """Whether somebody may rely on it; false for a candidate, which no release has followed yet."""

    @property
    def version(self) -> int:
        """Its `contractVersion`."""
        return int(str(self.document["contractVersion"]))


def read_contract(root: Path, base: str) -> Contract:
    """The contract of the lock or another file below or beside `root`, else of the git revision `base`.

    Raises UnreadableContractError if neither exists, or if it was written before contracts could be compared.
    """
    path = root / base
    if base == LOCK and not path.is_file():
        raise UnreadableContractError(f"there is no {LOCK} yet; `release --candidate` writes the first one")
    contract = _of_file(path, base) if path.is_file() else _of_revision(root, base)
    if base != LOCK:
        # What a revision holds is relied on as soon as anything was released, and not before.
        contract = replace(contract, released=_has_release(root))
    if contract.document.get("formatVersion") != FORMAT_VERSION:
        found = contract.document.get("formatVersion", "none")
        raise UnreadableContractError(
            f"the contract of {base} has formatVersion {found}, and {FORMAT_VERSION} is compared here; "
            "name a revision that was built with this compiler"
        )
    return contract


def _has_release(root: Path) -> bool:
    return (root / LOCK).is_file() and _of_file(root / LOCK, LOCK).released


def _of_file(path: Path, name: str) -> Contract:
    try:
        document = _parsed(name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableContractError(f"{name} cannot be read: {error}") from error
    if "lock" in document:
        number, released = int(str(document["migration"])), document["status"] == "released"
        return Contract(name, mapping(document["contract"]), number, released)
    return Contract(name, document, 0)


def _of_revision(root: Path, revision: str) -> Contract:
    text = _git(root, "show", f"{revision}:./{CONTRACT_DOCUMENT}")
    listing = _git(root, "ls-tree", "--name-only", revision, f"./{MIGRATIONS}/")
    return Contract(revision, _parsed(revision, text), _newest(listing.splitlines()))


def _parsed(name: str, text: str) -> JsonObject:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UnreadableContractError(f"{name} holds no contract: {error}") from error
    if not isinstance(document, dict):
        raise UnreadableContractError(f"{name} holds no contract, but {type(document).__name__}")
    return mapping(cast("JsonValue", document))


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise UnreadableContractError(
            "git is needed to compare with a revision, and is not on PATH"
        ) from error
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        raise UnreadableContractError(
            f"there is no file and no revision {arguments[1].partition(':')[0]} with a contract ({told[0]})"
        ) from error
    return done.stdout.decode()


def newest_migration(root: Path) -> int:
    """The number of the newest migration below `root`; 0 for none."""
    directory = root / MIGRATIONS
    return _newest([path.name for path in directory.iterdir()]) if directory.is_dir() else 0


def _newest(names: list[str]) -> int:
    matches = [match for name in names if (match := _MIGRATION.fullmatch(name))]
    return max((int(match[1]) for match in matches), default=0)


def lock_text(contract: Contract) -> str:
    """The text of the lock for this contract: one line an entry, so that git shows what a release changed."""
    status = "released" if contract.released else "candidate"
    head: JsonObject = {"lock": 1, "status": status, "migration": contract.migration}
    lines = [f"{json.dumps(key)}: {_line(value)}" for key, value in head.items()]
    document = ",\n".join(
        f"{json.dumps(key)}: {_section(value)}" for key, value in sorted(contract.document.items())
    )
    return "{\n" + ",\n".join([*lines, f'"contract": {{\n{document}\n}}']) + "\n}\n"


def _section(value: JsonValue) -> str:
    match value:
        case dict():
            entries = [f" {json.dumps(key)}: {_line(each)}" for key, each in sorted(value.items())]
            return "{\n" + ",\n".join(entries) + "\n}"
        case list():
            return "[\n" + ",\n".join(f" {_line(each)}" for each in value) + "\n]"
        case _:
            return _line(value)


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
