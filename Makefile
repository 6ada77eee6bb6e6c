# `make` without a target prints a list of targets. Needs only make, and Python 3.11+ with pip.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Number of test processes, each with its own Redis and PostgreSQL; 0 uses the main process
TESTERS ?= 2
PYTEST := $(BIN)/python -m pytest -q -n $(TESTERS) --dist loadfile

.PHONY: help setup demo test test-all test-scale-out how-to fuzz chaos soak check format reference screenshot wheel up bench lock clean

help:  ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## create .venv and install the locked packages

$(STAMP): requirements/dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: $(STAMP)  ## upload a table, train and predict, in under a minute
	@$(BIN)/python examples/demo.py

test: $(STAMP) check  ## run the checks, then every test that is not marked heavy
	@$(PYTEST) -m "not heavy"

test-all: $(STAMP) check  ## run the checks, then every test and every how-to page
	@$(PYTEST)

test-scale-out: $(STAMP)  ## run the tests of database, Redis and files with PostgreSQL, Redis over TCP and S3
	@FITSERVE_TEST_PROFILE=scale-out $(PYTEST)

how-to: $(STAMP)  ## run every page of docs/how-to, and compare its output
	@$(BIN)/python -m pytest -q tests/e2e/test_how_to.py

fuzz: $(STAMP)  ## fuzz a whole service, on both databases (MINUTES, EXAMPLES, SEED)
	@$(BIN)/python -m tests.fuzz

check: $(STAMP)  ## check lint, formatting, types and import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || (cat .venv/lint-imports.log; exit 1)
	@$(BIN)/oxlint dashboard/static > .venv/oxlint.log || (cat .venv/oxlint.log; exit 1)

format: $(STAMP)  ## format the code, and fix what the linter can fix
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

reference: $(STAMP)  ## write the generated pages and stubs
	@$(BIN)/python -m docs.generate

screenshot: $(STAMP)  ## write the pictures of the docs from the page (SHOTS=page; needs Chromium)
	@$(BIN)/python -m docs.screenshot $(SHOTS)

wheel: $(STAMP)  ## build dist/fitserve-….whl: client, command line and server
	@$(BIN)/uv build --quiet --clear --wheel --out-dir dist .
	@ls dist/*.whl

up: $(STAMP)  ## start the service on this machine; Ctrl-C stops it
	@$(BIN)/fitserve up

bench: $(STAMP)  ## run the benchmarks, and print ratios to baselines
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements/bench.lock
	@$(BIN)/python -m benchmarks

chaos: $(STAMP)  ## inject faults into the service: ROWS=1,7 PROFILES=sqlite TIMES=5 SEED=1 FULL=1
	@$(BIN)/python -m tests.chaos $(if $(ROWS),--rows $(ROWS)) $(if $(PROFILES),--profiles $(PROFILES)) \
	  $(if $(TIMES),--times $(TIMES)) $(if $(SEED),--seed $(SEED)) $(if $(FULL),--full)

soak: $(STAMP)  ## inject random faults under load: MINUTES=60 SEED=1 PROFILES=postgresql
	@$(BIN)/python -m tests.chaos --soak $(or $(MINUTES),60) \
	  $(if $(PROFILES),--profiles $(PROFILES)) $(if $(SEED),--seed $(SEED))

lock: $(STAMP)  ## resolve the version ranges of pyproject.toml again
	@for extra in service worker; do $(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --extra $$extra pyproject.toml -o requirements/$$extra.lock; done
	@$(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --extra worker --group dev pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --group bench -c requirements/dev.lock -o requirements/bench.lock

clean:  ## remove the environment and every cache
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist ./*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
