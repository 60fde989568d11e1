"""Sealed answers: a secret on its way through the store is never there in the clear (contract §10).

The key is a file of mode 0600 in the private state directory, so that server and worker share it; a copy of
the state file alone does not give the secret away.
"""

import json
import os
from pathlib import Path
from typing import cast

from codex_control_plane_contract.values import JsonObject

_KEY_FILE = "secret.key"
_FIELD = "sealed"


def sealed(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer as ``{"sealed": token}``."""
    # Imported here: few answers are secret, and the cipher costs every server its start time.
    from cryptography.fernet import Fernet

    token = Fernet(_key(state_directory)).encrypt(json.dumps(answer).encode())
    return {_FIELD: token.decode("ascii")}


def opened(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer in the clear; one that was never sealed is returned as it is."""
    token = answer.get(_FIELD)
    if not isinstance(token, str):
        return answer
    from cryptography.fernet import Fernet

    return cast(JsonObject, json.loads(Fernet(_key(state_directory)).decrypt(token.encode("ascii"))))


def spent(answer: JsonObject) -> JsonObject | None:
    """Return what to keep of a delivered answer: nothing of a sealed one, None for one to keep as it is."""
    return {_FIELD: None} if _FIELD in answer else None


def _key(state_directory: Path) -> bytes:
    path = state_directory / _KEY_FILE
    from cryptography.fernet import Fernet

    draft = path.with_name(f"{_KEY_FILE}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            # A hard link fails if another process was faster; then its key counts.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
