"""Ids of our own rows: a prefix, then 48 bits of time and 80 random bits in Crockford's base 32 (a ULID)."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, now: int) -> str:
    """Return a new id such as ``op_01hzy3v7q2c8…``; ids of one prefix sort by ``now`` (milliseconds)."""
    number = (now << 80) | secrets.randbits(80)
    digits = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{digits}"
