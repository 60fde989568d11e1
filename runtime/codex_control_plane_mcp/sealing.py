"""Sealed answers: a secret on its way through the store is never there in the clear (contract §10).

The key is a file of mode 0600 in the private state directory, so that server and worker share it; a copy of
the state file alone does not give the secret away.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from codex_control_plane_contract.values import JsonObject

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_KEY_FILE = "secret.key"
_FIELD = "sealed"


def sealed(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer as ``{"sealed": token}``."""
    token = _cipher(state_directory).encrypt(json.dumps(answer).encode())
    return {_FIELD: token.decode("ascii")}


def opened(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer in the clear; one that was never sealed is returned as it is."""
    token = answer.get(_FIELD)
    if not isinstance(token, str):
        return answer
    return cast(JsonObject, json.loads(_cipher(state_directory).decrypt(token.encode("ascii"))))


def spent(answer: JsonObject) -> JsonObject | None:
    """Return what to keep of a delivered answer: nothing of a sealed one, None for one to keep as it is."""
    return {_FIELD: None} if _FIELD in answer else None


def _cipher(state_directory: Path) -> "Fernet":
    # Imported here: few answers are secret, and the cipher costs every server its start time.
    from cryptography.fernet import Fernet  # noqa: PLC0415

    path = state_directory / _KEY_FILE
    if not path.exists():
        _write_once(path, Fernet.generate_key())
    return Fernet(path.read_bytes())


def _write_once(path: Path, key: bytes) -> None:
    """Write the key file; if another process was faster, its key counts."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
