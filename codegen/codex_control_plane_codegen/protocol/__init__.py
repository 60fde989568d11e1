"""Codex's own protocol: read from a program, cut down to what the spec uses, pinned, and compared."""
