"""Commands for the person who runs the control plane: ``codex-control-plane-mcp-admin``.

They work on the state file alone, and none of them needs a server, a worker or Codex.
"""
