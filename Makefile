# Everything a developer does here, a word each. `make` alone prints the words.
# Needs bash, make and any Python from 3.11; the rest is installed into .venv from the lock files.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
LOCKS := requirements/main.txt requirements/dev.txt
COVERAGE := build/coverage.json
BASE_IMAGE ?= python:3.13-slim
IMAGE ?= salesforce-bridge

# A tool asked to skip bytecode starts two to three times slower, and the tests start many processes.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never
ifndef SSL_CERT_FILE
export UV_SYSTEM_CERTS := 1
endif

# The first line of every target is the sentence that `make` prints for it.
SAY = @sed -n 's/^$@:.*\#\# /== $@: /p' Makefile

.PHONY: help setup fmt lint types arch check test laws mutants histories e2e demo bench build image lock clean

help:
	@echo "make WORD, where WORD is one of"
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | while IFS=$$'\t' read -r word does; do \
		printf '  %-9s %s\n' "$$word" "$$does"; done

setup: $(READY) ## install Python packages into .venv exactly as locked
	@$(if $(filter setup,$(MAKECMDGOALS)),echo "== setup: $(VENV) is as the lock files say",:)

fmt: $(READY) ## rewrite the code the way the formatter wants it
	$(SAY)
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lint: $(READY) ## look for bad habits, unformatted code and lock files that name a host
	$(SAY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@! grep -nE 'https?://|file:|--(extra-)?index-url|--find-links' $(LOCKS)
	@! grep -n '"resolved"' deploy/salesforce/package-lock.json

types: $(READY) ## prove the types
	$(SAY)
	@$(BIN)/mypy

arch: $(READY) ## check who may import whom
	$(SAY)
	@$(BIN)/lint-imports

check: lint types arch ## everything that is fast: lint, types, arch and the unit tests
	$(SAY)
	@$(BIN)/python -m pytest tests/unit -q -m "not slow"

test: lint types arch ## every check and every test, with the coverage we promise
	$(SAY)
	@mkdir -p build && rm -f $(COVERAGE)
	@$(BIN)/python -m pytest --ignore=tests/bench --numprocesses=2 --dist=loadfile --durations=10 --cov --cov-report=json:$(COVERAGE)
	@$(BIN)/python tests/coverage_floor.py $(COVERAGE)

laws: $(READY) ## search the property tests for far more examples
	$(SAY)
	@$(BIN)/python -m pytest -p tests.many_examples tests/property tests/integration/cycle/test_races.py tests/integration/cycle/test_faults.py tests/integration/ledger/test_sudden_death.py tests/integration/ledger/test_folding_again.py --timeout=1800

mutants: $(READY) ## change the law in thousands of small ways and count which changes no test notices
	$(SAY)
	@$(BIN)/mutmut run --max-children 2
	@$(BIN)/python -m tests.mutants

histories: $(READY) ## play a thousand random histories against the simulated org (NUMBER=... SEED=...)
	$(SAY)
	@$(BIN)/python -m tests.histories --number $(or $(NUMBER),1000) --seed $(or $(SEED),0)

e2e: $(READY) ## run the real program in processes of its own against the simulated org
	$(SAY)
	@$(BIN)/python -m pytest tests/e2e --timeout=300

demo: $(READY) ## run the bridge against a simulated org and show what it does (KEEP=1 leaves it running)
	$(SAY)
	@$(BIN)/salesforce-bridge demo $(if $(KEEP),--keep)

bench: $(READY) ## measure speed and memory
	$(SAY)
	@$(BIN)/python -m tests.bench.bench_judge
	@$(BIN)/python -m tests.bench.bench_record

build: $(READY) ## build the source archive, and the wheel from it, into dist/
	$(SAY)
	@rm -rf dist
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist
	@ls -1 dist/*.tar.gz dist/*.whl

image: ## build the container image (BASE_IMAGE=... IMAGE=...)
	$(SAY)
	@for engine in docker podman buildah; do \
		if command -v $$engine >/dev/null && $$engine info >/dev/null 2>&1; then \
			exec $$engine build --build-arg BASE_IMAGE=$(BASE_IMAGE) --tag $(IMAGE) .; fi; done; \
	echo "none of docker, podman and buildah answers on this machine" >&2; exit 1

lock: $(READY) ## lock the requirements anew (UPGRADE=1 takes the newest releases)
	$(SAY)
	@lock() { $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header $(if $(UPGRADE),--upgrade) "$$@"; }; \
	lock pyproject.toml --output-file requirements/main.txt; \
	lock pyproject.toml --group dev --constraints requirements/main.txt --output-file requirements/dev.txt; \
	lock requirements/build.in --constraints requirements/dev.txt --output-file requirements/build.txt

clean: ## remove what make made, .venv too; var/ and its ledgers stay
	$(SAY)
	@rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@rm -rf deploy/salesforce/node_modules
	@find salesforce_bridge tests -name __pycache__ -prune -exec rm -rf {} +

# PYTHON=... chooses the interpreter; without it the newest that fits makes the environment.
$(READY): requirements/dev.txt pyproject.toml
	@echo "== setup: installing the locked packages into $(VENV)"
	@fits() { "$$1" -c 'import sys, ensurepip, sqlite3, ssl, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
	if [[ -n "$(PYTHON)" ]] || ! fits $(BIN)/python; then \
		for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do fits "$$python" && break; python=; done; \
		[[ -n "$$python" ]] || { echo "no Python from 3.11 with venv and sqlite3 was found" >&2; exit 1; }; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@wanted=$$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/dev.txt); \
	if [[ "$$($(BIN)/uv --version 2>/dev/null)" != "uv $$wanted"* ]]; then \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
		awk '/^uv==/ {on = 1} on; on && !/\\$$/ {exit}' requirements/dev.txt > $(VENV)/uv.txt; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt; \
	fi
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
