# Every verb is one line that a person could type; each sets itself up first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2

.PHONY: help setup demo test live crash crash-pairs faults chaos codex-versions codex-pins typescript check lint types imports spec mutants diff gen bench lock clean

help: ## list the verbs
	@printf 'make VERB, where VERB is one of\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nStart with: make demo\n'

setup: $(READY) ## make .venv with the pinned dependencies and the console scripts

$(READY): pyproject.toml requirements/dev.txt
	@printf 'Setting up .venv (once) …\n'
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

demo: $(READY) ## watch a durable task run, be killed half-way, and finish (DEMO=--live for your own Codex)
	@$(BIN)/codex-control-plane-mcp-demo $(DEMO)

test: $(READY) ## run every test
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

live: $(READY) ## run only the tests with a real Codex
	$(BIN)/python -m pytest -n $(WORKERS) -m live $(TESTS)

crash: $(READY) ## kill, stop and break every process at every fail point, and look what is lost
	WHOLE=$(if $(TESTS),,yes) $(BIN)/python -m pytest -n $(WORKERS) -m crash tests/crash $(TESTS)

crash-pairs: $(READY) ## the same with two deaths in a row (PAIRS=all for every pair)
	PAIRS=$(PAIRS) $(BIN)/python -m pytest -n $(WORKERS) -m crash_pairs tests/crash $(TESTS)

faults: $(READY) ## lose, delay, repeat, reorder and cut every message between worker and Codex
	$(BIN)/python -m pytest -n $(WORKERS) -m faults tests/faults $(TESTS)

chaos: $(READY) ## random tasks under random deaths (N=60 SEED=1; CHAOS="--pace 0.1")
	$(BIN)/python -m codex_control_plane_mcp.testing.chaos --errands $(or $(N),60) --seed $(or $(SEED),1) $(CHAOS)

codex-versions: $(READY) ## run releases of Codex from PyPI: the newest, a middle and the oldest supported, an old one
	VERSIONS="$(VERSIONS)" $(BIN)/python -m pytest -m codex_versions tests/versions $(TESTS)

typescript: $(READY) ## compile a TypeScript client against the published schemas and run it
	$(BIN)/python -m pytest -m typescript tests/typescript $(TESTS)

codex-pins: $(READY) ## pin the protocol of every supported Codex anew (VERSIONS="0.163.0 …" for some)
	$(BIN)/python -m codex_control_plane_mcp.testing.codex_releases $(VERSIONS)

check: lint types imports spec diff ## format, lint, types, import rules, spec, freshness of what is compiled, breaks

lint: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(READY)
	$(BIN)/mypy
	$(BIN)/pyright

imports: $(READY)
	$(BIN)/lint-imports --no-cache

spec: $(READY)
	$(BIN)/codex-control-plane-mcp-codegen check --strict
	$(BIN)/codex-control-plane-mcp-codegen verify

mutants: $(READY) ## break the spec in many ways and see whether check and verify find it (EVERY=1 for all)
	$(BIN)/codex-control-plane-mcp-codegen verify --mutants $(or $(EVERY),15)

diff: $(READY) ## whom a change breaks since the last release (BASE=main: since a git revision)
	$(BIN)/codex-control-plane-mcp-codegen diff $(BASE)

gen: $(READY) ## compile spec/ into generated/ and docs/reference/
	$(BIN)/codex-control-plane-mcp-codegen build

bench: $(READY) ## print the figures, as ratios measured in one run
	PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

lock: $(READY) ## pin the newest dependencies in requirements/dev.txt
	$(BIN)/python -m pip install --quiet --upgrade --editable . --requirement requirements/dev.in
	$(BIN)/python -m pip freeze --exclude-editable > requirements/dev.txt

clean: ## remove .venv and caches
	rm -rf .venv .codex-versions .pytest_cache .mypy_cache .ruff_cache .hypothesis
