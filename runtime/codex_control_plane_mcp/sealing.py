"""Sealed answers: a secret on its way through the store is never there in the clear (contract §10).

The key is a file of mode 0600 in the private state directory, so that server and worker share it; a copy of
the state file alone does not give the secret away.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from codex_control_plane_contract.values import JsonObject

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_KEY_FILE = "secret.key"
_FIELD = "sealed"


class SealBroken(Exception):
    """The answer was sealed with a key that is no longer in the state directory; it cannot be opened."""


def sealed(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer as ``{"sealed": token}``."""
    path = state_directory / _KEY_FILE
    if not path.exists():
        _create_key(path)
    token = _cipher(path).encrypt(json.dumps(answer).encode())
    return {_FIELD: token.decode("ascii")}


def opened(answer: JsonObject, state_directory: Path) -> JsonObject:
    """Return the answer in the clear; one that was never sealed is returned as it is.

    Raises :class:`SealBroken` where the key is missing or another one.
    """
    token = answer.get(_FIELD)
    if not isinstance(token, str):
        return answer
    # Imported here, as in `_cipher`.
    from cryptography.fernet import InvalidToken  # noqa: PLC0415

    try:
        clear = _cipher(state_directory / _KEY_FILE).decrypt(token.encode("ascii"))
    except (FileNotFoundError, ValueError, InvalidToken) as fault:
        raise SealBroken(f"{_KEY_FILE} does not open the answer") from fault
    return cast(JsonObject, json.loads(clear))


def spent(answer: JsonObject) -> JsonObject | None:
    """Return what to keep of a delivered answer: nothing of a sealed one, None for one to keep as it is."""
    return {_FIELD: None} if _FIELD in answer else None


def _cipher(path: Path) -> "Fernet":
    # Imported here: few answers are secret, and the cipher costs every server its start time.
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet(path.read_bytes())


def _create_key(path: Path) -> None:
    """Write a new key that survives a power cut; if somebody else was faster, theirs counts."""
    # Imported here, as in `_cipher`.
    from cryptography.fernet import Fernet  # noqa: PLC0415

    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
