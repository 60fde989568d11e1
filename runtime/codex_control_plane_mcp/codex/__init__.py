"""The client of a real `codex app-server`: the program, the process and the connection."""
