# Bare `make` prints this help. Needs Python 3.11+ with pip, and make; nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Processes that run the tests, each with a Redis and a PostgreSQL of its own; 0 is none beside
TESTERS ?= 2
PYTEST := $(BIN)/python -m pytest -q -n $(TESTERS) --dist loadfile

.PHONY: help setup demo test test-scale-out how-to fuzz chaos soak check format reference screenshot up bench lock clean

help:  ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv and install everything that the lock names

$(STAMP): requirements/dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: $(STAMP)  ## upload a table, train, predict: the main job in under a minute
	@$(BIN)/python examples/demo.py

test: $(STAMP) check  ## lint, types, contracts, then every test but the slow suites
	@$(PYTEST)

test-scale-out: $(STAMP)  ## every test over PostgreSQL and a Redis by TCP
	@FITSERVE_TEST_PROFILE=scale-out $(PYTEST)

how-to: $(STAMP)  ## follow every page of docs/how-to, and compare what it prints
	@FITSERVE_TEST_HOW_TO=all $(BIN)/python -m pytest -q tests/e2e/test_how_to.py

fuzz: $(STAMP)  ## attack a whole service, on both databases (MINUTES, EXAMPLES, SEED)
	@$(BIN)/python -m tests.fuzz

check: $(STAMP)  ## lint, formatting, types, import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || (cat .venv/lint-imports.log; exit 1)
	@$(BIN)/oxlint dashboard/static > .venv/oxlint.log || (cat .venv/oxlint.log; exit 1)

format: $(STAMP)  ## put the code into the house's form
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

reference: $(STAMP)  ## write the generated pages and stubs
	@$(BIN)/python -m docs.generate

screenshot: $(STAMP)  ## write docs/images/page.png from the page (needs Chromium)
	@$(BIN)/python -m docs.screenshot

up: $(STAMP)  ## start the service on this machine; Ctrl-C stops it
	@$(BIN)/fitserve up

bench: $(STAMP)  ## measure, and print ratios against named baselines
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements/bench.lock
	@$(BIN)/python -m benchmarks

chaos: $(STAMP)  ## let faults befall the service: ROWS=1,7 PROFILES=sqlite TIMES=5 SEED=1 FULL=1
	@$(BIN)/python -m tests.chaos $(if $(ROWS),--rows $(ROWS)) $(if $(PROFILES),--profiles $(PROFILES)) \
	  $(if $(TIMES),--times $(TIMES)) $(if $(SEED),--seed $(SEED)) $(if $(FULL),--full)

soak: $(STAMP)  ## random faults under load: MINUTES=60 SEED=1 PROFILES=postgresql
	@$(BIN)/python -m tests.chaos --soak $(or $(MINUTES),60) \
	  $(if $(PROFILES),--profiles $(PROFILES)) $(if $(SEED),--seed $(SEED))

lock: $(STAMP)  ## resolve the ranges of pyproject.toml anew
	@for room in service worker; do $(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --extra $$room pyproject.toml -o requirements/$$room.lock; done
	@$(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --extra worker --group dev pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile --quiet --universal --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --group bench -c requirements/dev.lock -o requirements/bench.lock

clean:  ## remove the environment and every cache
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist ./*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
