"""The compiler: reads ``spec/``, checks it, and writes ``generated/`` (docs/architecture.md)."""
