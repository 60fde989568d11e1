"""The MCP server: thin, one per client, and free to die at any time."""
