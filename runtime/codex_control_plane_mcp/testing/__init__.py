"""The testing kit: a scripted model behind a real Codex, for our tests, for the demo and for yours."""
