"""Crashes by construction: each fail point, a story that passes it, and what must hold afterwards."""
