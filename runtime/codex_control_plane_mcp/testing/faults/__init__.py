"""Message faults: a Codex whose messages are lost, late, repeated, reordered or cut, as a script says."""
