"""The worker: the one process that drives Codex; it knows no MCP."""
