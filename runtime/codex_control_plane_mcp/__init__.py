"""A durable MCP control plane for OpenAI Codex: server, handlers, store, worker, and the client of Codex."""
